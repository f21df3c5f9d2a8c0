"""Detector types, one public module each: where prior maps come from."""

from sodlift.detectors._base import DetectorType
from sodlift.registry import Registry

DETECTORS: Registry[DetectorType] = Registry("detector type", "sodlift.detectors", "DETECTOR")
