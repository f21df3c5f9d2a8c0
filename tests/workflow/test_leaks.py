"""A training image in the test set, through the workflow: what ends the run, what goes on, what is not made again."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from workflow_runs import configured, rules

FOLDER = {"type": "folder"}
ROWS = {
    "datasets": {
        "seen": {**FOLDER, "title": "Seen", "options": {"root": "seen"}},
        "held-out": {**FOLDER, "title": "Held out", "options": {"root": "held-out"}},
    },
    "detectors": {"net": {"title": "My net", "type": "maps", "options": {"folder": "maps/{dataset}"}}},
    "refiners": {
        "mine": {
            "title": "Mine",
            "type": "mirm",
            "options": {
                "preset": "default",
                "backbone": "efficientnet_lite0",
                "train_size": 96,
                "size": 96,
                "recipe": {"batch": 2, "steps": 2},
            },
            "train": {"datasets": ["seen"], "detectors": ["net"]},
        }
    },
}
RUN = {
    "results": "results",
    "data_root": "data",
    "registries": {kind: [f"{kind}.yaml"] for kind in ROWS},
    "datasets": ["held-out"],
    "detectors": ["net"],
    "refiners": ["mine"],
    "seeds": [1],
    "device": "cpu",
    "protocols": ["pysod"],
    "tables": ["refiners"],
}


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images to train on and three to test on, one of them the training image "sunset", compressed again."""
    folder = tmp_path_factory.mktemp("project")
    demo = repository / "workflow_scripts" / "sodlift" / "demo" / "data"
    stems = sorted(file.stem for file in (demo / "images").glob("*.jpg"))[::15]
    sets = {"seen": {"sunset": 0, "a": 1, "b": 2, "c": 3}, "held-out": {"copy": 0, "d": 4, "e": 5}}
    for dataset, names in sets.items():
        for name, number in names.items():
            stem = stems[number]
            for kind, suffix in (("images", ".jpg"), ("masks", ".png")):
                target = folder / "data" / dataset / kind / f"{name}{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(demo / kind / f"{stem}{suffix}", target)
            mask = np.asarray(Image.open(target).convert("L"))
            maps = folder / "data" / "maps" / dataset / f"{name}.png"
            maps.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(cv2.GaussianBlur(mask, (0, 0), 9)).save(maps)
    copy = folder / "data" / "held-out" / "images" / "copy.jpg"
    Image.open(copy).convert("RGB").save(copy, quality=60)
    for kind, rows in ROWS.items():
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(rows))
    return folder


def would_run(project: Path, **change: object) -> set[str]:
    """The rules that a dry run names, with a change of the configuration."""
    return rules(configured(project, {**RUN, **change}, "--dry-run", "--quiet", "host"))


@pytest.fixture(scope="module")
def ended(project: Path) -> str:
    """What the run says without `known_leaks`, before anything was accepted."""
    done = configured(project, RUN)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def accepted(project: Path, ended: str) -> Path:
    """The results of the run that accepts the leak."""
    done = configured(project, {**RUN, "known_leaks": {"seen": {"held-out": 1}}})
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "results"


def test_a_copied_training_image_ends_the_run_by_name_before_training(project: Path, ended: str) -> None:
    assert "1 of 3 in 'held-out' from 'seen', which 'mine' is trained on (0 accepted): sunset ~ copy" in ended
    for mend in ("`subset`", "`baseline_only`", "`known_leaks`"):
        assert mend in ended
    assert "Traceback" not in ended
    assert not list((project / "results").glob("models/**/*.pt"))


def test_the_report_is_there_to_be_read_where_it_ends_the_run(project: Path, ended: str) -> None:
    health = project / "results" / "health"
    assert "| mine | seen | held-out | 1 | 3 | 0 |" in (health / "leakage.md").read_text()
    assert "held-out,copy,seen,sunset," in (health / "leakage.csv").read_text()
    assert not (health / "no_leakage").exists()


def test_an_accepted_leak_lets_the_run_go_on_and_is_told_by_its_tables(accepted: Path) -> None:
    assert (accepted / "models" / "mine" / "model.pt").is_file()
    table = (accepted / "tables" / "refiners.md").read_text()
    assert "Held out: 1 of its 3 images is near-identical to training images of Seen (accepted)." in table


def test_each_detectors_maps_have_a_report(accepted: Path) -> None:
    for dataset, count in (("seen", 4), ("held-out", 3)):
        text = (accepted / "health" / "maps" / dataset / "net.md").read_text()
        assert f"| Maps | {count} of {count} |" in text
        assert (accepted / "health" / "maps" / dataset / "net.json").is_file()


def test_a_report_that_is_written_anew_trains_nothing_again(project: Path, accepted: Path) -> None:
    made = would_run(project, known_leaks={"seen": {"held-out": 2}})
    assert {"leakage", "no_leakage", "table"} <= made
    assert not {"train_refiner", "refine_maps"} & made


def test_another_test_set_trains_nothing_again(project: Path, accepted: Path) -> None:
    change = {
        "known_leaks": {"seen": {"held-out": 1}},
        "datasets": ["held-out", "demo-test"],
        "detectors": ["net", "rbd"],
    }
    made = would_run(project, **change)
    assert {"leakage", "refine_maps"} <= made
    assert "train_refiner" not in made


def test_a_refiner_that_changed_is_trained_again_even_so(project: Path, accepted: Path) -> None:
    """A job of which Snakemake takes an input for ancient would be overlooked here."""
    rows = yaml.safe_dump(ROWS["refiners"])
    (project / "refiners.yaml").write_text(rows.replace("steps: 2", "steps: 3"))
    try:
        made = would_run(project, known_leaks={"seen": {"held-out": 2}})
    finally:
        (project / "refiners.yaml").write_text(rows)
    assert {"leakage", "train_refiner"} <= made


def test_a_map_that_was_replaced_is_noticed(project: Path, accepted: Path) -> None:
    file, known = project / "data" / "maps" / "held-out" / "d.png", {"seen": {"held-out": 1}}
    assert would_run(project, known_leaks=known) == set()
    content = file.read_bytes()
    Image.fromarray(np.asarray(Image.open(file)) // 2).save(file)
    try:
        made = would_run(project, known_leaks=known)
    finally:
        file.write_bytes(content)
    assert "prior" in made
    assert "train_refiner" not in made
