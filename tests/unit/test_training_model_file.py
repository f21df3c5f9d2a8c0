"""The model file: complete, and refused where it does not fit."""

from pathlib import Path

import pytest
import torch

from sodlift.errors import WeightsError
from sodlift.training.model_file import ModelFile

MODEL = ModelFile(
    refiner="mirm",
    options={"theta_fg": 0.9},
    backbone="tiny",
    weights="w",
    weights_origin="somewhere",
    training="abc",
    code_version="0",
    state={"a": torch.arange(3.0)},
)
WANTED = {"refiner": "mirm", "backbone": "tiny", "weights": "w"}


def test_saved_model_is_read_back_whole(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "sub" / "m.pt")
    loaded = ModelFile.load(tmp_path / "sub" / "m.pt", **WANTED)
    assert torch.equal(loaded.state["a"], MODEL.state["a"])
    assert {k: v for k, v in vars(loaded).items() if k != "state"} == {
        k: v for k, v in vars(MODEL).items() if k != "state"
    }
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["m.pt"]


@pytest.mark.parametrize("key", WANTED)
def test_model_of_another_kind_is_refused_naming_both(tmp_path: Path, key: str) -> None:
    MODEL.save(tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=rf"{key} '{WANTED[key]}', not 'other'"):
        ModelFile.load(tmp_path / "m.pt", **{**WANTED, key: "other"})


@pytest.mark.parametrize("content", [{"a": torch.zeros(1)}, {"format": 1}, {"format": 99, **vars(MODEL)}])
def test_weights_that_are_no_model_file_are_refused(tmp_path: Path, content: dict[str, object]) -> None:
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(WeightsError, match="not a model file"):
        ModelFile.load(tmp_path / "m.pt", **WANTED)


def test_truncated_model_file_is_refused(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m.pt")
    data = (tmp_path / "m.pt").read_bytes()
    (tmp_path / "m.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="cannot read"):
        ModelFile.load(tmp_path / "m.pt", **WANTED)
