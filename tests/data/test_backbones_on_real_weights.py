"""The pretrained weights at hand: they load, and their features mean something with the arithmetic we give them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from sodlift.arrays import Image8, read_image, read_mask, resize_image
from sodlift.backbones import BACKBONES
from sodlift.backbones._base import IMAGENET_MEAN, IMAGENET_STD, WeightsEntry, normalise
from sodlift.backbones._state import fit_state, read_state
from sodlift.backbones._weights import find_weights, load_pretrained, verify_weights
from sodlift.errors import WeightsError
from sodlift.fetch.store import Store

FOLDED = "weights/mobilenetv2_imagenet_backbone_bnfolded.pth"


@pytest.fixture(scope="module")
def images(sodlift_data: Path) -> torch.Tensor:
    """Central squares of 40 images, (40, 3, 224, 224) uint8."""

    def square(image: Image8) -> Image8:
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        return resize_image(image[top : top + side, left : left + side].copy(), (224, 224))

    files = sorted((sodlift_data / "ECSSD" / "images").iterdir())[::25]
    return torch.from_numpy(np.stack([square(read_image(file)) for file in files])).permute(0, 3, 1, 2)


def test_folded_mobilenet_v2_loads_and_its_batch_norm_is_folded(sodlift_data: Path) -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    entry = backbone.weights["keras_bnfolded"]
    state = load_pretrained(backbone, entry, sodlift_data / FOLDED).state_dict()
    for key, value in state.items():
        if key.endswith("running_var"):
            assert torch.allclose(value, torch.tensor(1 - entry.bn_eps))
            assert not state[key.replace("running_var", "running_mean")].any()


def test_folded_mobilenet_v2_is_refused_as_torchvisions(sodlift_data: Path) -> None:
    backbone = BACKBONES.get("mobilenet_v2")
    with pytest.raises(WeightsError, match="sha256"):
        load_pretrained(backbone, backbone.weights["torchvision"], sodlift_data / FOLDED)


def keys(name: str) -> int:
    """Number of keys of a backbone."""
    backbone = BACKBONES.get(name)
    return len(backbone.build(backbone.choose(None)[1]).state_dict())


def test_folded_mobilenet_v2_is_found_where_it_is_put_by_hand(sodlift_data: Path, tmp_path: Path) -> None:
    place = tmp_path / "manual" / Path(FOLDED).name
    place.parent.mkdir()
    place.symlink_to(sodlift_data / FOLDED)
    report = verify_weights("mobilenet_v2", "keras_bnfolded", Store(tmp_path, offline=True))
    assert "checked against: published sha256\n" in report
    assert f"{keys('mobilenet_v2')} keys matched, 6 of the classifier unused\n" in report


def test_package_of_lite0_is_verified_key_by_key(tmp_path: Path) -> None:
    report = verify_weights("efficientnet_lite0", "package", Store(tmp_path, offline=True))
    assert "checked against: published sha256\n" in report
    assert f"{keys('efficientnet_lite0')} keys matched, 8 of the classifier unused\n" in report
    assert not list(tmp_path.iterdir())


def entropy(entry: WeightsEntry, state: dict[str, torch.Tensor], images: torch.Tensor) -> float:
    """Mean entropy of the classifier's prediction, in nats, for EfficientNet-Lite0 run as ``entry`` says."""
    backbone = BACKBONES.get("efficientnet_lite0")
    module = backbone.build(entry).eval()
    fit_state(module, state, "package", unused=entry.unused)
    norm = [state[f"_bn1.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
    with torch.inference_mode():
        features = functional.conv2d(module(normalise(images, entry))[-1], state["_conv_head.weight"])
        features = functional.relu6(functional.batch_norm(features, *norm, eps=entry.bn_eps)).mean((2, 3))
        logs = functional.log_softmax(features @ state["_fc.weight"].T + state["_fc.bias"], 1)
    return float(-(logs.exp() * logs).sum(1).mean())


@pytest.mark.usefixtures("sodlift_data")
def test_lite0_classifies_most_surely_with_the_arithmetic_of_its_entry(images: torch.Tensor) -> None:
    backbone = BACKBONES.get("efficientnet_lite0")
    entry = backbone.weights["package"]
    state = read_state(find_weights(entry, None))
    assert load_pretrained(backbone, entry, None) is not None
    ours = entropy(entry, state, images)
    others = [
        replace(entry, padding="symmetric"),
        replace(entry, bn_eps=1e-5),
        replace(entry, mean=IMAGENET_MEAN, std=IMAGENET_STD),
    ]
    assert ours < 3.5
    assert all(ours < entropy(other, state, images) for other in others)


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0"])
def test_deep_features_tell_objects_from_grounds(name: str, sodlift_data: Path) -> None:
    """Inside one object features resemble each other more than they resemble the ground's: chance is 0.5."""
    backbone = BACKBONES.get(name)
    key = {"mobilenet_v2": "keras_bnfolded", "efficientnet_lite0": "package"}[name]
    entry = backbone.weights[key]
    module = load_pretrained(backbone, entry, sodlift_data / FOLDED if name == "mobilenet_v2" else None).eval()
    wins = []
    for stem in ("0003", "0010", "0100", "0200", "0400", "0600", "0800", "1000"):
        image = resize_image(read_image(sodlift_data / "ECSSD" / "images" / f"{stem}.jpg"), (256, 256))
        mask = torch.from_numpy(read_mask(sodlift_data / "ECSSD" / "masks" / f"{stem}.png"))[None, None].float()
        mask = functional.adaptive_avg_pool2d(mask, (16, 16)).flatten()
        with torch.inference_mode():
            tap = module(normalise(torch.from_numpy(image).permute(2, 0, 1)[None], entry))[2][0].flatten(1)
        features = functional.normalize(tap, dim=0)
        inside, outside = features[:, mask > 0.8], features[:, mask < 0.2]
        centre = inside.mean(1)
        wins.append((centre @ inside)[:, None].gt((centre @ outside)[None]).float().mean().item())
    assert np.mean(wins) > 0.7
