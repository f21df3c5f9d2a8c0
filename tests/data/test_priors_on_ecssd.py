"""Priors on real images: accuracy on a fixed part of ECSSD, and priors against their authors' own maps.

The figures on the complete set come from ``benchmarks/priors_ecssd.py``; this part is a tenth of it, every tenth image.
"""

from pathlib import Path

import numpy as np
import pytest

from drfi_samples import training
from sodlift.arrays import read_image, read_map
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import Machine
from sodlift.detectors.prior import PriorOptions
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet
from sodlift.priors import PRIORS

PRIOR = DETECTORS.get("prior")
MEASURED = {
    # adaptive F and MAE on the tenth, map / 255
    "mb": (0.6514, 0.1796),
    "mb_plus": (0.6785, 0.1756),
    "rbd": (0.6508, 0.1710),
    "bsca": (0.6959, 0.1860),
    "bl": (0.6751, 0.2178),
    "dsr": (0.6595, 0.1687),
    "hs": (0.6177, 0.2256),
    "mc": (0.6746, 0.2029),
    "mst": (0.6543, 0.1919),
    "gu": (0.5231, 0.2383),
    "mr": (0.6697, 0.1872),
    "gs": (0.6074, 0.2018),
    "sf": (0.4833, 0.2121),
    "ft": (0.2866, 0.3754),
}
DRFI = (0.6564, 0.1949)
"""The same of DRFI with a small forest, trained on 50 other images."""
AUTHORS = {
    # folder of the authors' maps on PASCAL-S-108, mean correlation that is held
    "rbd": ("RBD-wCtr-author", 0.97),
    "mr": ("MR-author", 0.97),
    "gs": ("GS-author", 0.94),
    "sf": ("SF-author", 0.95),
}


def part_of_ecssd(data: Path, first: int, step: int) -> Manifest:
    folder = data / "ECSSD"
    entries = []
    for image in sorted((folder / "images").glob("*.jpg"))[first::step]:
        height, width = read_image(image).shape[:2]
        entries.append(Entry(image.stem, image, folder / "masks" / f"{image.stem}.png", height, width, ""))
    return Manifest("ECSSD", tuple(entries))


@pytest.fixture(scope="module")
def tenth(sodlift_data) -> Manifest:
    return part_of_ecssd(sodlift_data, 0, 10)


@pytest.mark.parametrize("method", MEASURED)
def test_a_tenth_of_ecssd_scores_what_was_measured(tenth, tmp_path, method):
    assert_scores(tenth, PriorOptions(method), tmp_path / "maps", MEASURED[method])


def test_drfi_trained_on_fifty_other_images_scores_what_was_measured(sodlift_data, tenth, tmp_path):
    others = part_of_ecssd(sodlift_data, 1, 20)
    assert len(others.entries) == 50 and not set(others.stems) & set(tenth.stems)
    options = PriorOptions("drfi", training={"trees": 50, "drawn": 10_000})
    PRIOR.train(options, training(others, tmp_path / "model.npz", threads=2))
    assert_scores(tenth, options.with_model(tmp_path / "model.npz"), tmp_path / "maps", DRFI)


def assert_scores(manifest: Manifest, options: PriorOptions, folder: Path, measured: tuple[float, float]) -> None:
    """Hold adaptive F and MAE of a prior against what was measured."""
    PRIOR.make(options.method, options, manifest, folder, Machine(2))
    cell = evaluate_maps(manifest, MapSet(folder), None, [load_protocol("ldps_all")], "prior")
    scores = {score.metric: score.value for score in cell.scores}
    adaptive_f, error = measured
    assert scores["adpF"] == pytest.approx(adaptive_f, abs=0.002)
    assert scores["MAE"] == pytest.approx(error, abs=0.001)


@pytest.mark.parametrize("method", AUTHORS)
def test_a_prior_correlates_with_its_authors_maps(sodlift_data, method):
    prior, correlations = PRIORS.get(method), []
    folder, least = AUTHORS[method]
    for image in sorted((sodlift_data / "PASCAL-S-108" / "images").glob("*.jpg")):
        theirs = read_map(sodlift_data / "maps" / "PASCAL-S-108" / folder / f"{image.stem}.png")
        ours = prior.compute(read_image(image), prior.params())
        correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    assert len(correlations) == 108
    assert np.mean(correlations) >= least


def test_hs_correlates_with_the_maps_at_hand(sodlift_data):
    prior, correlations = PRIORS.get("hs"), []
    for image in sorted((sodlift_data / "ECSSD" / "images").glob("*.jpg"))[::10]:
        ours = prior.compute(read_image(image), prior.params())
        theirs = read_map(sodlift_data / "maps" / "ECSSD" / "HS" / f"{image.stem}.png")
        correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    assert len(correlations) == 100 and np.mean(correlations) >= 0.785
