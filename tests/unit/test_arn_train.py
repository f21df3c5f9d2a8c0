"""Training of ARN on small scenes with a tiny backbone, its model file, and detection by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from arn_samples import RECIPE, network, options
from mirm_samples import ENTRY, NAME, TINY, TinyBackbone, TinyRegistry, save_weights, scene
from PIL import Image
from torch import nn

from sodlift.arrays import minmax, resize, resize_image
from sodlift.backbones._base import normalise
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.arn.detect import ArnDetector, load
from sodlift.detectors.arn.options import ArnOptions
from sodlift.detectors.arn.train import task, train
from sodlift.errors import WeightsError
from sodlift.mapset import MapSet
from sodlift.training import pretrained as pretrained_module
from sodlift.training.job import TrainingJob
from sodlift.training.model_file import ModelFile
from sodlift.training.pretrained import Pretrained
from sodlift.training.task import Batch

ARN = DETECTORS.get("arn")


@pytest.fixture(scope="module", autouse=True)
def tiny_backbones() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrained_module, "BACKBONES", TinyRegistry)
        patch.setattr("sodlift.training.trained.BACKBONES", TinyRegistry)
        yield


def chosen(folder: Path, steps: int = 3, **changes: object) -> ArnOptions:
    weights = folder / "tiny.pth"
    if not weights.exists():
        save_weights(weights)
    return options(weights_file=weights, recipe=replace(RECIPE, steps=steps), **changes)


def scenes(folder: Path) -> Manifest:
    """Six scenes with masks."""
    folder.mkdir(exist_ok=True)
    entries = []
    for index in range(6):
        image, prior = scene(index)
        paths = [folder / f"{index}_{part}.png" for part in ("image", "mask")]
        for path, pixels in zip(paths, (image, (255 * (prior >= 0.4)).astype(np.uint8)), strict=True):
            Image.fromarray(pixels).save(path)
        entries.append(Entry(f"{index}", *paths, *prior.shape, f"image {index}", f"mask {index}"))
    return Manifest("scenes", tuple(entries))


def trained(folder: Path, name: str = "m", seed: int = 1, **changes: object) -> ArnOptions:
    """Train, and return the options with the model's file."""
    given = chosen(folder, **changes)
    sources = ((scenes(folder / "data"), None),)
    train(given, TrainingJob(sources, folder / f"{name}.pt", folder / f"{name}.ckpt", folder / f"{name}.csv", seed))
    return given.with_model(folder / f"{name}.pt")


@pytest.fixture(scope="module")
def model(tiny_backbones: None, tmp_path_factory: pytest.TempPathFactory) -> ArnOptions:
    """The options of a model that was trained for three steps, with its file."""
    return trained(tmp_path_factory.mktemp("arn"))


def state_of(given: ArnOptions) -> dict[str, torch.Tensor]:
    return ModelFile.load(given.model, refiner="arn", backbone=NAME, weights="tiny").state


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path: Path) -> None:
    states = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)  # what ran before must not matter
        states.append(state_of(trained(tmp_path, name, seed)))
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not all(torch.equal(states[0][k], states[2][k]) for k in states[0])


def test_gamma_moves_in_training(model: ArnOptions) -> None:
    gammas = [value for key, value in state_of(model).items() if key.endswith("gamma")]
    assert len(gammas) == 4
    assert all(gamma != 0 for gamma in gammas)


def test_trained_detector_finds_the_object_of_a_new_image(tmp_path: Path) -> None:
    detector = load(trained(tmp_path, steps=25), "cpu")
    image, prior = scene(9)
    (found,) = detector.predict([image])
    assert found[prior >= 0.8].mean() > found[prior <= 0.1].mean() + 0.3


def test_loaded_model_answers_as_the_trained_network(model: ArnOptions) -> None:
    detector = load(model, "cpu")
    assert not detector.network.training
    plain = network().eval()
    plain.load_state_dict(state_of(model))
    own = ArnDetector(plain, ENTRY, model, torch.device("cpu"))
    image, _ = scene(0)
    assert np.allclose(detector.predict([image]), own.predict([image]), rtol=0, atol=1e-5)


