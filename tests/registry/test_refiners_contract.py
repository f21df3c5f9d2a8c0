"""Every registered refiner type keeps the contract of ``sodlift.refiners._base.RefinerType``."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sodlift
from sodlift.backbones import BACKBONES
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.training.recipe import Recipe

REQUIRED: dict[str, dict[str, object]] = {"onnx": {"file": "m.onnx"}}
"""Options without a default, by type."""


def test_the_published_refiners_are_registered() -> None:
    assert {"mirm", "mirm_image", "lps", "densecrf"} <= set(REFINERS.names())


def test_what_users_would_try_instead_is_registered() -> None:
    assert {"guided_filter", "bilateral_solver", "grabcut", "onnx"} <= set(REFINERS.names())


@pytest.mark.parametrize("name", REFINERS.names())
def test_type_is_complete(name: str) -> None:
    kind = REFINERS.get(name)
    assert kind.title
    assert kind.source
    assert callable(kind.load)
    assert (kind.train is not None) == (kind.learns_from is not None)


@pytest.mark.parametrize("name", REFINERS.names())
def test_options_are_a_frozen_dataclass_that_the_required_ones_fill(name: str) -> None:
    options = REFINERS.get(name).options
    made = build(options, REQUIRED.get(name, {}), name)
    assert dataclasses.is_dataclass(made)
    field = dataclasses.fields(made)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, field, None)


@pytest.mark.parametrize("name", REFINERS.names())
def test_a_type_has_a_fingerprint_where_it_has_files_found_or_not(name: str) -> None:
    kind = REFINERS.get(name)
    found = kind.fingerprint(build(kind.options, REQUIRED.get(name, {}), name))
    assert bool(found) == (kind.files is not None)


@pytest.mark.parametrize("name", REFINERS.names())
def test_every_option_and_preset_is_documented(name: str) -> None:
    options = REFINERS.get(name).options
    documented = "".join(cls.__doc__ or "" for cls in options.__mro__)
    assert not [field.name for field in dataclasses.fields(options) if field.name not in documented]
    for preset in getattr(options, "presets", dict)():
        assert build(options, {"preset": preset}, name)


@pytest.mark.parametrize("name", [name for name in REFINERS.names() if REFINERS.get(name).train is not None])
def test_what_is_trained_has_the_options_that_the_engine_reads(name: str) -> None:
    kind = REFINERS.get(name)
    wanted = {"backbone", "weights", "weights_file", "backbone_training", "backbone_norm", "recipe", "modules"}
    presets = kind.options.presets()
    assert {"default", "paper"} <= set(presets)
    for options in presets.values():
        assert wanted <= set(dir(options))
        assert isinstance(options.recipe, Recipe)
        assert dataclasses.asdict(options)["recipe"]["steps"] == options.recipe.steps
        assert set(options.modules) <= {BACKBONES.module(backbone) for backbone in BACKBONES.names()}


def test_reading_the_registry_imports_no_torch() -> None:
    names = ", ".join(repr(name) for name in REFINERS.names())
    program = f"import sys; from sodlift.refiners import REFINERS; [REFINERS.get(n) for n in ({names},)]"
    environment = {**os.environ, "PYTHONPATH": str(Path(sodlift.__file__).parents[1])}
    command = [sys.executable, "-c", f"{program}; sys.exit('torch' in sys.modules)"]
    subprocess.run(command, check=True, timeout=120, env=environment)
