"""Refiners that work on several images side by side: the same bits as one by one, on any number of threads."""

from collections.abc import Iterator
from pathlib import Path

import mirm_samples
import numpy as np
import pytest
import torch
from onnx_samples import UNIT, save

from sodlift.errors import MapError, SodliftError
from sodlift.inference.shared import SideBySideRefiner, batch_of
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refined, Refiner
from sodlift.refiners.grabcut import GrabCut, GrabCutOptions
from sodlift.refiners.onnx import OnnxRefinerOptions

SHAPES = {"image": (1, 3, "h", "w"), "prior": (1, 1, "h", "w")}
SCENES = [mirm_samples.scene(seed, (40 + 7 * seed, 60 - 3 * seed)) for seed in range(6)]


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def outside(folder: Path) -> Refiner:
    nodes = [("Conv", ["image", "mean"], ["grey"]), ("Mul", ["grey", "prior"], ["y"])]
    file = save(folder / "m.onnx", *nodes, inputs=SHAPES)
    return REFINERS.get("onnx").load(build(OnnxRefinerOptions, {"file": file, "normalisation": UNIT}), None, "cpu")


def grab_cut(folder: Path) -> Refiner:
    return GrabCut(GrabCutOptions.presets()["mean"])


@pytest.mark.parametrize("make", [outside, grab_cut])
def test_images_side_by_side_give_the_bits_of_one_by_one(make, threads: int, tmp_path: Path) -> None:
    refiner = make(tmp_path)
    assert isinstance(refiner, SideBySideRefiner) and batch_of(refiner) == threads
    found = refiner.refine_many(*zip(*SCENES, strict=True))
    alone = [refiner.refine(image, prior) for image, prior in SCENES]
    for one, expected in zip(found, alone, strict=True):
        assert isinstance(one, Refined) and one.note == expected.note
        assert np.array_equal(one.saliency, expected.saliency)
    assert len({one.saliency.tobytes() for one in alone}) == len(SCENES)
    assert refiner.refine_many([], []) == []


def test_an_image_that_fails_is_given_in_its_place_and_the_others_are_refined(threads: int, tmp_path: Path) -> None:
    images, priors = map(list, zip(*SCENES, strict=True))
    priors[2] = np.full_like(priors[2], 100)  # of which the network makes no map
    found = outside(tmp_path).refine_many(images, priors)
    assert [isinstance(one, SodliftError) for one in found] == [i == 2 for i in range(len(SCENES))]
    assert isinstance(found[2], MapError)
