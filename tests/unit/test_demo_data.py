"""The demo data as it is shipped."""

import csv
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from sodlift.arrays import read_image, read_mask
from sodlift.demo import COLUMNS, demo_root
from sodlift.demo.photos import SOURCES

ROOT = demo_root()
MEGABYTES = 3


def rows() -> list[dict[str, str]]:
    with (ROOT / "scenes.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


STEMS = [row["stem"] for row in rows()]


def parts(split: str, *columns: str) -> set[str]:
    return {name for row in rows() if row["split"] == split for column in columns for name in row[column].split(";")}


def test_the_table_has_the_documented_columns_and_unique_stems():
    assert tuple(rows()[0]) == COLUMNS
    assert len(set(STEMS)) == len(STEMS)


def test_images_masks_and_table_name_the_same_scenes():
    assert sorted(p.stem for p in (ROOT / "images").iterdir()) == sorted(STEMS)
    assert sorted(p.stem for p in (ROOT / "masks").iterdir()) == sorted(STEMS)
    assert {p.suffix for p in (ROOT / "images").iterdir()} == {".jpg"}
    assert {p.suffix for p in (ROOT / "masks").iterdir()} == {".png"}


def test_there_are_enough_photographs_and_composites():
    kinds = [row["kind"] for row in rows()]
    shown = {row["source"] for row in rows() if row["kind"] == "photo"}
    assert set(kinds) == {"photo", "composite"}
    assert len(shown) >= 8
    assert kinds.count("composite") >= 60


def test_both_parts_hold_photographs_and_composites():
    counts = {
        (s, k): sum(r["split"] == s and r["kind"] == k for r in rows())
        for s in ("train", "test")
        for k in ("photo", "composite")
    }
    assert counts["train", "photo"] >= 4 and counts["test", "photo"] >= 4
    assert counts["train", "composite"] >= 45 and counts["test", "composite"] >= 30


@pytest.mark.parametrize("stem", STEMS)
def test_a_scene_is_a_small_colour_image_with_a_binary_mask_of_its_size(stem):
    image = read_image(ROOT / "images" / f"{stem}.jpg")
    with Image.open(ROOT / "masks" / f"{stem}.png") as handle:
        assert handle.mode == "L"
        mask = np.asarray(handle)
    assert image.shape[:2] == mask.shape
    assert min(mask.shape) >= 200 and max(mask.shape) <= 320
    assert set(np.unique(mask).tolist()) == {0, 255}


def test_objects_of_composites_cover_four_to_forty_five_percent():
    share = {r["stem"]: float(read_mask(ROOT / "masks" / f"{r['stem']}.png").mean()) for r in rows()}
    composed = [share[r["stem"]] for r in rows() if r["kind"] == "composite"]
    assert min(composed) >= 0.04 and max(composed) <= 0.45
    assert max(composed) - min(composed) > 0.25, "sizes ought to vary"
    assert all(0.04 <= s <= 0.8 for s in share.values())


def test_some_objects_touch_the_border_and_most_do_not():
    masks = [read_mask(ROOT / "masks" / f"{r['stem']}.png") for r in rows() if r["kind"] == "composite"]
    touching = np.mean([m[0].any() or m[-1].any() or m[:, 0].any() or m[:, -1].any() for m in masks])
    assert 0.1 < touching < 0.6


def test_mask_outlines_lie_on_edges_of_the_image():
    """Along the outline the image must change more than elsewhere: a mask that slipped would fail."""
    ratios = []
    for row in rows():
        grey = cv2.cvtColor(read_image(ROOT / "images" / f"{row['stem']}.jpg"), cv2.COLOR_RGB2GRAY).astype(np.float32)
        steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        mask = read_mask(ROOT / "masks" / f"{row['stem']}.png").astype(np.uint8)
        rim = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8))
        ratios.append(steep[rim > 0].mean() / steep[rim == 0].mean())
    assert np.median(ratios) > 2.5
    assert np.mean(np.array(ratios) > 1) > 0.95


def test_parts_share_no_object_background_or_photograph():
    columns = ("objects", "background")
    assert not parts("train", *columns) & parts("test", *columns)
    assert not (parts("train", "source") & parts("test", "source")) - {"generated"}


def test_sources_appear_only_in_the_part_they_are_assigned_to():
    for row in rows():
        for name in row["source"].split(";"):
            assert name == "generated" or SOURCES[name].split == row["split"]


def test_the_licence_file_names_every_photograph_with_author_and_licence():
    text = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    table = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    used = (parts("train", "source") | parts("test", "source")) - {"generated"}
    for name in used:
        source = SOURCES[name]
        assert all(part in table[name] for part in (source.title, source.author, source.licence, source.url))


def test_every_licence_permits_passing_the_image_on():
    free = {"CC0 1.0", "CC BY 2.0", "public domain", "no known copyright restrictions", "Apache-2.0"}
    assert parts("train", "licence") | parts("test", "licence") <= free


def test_the_data_stay_under_three_megabytes():
    assert sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()) < MEGABYTES * 1e6


def test_asking_for_the_folder_imports_nothing_heavy():
    code = "import sys, sodlift.demo; sodlift.demo.demo_root(); print({'numpy', 'cv2', 'PIL'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert told.stdout.strip() == "set()"


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT.parents[2])}
