"""Statistics over images: how sure a gain is, and whether it could be chance."""

LEVEL = 0.95
"""Coverage of an interval."""

RESAMPLES = 10_000
SEED = 0
"""Number of a bootstrap's resamples, and the seed of its draws."""
