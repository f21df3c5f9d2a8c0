"""``sodlift train`` and ``refine`` with a refiner that compares images with a pool: it lies beside the model."""

from pathlib import Path

import mirm_samples
import numpy as np
import pool_samples
import pytest
from mijr_samples import use_tiny_backbone

import sodlift
from sodlift.arrays import read_map
from sodlift.cli.main import main
from sodlift.errors import DataError
from sodlift.pools.similar.images import ImagePool

SMALL = "size=128 classifiers=2 widths=[8] filter_steps=2 instances=8 recipe.steps=2 recipe.batch=2"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pool_samples.dataset(tmp_path, 3)
    use_tiny_backbone(monkeypatch, tmp_path)
    return tmp_path


def train(folders: Path, *more: str) -> int:
    given = ["--images", "images", "--masks", "masks", "--priors", "base/*.png", "--weights", "tiny.pth", "-o", "m.pt"]
    paths = [str(folders / word) if "/" in word or not word.startswith("-") else word for word in given]
    fixed = ["--backbone", mirm_samples.NAME, "--device", "cpu", "--workers", "1", "--set", *SMALL.split()]
    return main(["train", "--refiner", "mijr", *paths, *fixed, *more])


def refine(folders: Path, *more: str) -> int:
    paths = ["--model", "m.pt", "--images", "images", "--priors", "base/*.png", "-o", "out"]
    named = [word if word.startswith("-") else str(folders / word) for word in paths]
    return main(["refine", *named, "--device", "cpu", "--quiet", *more])


def test_training_leaves_a_pool_beside_the_model_and_refining_finds_it(folders: Path) -> None:
    assert train(folders) == 0
    assert len(ImagePool(folders / "m.pool").names) == 3
    assert {path.name for path in folders.iterdir() if path.name.startswith("m.")} == {
        "m.pt",
        "m.pool",
        "m.csv",
        "m.json",
        "m.png",
    }
    assert refine(folders) == 0
    assert read_map(folders / "out" / "00.png").shape == pool_samples.SIZE
    image, mask = pool_samples.scene(9)
    found = sodlift.refine(image, mask, sodlift.load(folders / "m.pt", "cpu"))
    assert np.isfinite(found).all()


def test_a_pool_elsewhere_is_named(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(folders) == 0
    (folders / "m.pool").rename(folders / "elsewhere")
    assert refine(folders) == 2
    assert "not a pool of images" in capsys.readouterr().err
    with pytest.raises(DataError, match="not a pool"):
        sodlift.load(folders / "m.pt", "cpu")
    assert refine(folders, "--pool", str(folders / "elsewhere")) == 0


def test_a_pool_for_a_refiner_that_has_none_is_refused(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--images", "images", "--priors", "base/*.png", "-o", "out", "--pool", "m.pool"]
    named = [word if word.startswith("-") else str(folders / word) for word in given]
    assert main(["refine", "--refiner", "guided_filter", *named]) == 2
    assert "compares with no pool" in capsys.readouterr().err


def test_a_pool_of_other_images_is_not_replaced_unasked(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, _ = pool_samples.dataset(folders / "others", 2, first=20)
    pool_samples.pool(folders / "m.pool", manifest)
    assert train(folders) == 2
    assert "pool of other images" in capsys.readouterr().err
    assert len(ImagePool(folders / "m.pool").names) == 2
    assert train(folders, "--overwrite") == 0
    assert len(ImagePool(folders / "m.pool").names) == 3


def test_priors_or_masks_alone_are_not_enough(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = ["train", "--refiner", "mijr", "--images", str(folders / "images"), "--backbone", mirm_samples.NAME]
    assert main([*fixed, "--masks", str(folders / "masks"), "-o", str(folders / "m.pt")]) == 2
    assert "learns from priors and masks" in capsys.readouterr().err
