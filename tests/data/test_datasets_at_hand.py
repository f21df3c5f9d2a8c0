"""The real data sets through the folder source: what their health reports say."""

from pathlib import Path

import numpy as np
import pytest

from sodlift.arrays import read_grey
from sodlift.datasets.health import HealthReport
from sodlift.datasets.manifest import Manifest
from sodlift.datasets.sources import SOURCES
from sodlift.datasets.validate import build_manifest
from sodlift.errors import DataError

COUNTS = {"ECSSD": 1000, "PASCAL-S-108": 108, "SED2": 100}


@pytest.fixture(scope="module")
def built(sodlift_data) -> dict[str, tuple[Manifest, HealthReport]]:
    return {name: build(name, sodlift_data, count) for name, count in COUNTS.items()}


def build(name: str, data: Path, expected: int, **options: str) -> tuple[Manifest, HealthReport]:
    source = SOURCES.get("folder")
    return build_manifest(name, source, source.options(root=name, **options), data, expected)


def found(report: HealthReport) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.items for finding in report.findings}


@pytest.mark.parametrize("name", COUNTS)
def test_each_set_is_complete_and_without_errors(built, name):
    manifest, report = built[name]
    assert report.errors == ()
    assert (len(manifest.entries), report.images, report.masks) == (COUNTS[name],) * 3


def test_ecssd_is_binary_with_stems_of_four_digits(built):
    manifest, report = built["ECSSD"]
    assert manifest.stems == tuple(f"{i:04}" for i in range(1, 1001))
    assert (report.mask_levels, report.grey_share) == ((0, 255), 0)
    assert report.mean_foreground == pytest.approx(0.2351, abs=5e-5)
    assert set(found(report)) == {"image_grey"}


def test_the_masks_of_pascal_s_are_graded_in_13_levels(built):
    report = built["PASCAL-S-108"][1]
    assert report.mask_levels == (0, 21, 43, 64, 85, 106, 128, 149, 170, 191, 213, 234, 255)
    assert len(found(report)["non_binary"]) == 70
    assert len(found(report)["dim"]) == 22
    assert report.grey_share == pytest.approx(0.1737, abs=5e-5)


def test_the_masks_of_sed2_hold_five_levels(built):
    """Thirds and a half of white, so that the rule of binarising matters here too."""
    report = built["SED2"][1]
    assert report.mask_levels == (0, 85, 128, 170, 255)
    assert len(found(report)["non_binary"]) == 94


def test_a_manifest_of_real_files_survives_saving(built, tmp_path):
    for name, (manifest, _) in built.items():
        manifest.save(tmp_path / f"{name}.csv")
        assert Manifest.load(tmp_path / f"{name}.csv") == manifest


def test_a_part_of_a_set_is_refused_where_the_whole_is_expected(sodlift_data):
    with pytest.raises(DataError, match="9 found, 1000 expected"):
        build("ECSSD", sodlift_data, 1000, images="images/000?.jpg", masks="masks/000?.png")


def test_maps_of_another_set_do_not_pass_as_masks(sodlift_data):
    with pytest.raises(DataError, match="100 of 100 images have no mask"):
        build("SED2", sodlift_data, 100, masks="../PASCAL-S-108/masks/*")


def test_pixels_at_128_make_the_rule_of_binarising_count(built):
    """128 is the middle level of both graded sets: ``> 128`` and ``> 127`` are different ground truths."""
    for name, count in (("PASCAL-S-108", 3), ("SED2", 8)):
        masks = [read_grey(entry.mask).values for entry in built[name][0].entries]
        assert sum(bool(np.any(mask == 128)) for mask in masks) == count
