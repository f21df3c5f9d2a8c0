"""Finding and pairing the files of a data set in local folders."""

import unicodedata
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from sodlift.datasets.sources import fingerprint, folder
from sodlift.datasets.sources._lists import read_list
from sodlift.datasets.sources.folder import SOURCE, FolderOptions, find
from sodlift.datasets.validate import build_manifest
from sodlift.errors import ConfigError, DataError, SodliftError
from sodlift.options import build


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def pairs(root: Path, **options) -> dict[str, tuple[str, str | None]]:
    listing = find(FolderOptions(root="", **options), root)
    return {
        pair.stem: (str(pair.image.relative_to(root)), pair.mask and str(pair.mask.relative_to(root)))
        for pair in listing.pairs
    }


def message(root: Path, kind: type[SodliftError] = DataError, **options) -> str:
    with pytest.raises(kind) as caught:
        find(FolderOptions(root="", **options), root)
    assert type(caught.value) is kind
    return str(caught.value)


# --- pairing -----------------------------------------------------------------------------------------------------


def test_images_and_masks_pair_by_stem_sorted(tmp_path):
    touch(tmp_path, "images/b.jpg", "images/a.png", "masks/a.png", "masks/b.png")
    assert list(pairs(tmp_path).items()) == [
        ("a", ("images/a.png", "masks/a.png")),
        ("b", ("images/b.jpg", "masks/b.png")),
    ]


def test_options_come_from_a_registry_row(tmp_path):
    row = {"root": "set", "images": "*.jpg", "masks": "*.png", "unmasked": ["b"], "split": None}
    touch(tmp_path / "set", "a.jpg", "a.png", "b.jpg")
    listing = find(build(FolderOptions, row, "datasets.mine.options"), tmp_path)
    assert [(pair.stem, pair.mask) for pair in listing.pairs] == [("a", tmp_path / "set/a.png"), ("b", None)]


def test_an_absolute_root_stands_for_itself(tmp_path):
    touch(tmp_path, "images/a.jpg", "masks/a.png")
    assert find(FolderOptions(root=str(tmp_path)), Path("/elsewhere")).pairs[0].image == tmp_path / "images/a.jpg"


def test_extensions_ignore_case(tmp_path):
    touch(tmp_path, "images/a.JPG", "images/b.Jpeg", "masks/a.PNG", "masks/b.png")
    assert list(pairs(tmp_path)) == ["a", "b"]
    assert list(pairs(tmp_path, images="images/*.jpg", unmasked=("a",), masks="masks/*.npy")) == ["a"]
    assert list(pairs(tmp_path, images="images/*.JPEG", masks="masks/*.PNG")) == ["b"]


def test_a_mask_may_bear_any_image_extension(tmp_path):
    """One mask of DUTS-TR is a PNG named .jpg."""
    touch(tmp_path, "images/a.jpg", "masks/a.jpg", "images/b.jpg", "masks/b.png")
    assert pairs(tmp_path)["a"] == ("images/a.jpg", "masks/a.jpg")


def test_one_folder_is_told_apart_by_extension(tmp_path):
    """MSRA-B and MSRA10K keep images and masks together."""
    touch(tmp_path, "a.jpg", "a.png", "b.jpg", "b.png")
    assert pairs(tmp_path, images="*.jpg", masks="*.png") == {"a": ("a.jpg", "a.png"), "b": ("b.jpg", "b.png")}


def test_one_folder_is_told_apart_by_suffix(tmp_path):
    touch(tmp_path, "a.png", "a_gt.png", "b.png", "b_gt.png")
    expected = {"a": ("a.png", "a_gt.png"), "b": ("b.png", "b_gt.png")}
    assert pairs(tmp_path, images="*", masks="*_gt.png", mask_suffix="_gt") == expected
    assert pairs(tmp_path, images="*", masks="*", mask_suffix="_gt") == expected


def test_both_suffixes_are_taken_off(tmp_path):
    touch(tmp_path, "images/a_rgb.jpg", "masks/a_gt.png")
    assert list(pairs(tmp_path, image_suffix="_rgb", mask_suffix="_gt")) == ["a"]


def test_patterns_reach_into_subfolders(tmp_path):
    touch(tmp_path, "x/one/a.jpg", "x/two/deep/b.jpg", "y/a.png", "y/b.png")
    assert list(pairs(tmp_path, images="x/**/*.jpg", masks="y/*")) == ["a", "b"]


