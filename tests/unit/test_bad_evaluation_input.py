"""``sodlift evaluate`` on broken and odd files: the documented value, or one message that names the file and the mend.

The reading of each kind of file by itself is in ``test_bad_images.py``; here it goes through the whole command.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from file_samples import crc_error, encoded, grey_png, interlaced_png, npy, opencv, tiff
from PIL import Image
from test_bad_images import BROKEN, BROKEN_MAPS

from sodlift.cli.main import main

HEIGHT, WIDTH = 30, 40


def disc(height: int = HEIGHT, width: int = WIDTH, radius: float = 0.3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (y / height - 0.47) ** 2 + (x / width - 0.48) ** 2 < radius**2


MASK = np.where(disc(), 255, 0).astype(np.uint8)
MAP = (MASK // 2 + np.random.default_rng(0).integers(1, 127, MASK.shape)).astype(np.uint8)
MAP[0, 0], MAP[15, 20] = 0, 255
ALPHA = np.full_like(MAP, 90)


@pytest.fixture
def root(tmp_path) -> Path:
    """Three images; what is odd comes in place of the map or the mask of b."""
    for folder, values in (("gt", MASK), ("maps", MAP)):
        (tmp_path / folder).mkdir()
        for stem in "abc":
            (tmp_path / folder / f"{stem}.png").write_bytes(grey_png(values))
    return tmp_path


def replace(root: Path, folder: str, suffix: str, content: bytes) -> None:
    (root / folder / "b.png").unlink()
    (root / folder / f"b{suffix}").write_bytes(content)


def scored(root: Path, *arguments: str) -> dict:
    """Return what the command writes."""
    out = root / "scores.json"
    given = ["--gt", str(root / "gt"), "--pred", str(root / "maps"), "--json", str(out), "--quiet"]
    assert main(["evaluate", *given, *arguments]) == 0
    return json.loads(out.read_text(encoding="utf-8"))


def refused(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one message of a command that fails and writes nothing."""
    out = root / "scores.json"
    given = ["--gt", str(root / "gt"), "--pred", str(root / "maps"), "--json", str(out), "--quiet"]
    assert main(["evaluate", *given, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("sodlift evaluate: ") and "Traceback" not in printed.err
    assert not out.exists() and not list(root.glob(".*"))
    return printed.err


def counted(record: dict) -> dict[str, int]:
    return {name: number for name, number in record["counts"].items() if number}


# files that say the same as the plain one: they score as it does, and what is odd about them is counted ------------

GREY = Image.fromarray(MAP)
RGB = np.dstack([MAP] * 3)
SAME: dict[str, tuple[str, bytes, dict[str, int]]] = {
    "plain": (".png", grey_png(MAP), {}),
    "upper-case ending": (".PNG", grey_png(MAP), {}),
    "interlaced": (".png", interlaced_png(MAP), {}),
    "wrong checksum of a chunk": (".png", crc_error(grey_png(MAP)), {}),
    "more behind the end": (".png", grey_png(MAP) + b"more", {}),
    "no end": (".png", grey_png(MAP)[:-12], {}),
    "grey in three channels": (".png", encoded(Image.fromarray(RGB)), {}),
    "opaque": (".png", encoded(Image.fromarray(np.dstack([RGB, np.full_like(MAP, 255)]))), {}),
    "transparent": (".png", encoded(Image.fromarray(np.dstack([RGB, ALPHA]))), {"map_alpha": 1}),
    "grey with alpha": (".png", encoded(Image.merge("LA", [GREY, Image.fromarray(ALPHA)])), {"map_alpha": 1}),
    "transparent grey": (".png", encoded(GREY, transparency=255), {"map_alpha": 1}),
    "palette": (".png", encoded(GREY.convert("P")), {"map_palette": 1}),
    "16 bits": (".png", opencv(MAP.astype(np.uint16) * 257), {"map_16-bit": 1}),
    "16 bits, big-endian TIFF": (".tif", tiff((MAP.astype(np.uint16) * 257).astype(">u2")), {"map_16-bit": 1}),
    "8-bit TIFF": (".tiff", tiff(MAP), {}),
    "bitmap": (".bmp", encoded(GREY, "bmp"), {}),
    "float array": (".npy", npy(MAP / 255), {"map_float": 1}),
}


@pytest.mark.parametrize("case", SAME)
def test_a_map_in_an_odd_format_scores_as_the_plain_one(root, case):
    plain = scored(root)
    suffix, content, counts = SAME[case]
    replace(root, "maps", suffix, content)
    record = scored(root)
    assert counted(record) == counts
    assert {k: v for k, v in record.items() if k != "counts"} == {k: v for k, v in plain.items() if k != "counts"}


# files of other content: what is counted, and what the image scores -------------------------------------------------

HALF = np.asarray(GREY.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.BOX))
ERROR = float(np.abs(MAP / 255 - disc()).mean())
OTHER: dict[str, tuple[str, bytes, dict[str, int], float, float]] = {  # counts, error of the image, how exactly
    "float TIFF": (".tif", tiff((MAP / 255).astype(np.float32)), {"map_float": 1}, ERROR, 1e-7),
    "JPEG": (".jpg", encoded(GREY, "jpeg", quality=100), {}, ERROR, 0.01),
    "CMYK JPEG": (".jpg", encoded(GREY.convert("CMYK"), "jpeg", quality=100), {}, ERROR, 0.01),
    "colour": (
        ".png",
        encoded(Image.fromarray(np.dstack([MASK, MASK, np.zeros_like(MASK)]))),
        {"map_colour": 1, "partial_range": 1},
        0.0,
        1e-15,
    ),
    "one bit": (".png", encoded(Image.fromarray(disc())), {}, 0.0, 0.0),
    "boolean array": (".npy", npy(disc()), {"map_float": 1}, 0.0, 0.0),
    "constant": (".png", grey_png(np.full_like(MAP, 51)), {"constant": 1, "partial_range": 1}, -1, 1e-12),
    "constant white": (".png", grey_png(np.full_like(MAP, 255)), {"constant": 1, "partial_range": 1}, -1, 1e-12),
    "all zero": (
        ".png",
        grey_png(np.zeros_like(MAP)),
        {"constant": 1, "all_zero": 1, "partial_range": 1},
        float(disc().mean()),
        1e-12,
    ),
    "low range": (".png", grey_png(MASK // 4 + 60), {"partial_range": 1}, 0.0, 0.0),
    "half size": (".png", grey_png(HALF), {"resized": 1, "partial_range": 1}, ERROR, 0.05),
    "one pixel": (
        ".png",
        grey_png(np.full((1, 1), 255, np.uint8)),
        {"constant": 1, "partial_range": 1, "resized": 1},
        float(1 - disc().mean()),
        1e-12,
    ),
}
CONSTANTS = {"constant": 51 / 255, "constant white": 1.0}


@pytest.mark.parametrize("case", OTHER)
def test_an_odd_map_has_the_documented_value(root, case):
    suffix, content, counts, error, tolerance = OTHER[case]
    if case in CONSTANTS:  # left at p / 255
        error = float(np.abs(CONSTANTS[case] - disc()).mean())
    replace(root, "maps", suffix, content)
    record = scored(root)
    assert counted(record) == counts
    assert 3 * record["MAE"] - 2 * ERROR == pytest.approx(error, abs=max(3 * tolerance, 1e-12))


MASKS: dict[str, tuple[str, bytes, dict[str, int], str]] = {  # counts, and a rule under which it is read as the plain
    "of 0 and 1": (".png", grey_png(MASK // 255), {"mask_dim": 1, "empty_gt": 1}, "nonzero"),
    "up to 128": (".png", grey_png(MASK // 255 * 128), {"mask_dim": 1, "empty_gt": 1}, "half_max"),
    "with grey": (".png", grey_png(np.where(MASK, MASK, 20).astype(np.uint8)), {"mask_grey": 1}, "gt128"),
    "of 16 bits": (".png", opencv(MASK.astype(np.uint16) * 257), {"mask_16-bit": 1}, "gt128"),
    "of floats": (".npy", npy(MASK / 255), {"mask_float": 1}, "gt128"),
    "palette": (".png", encoded(Image.fromarray(MASK).convert("P")), {"mask_palette": 1}, "gt128"),
    "transparent": (
        ".png",
        encoded(Image.merge("LA", [Image.fromarray(MASK), Image.fromarray(ALPHA)])),
        {"mask_alpha": 1},
        "gt128",
    ),
    "one bit": (".png", encoded(Image.fromarray(disc())), {}, "gt128"),
}


@pytest.mark.parametrize("case", MASKS)
def test_an_odd_mask_is_counted_and_read_by_the_rule_that_is_asked_for(root, case):
    plain = scored(root)
    suffix, content, counts, rule = MASKS[case]
    replace(root, "gt", suffix, content)
    found = counted(scored(root))
    assert {name: found.get(name) for name in counts} == counts
    assert {name for name in found if name.startswith("mask_")} - {"mask_grey"} <= set(counts)
    assert scored(root, "--gt-rule", rule)["MAE"] == plain["MAE"]


def test_empty_and_full_masks_are_scored_where_a_metric_is_defined(root):
    (root / "gt" / "a.png").write_bytes(grey_png(np.zeros_like(MASK)))
    (root / "gt" / "b.png").write_bytes(grey_png(np.full_like(MASK, 255)))
    record = scored(root)
    assert counted(record) == {"empty_gt": 1} and record["undefined"] == {"AUC": 2, "AUC_image": 2}
    assert record["n_used"] == 3
    mean = float(MAP.mean() / 255)
    assert record["MAE"] == pytest.approx((mean + 1 - mean + ERROR) / 3)
    assert scored(root, "--empty-gt", "skip")["n_used"] == 2


def test_images_of_one_pixel_do_not_stop_the_others(root):
    for folder in ("gt", "maps"):
        (root / folder / "b.png").write_bytes(grey_png(np.full((1, 1), 255, np.uint8)))
    record = scored(root)
    assert record["n_used"] == 3 and record["MAE"] == pytest.approx(2 * ERROR / 3)


# files that are refused ---------------------------------------------------------------------------------------------

SHAPES: dict[str, tuple[str, bytes, str, str]] = {
    "transposed": (
        ".png",
        grey_png(MAP.T),
        "map of 30x40 pixels does not fit its image of 40x30: transposed",
        "rotated",
    ),
    "another aspect ratio": (
        ".png",
        grey_png(MAP[:, :30]),
        "does not fit its image of 40x30: another aspect",
        "cropped",
    ),
}
REFUSED = BROKEN | BROKEN_MAPS | SHAPES


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_map_is_refused_by_name_with_its_mend(root, capsys, case):
    suffix, content, what, mend = REFUSED[case]
    replace(root, "maps", suffix, content)
    said = refused(root, capsys)
    assert any(words in said for words in words_of(what)) and any(words in said for words in words_of(mend))
    assert f"where: {root / 'maps' / 'b'}{suffix}" in said


@pytest.mark.parametrize("case", BROKEN | BROKEN_MAPS)
def test_a_broken_mask_is_refused_by_name_with_its_mend(root, capsys, case):
    suffix, content, what, mend = REFUSED[case]
    replace(root, "gt", suffix, content)
    said = refused(root, capsys)
    assert any(words in said for words in words_of(what)) and any(words in said for words in words_of(mend))
    assert f"where: {root / 'gt' / 'b'}{suffix}" in said


def words_of(pattern: str) -> list[str]:
    """Return the words that a pattern of ``BROKEN`` takes."""
    return pattern.replace("\\", "").split("|")


@pytest.mark.parametrize("folder", ["gt", "maps"])
def test_a_file_that_must_not_be_read_is_refused_by_name(root, capsys, monkeypatch, folder):
    locked, read = root / folder / "b.png", Path.read_bytes

    def read_bytes(path):
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)  # the superuser may read what has no permissions
    said = refused(root, capsys)
    assert "Permission denied" in said and f"where: {locked}" in said and "permissions" in said


def break_(root: Path, case: str) -> None:
    maps = root / "maps"
    match case:
        case "missing map":
            (maps / "b.png").unlink()
        case "surplus map":
            (maps / "d.png").write_bytes(grey_png(MAP))
        case "two of one name":
            (maps / "b.jpg").write_bytes(encoded(GREY, "jpeg"))
        case "folder named as a map":
            (maps / "b.png").unlink()
            (maps / "b.png").mkdir()
        case "link to itself":
            (maps / "b.png").unlink()
            (maps / "b.png").symlink_to(maps / "b.png")
        case "link that leads nowhere":
            (maps / "b.png").unlink()
            (maps / "b.png").symlink_to(root / "nowhere.png")
        case "empty folder":
            for file in maps.iterdir():
                file.unlink()
        case "missing folder":
            maps.rename(root / "elsewhere")
        case "a file for a folder":
            maps.rename(root / "elsewhere")
            maps.write_bytes(grey_png(MAP))
        case "names with an ending":
            for stem in "abc":
                (maps / f"{stem}.png").rename(maps / f"{stem}_DSS.png")


FOLDERS = {
    "missing map": ("1 of 3 maps are missing: b", "--allow-missing"),
    "surplus map": ("1 of 4 maps have no ground truth: d", "--allow-missing"),
    "two of one name": ("several maps share a name: b (b.jpg, b.png)", "remove the surplus files"),
    "folder named as a map": ("maps that are no files: b.png", "remove the folders"),
    "link to itself": ("maps that are no files: b.png", "links that lead nowhere"),
    "link that leads nowhere": ("maps that are no files: b.png", "links that lead nowhere"),
    "empty folder": ("no maps in the folder", "check the path"),
    "missing folder": ("folder of maps not found", "check the path"),
    "a file for a folder": ("folder of maps is a file", "give the folder that holds it"),
    "names with an ending": ("3 of 3 maps are missing: a, b, c", "the names of the maps end in '_DSS'"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_does_not_pair_is_refused_with_its_mend(root, capsys, case):
    break_(root, case)
    said = refused(root, capsys)
    assert all(words in said for words in FOLDERS[case]) and str(root / "maps") in said


@pytest.mark.parametrize(("case", "counts"), [("missing map", {"missing": 1}), ("surplus map", {"extra": 1})])
def test_where_it_is_allowed_what_does_not_pair_is_counted(root, case, counts):
    break_(root, case)
    record = scored(root, "--allow-missing")
    assert counted(record) == counts and record["n_expected"] == 3
    assert record["n_used"] == 3 - counts.get("missing", 0)


def test_worker_processes_find_the_same_numbers_and_say_the_same_words(root, capsys, monkeypatch):
    monkeypatch.setattr("sodlift.evaluation.run.FEWEST", 1)
    assert scored(root, "--workers", "2") == scored(root, "--workers", "1")
    (root / "scores.json").unlink()
    (root / "maps" / "b.png").write_bytes(grey_png(MAP.T))
    assert refused(root, capsys, "--workers", "2") == refused(root, capsys, "--workers", "1")
