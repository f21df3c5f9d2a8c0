"""Priors on real images: accuracy on a fixed part of ECSSD, and RBD against its authors' own maps.

The figures on the complete set come from ``benchmarks/priors_ecssd.py``; this part is a tenth of it, every tenth image.
"""

import numpy as np
import pytest

from sodlift.arrays import read_image, read_map
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors.prior import PriorOptions
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet, new_mapset
from sodlift.priors import PRIORS

MEASURED = {
    # adaptive F and MAE on the tenth, map / 255
    "mb": (0.6514, 0.1796),
    "mb_plus": (0.6785, 0.1756),
    "rbd": (0.6508, 0.1710),
}


@pytest.fixture(scope="module")
def tenth(sodlift_data) -> Manifest:
    folder = sodlift_data / "ECSSD"
    entries = []
    for image in sorted((folder / "images").glob("*.jpg"))[::10]:
        height, width = read_image(image).shape[:2]
        entries.append(Entry(image.stem, image, folder / "masks" / f"{image.stem}.png", height, width, ""))
    return Manifest("ECSSD", tuple(entries))


@pytest.mark.parametrize("method", MEASURED)
def test_a_tenth_of_ecssd_scores_what_was_measured(tenth, repository, tmp_path, method):
    with new_mapset(tmp_path / "maps") as writer:
        DETECTORS.get("prior").run(PriorOptions(method), tenth, writer, 1)
    protocol = load_protocol("ldps_all")
    cell = evaluate_maps(tenth, MapSet(tmp_path / "maps"), None, [protocol], "prior")
    scores = {score.metric: score.value for score in cell.scores}
    adaptive_f, error = MEASURED[method]
    assert scores["adpF"] == pytest.approx(adaptive_f, abs=0.002)
    assert scores["MAE"] == pytest.approx(error, abs=0.001)


def test_rbd_correlates_with_its_authors_maps(sodlift_data):
    prior, correlations = PRIORS.get("rbd"), []
    for image in sorted((sodlift_data / "PASCAL-S-108" / "images").glob("*.jpg")):
        theirs = read_map(sodlift_data / "maps" / "PASCAL-S-108" / "RBD-wCtr-author" / f"{image.stem}.png")
        ours = prior.compute(read_image(image), prior.params())
        correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    assert len(correlations) == 108
    assert np.mean(correlations) >= 0.97 and np.median(correlations) >= 0.98
