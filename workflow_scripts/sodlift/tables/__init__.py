"""Tables: scores gathered, compared with the papers, rendered."""
