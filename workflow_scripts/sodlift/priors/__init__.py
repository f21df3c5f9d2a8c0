"""Traditional saliency priors: one public module a method, each a pure function of an image."""

from sodlift.priors._base import Prior
from sodlift.registry import Registry

PRIORS: Registry[Prior] = Registry("prior", "sodlift.priors", "PRIOR")
