"""Refiner types: methods that take an image and a prior map and give a better map."""

from sodlift.refiners._base import RefinerType
from sodlift.registry import Registry

REFINERS: Registry[RefinerType] = Registry("refiner type", "sodlift.refiners", "REFINER")
