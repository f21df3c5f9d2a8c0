"""Sets of maps scored against ground truths: protocols, one pass over the images, and results as files."""
