"""Every registered detector type keeps the contract of ``sodlift.detectors._base.DetectorType``."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sodlift
from sodlift.backbones import BACKBONES
from sodlift.detectors import DETECTORS
from sodlift.options import build
from sodlift.training.recipe import Recipe

NAMES = DETECTORS.names()
DEEP = [name for name in NAMES if DETECTORS.get(name).deep]


def test_the_kinds_of_detectors_are_registered() -> None:
    assert {"prior", "maps", "onnx", "substitute"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_type_is_complete(name: str) -> None:
    kind = DETECTORS.get(name)
    assert kind.title
    assert callable(kind.run)
    assert (kind.train is not None) == (kind.learns_from is not None)
    assert kind.learns_from in {None, "images", "priors", "masks"}


@pytest.mark.parametrize("name", NAMES)
def test_options_are_a_frozen_dataclass_and_every_one_and_every_preset_is_documented(name: str) -> None:
    options = DETECTORS.get(name).options
    assert dataclasses.is_dataclass(options) and options.__dataclass_params__.frozen
    documented = "".join(cls.__doc__ or "" for cls in options.__mro__)
    assert not [field.name for field in dataclasses.fields(options) if field.name not in documented]
    for preset in getattr(options, "presets", dict)():
        assert build(options, {"preset": preset}, name)


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_detector_has_what_its_training_and_its_rows_ask_of_it(name: str, tmp_path: Path) -> None:
    kind, wanted = DETECTORS.get(name), {"backbone", "weights", "weights_file", "backbone_training", "backbone_norm"}
    for options in kind.options.presets().values():
        assert wanted | {"recipe", "modules"} <= set(dir(options))
        assert isinstance(options.recipe, Recipe)
        assert set(options.modules) <= {BACKBONES.module(backbone) for backbone in BACKBONES.names()}
        assert kind.needs_training(options)
        assert options.model is None and kind.files(options, "any") == []
        model = tmp_path / "model.pt"
        model.touch()
        assert kind.files(options.with_model(model), "any") == [model]


def test_reading_the_registry_imports_no_torch() -> None:
    program = f"import sys; from sodlift.detectors import DETECTORS; [DETECTORS.get(n) for n in {NAMES!r}]"
    environment = {**os.environ, "PYTHONPATH": str(Path(sodlift.__file__).parents[1])}
    command = [sys.executable, "-c", f"{program}; sys.exit('torch' in sys.modules)"]
    subprocess.run(command, check=True, timeout=120, env=environment)
