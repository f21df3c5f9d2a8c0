"""A data set that is downloaded and maps that are dropped in by hand, through the workflow."""

import shutil
from pathlib import Path

import cv2
import pytest
import yaml
from workflow_runs import snakemake

from http_server import Site, running_site, serve
from release_samples import archive, below

STEMS = ("arch", "bowl", "chair")


@pytest.fixture(scope="module")
def site():
    with running_site() as site:
        yield site


@pytest.fixture(scope="module")
def project(repository: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a configuration; the images are on a server, the maps on the user's desktop."""
    folder = tmp_path_factory.mktemp("project")
    demo = repository / "workflow_scripts" / "sodlift" / "demo" / "data"
    scenes = sorted((demo / "images").glob("*.jpg"))[:3]
    members, maps = {}, {}
    for stem, image in zip(STEMS, scenes, strict=True):
        mask = demo / "masks" / f"{image.stem}.png"
        members |= {f"Set/Imgs/{stem}.jpg": image.read_bytes(), f"Set/GT/{stem}.png": mask.read_bytes()}
        blurred = cv2.GaussianBlur(cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE), (0, 0), 9)
        maps[f"results/{stem}_net.png"] = cv2.imencode(".png", blurred)[1].tobytes()
    site.usual["/set.zip"] = serve(archive(folder / "set.zip", members).read_bytes())
    archive(folder / "maps.zip", maps)
    release = {
        "page": "https://people.example/set",
        "files": [
            {"name": "set.zip", "urls": [f"{site.url}/set.zip"], "take": {"images": "*/Imgs/*", "masks": "*/GT/*"}}
        ],
    }
    rows = {
        "datasets": {
            "served": {
                "title": "Served",
                "type": "folder",
                "options": {"root": "served"},
                "expected": 3,
                "release": release,
            }
        },
        "detectors": {
            "net": {
                "title": "Net",
                "type": "maps",
                "options": {"folder": "maps/{dataset}/net", "suffixes": ["_net"]},
                "datasets": ["served"],
                "release": {"page": "https://people.example/net"},
            }
        },
    }
    run = {
        "results": "results",
        "data_root": "data",
        "registries": {kind: [f"{kind}.yaml"] for kind in rows},
        "datasets": ["served"],
        "detectors": ["net"],
        "protocols": ["pysod"],
    }
    for name, content in {**rows, "run": run}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def first(project: Path) -> str:
    """What a run says that can download the data set and not the maps."""
    done = snakemake(project, "--keep-going")
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def second(project: Path, first: str) -> Path:
    """The results, once the maps are where the message asked to put them."""
    (project / "resources" / "manual").mkdir(parents=True)
    shutil.copyfile(project / "maps.zip", project / "resources" / "manual" / "net-served.zip")
    done = snakemake(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "results"


def test_a_missing_data_set_is_downloaded_and_put_in_place(project: Path, first: str) -> None:
    data = project / "data" / "served"
    assert below(data) == [*(f"images/{s}.jpg" for s in STEMS), *(f"masks/{s}.png" for s in STEMS)]
    assert (project / "results" / "datasets" / "served" / "manifest.csv").is_file()


def test_maps_that_come_by_hand_are_asked_for_by_name_page_and_place(first: str) -> None:
    assert "net-served.zip is missing and it has no address to download from" in first
    assert "get net-served.zip from https://people.example/net and put it at resources/manual/net-served.zip" in first


def test_a_run_goes_on_from_what_is_there_and_downloads_nothing_twice(site: Site, second: Path) -> None:
    assert (second / "tables" / "summary.csv").is_file()
    assert [path for path, _ in site.requests] == ["/set.zip"]


def test_then_there_is_nothing_to_do(project: Path, second: Path) -> None:
    done = snakemake(project, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr, done.stdout + done.stderr


def test_offline_a_missing_data_set_says_where_it_belongs(project: Path, second: Path) -> None:
    elsewhere = {**yaml.safe_load((project / "run.yaml").read_text()), "data_root": "other", "results": "offline"}
    (project / "offline.yaml").write_text(yaml.safe_dump({**elsewhere, "offline": True, "resources": "kept"}))
    done = snakemake(project, "datasets", configfile="offline.yaml")
    assert done.returncode != 0
    assert "set.zip is missing and the network is forbidden (offline)" in done.stdout + done.stderr
    assert "put it at kept/manual/set.zip" in done.stdout + done.stderr
