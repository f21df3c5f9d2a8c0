"""Options of LPS."""

import pytest

from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.refiners.lps.options import LpsOptions


def test_paper_preset_is_the_published_recipe() -> None:
    paper = build(LpsOptions, {"preset": "paper"})
    recipe = paper.recipe
    assert (paper.backbone, paper.embedding, paper.width, paper.dimension) == ("vgg16_dilated", "conv", 64, 512)
    assert (paper.grid, paper.size, paper.resample, paper.iterations, paper.flip) == (1, 256, "nearest", 1, 0.05)
    assert (paper.subpixel_start, paper.pretrain_steps) == ("copies", 0)
    assert (recipe.optimiser, recipe.head_lr, recipe.backbone_lr, recipe.schedule) == ("adam", 1e-3, 1e-4, "constant")
    assert (recipe.steps, recipe.batch, recipe.hflip, recipe.crop, recipe.keep) == (300_000, 1, True, 0.9, "last")


def test_default_preset_has_batches_pretraining_and_images_held_out() -> None:
    default = build(LpsOptions, {})
    assert default == LpsOptions.presets()["default"]
    assert (default.recipe.batch, default.recipe.steps, default.pretrain_batch) == (3, 127_000, 15)
    assert default.pretrain_steps == 25_000
    assert (default.recipe.validation, default.recipe.keep) == (0.05, "best")


def test_a_row_changes_single_values_of_the_recipe() -> None:
    made = build(LpsOptions, {"preset": "paper", "recipe": {"steps": 7}})
    assert (made.recipe.steps, made.recipe.optimiser, made.recipe.batch) == (7, "adam", 1)


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"backbone": "vgg16_dilate"}, "backbone"),
        ({"taps": []}, "taps"),
        ({"embedding": "linear"}, "embedding"),
        ({"width": 0}, "width"),
        ({"dimension": 0}, "dimension"),
        ({"grid": 3}, "grid"),
        ({"subpixel_start": "icnr"}, "subpixel_start"),
        ({"size": 250}, "size"),
        ({"size": 0}, "size"),
        ({"resample": "lanczos"}, "resample"),
        ({"iterations": -1}, "iterations"),
        ({"flip": 0.5}, "flip"),
        ({"pretrain_steps": -1}, "pretrain_steps"),
        ({"pretrain_batch": 0}, "pretrain_batch"),
        ({"backbone_training": "frozen"}, "pretrain_steps"),
        ({"recipe": {"steps": 0}}, r"recipe\.steps"),
    ],
)
def test_senseless_options_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"refiners\.m\.options\.{key}"):
        build(LpsOptions, mapping, "refiners.m.options")
