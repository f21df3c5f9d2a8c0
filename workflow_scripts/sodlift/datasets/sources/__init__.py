"""Sources of data sets: one public module a kind, each finding the images and masks of one data set."""

from sodlift.datasets.sources._base import Source, fingerprint, has_masks
from sodlift.registry import Registry

__all__ = ["SOURCES", "Source", "fingerprint", "has_masks"]

SOURCES: Registry[Source] = Registry("data set source", "sodlift.datasets.sources", "SOURCE")
