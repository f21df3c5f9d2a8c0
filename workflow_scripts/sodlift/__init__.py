"""sodlift: promote saliency detectors and hold the result against the papers."""

__version__ = "0.1.0"
