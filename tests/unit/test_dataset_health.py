"""Building a manifest and the health report that comes with it."""

import hashlib
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scene_samples import scene

import sodlift.datasets.validate
from sodlift.arrays import read_image
from sodlift.datasets.health import KINDS, HealthReport
from sodlift.datasets.manifest import Manifest
from sodlift.datasets.sources.folder import SOURCE, FolderOptions
from sodlift.datasets.subset import Subset
from sodlift.datasets.validate import build_manifest, validate
from sodlift.errors import ConfigError, DataError

HALF = np.repeat(np.array([[0, 255]], np.uint8), [2, 2], axis=1).repeat(3, axis=0)  # 3 x 4, right half white


def colours(seed: int, height: int = 3, width: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def add(root: Path, stem: str, image: np.ndarray | Image.Image | None = None, mask: np.ndarray | None = HALF) -> None:
    """Add one image (colours of its own unless given) and its mask to the data set at ``root``."""
    image = colours(zlib.crc32(stem.encode())) if image is None else image
    for folder, picture in (("images", image), ("masks", mask)):
        (root / folder).mkdir(exist_ok=True, parents=True)
        if picture is not None:
            pillow = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
            pillow.save(root / folder / f"{stem}.png", exif=pillow.getexif())


def built(root: Path, expected: int | None = None, **options) -> tuple[Manifest, HealthReport]:
    return build_manifest("set", SOURCE, FolderOptions(root="", **options), root, expected)


def found(report: HealthReport) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.items for finding in report.findings}


# --- the manifest ------------------------------------------------------------------------------------------------


def test_the_manifest_holds_size_digests_and_split(tmp_path):
    add(tmp_path, "a", colours(1, 5, 7), np.zeros((5, 7), np.uint8))
    add(tmp_path, "b")
    (tmp_path / "test.txt").write_text("a\n")
    entry = built(tmp_path, splits="*.txt")[0].entries[0]
    assert (entry.stem, entry.height, entry.width, entry.split) == ("a", 5, 7, "test")
    assert entry.image_sha256 == hashlib.sha256((tmp_path / "images/a.png").read_bytes()).hexdigest()
    assert entry.mask_sha256 == hashlib.sha256((tmp_path / "masks/a.png").read_bytes()).hexdigest()


def test_an_image_without_mask_has_no_mask_digest_and_is_reported(tmp_path):
    add(tmp_path, "a", mask=None)
    manifest, report = built(tmp_path, masks=None)
    assert (manifest.entries[0].mask, manifest.entries[0].mask_sha256) == (None, "")
    assert found(report) == {"no_mask": ("a",)}
    assert (report.masks, report.foreground, report.mask_levels) == (0, None, ())


def test_progress_sees_every_pair_once(tmp_path):
    for stem in "abc":
        add(tmp_path, stem)
    seen = []

    def progress(pairs):
        for pair in pairs:
            seen.append(pair.stem)
            yield pair

    build_manifest("set", SOURCE, FolderOptions(root=""), tmp_path, progress=progress)
    assert seen == ["a", "b", "c"]


def test_a_subset_alone_is_read_and_all_images_are_counted(tmp_path):
    for stem in "dcba":
        add(tmp_path, stem)
    (tmp_path / "images" / "d.png").write_bytes(b"never read")
    part = Subset(limit=2)
    manifest, report = build_manifest("set", SOURCE, FolderOptions(root=""), tmp_path, expected=4, subset=part)
    assert manifest.stems == ("a", "b")
    assert (report.images, report.found, report.errors) == (2, 4, ())


def test_a_subset_that_does_not_fit_is_an_error_that_names_the_data_set(tmp_path):
    add(tmp_path, "a")
    with pytest.raises(ConfigError, match=r"not in the data set: z(.|\n)*where: subset\.mine"):
        build_manifest("mine", SOURCE, FolderOptions(root=""), tmp_path, subset=Subset(stems=("z",)))


# --- the report --------------------------------------------------------------------------------------------------


def test_a_clean_set_has_no_finding(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "b", colours(2, 5, 9), np.pad(HALF, ((0, 2), (0, 5))))
    report = built(tmp_path, expected=2)[1]
    assert report.findings == ()
    assert (report.images, report.masks, report.expected, report.splits) == (2, 2, 2, {})
    assert report.distinct_sizes == 2
    assert (report.height.min, report.height.median, report.height.max) == (3, 3, 5)
    assert (report.width.min, report.width.max) == (4, 9)
    assert (report.foreground.min, report.foreground.max) == (6 / 45, 0.5)
    assert report.mean_foreground == pytest.approx((0.5 + 6 / 45) / 2)
    assert (report.mask_levels, report.grey_share) == ((0, 255), 0)


def test_splits_are_counted(tmp_path):
    for stem in "abc":
        add(tmp_path, stem)
    (tmp_path / "train.txt").write_text("a\nb\n")
    assert built(tmp_path, splits="*.txt")[1].splits == {"": 1, "train": 2}


