"""Backbones: pretrained networks whose features refiners and detectors use. The modules import torch; this one not."""

from typing import TYPE_CHECKING

from sodlift.registry import Registry

if TYPE_CHECKING:
    from sodlift.backbones._base import Backbone

BACKBONES: "Registry[Backbone]" = Registry("backbone", "sodlift.backbones", "BACKBONE")
