"""The model file: complete, refused where it does not fit, and a warning where its network's code has changed."""

import importlib
import linecache
import logging
import sys
from pathlib import Path

import mirm_samples
import pytest
import torch
from mirm_samples import scene
from training_samples import Options, Small, prepared

from sodlift.errors import WeightsError
from sodlift.training.code import network_code, training_code
from sodlift.training.model_file import ModelFile
from sodlift.training.recipe import Recipe

WANTED = {"refiner": "mirm", "backbone": "mobilenet_v2", "weights": "tiny"}
OPTIONS = Options(Path("w.pth"), Recipe())


def same_but_state(one: ModelFile, other: ModelFile) -> bool:
    return all(getattr(one, key) == getattr(other, key) for key in vars(one) if key != "state")


def test_saved_model_is_read_back_whole(tmp_path: Path) -> None:
    model = mirm_samples.model_file()
    model.save(tmp_path / "sub" / "m.pt")
    loaded = ModelFile.load(tmp_path / "sub" / "m.pt", **WANTED)
    assert same_but_state(loaded, model)
    assert all(torch.equal(loaded.state[key], model.state[key]) for key in model.state)
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["m.pt"]


@pytest.mark.parametrize("key", WANTED)
def test_model_of_another_kind_is_refused_naming_both(tmp_path: Path, key: str) -> None:
    mirm_samples.model_file().save(tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=rf"{key} '{WANTED[key]}', not 'other'"):
        ModelFile.load(tmp_path / "m.pt", **{**WANTED, key: "other"})


@pytest.mark.parametrize(
    "content", [{"a": torch.zeros(1)}, {"format": 2}, {"format": 99, **vars(mirm_samples.model_file())}]
)
def test_weights_that_are_no_model_file_are_refused(tmp_path: Path, content: dict[str, object]) -> None:
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(WeightsError, match="not a model file"):
        ModelFile.load(tmp_path / "m.pt", **WANTED)


def test_truncated_model_file_is_refused(tmp_path: Path) -> None:
    mirm_samples.model_file().save(tmp_path / "m.pt")
    data = (tmp_path / "m.pt").read_bytes()
    (tmp_path / "m.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="cannot read"):
        ModelFile.load(tmp_path / "m.pt", **WANTED)


@pytest.mark.parametrize("changed", [False, True])
def test_changed_code_of_the_network_is_warned_about_and_the_weights_are_used(
    caplog: pytest.LogCaptureFixture, changed: bool
) -> None:
    trained = Small(mirm_samples.TinyBackbone())
    code = "of another day" if changed else network_code(trained, OPTIONS)
    model = mirm_samples.model_file(state=trained.state_dict(), network_code=code, versions={"sodlift": "0.0.7"})
    network = Small(mirm_samples.TinyBackbone())
    with caplog.at_level(logging.WARNING):
        model.fill(network, OPTIONS, "m.pt")
    assert torch.equal(network.head.weight, trained.head.weight)
    assert len(caplog.messages) == changed
    assert not changed or "m.pt: the code of the network has changed since it was trained (by sodlift 0.0.7)" in str(
        caplog.messages
    )


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"do not fit[\s\S]*m\.pt"):
        mirm_samples.model_file().fill(Small(mirm_samples.TinyBackbone()), OPTIONS, "m.pt")


def test_hashes_tell_networks_and_backbones_apart() -> None:
    networks = Small(mirm_samples.TinyBackbone()), mirm_samples.network()
    other = Options(Path("w.pth"), Recipe(), modules=("sodlift.backbones.vgg16",))
    codes = {network_code(networks[0], OPTIONS), network_code(networks[1], OPTIONS), network_code(networks[1], other)}
    assert len(codes) == 3
    trainings = training_code(prepared, OPTIONS), training_code(prepared, other), training_code(scene, OPTIONS)
    assert len(set(trainings)) == 3


LAYER = '''"""A layer."""
from torch import nn


class Layer(nn.Module):
    def forward(self, x):
        return x * {factor}  # {remark}
'''


def layer_code(folder: Path, monkeypatch: pytest.MonkeyPatch, **text: object) -> str:
    name = f"layer_{len(list(folder.iterdir()))}"
    (folder / f"{name}.py").write_text(LAYER.format(**text))
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    layer = importlib.import_module(name).Layer
    monkeypatch.setitem(sys.modules, "the_layer", sys.modules[name])
    layer.__module__ = "the_layer"
    return network_code(torch.nn.Sequential(layer()), OPTIONS)


def test_the_networks_hash_follows_what_layers_compute_and_no_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, remarked, changed = (
        layer_code(tmp_path, monkeypatch, factor=factor, remark=remark)
        for factor, remark in ((2, "twice"), (2, "doubled"), (3, "twice"))
    )
    assert first == remarked != changed


BASE = """from torch import nn


class Base(nn.Module):
    def forward(self, x):
        return x * {factor}
"""


def test_the_networks_hash_follows_what_its_layers_inherit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "heir.py").write_text("from its_base import Base\n\n\nclass Heir(Base):\n    pass\n")
    codes = []
    for factor in ("2", "2  # twice", "3"):
        (tmp_path / "its_base.py").write_text(BASE.format(factor=factor))
        for name in ("its_base", "heir"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        linecache.checkcache()
        importlib.invalidate_caches()
        codes.append(network_code(torch.nn.Sequential(importlib.import_module("heir").Heir()), OPTIONS))
    assert codes[0] == codes[1] != codes[2]


def test_a_networks_hash_holds_the_trunk_and_no_module_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("sodlift.training.code.inspect.getsource", lambda module: read.append(module.__name__) or "")
    network_code(mirm_samples.network(), OPTIONS)
    assert {"sodlift.training.trunk", "sodlift.refiners.mirm.network", "sodlift.backbones.mobilenet_v2"} <= set(read)
    assert read == sorted(set(read)) and not [name for name in read if name.startswith("torch")]
