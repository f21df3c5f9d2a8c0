"""Configuration: files read, every mistake listed at once, and a run resolved into plain data."""