@pytest.mark.parametrize(
    "stem", ["with space", 'it\'s "quoted"', "ünïcode 语", "a.b.c", "[1]", "comma,semi;", "#5 100%", "-dash"]
)
def test_odd_file_names_pair(tmp_path, stem):
    touch(tmp_path, f"images/{stem}.jpg", f"masks/{stem}.png")
    assert list(pairs(tmp_path)) == [stem]


def test_names_pair_whether_accents_are_composed_or_not(tmp_path):
    """Archives made on macOS decompose them."""
    touch(tmp_path, f"images/{unicodedata.normalize('NFD', 'é')}.jpg", f"masks/{unicodedata.normalize('NFC', 'é')}.png")
    assert list(pairs(tmp_path)) == [unicodedata.normalize("NFC", "é")]


def test_hidden_files_and_macos_leftovers_are_passed_over(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/._a.jpg", "images/.DS_Store", "masks/a.png", "__MACOSX/images/a.jpg")
    assert pairs(tmp_path, images="**/*.jpg") == {"a": ("images/a.jpg", "masks/a.png")}


def test_files_that_belong_to_no_image_are_reported(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/Thumbs.db", "images/readme.txt", "masks/a.png", "masks/z.png")
    unused = find(FolderOptions(root=""), tmp_path).unused
    assert [str(file.relative_to(tmp_path)) for file in unused] == [
        "images/Thumbs.db",
        "images/readme.txt",
        "masks/z.png",
    ]


# --- the layouts of published archives ---------------------------------------------------------------------------

MSRA = {"images": "MSRA-B/*.jpg", "masks": "MSRA-B/*.png"}
LAYOUTS = {
    "DUTS-TR": (
        {"images": "DUTS-TR/DUTS-TR-Image/*", "masks": "DUTS-TR/DUTS-TR-Mask/*"},
        ["DUTS-TR/DUTS-TR-Image/ILSVRC2012_test_1.jpg", "DUTS-TR/DUTS-TR-Image/n04442312_17818.jpg"],
        ["DUTS-TR/DUTS-TR-Mask/ILSVRC2012_test_1.png", "DUTS-TR/DUTS-TR-Mask/n04442312_17818.jpg"],
        [],
    ),
    "MSRA-B": (MSRA, ["MSRA-B/0_0_735.jpg", "MSRA-B/9_1.jpg"], ["MSRA-B/0_0_735.png", "MSRA-B/9_1.png"], []),
    "PASCAL-S": (
        {"images": "datasets/imgs/pascal/*", "masks": "datasets/masks/pascal/*"},
        ["datasets/imgs/pascal/1.jpg", "datasets/imgs/pascal/2.jpg"],
        ["datasets/masks/pascal/1.png", "datasets/masks/pascal/2.png"],
        ["datasets/imgs/bruce/1.jpg", "datasets/masks/imgsal/2.png", "algmaps/pascal/gbvs/1.png"],
    ),
    "HKU-IS": (
        {"images": "imgs/*", "masks": "gt/*"},
        ["imgs/0004.png", "imgs/0005.png"],
        ["gt/0004.png", "gt/0005.png"],
        ["testImgs.mat", "readme.txt"],
    ),
    "DUT-OMRON": (
        {"images": "**/DUT-OMRON-image/*", "masks": "**/pixelwiseGT-new-PNG/*"},
        ["DUT-OMRON-image/DUT-OMRON-image/im005.jpg", "DUT-OMRON-image/DUT-OMRON-image/im006.jpg"],
        ["pixelwiseGT-new-PNG/im005.png", "pixelwiseGT-new-PNG/im006.png"],
        ["__MACOSX/DUT-OMRON-image/._im005.jpg", "__MACOSX/pixelwiseGT-new-PNG/im005.png", "__MACOSX/._x/y.png"],
    ),
}
"""By data set: options of its row, images, masks, and files of the archive that belong to neither."""


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_row_reads_the_layout_of_a_published_archive(tmp_path, name):
    options, images, masks, others = LAYOUTS[name]
    noise = np.random.default_rng(0)
    for image, mask in zip(images, masks, strict=True):
        for file in (image, mask):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (4, 6, 3), np.uint8)).save(tmp_path / image)
        # a PNG whatever its name says, as one mask of DUTS-TR is
        Image.fromarray(255 * noise.integers(0, 2, (4, 6), np.uint8)).save(tmp_path / mask, "PNG")
    touch(tmp_path, *others)
    manifest, report = build_manifest(name, SOURCE, FolderOptions(root="", **options), tmp_path, len(images))
    assert [str(entry.image.relative_to(tmp_path)) for entry in manifest.entries] == images
    assert [str(entry.mask.relative_to(tmp_path)) for entry in manifest.entries] == masks
    assert "unused" not in {finding.kind for finding in report.findings}