def test_registered_detector_makes_a_map_of_every_image_and_knows_what_it_has_seen(
    model: ArnOptions, tmp_path: Path
) -> None:
    manifest = scenes(tmp_path / "data")
    assert (ARN.learns_from, ARN.deep, ARN.needs_training(model)) == ("masks", True, True)
    assert list(ARN.files(model, "scenes")) == [model.model]
    assert ARN.seen(model) == {entry.image_sha256 for entry in manifest.entries}
    unseen = Manifest("new", tuple(replace(entry, image_sha256=f"new {entry.stem}") for entry in manifest.entries))
    ARN.make("arn", model, unseen, tmp_path / "maps")
    maps, detector = MapSet(tmp_path / "maps"), load(model, "cpu")
    for index, entry in enumerate(manifest.entries):
        expected = detector.predict([scene(index)[0]])[0]
        assert np.abs(maps.read(entry.stem) - expected).max() <= 1 / 255


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strides": (2, 4, 16)}, r"strides \[2, 4, 8, 16\], not \[2, 4, 16\]"),
        ({"width": 32}, "width 16, not 32"),
        ({"recurrences": 2}, "recurrences 3, not 2"),
        ({"attention": (16,)}, r"attention \[2, 4, 8, 16\], not \[16\]"),
        ({"side_weight": 0.0}, "side_weight 0.5, not 0.0"),
    ],
)
def test_model_of_another_network_is_refused(model: ArnOptions, changes: dict[str, object], message: str) -> None:
    with pytest.raises(WeightsError, match=rf"{message}[\s\S]*m\.pt"):
        load(replace(model, **changes), "cpu")


def test_missing_model_file_is_an_error_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="train the model"):
        load(chosen(tmp_path, model=tmp_path / "none.pt"), "cpu")
    with pytest.raises(WeightsError, match="trained model file"):
        load(chosen(tmp_path), "cpu")


def test_loss_is_the_final_maps_with_the_side_maps_at_their_weight(tmp_path: Path) -> None:
    final, *sides = (torch.linspace(-3, 3, 2 * 64 * 64).reshape(2, 1, 64, 64) * factor for factor in (1, 2, -1))

    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (final, *sides)

    masks = (torch.arange(64) < 20).float().expand(2, 1, 64, 64).contiguous()
    batch = Batch(torch.zeros(2, 3, 64, 64, dtype=torch.uint8), masks, torch.zeros(2), torch.zeros(2).long())
    made = task(chosen(tmp_path, side_weight=0.25), Pretrained(TINY, "tiny", ENTRY, TinyBackbone()))
    loss = made.loss(Fixed(), batch)
    parts = [nn.functional.binary_cross_entropy_with_logits(logits, masks) for logits in (final, *sides)]
    assert torch.allclose(loss.total / loss.weight, parts[0] + 0.25 * (parts[1] + parts[2]))
    assert loss.positives == masks.sum()
    assert loss.logits is final
    assert [(group.name, group.lr) for group in made.groups] == [("backbone", 1e-3), ("head", 1e-2)]


def detector(**changes: object) -> ArnDetector:
    return ArnDetector(network(**changes).eval(), ENTRY, options(**changes), torch.device("cpu"))


def test_map_is_the_sigmoid_at_the_networks_size_brought_to_the_images() -> None:
    arn, (image, _) = detector(), scene(0, (90, 70))
    small = torch.from_numpy(resize_image(image, (64, 64)).copy()).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = torch.sigmoid(arn.network(normalise(small, ENTRY))[0])[0, 0].numpy()
    (found,) = arn.predict([image])
    assert np.allclose(found, resize(expected, (90, 70)), rtol=0, atol=1e-6)
    assert np.ptp(found) > 0.01


def test_stretched_map_is_the_plain_one_from_0_to_1() -> None:
    image, _ = scene(0)
    (plain,), (stretched,) = (detector(stretch=stretch).predict([image]) for stretch in (False, True))
    assert (stretched.min(), stretched.max()) == (0, 1)
    assert np.array_equal(stretched, minmax(plain))
    assert plain.max() < 1


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (31, 31), (120, 200)])
def test_tiny_and_odd_images_get_maps_of_their_size(size: tuple[int, int]) -> None:
    (found,) = detector().predict([scene(0, size)[0]])
    assert (found.shape, found.dtype) == (size, np.float32)
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_images_get_maps(value: int) -> None:
    for stretch in (False, True):
        (found,) = detector(stretch=stretch).predict([np.full((40, 50, 3), value, np.uint8)])
        assert np.isfinite(found).all()
        assert 0 <= found.min() <= found.max() <= 1


def test_images_of_several_sizes_share_a_batch_and_get_what_they_get_alone() -> None:
    arn, pictures = detector(), [scene(seed, size)[0] for seed, size in enumerate([(48, 64), (30, 90), (64, 64)])]
    assert {arn.network_size(picture.shape[:2]) for picture in pictures} == {(64, 64)}
    for together, picture in zip(arn.predict(pictures), pictures, strict=True):
        assert np.allclose(together, arn.predict([picture])[0], rtol=0, atol=1e-5)
        assert np.array_equal(arn.predict([picture])[0], arn.predict([picture])[0])
