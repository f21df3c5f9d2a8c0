"""The object classes of the demo scenes, and the part of the data set in which each may appear."""

from collections.abc import Callable

import numpy as np

from sodlift.demo import clutter, figures, fruit, pottery
from sodlift.demo.solids import Solid

Maker = Callable[[np.random.Generator], Solid]

OBJECTS: dict[str, dict[str, Maker]] = {
    "train": {
        "apple": fruit.apple, "pumpkin": fruit.pumpkin, "pepper": fruit.pepper, "vase": pottery.vase,
        "bowl": pottery.bowl, "duck": figures.duck, "rabbit": figures.rabbit, "turtle": figures.turtle,
        "pebble": figures.pebble, "mushroom": figures.mushroom, "egg": figures.egg,
    },
    "test": {
        "pear": fruit.pear, "lemon": fruit.lemon, "aubergine": fruit.aubergine, "mug": pottery.mug,
        "bottle": pottery.bottle, "cactus": pottery.cactus, "bear": figures.bear,
        "starfish": figures.starfish, "snail": figures.snail,
    },
}  # fmt: skip
"""Salient objects of each part: name to maker."""

CLUTTER: dict[str, dict[str, Maker]] = {
    "train": {"stick": clutter.stick, "chip": clutter.chip},
    "test": {"dry_leaf": clutter.dry_leaf, "nut": clutter.nut},
}
"""Background clutter of each part: name to maker."""
