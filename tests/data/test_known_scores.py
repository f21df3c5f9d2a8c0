"""Published maps score what is known of them on real data."""

from pathlib import Path

import pytest

from sodlift.arrays import read_grey, read_map, write_map
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.evaluation.protocols import load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet, new_mapset

KNOWN = {
    # adaptive F and MAE of the authors' own maps, ground truth > 127
    "RBD-wCtr-author": (0.5445, 0.2021),
    "GS-author": (0.5256, 0.2160),
    "SF-author": (0.3809, 0.2143),
    "MR-author": (0.5533, 0.2279),
}


@pytest.fixture(scope="module")
def manifest(sodlift_data, tmp_path_factory) -> Manifest:
    """PASCAL-S-108, its graded masks made binary as the known scores have them: their level 128 is foreground."""
    folder, masks = sodlift_data / "PASCAL-S-108", tmp_path_factory.mktemp("masks")
    entries = []
    for image in sorted((folder / "images").glob("*.jpg")):
        graded = read_grey(folder / "masks" / f"{image.stem}.png").values
        mask = masks / f"{image.stem}.png"
        write_map(mask, graded > 127)
        entries.append(Entry(image.stem, image, mask, *graded.shape, ""))
    return Manifest("PASCAL-S-108", tuple(entries))


@pytest.mark.parametrize("detector", KNOWN)
def test_the_authors_maps_on_pascal_s_108_score_what_is_known(sodlift_data, repository, manifest, tmp_path, detector):
    folder: Path = sodlift_data / "maps" / "PASCAL-S-108" / detector
    with new_mapset(tmp_path / "maps") as writer:
        for stem in manifest.stems:
            writer.add(stem, read_map(folder / f"{stem}.png"))
    pysod = load_protocol("pysod")
    cell = evaluate_maps(manifest, MapSet(tmp_path / "maps"), None, [pysod], "prior")
    scores = {score.metric: score for score in cell.scores}
    adaptive_f, error = KNOWN[detector]
    assert scores["adpF"].n_used == scores["MAE"].n_used == 108
    assert scores["adpF"].value == pytest.approx(adaptive_f, abs=5.1e-5)
    assert scores["MAE"].value == pytest.approx(error, abs=5.1e-5)
