"""The list of scenes: which photographs, which objects on which grounds, in which part of the data set."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from sodlift.arrays import Image8, Mask
from sodlift.demo.backdrops import BACKDROPS
from sodlift.demo.cutouts import CUTOUTS, Collage, make_collage
from sodlift.demo.grounds import GROUNDS
from sodlift.demo.objects import CLUTTER, OBJECTS
from sodlift.demo.photos import SOURCES, outline, photo
from sodlift.demo.still_life import StillLife, make_still_life
from sodlift.errors import DataError

AREA = (0.04, 0.45)
"""Smallest and largest share of a composed image that its objects may cover."""

_SIZES = [(240, 320), (240, 320), (320, 240), (225, 300), (240, 300), (300, 225), (256, 256)]
_TRIES = 12


@dataclass(frozen=True)
class Crop:
    """A photograph as it is: the part ``box`` (x0, y0, x1, y1) scaled to ``long_side`` pixels."""

    name: str
    box: tuple[int, int, int, int]
    long_side: int = 320


@dataclass(frozen=True)
class Scene:
    """One row of the data set: its name, its part and how it is made."""

    stem: str
    split: str
    plan: Crop | StillLife | Collage

    @property
    def kind(self) -> str:
        """``photo`` or ``composite``."""
        return "photo" if isinstance(self.plan, Crop) else "composite"

    @property
    def objects(self) -> tuple[str, ...]:
        """Sources of what the mask covers, each once; ``photo:`` names a photograph."""
        names = (f"photo:{self.plan.name}",) if isinstance(self.plan, Crop) else self.plan.objects
        return tuple(dict.fromkeys(names))

    @property
    def background(self) -> tuple[str, ...]:
        """Sources of what the mask leaves out; ``photo:`` names a photograph."""
        if isinstance(self.plan, Crop):
            return (f"photo:{self.plan.name}",)
        clutter = self.plan.clutter if isinstance(self.plan, StillLife) else ""
        return tuple(dict.fromkeys(name for name in (self.plan.ground, self.plan.backdrop, clutter) if name))

    @property
    def photos(self) -> tuple[str, ...]:
        """Names of the photographs in it."""
        parts = (part for part in (*self.objects, *self.background) if part.startswith("photo:"))
        return tuple(sorted({part.removeprefix("photo:") for part in parts}))


PHOTOS: tuple[Crop, ...] = (
    Crop("chelsea", (0, 0, 451, 300)),
    Crop("camera", (0, 0, 512, 512), 280),
    Crop("camera", (60, 20, 480, 335)),
    Crop("coins", (262, 0, 384, 92), 300),
    Crop("coins", (180, 78, 316, 232), 300),
    Crop("china", (0, 0, 640, 427)),
    Crop("china", (50, 10, 400, 290)),
    Crop("hopper", (0, 0, 512, 600), 300),
    Crop("astronaut", (0, 0, 512, 512), 280),
    Crop("astronaut", (60, 0, 420, 270)),
    Crop("coffee", (0, 0, 600, 400)),
    Crop("flower", (40, 20, 560, 372)),
    Crop("flower", (220, 60, 640, 372), 300),
    Crop("clock", (0, 0, 400, 300)),
)
"""The photographs that the data set holds as they are."""

_COLLAGES: dict[str, int] = {
    "photo:chelsea": 3, "photo:camera": 3, "photo:china": 3, "photo:hopper": 3, "photo:coins": 4, "photo:horse": 4,
    "photo:astronaut": 3, "photo:coffee": 3, "photo:flower": 4, "photo:clock": 3,
}  # fmt: skip
_STILL_LIVES = {"train": 32, "test": 21}


class _Deck:
    """Deals names in shuffled rounds, so that all come up equally often."""

    def __init__(self, names: Sequence[str], rng: np.random.Generator) -> None:
        self._names, self._rng, self._left = list(names), rng, list[str]()

    def deal(self, avoid: Sequence[str] = ()) -> str:
        """Return the next name that is not to be avoided."""
        for _ in range(2):
            for name in self._left:
                if name not in avoid:
                    self._left.remove(name)
                    return name
            self._left += [self._names[k] for k in self._rng.permutation(len(self._names))]
        raise ValueError(f"no name left but {avoid}")


def plan_scenes(seed: int) -> tuple[Scene, ...]:
    """Return the list of all scenes, train part first; the same for the same seed."""
    scenes = [_photo_scene(k, crop) for k, crop in enumerate(PHOTOS)]
    for split in ("train", "test"):
        rng = np.random.default_rng([seed, split == "test"])
        grounds, backdrops = _Deck(list(GROUNDS[split]), rng), _Deck(list(BACKDROPS[split]), rng)
        plans: list[StillLife | Collage] = []
        for name, count in _COLLAGES.items():
            if CUTOUTS[name][0].split == split:
                plans += [_plan_collage(name, split, k, grounds, backdrops, rng) for k in range(count)]
        objects, clutter = _Deck(list(OBJECTS[split]), rng), _Deck(["", *CLUTTER[split]], rng)
        for _ in range(_STILL_LIVES[split]):
            plans.append(_plan_still_life(split, objects, grounds, backdrops, clutter, rng))
        scenes += [Scene("", split, plan) for plan in plans]
    scenes.sort(key=lambda scene: scene.split != "train")
    number = itertools.count(1)
    return tuple(s if s.stem else replace(s, stem=f"composite_{next(number):03d}") for s in scenes)


def _photo_scene(index: int, crop: Crop) -> Scene:
    number = 1 + sum(other.name == crop.name for other in PHOTOS[:index])
    return Scene(f"photo_{crop.name}_{number}", SOURCES[crop.name].split, crop)


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return _SIZES[rng.integers(len(_SIZES))]


def _plan_collage(name: str, split: str, k: int, grounds: _Deck, backdrops: _Deck, rng: np.random.Generator) -> Collage:
    manner = CUTOUTS[name][0].manner
    on_ground = manner in {"flat", "stand"} or (manner == "hang" and k % 2 == 1)
    ground = grounds.deal([name]) if on_ground else ""
    backdrop = "" if on_ground and manner != "stand" else backdrops.deal([name])
    pieces = 1 + k % 3 if name == "photo:coins" else 1
    size = (225, 300) if manner == "fill" else _size(rng)
    area = float(rng.uniform(*{"stand": (0.08, 0.2), "fill": (0.33, 0.43)}.get(manner, (0.14, 0.4))))
    return Collage(split, (name,) * pieces, ground, backdrop, size, area, _where(rng, 0.4))


def _plan_still_life(
    split: str, objects: _Deck, grounds: _Deck, backdrops: _Deck, clutter: _Deck, rng: np.random.Generator
) -> StillLife:
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.27, 0.13]))
    names: list[str] = []
    for _ in range(count):
        names.append(objects.deal(names))
    size = _size(rng) if count == 1 else (240, 320)
    area = float(np.exp(rng.uniform(np.log(0.08), np.log(0.43))))
    aside = count == 1 and rng.random() < 0.2
    where = (float(rng.choice([-0.75, 0.75])), float(rng.uniform(-0.2, 0.4))) if aside else _where(rng, 0.35 / count)
    backdrop = backdrops.deal() if rng.random() < 0.55 else ""
    camouflage = float(rng.choice([0.0, rng.uniform(0.4, 0.8)], p=[0.55, 0.45]))
    return StillLife(split, tuple(names), grounds.deal(), backdrop, clutter.deal(), size, area, where, camouflage)


def _where(rng: np.random.Generator, reach: float) -> tuple[float, float]:
    x, y = rng.uniform(-reach, reach, 2)
    return float(x), float(y) * 0.7


def make_photo(crop: Crop) -> tuple[Image8, Mask]:
    """Crop and scale a photograph and its outline."""
    x0, y0, x1, y1 = crop.box
    pixels = np.ascontiguousarray(photo(crop.name)[y0:y1, x0:x1])
    mask = outline(crop.name)[y0:y1, x0:x1].astype(np.float32)
    scale = crop.long_side / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, size, interpolation=how).astype(np.uint8), cv2.resize(mask, size, interpolation=how) > 0.5


def make_scene(scene: Scene, seed: int) -> tuple[Image8, Mask]:
    """Make one scene: image (H, W, 3) uint8 and mask (H, W) bool, the same for the same seed.

    A composed scene whose objects cover too little or too much of the image is arranged anew.

    Raises
    ------
    DataError
        If no arrangement came out right.
    """
    if isinstance(scene.plan, Crop):
        return make_photo(scene.plan)
    name = int.from_bytes(scene.stem.encode()[-8:], "big")
    for attempt in range(_TRIES):
        rng = np.random.default_rng([seed, name, attempt])
        if isinstance(scene.plan, StillLife):
            image, mask = make_still_life(scene.plan, rng)
        else:
            image, mask = make_collage(scene.plan, rng)
        if AREA[0] <= mask.mean() <= AREA[1]:
            return image, mask
    raise DataError(f"no arrangement of '{scene.stem}' in {_TRIES} tries has objects of a fitting size", expected=AREA)
