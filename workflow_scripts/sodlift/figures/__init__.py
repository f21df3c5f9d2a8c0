"""Figure types, one public module each: what a run's figures show. How they look is in ``sodlift.plots``."""

from sodlift.figures._base import FigureType
from sodlift.registry import Registry

FIGURES: Registry[FigureType] = Registry("figure type", "sodlift.figures", "FIGURE")
