"""The health reports of the real data sets and maps, by the rows of the registry files: the traps that are in them."""

import time
from pathlib import Path

import numpy as np
import pytest

from sodlift.arrays import read_grey, read_mask
from sodlift.config.load import load_run
from sodlift.config.rows import below
from sodlift.config.run import Run
from sodlift.datasets.leakage import Trained, leakage_report
from sodlift.datasets.manifest import Manifest
from sodlift.datasets.report import Report
from sodlift.datasets.validate import build_manifest
from sodlift.detectors._health import MapsReport
from sodlift.errors import MapError

COUNTS = {"ECSSD": 1000, "PASCAL-S-108": 108, "SED2": 100}
MAPS = {
    "ECSSD": ("drfi_maps",),
    "PASCAL-S-108": ("rbd_author", "gs_author", "mr_author", "sf_author", "PiCANet", "PFA", "Amulet", "DSS"),
    "SED2": ("rbd_maps", "gs_maps", "mr_maps", "sf_maps", "HVPNet", "SAMNet"),
}
"""HS and CSNet-L-x2 on ECSSD are left out to save seconds: there is nothing odd about them."""


@pytest.fixture(scope="module")
def run(repository) -> Run:
    return load_run(repository / "config" / "at_hand.yaml")


@pytest.fixture(scope="module")
def sets(run, sodlift_data) -> dict[str, tuple[Manifest, Report]]:
    """Each data set by its row, with the number of images that the row expects."""
    rows = {name: run.dataset(name) for name in COUNTS}
    return {name: build_manifest(name, row.kind, row.options, sodlift_data, row.expected) for name, row in rows.items()}


@pytest.fixture(scope="module")
def maps(run, sets, sodlift_data, tmp_path_factory) -> dict[tuple[str, str], MapsReport]:
    folder = tmp_path_factory.mktemp("maps")
    rows = [(dataset, name, run.detector(name)) for dataset, names in MAPS.items() for name in names]
    return {
        (dataset, name): row.kind.make(
            name, below(row.options, sodlift_data), sets[dataset][0], folder / dataset / name
        )
        for dataset, name, row in rows
    }


def found(report: Report) -> dict[str, int]:
    return {finding.kind: len(finding.items) for finding in report.findings}


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("ECSSD", {"image_grey": 10}),
        ("PASCAL-S-108", {"non_binary": 70, "dim": 22, "image_grey": 1}),
        ("SED2", {"non_binary": 94, "image_grey": 1}),
    ],
)
def test_each_set_is_complete_and_its_oddities_are_counted(sets, name, findings):
    """No image of ECSSD is there twice, and no two of any set are near-identical."""
    report = sets[name][1]
    assert (report.images, report.masks, report.expected) == (COUNTS[name],) * 3
    assert found(report) == findings


def test_ecssd_is_binary_and_pascal_s_graded_in_13_levels(sets):
    assert sets["ECSSD"][1].mask_levels == (0, 255)
    levels = sets["PASCAL-S-108"][1].mask_levels
    assert len(levels) == 13
    assert levels == tuple(np.floor(np.arange(13) * 255 / 12 + 0.5).astype(int))


def test_none_of_the_5_masks_of_pascal_s_that_are_empty_is_among_the_108(sets):
    masks = [entry.mask for entry in sets["PASCAL-S-108"][0].entries]
    assert all(read_mask(mask, "gt127").any() for mask in masks)
    assert sum(int(read_grey(mask).values.max()) < 255 for mask in masks) == 22


def test_every_image_has_its_map_of_its_own_size(maps):
    for (dataset, _), report in maps.items():
        assert (report.expected, report.found) == (COUNTS[dataset],) * 2
        assert report.sizes == {"as the image": COUNTS[dataset]}
        assert report.errors == ()


def test_drfi_is_compressed_with_loss_and_nothing_else_is_odd(maps):
    """None of the maps at hand is in colour, transparent, of 16 bits, binary, empty, or the ground truth."""
    odd = {name: found(report) for name, report in maps.items() if report.findings}
    assert odd == {("ECSSD", "drfi_maps"): {"lossy": 1000}}
    assert maps["ECSSD", "drfi_maps"].formats == {"JPEG, 8-bit grey": 1000}
    assert {form for report in maps.values() for form in report.formats} == {"JPEG, 8-bit grey", "PNG, 8-bit grey"}


def test_masks_in_place_of_maps_are_refused(run, sets, sodlift_data, tmp_path):
    """Graded masks too: they are compared as they are stored."""
    row, options = run.detector("DSS"), run.detector("DSS").kind.options
    for dataset in ("PASCAL-S-108", "SED2"):
        masks: Path = sodlift_data / dataset / "masks"
        with pytest.raises(MapError, match="the ground truth: most of the set"):
            row.kind.make("DSS", options(masks), sets[dataset][0], tmp_path / dataset)


def test_one_photograph_leaks_from_ecssd_to_pascal_s_and_the_shipped_run_accepts_it(run, sets):
    manifests = {name: manifest for name, (manifest, _) in sets.items()}
    trained = {name: Trained(**of) for name, of in run.trained_and_tested.items()}
    both = Trained(["ECSSD"], ["PASCAL-S-108", "SED2"])
    assert trained == {"mirm_mobilenetv2": both, "lps_mobilenetv2_ecssd": both}
    start = time.perf_counter()
    report = leakage_report(manifests, trained, run.known_leaks, workers=2)[1]
    print(f"{time.perf_counter() - start:.1f} s for {sum(report.images.values())} images")
    assert found(report) == {"accepted": 2, "across": 1}
    (refused,) = leakage_report(manifests, trained, {}, workers=2)[1].errors
    assert all(name in str(refused) for name in trained)
    assert "1 of 108 in 'PASCAL-S-108' from 'ECSSD'" in str(refused)
    assert "0046 ~ 101" in str(refused)
