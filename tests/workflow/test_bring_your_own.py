"""A user's own data, maps and configuration in a folder of their own, with and without masks, through the workflow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from workflow_runs import configured

STEMS = {"beach": ".jpg", "café 2": ".png", "dog.old": ".BMP"}
"""The images' kinds, by stem."""

ROWS = {
    "datasets": {
        "mine": {
            "title": "Mine",
            "type": "folder",
            "expected": 3,
            "options": {"root": "set", "images": "rgb/*", "masks": "gt/*.png", "mask_suffix": "_gt"},
        },
        "unmasked": {"title": "Without masks", "type": "folder", "options": {"root": "new", "masks": None}},
    },
    "detectors": {
        "net": {
            "title": "My net",
            "type": "maps",
            "options": {"folder": "maps/{dataset}/net", "suffixes": ["_sal"]},
            "datasets": ["mine", "unmasked"],
        }
    },
}
RUN = {
    "results": "results",
    "data_root": "data",
    "registries": {kind: [f"{kind}.yaml"] for kind in ROWS},
    "datasets": ["mine", "unmasked"],
    "detectors": ["net"],
    "refiners": ["densecrf_dss"],
    "protocols": ["pysod"],
    "tables": ["refiners"],
    "subset": {"mine": {"stems": "mine.txt"}},
}


def square(stem: str) -> np.ndarray:
    """A bright square on a dark ground, at another place for each stem: (40, 48) floats in [0, 1]."""
    found = np.full((40, 48), 0.1)
    top = 4 + 6 * sorted(STEMS).index(stem)
    found[top : top + 16, top : top + 20] = 0.9
    return found


def save(file: Path, values: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * values).astype(np.uint8)).save(file)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: images, masks and maps under ``data``, two registry files and a list of stems."""
    folder = tmp_path_factory.mktemp("project")
    noise = np.random.default_rng(0)
    for stem, kind in STEMS.items():
        for dataset, images in (("mine", "set/rgb"), ("unmasked", "new/images")):
            image = np.clip(square(stem)[..., None] + noise.normal(0, 0.05, (40, 48, 3)), 0, 1)
            save(folder / "data" / images / f"{stem}{kind}", image)
            saliency = 0.5 * square(stem) + 0.2 * np.linspace(0, 1, 48)
            save(folder / "data" / "maps" / dataset / "net" / f"{stem}_sal.png", saliency)
        save(folder / "data" / "set" / "gt" / f"{stem}_gt.png", square(stem) > 0.5)
    for kind, rows in ROWS.items():
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(rows))
    (folder / "mine.txt").write_text("café 2.png\nbeach\n")
    return folder


@pytest.fixture(scope="module")
def inference(project: Path) -> set[str]:
    """What a run of the data set without masks makes: the folders of its results."""
    ended = configured(project, {**RUN, "datasets": ["unmasked"], "tables": None, "protocols": None})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = project / "results"
    return {str(path.relative_to(results)) for path in results.rglob("*") if path.is_dir()}


@pytest.fixture(scope="module")
def done(project: Path, inference: set[str]) -> Path:
    """The results of a run of both data sets, after that of the one without masks."""
    ended = configured(project, RUN)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return project / "results"


def test_a_run_for_inference_only_ends_with_the_refined_maps(inference: set[str]) -> None:
    assert "refined/unmasked/net/densecrf_dss" in inference
    assert not {"evaluation", "tables", "figures"} & inference


def test_the_data_set_with_masks_is_scored(done: Path) -> None:
    summary = pd.read_csv(done / "tables" / "summary.csv", keep_default_na=False)
    assert set(zip(summary.dataset, summary.detector, summary.refiner, strict=True)) == {
        ("mine", "net", "none"),
        ("mine", "net", "densecrf_dss"),
    }
    assert set(summary.n_expected) == {2}
    table = (done / "tables" / "refiners.md").read_text()
    assert "Mine" in table
    assert "of this set the images of a list of 2" in table


def test_the_data_set_without_masks_is_refined_and_not_scored(done: Path) -> None:
    for dataset, stems in (("mine", ["beach", "café 2"]), ("unmasked", sorted(STEMS))):
        for maps in (f"priors/{dataset}/net", f"refined/{dataset}/net/densecrf_dss"):
            assert sorted(file.stem for file in (done / maps).glob("*.png")) == stems
        assert (done / "datasets" / dataset / "health.md").is_file()
    assert not (done / "evaluation" / "unmasked").exists()
    assert "Without masks" not in (done / "tables" / "refiners.md").read_text()


def test_a_change_of_the_list_of_a_subset_is_noticed(project: Path, done: Path) -> None:
    def would_run() -> str:
        ended = configured(project, RUN, "--dry-run", "--quiet", "host")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    assert "rule dataset:" not in would_run()
    (project / "mine.txt").write_text("beach\ndog.old\n")
    assert "rule dataset:" in would_run()
