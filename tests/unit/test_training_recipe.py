"""Recipes: schedules, and what makes no sense."""

import subprocess
import sys

import pytest

from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.training.recipe import SCHEDULES, Recipe


def factors(**changes: object) -> list[float]:
    recipe = Recipe(steps=8, **changes)
    return [recipe.factor(step) for step in range(8)]


def test_poly_falls_to_zero_by_its_power() -> None:
    assert factors(schedule="poly", power=2.0) == pytest.approx([(1 - s / 8) ** 2 for s in range(8)])


def test_step_multiplies_by_gamma_at_each_milestone() -> None:
    found = factors(schedule="step", milestones=(0.25, 0.5), gamma=0.1)
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])


def test_constant_stays() -> None:
    assert factors(schedule="constant") == [1] * 8


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_begins_with_the_whole_rate(name: str) -> None:
    assert Recipe(schedule=name).factor(0) == 1


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"steps": 0}, "steps"),
        ({"batch": 0}, "batch"),
        ({"validate_every": 0}, "validate_every"),
        ({"head_lr": -1.0}, "head_lr"),
        ({"backbone_lr": -1.0}, "backbone_lr"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"momentum": 1.0}, "momentum"),
        ({"betas": [0.9, 1.0]}, "betas"),
        ({"milestones": [0.7, 0.2]}, "milestones"),
        ({"milestones": [0.5, 1.0]}, "milestones"),
        ({"clip": 0.0}, "clip"),
        ({"crop": 0.0}, "crop"),
        ({"crop": 1.1}, "crop"),
        ({"validation": 1.0}, "validation"),
        ({"keep": "best"}, "keep"),
        ({"optimiser": "lion"}, "optimiser"),
        ({"schedule": "cosine"}, "schedule"),
        ({"precision": "float16"}, "precision"),
        ({"learning_rate": 0.1}, "learning_rate"),
    ],
)
def test_senseless_recipes_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"recipe\.{key}"):
        build(Recipe, mapping, "recipe")


def test_reading_recipes_imports_no_torch() -> None:
    program = "import sys; import sodlift.training.recipe, sodlift.training.job; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