# --- without masks -----------------------------------------------------------------------------------------------


def test_no_mask_pattern_is_a_set_for_inference_only(tmp_path):
    touch(tmp_path, "images/a.jpg", "masks/a.png")
    assert pairs(tmp_path, masks=None) == {"a": ("images/a.jpg", None)}


def test_images_without_a_mask_are_named_with_the_mend(tmp_path):
    touch(tmp_path, *(f"images/{i:02}.jpg" for i in range(13)), "masks/00.png", "masks/00_old.png")
    text = message(tmp_path)
    assert "12 of 13 images have no mask: 01, 02, 03, 04, 05, 06, 07, 08, 09, 10 and 2 more" in text
    assert "set `masks: null` for inference only" in text
    assert "Masks without an image: 00_old; should `mask_suffix` say why?" in text
    assert str(tmp_path) in text


def test_images_listed_as_unmasked_need_no_mask(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png")
    assert pairs(tmp_path, unmasked=("b",))["b"] == ("images/b.jpg", None)
    assert "1 of 2 images have no mask: b" in message(tmp_path, unmasked=("a",))


def test_an_unmasked_image_that_is_not_there_is_an_error(tmp_path):
    touch(tmp_path, "images/a.jpg", "masks/a.png")
    assert "`unmasked` names images that are not there: c" in message(tmp_path, ConfigError, unmasked=("c",))


# --- errors ------------------------------------------------------------------------------------------------------


def test_two_files_of_one_stem_are_an_error_that_names_them(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/a.png", "masks/a.png")
    text = message(tmp_path)
    assert "several image files share a stem: a (images/a.jpg, images/a.png)" in text
    assert "narrow `images`" in text
    touch(tmp_path, "masks/a.bmp")
    assert "several mask files share a stem: a (masks/a.bmp, masks/a.png)" in message(tmp_path, images="images/*.jpg")


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    text = message(tmp_path / "nowhere")
    assert "folder of the data set not found" in text
    assert str(tmp_path / "nowhere") in text
    assert "check `root`" in text


def test_a_pattern_without_an_image_is_an_error(tmp_path):
    touch(tmp_path, "pictures/a.jpg", "images/a.webp")
    assert "no image matches 'images/*'" in message(tmp_path)
    assert "check `images`" in message(tmp_path)


def test_patterns_that_claim_the_same_file_are_an_error(tmp_path):
    touch(tmp_path, "a.png", "b.png")
    text = message(tmp_path, ConfigError, images="*.png", masks="*")
    assert "patterns '*.png' and '*' both match a.png" in text
    assert "set `mask_suffix`" in text


@pytest.mark.parametrize("pattern", ["", "/etc/*"])
def test_a_pattern_outside_the_folder_is_an_error(tmp_path, pattern):
    assert f"invalid file pattern '{pattern}'" in message(tmp_path, ConfigError, images=pattern)


# --- splits ------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path) -> Path:
    touch(tmp_path, *(f"images/{s}.jpg" for s in "abcd"), *(f"masks/{s}.png" for s in "abcd"))
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbfb\r\n\r\na.jpg\r\n")
    (tmp_path / "test.txt").write_text("c\n")
    return tmp_path


def splits(root: Path, **options) -> dict[str, str]:
    return {pair.stem: pair.split for pair in find(FolderOptions(root="", splits="*.txt", **options), root).pairs}


def test_each_list_is_a_split_of_stems_or_file_names(listed):
    assert splits(listed) == {"a": "train", "b": "train", "c": "test", "d": ""}


def test_lists_may_be_shipped_with_the_configuration(tmp_path, monkeypatch):
    """The archive of MSRA-B holds no lists of its three splits."""
    touch(tmp_path / "set", *(f"MSRA-B/{stem}.{kind}" for stem in "abcd" for kind in ("jpg", "png")))
    for split, names in (("train", "a.jpg\nb.jpg\n"), ("val", "c.jpg\n"), ("test", "d.jpg\n")):
        (touch(tmp_path, f"config/splits/MSRA-B/{split}.txt") / f"config/splits/MSRA-B/{split}.txt").write_text(names)
    monkeypatch.setattr(folder, "SHIPPED", tmp_path / "config")
    row = {"root": "set", **MSRA, "splits": "config:splits/MSRA-B/*.txt"}
    options = build(FolderOptions, row, "datasets.mine.options")
    found = {pair.stem: pair.split for pair in find(options, tmp_path).pairs}
    assert found == {"a": "train", "b": "train", "c": "val", "d": "test"}
    with pytest.raises(DataError, match=r"no split list matches 'config:lists/\*\.txt'") as caught:
        find(replace(options, splits="config:lists/*.txt"), tmp_path)
    assert str(tmp_path / "config") in str(caught.value)


def test_the_shipped_lists_divide_msra_b_as_papers_do():
    lists = {file.stem: read_list(file) for file in (folder.SHIPPED / "splits" / "MSRA-B").glob("*.txt")}
    assert {name: len(stems) for name, stems in lists.items()} == {"train": 2500, "val": 500, "test": 2000}
    assert len(set().union(*lists.values())) == 5000


def test_the_shipped_configuration_is_the_one_of_the_repository(repository):
    assert folder.SHIPPED.resolve() == repository / "config"


def test_a_split_selects_its_images(listed):
    assert splits(listed, split="train") == {"a": "train", "b": "train"}


def test_an_unknown_split_is_an_error_with_a_suggestion(listed):
    with pytest.raises(ConfigError, match=r"unknown split 'tests'(.|\n)*test, train(.|\n)*did you mean 'test'"):
        splits(listed, split="tests")


def test_a_split_of_a_set_without_splits_is_an_error(tmp_path):
    touch(tmp_path, "images/a.jpg", "masks/a.png")
    assert "split 'train' of a data set without splits" in message(tmp_path, ConfigError, split="train")


def test_a_list_that_names_a_missing_image_is_an_error(listed):
    (listed / "val.txt").write_text("d\ne\nf.jpg\n")
    text = message(listed, splits="*.txt")
    assert "split list names 2 images that are not there: e, f.jpg" in text
    assert str(listed / "val.txt") in text


def test_an_image_in_two_splits_is_an_error(listed):
    (listed / "val.txt").write_text("d\na\n")
    text = message(listed, splits="*.txt")
    assert "images that are in another split too: a" in text
    assert str(listed / "val.txt") in text


def test_a_pattern_without_a_list_is_an_error(listed):
    assert "no split list matches 'lists/*.txt'" in message(listed, splits="lists/*.txt")


def test_a_list_that_is_no_text_is_an_error_not_a_crash(listed):
    (listed / "val.txt").write_bytes(b"\xff\xfe\x00\n")
    assert "images that are not there" in message(listed, splits="*.txt")


# --- the fingerprint ---------------------------------------------------------------------------------------------


def mark(root: Path, **options) -> str:
    return fingerprint(SimpleNamespace(kind=SOURCE, options=FolderOptions(root="", **options)), root)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: touch(root, "images/z.jpg", "masks/z.png"),
        lambda root: (root / "images/a.jpg").write_bytes(b"longer"),
        lambda root: (root / "masks/a.png").rename(root / "masks/a.bmp"),
        lambda root: (root / "test.txt").write_text("d\n"),
        lambda root: (root / "masks/a.png").unlink(),
    ],
)
def test_a_change_of_the_files_changes_the_fingerprint(listed, change):
    before = mark(listed, splits="*.txt")
    change(listed)
    assert mark(listed, splits="*.txt") != before


def test_touching_files_and_moving_the_project_leave_the_fingerprint(listed, tmp_path, monkeypatch):
    monkeypatch.chdir(listed)
    before = mark(listed)
    (listed / "images/a.jpg").touch()
    assert mark(listed) == before
    moved = listed.rename(listed.with_name("moved"))
    monkeypatch.chdir(moved)
    assert mark(moved) == before
    monkeypatch.chdir(moved / "images")
    assert mark(moved) != before


def test_a_data_set_that_cannot_be_found_has_a_fingerprint_too(tmp_path):
    assert len(mark(tmp_path / "nowhere")) == 16
