"""Stand-ins for priors: what each kind makes, what it needs, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drfi_samples import scenes
from sodlift.arrays import read_map, read_mask
from sodlift.config.load import load_run
from sodlift.datasets.manifest import Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.prior import PriorOptions
from sodlift.detectors.substitute import SubstituteOptions
from sodlift.errors import ConfigError, DataError
from sodlift.problems import ConfigProblems

SUBSTITUTE = DETECTORS.get("substitute")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return scenes(tmp_path_factory.mktemp("scenes"), 3)


@pytest.mark.parametrize(("options", "value"), [({"kind": "empty"}, 0), ({"kind": "uniform", "level": 0.6}, 153)])
def test_a_flat_map_has_one_value_and_the_images_size(
    manifest: Manifest, tmp_path: Path, options: dict[str, Any], value: int
) -> None:
    SUBSTITUTE.make("flat", SubstituteOptions(**options), manifest, tmp_path / "maps")
    for entry in manifest.entries:
        saliency = read_map(tmp_path / "maps" / f"{entry.stem}.png")
        assert saliency.shape == (entry.height, entry.width) and (np.rint(saliency * 255) == value).all()


def test_the_ground_truth_may_be_a_prior_here(manifest: Manifest, tmp_path: Path) -> None:
    report = SUBSTITUTE.make("truth", SubstituteOptions("ground_truth"), manifest, tmp_path / "maps")
    assert [finding.kind for finding in report.findings] == ["binary"]
    for entry in manifest.entries:
        assert entry.mask is not None
        assert np.array_equal(read_map(tmp_path / "maps" / f"{entry.stem}.png") == 1, read_mask(entry.mask))
    bare = Manifest("bare", tuple(replace(entry, mask=None) for entry in manifest.entries))
    with pytest.raises(DataError, match="image without a mask"):
        SUBSTITUTE.make("truth", SubstituteOptions("ground_truth"), bare, tmp_path / "bare")


def test_every_image_gets_the_map_of_the_next_one(manifest: Manifest, tmp_path: Path) -> None:
    DETECTORS.get("prior").make("mb", PriorOptions("mb"), manifest, tmp_path / "mb")
    options = SubstituteOptions("another_image", of="mb", maps=tmp_path / "mb")
    SUBSTITUTE.make("other", options, manifest, tmp_path / "maps")
    for stem, other in (("00", "01"), ("01", "02"), ("02", "00")):
        theirs, ours = (read_map(tmp_path / name / f"{which}.png") for name, which in (("mb", other), ("maps", stem)))
        assert np.array_equal(theirs, ours)
    with pytest.raises(ConfigError, match="no other image"):
        SUBSTITUTE.make("other", options, manifest.part(1, 3), tmp_path / "alone")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "another_image"}, "the name of a detector"),
        ({"kind": "empty", "of": "mb"}, "none for kind 'empty'"),
        ({"kind": "uniform", "level": 1.5}, "from 0 to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SubstituteOptions(**options)


@pytest.mark.parametrize(
    ("of", "datasets", "said"),
    [
        ("rbdd", None, "unknown detector 'rbdd'"),
        ("prior_rbd_of_another_image", None, "takes maps of another detector too"),
        ("rbd_author", None, "has maps of some data sets only"),
        ("rbd_author", ["PASCAL-S-108", "SED2"], "has maps of some data sets only"),
        ("rbd_author", ["PASCAL-S-108"], None),
        ("mb_plus", None, None),
    ],
)
def test_the_detector_that_maps_are_taken_of_has_them(
    tmp_path: Path, of: str, datasets: list[str] | None, said: str | None
) -> None:
    row = {"title": "x", "type": "substitute", "options": {"kind": "another_image", "of": of}, "datasets": datasets}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"mine": row}))
    config = {"results": "r", "datasets": ["PASCAL-S-108"], "detectors": ["mine"], "protocols": ["pysod"]}
    config["registries"] = {"detectors": [str(tmp_path / "mine.yaml")]}
    if said is None:
        row_of_mine = load_run(config).detector("mine")
        assert row_of_mine.kind.needs(row_of_mine.options) == of
        return
    with pytest.raises(ConfigProblems) as caught:
        load_run(config)
    assert said in str(caught.value)
