"""Training engine shared by all networks."""