MASKS = {
    "non_binary": (np.where(HALF, 255, 0) - np.eye(3, 4, 2) * 100, " (16.7% grey, 3 levels)"),
    "zero_one": (HALF // 255, ""),
    "dim": (HALF // 255 * 200, " (at most 200)"),
    "empty": (HALF * 0, ""),
    "full": (HALF * 0 + 255, ""),
}


@pytest.mark.parametrize("kind", MASKS)
def test_an_odd_mask_is_a_warning_that_names_it(tmp_path, kind):
    values, detail = MASKS[kind]
    add(tmp_path, "a")
    add(tmp_path, "odd", mask=np.asarray(values).astype(np.uint8))
    report = built(tmp_path)[1]
    assert found(report)[kind] == (f"masks/odd.png{detail}",)
    assert found(report).keys() == {kind} | ({"empty"} if kind == "zero_one" else set())
    assert report.errors == ()


def test_128_is_background_and_129_foreground(tmp_path):
    add(tmp_path, "a", mask=HALF // 255 * 128)
    add(tmp_path, "b", mask=HALF // 255 * 129)
    report = built(tmp_path)[1]
    assert found(report)["empty"] == ("masks/a.png",)
    assert (report.foreground.min, report.foreground.max) == (0, 0.5)


def test_graded_masks_are_counted_by_level_and_share(tmp_path):
    add(tmp_path, "a", mask=np.array([[0, 85, 170, 255]] * 3, np.uint8))
    add(tmp_path, "b")
    report = built(tmp_path)[1]
    assert report.mask_levels == (0, 85, 170, 255)
    assert report.grey_share == pytest.approx(0.25)


def test_masks_of_16_bits_are_judged_by_their_8_bit_levels(tmp_path):
    add(tmp_path, "a", mask=HALF.astype(np.uint16) * 257)
    assert found(built(tmp_path)[1]) == {"mask_format": ("masks/a.png (16-bit)",)}


def test_a_float_mask_of_zeros_and_ones_is_a_mask_like_any_other(tmp_path):
    add(tmp_path, "a", mask=None)
    np.save(tmp_path / "masks" / "a.npy", HALF / 255)
    report = built(tmp_path)[1]
    assert found(report) == {"mask_format": ("masks/a.npy (float)",)}
    assert (report.mask_levels, report.mean_foreground) == ((0, 255), 0.5)


def rotated() -> Image.Image:
    image = Image.fromarray(colours(0))
    image.getexif()[0x0112] = 6
    return image


IMAGES = {
    "image_grey": lambda: Image.fromarray(HALF),
    "image_palette": lambda: Image.fromarray(colours(0)).quantize(4),
    "image_alpha": lambda: Image.fromarray(colours(0)).convert("RGBA"),
    "image_rotated": rotated,
}


@pytest.mark.parametrize("kind", IMAGES)
def test_an_odd_image_is_a_warning_that_names_it(tmp_path, kind):
    add(tmp_path, "a")
    add(tmp_path, "odd", IMAGES[kind]())
    report = built(tmp_path)[1]
    assert found(report) == {kind: ("images/odd.png",)}
    assert report.errors == ()


def test_grey_in_three_channels_is_found(tmp_path):
    add(tmp_path, "a", np.repeat(HALF[..., None], 3, axis=2))
    assert found(built(tmp_path)[1]) == {"image_grey": ("images/a.png",)}


def test_duplicates_within_the_set_are_named_in_pairs(tmp_path):
    for stem, seed in (("a", 1), ("b", 2), ("c", 1), ("d", 1)):
        add(tmp_path, stem, colours(seed))
    assert found(built(tmp_path)[1]) == {"duplicate": ("a = c", "c = d")}


def test_near_duplicates_are_named_with_their_correlation_and_the_same_file_is_not_repeated(tmp_path):
    for stem, number in (("a", 1), ("b", 2), ("same", 1), ("c", 3)):
        add(tmp_path, stem, scene(number), np.pad(HALF, ((0, 237), (0, 316))))
    for stem, picture in (("copy", scene(1) // 10 * 9), ("mirrored", scene(2)[:, ::-1].copy())):
        add(tmp_path, stem, picture, np.pad(HALF, ((0, 237), (0, 316))))
    items = found(built(tmp_path)[1])
    assert items["duplicate"] == ("a = same",)
    pairs = [re.sub(r"correlation (\.9\d\d|1\.000)", "r", item) for item in items["near_duplicate"]]
    assert pairs == ["a ~ copy (r)", "b ~ mirrored (r, mirrored)", "copy ~ same (r)"]
    assert built(tmp_path)[1].errors == ()


def test_each_image_is_read_once(tmp_path, monkeypatch):
    for number in range(3):
        add(tmp_path, str(number), scene(number), np.pad(HALF, ((0, 237), (0, 316))))
    read = []
    monkeypatch.setattr(sodlift.datasets.validate, "read_image", lambda file: read.append(file) or read_image(file))
    assert built(tmp_path)[1].images == 3
    assert [file.name for file in read] == ["0.png", "1.png", "2.png"]


def test_files_without_use_are_reported(tmp_path):
    add(tmp_path, "a")
    (tmp_path / "masks" / "old.png").touch()
    assert found(built(tmp_path)[1]) == {"unused": ("masks/old.png",)}


# --- errors ------------------------------------------------------------------------------------------------------


def refused(root: Path, expected: int | None = None, **options) -> str:
    with pytest.raises(DataError) as caught:
        built(root, expected, **options)
    return str(caught.value)


def test_another_count_than_expected_is_an_error_unless_left_open(tmp_path):
    add(tmp_path, "a")
    assert "1 found, 1000 expected" in refused(tmp_path, 1000)
    assert "set `expected: null`" in refused(tmp_path, 1000)
    assert built(tmp_path, None)[1].findings == ()


def test_a_mask_of_another_size_is_an_error_that_names_both_sizes(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "b", mask=HALF[:2])
    text = refused(tmp_path)
    assert "masks/b.png (mask 2x4, image 3x4; height x width)" in text
    assert "same release" in text
    assert str(tmp_path) in text


def test_a_transposed_mask_is_told_from_one_of_another_size(tmp_path):
    add(tmp_path, "a", mask=HALF.T)
    text = refused(tmp_path)
    assert "masks transposed against their image (1): masks/a.png (mask 4x3, image 3x4; height x width)" in text


def test_every_error_is_listed_at_once(tmp_path):
    add(tmp_path, "a", mask=HALF[:2])
    add(tmp_path, "b", mask=HALF.T)
    add(tmp_path, "c")
    add(tmp_path, "d")
    (tmp_path / "images/c.png").write_bytes(b"")
    (tmp_path / "masks/d.png").write_bytes((tmp_path / "masks/d.png").read_bytes()[:40])
    text = refused(tmp_path, 5)
    for part in ("4 found, 5 expected", "images/c.png (not an image", "masks/d.png (", "masks/a.png", "masks/b.png"):
        assert part in text
    assert text.count("mend:") == 4


# --- a manifest checked again ------------------------------------------------------------------------------------


def test_validating_a_manifest_repeats_its_report(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "odd", IMAGES["image_grey"](), HALF * 0)
    manifest, report = built(tmp_path, 2)
    assert validate(manifest, 2) == report


def test_a_file_that_changed_is_an_error_that_names_it(tmp_path):
    add(tmp_path, "a")
    add(tmp_path, "b")
    manifest, _ = built(tmp_path)
    add(tmp_path, "a", colours(77))
    add(tmp_path, "b", mask=255 - HALF)
    report = validate(manifest)
    assert found(report) == {"changed": ("images/a.png", "masks/b.png")}
    with pytest.raises(DataError, match="run the datasets stage again"):
        report.raise_errors()


def test_a_file_that_vanished_is_an_error_that_names_it(tmp_path):
    add(tmp_path, "a")
    manifest, _ = built(tmp_path)
    (tmp_path / "images/a.png").unlink()
    (tmp_path / "masks/a.png").unlink()
    items = found(validate(manifest))["unreadable"]
    assert items == tuple(
        f"{folder}/a.png (file not found; check the folder and the file name pattern in the registry row)"
        for folder in ("images", "masks")
    )


# --- its two forms -----------------------------------------------------------------------------------------------


def test_the_json_form_holds_every_item(tmp_path):
    for i in range(12):
        add(tmp_path, f"odd {i:02}", mask=HALF * 0)
    _, report = built(tmp_path)
    report.save(tmp_path / "out" / "health.json", tmp_path / "out" / "health.md")
    content = json.loads((tmp_path / "out" / "health.json").read_text("utf-8"))
    assert (content["dataset"], content["images"], content["mean_foreground"]) == ("set", 12, 0)
    (finding,) = content["findings"]
    assert (finding["kind"], finding["severity"], finding["count"]) == ("empty", "warning", 12)
    assert len(finding["items"]) == 12


def test_the_markdown_form_names_ten_items_and_the_mend(tmp_path):
    for i in range(12):
        add(tmp_path, f"odd {i:02}", mask=HALF * 0)
    text = built(tmp_path, 12)[1].to_markdown()
    assert "| Images | 12 of 12, 12 expected |" in text
    assert "- **warning** masks without a pixel > 128 (12): masks/odd 00.png" in text
    assert "masks/odd 09.png and 2 more. Mend: decide in the protocol" in text
    assert "odd 10" not in text


def test_a_clean_report_says_so(tmp_path):
    add(tmp_path, "a")
    assert built(tmp_path)[1].to_markdown().endswith("## Findings\n\nNone.\n")


def test_two_runs_write_the_same_bytes(tmp_path):
    add(tmp_path, "a", IMAGES["image_alpha"]())
    add(tmp_path, "b", IMAGES["image_grey"](), HALF * 0)
    assert [form() for form in (built(tmp_path)[1].to_json, built(tmp_path)[1].to_markdown)] == [
        form() for form in (built(tmp_path)[1].to_json, built(tmp_path)[1].to_markdown)
    ]


def test_every_kind_of_finding_has_a_mend():
    assert all(kind.title and kind.mend for kind in KINDS.values())
