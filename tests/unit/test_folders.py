"""Folders of ground truths and maps paired by name: the rules, and what is said of names that do not pair."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from file_samples import encoded, grey_png, npy
from PIL import Image

from sodlift.errors import ConfigError, DataError, MapError, SodliftError
from sodlift.evaluation.folders import list_files, pair_folders

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
PNG = grey_png(GREY)


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(npy(GREY / 255) if name.endswith(".npy") else PNG)
    return folder


@pytest.fixture
def gt(tmp_path) -> Path:
    return folder_of(tmp_path / "gt", "a.png", "b.png", "c.png")


def message(*args, **options) -> str:
    with pytest.raises(SodliftError) as caught:
        pair_folders(*args, **options)
    return str(caught.value)


# listing ---------------------------------------------------------------------------------------------------------


def test_files_of_every_kind_are_listed_by_name_and_all_else_is_passed_over(tmp_path):
    names = ["a.png", "b.JPG", "c.jpeg", "d.Bmp", "e.tif", "f.TIFF", "g.npy", "h.v2.png"]
    folder_of(tmp_path, *names, "Thumbs.db", "records.csv", "list.txt", ".hidden.png", "deeper/z.png")
    found = list_files(tmp_path, "maps")
    assert {stem: file.name for stem, file in found.files.items()} == {Path(n).stem: n for n in names}
    assert found.usable(["z", "c", "a"]) == ["c", "a"]
    assert found.path("h.v2") == tmp_path / "h.v2.png"


def test_names_are_compared_in_composed_unicode(tmp_path):
    folder_of(tmp_path / "gt", "\u00e9.png")
    folder_of(tmp_path / "maps", "e\u0301.png")
    assert pair_folders(tmp_path / "gt", {"m": tmp_path / "maps"}).data.entries[0].stem == "\u00e9"


@pytest.mark.parametrize("pattern", ["*_DSS.png", "x_*_DSS.png", "*.png"])
def test_a_pattern_takes_what_it_matches_and_the_star_is_the_name(tmp_path, pattern):
    name = pattern.replace("*", "{}")
    folder_of(tmp_path, *(name.format(stem) for stem in "ab"), "other.jpg", "c_PoolNet.bmp")
    assert list(list_files(tmp_path / pattern, "maps").files) == ["a", "b"]


def test_a_folder_whose_own_name_has_a_star_is_a_folder(tmp_path):
    assert list(list_files(folder_of(tmp_path / "run*1", "a.png"), "maps").files) == ["a"]


@pytest.mark.parametrize("pattern", ["*_*.png", "*", "*_DSS", "a*.txt"])
def test_a_pattern_that_cannot_be_understood_is_refused(tmp_path, pattern):
    with pytest.raises(ConfigError, match=r"(?s)cannot understand the pattern.*one star.*mend: write it like"):
        list_files(tmp_path / pattern, "maps")


def test_two_files_of_one_name_are_both_named(tmp_path):
    folder_of(tmp_path, "a.png", "a.jpg", "b.png")
    with pytest.raises(DataError, match=r"(?s)several masks share a name: a \(a\.jpg, a\.png\).*\*\.png"):
        list_files(tmp_path, "masks")
    assert list(list_files(tmp_path / "*.png", "masks").files) == ["a", "b"]


def test_what_is_named_like_an_image_and_is_no_file_is_refused(tmp_path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "b.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "nowhere.png")
    folder_of(tmp_path, "d.png")
    with pytest.raises(DataError, match=r"(?s)maps that are no files: a\.png, b\.png, c\.png.*lead nowhere"):
        list_files(tmp_path, "maps")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((), r"no maps in the folder.*files ending in \.bmp.*check the path"),
        (("a.txt", "b.mat"), r"no maps in the folder.*the folder holds a\.txt, b\.mat"),
        (("DSS/a.png", "b.txt"), r"no maps in the folder.*subfolders are not entered; give one: DSS"),
    ],
)
def test_a_folder_without_images_says_what_it_has(tmp_path, names, says):
    folder_of(tmp_path, *names)
    with pytest.raises(MapError, match=f"(?s){says}"):
        list_files(tmp_path, "maps", MapError)


def test_a_folder_that_is_missing_a_file_or_locked_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"(?s)folder of maps not found.*where: .*nowhere"):
        list_files(tmp_path / "nowhere", "maps")
    with pytest.raises(DataError, match=r"(?s)folder of maps is a file.*give the folder that holds it"):
        list_files(folder_of(tmp_path, "a.png") / "a.png", "maps")

    def locked(_folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(DataError, match=r"(?s)cannot be listed: Permission denied.*check its permissions"):
        list_files(tmp_path, "maps")


# pairing ---------------------------------------------------------------------------------------------------------


def test_each_ground_truth_gets_its_maps_in_the_order_of_names(tmp_path, gt):
    maps = folder_of(tmp_path / "maps", "c.jpg", "a.npy", "b.png")
    paired = pair_folders(gt, {"m": maps, "n": gt})
    assert paired.data.dataset == "gt"
    assert [(entry.stem, entry.mask) for entry in paired.data.entries] == [(s, gt / f"{s}.png") for s in "abc"]
    assert paired.maps["m"].path("a") == maps / "a.npy"
    assert paired.extra == {"m": (), "n": ()}
    assert paired.inputs() == {file.resolve() for file in (*gt.iterdir(), *maps.iterdir())}
    assert pickle.loads(pickle.dumps(paired)) == paired


def test_missing_and_surplus_maps_are_named_for_all_methods_at_once(tmp_path, gt):
    few, many = folder_of(tmp_path / "few", "a.png"), folder_of(tmp_path / "many", *(f"{s}.png" for s in "abcde"))
    said = message(gt, {"few": few, "many": many})
    assert "2 problems in pairing" in said
    assert f"{few}: few: 2 of 3 maps are missing: b, c" in said
    assert f"{many}: many: 2 of 5 maps have no ground truth: d, e" in said
    assert "--allow-missing" in said


def test_where_allowed_missing_maps_are_left_out_and_surplus_ones_listed(tmp_path, gt):
    paired = pair_folders(gt, {"m": folder_of(tmp_path / "m", "a.png", "z.png")}, allow_missing=True)
    assert len(paired.data.entries) == 3
    assert paired.maps["m"].usable("abc") == ["a"]
    assert paired.extra == {"m": ("z",)}


def test_no_pair_at_all_is_refused_even_where_missing_maps_are_allowed(tmp_path, gt):
    said = message(gt, {"m": folder_of(tmp_path / "m", "x.png")}, allow_missing=True)
    assert "3 of 3 maps are missing" in said and "nothing fits" in said


@pytest.mark.parametrize(
    ("truths", "maps", "hint"),
    [
        ("{}.png", "{}_DSS.png", "the names of the maps end in '_DSS': give '{maps}/*_DSS.png' in place of the folder"),
        ("{}.png", "sal_{}.jpg", "the names of the maps begin with 'sal_': give '{maps}/sal_*.jpg'"),
        ("{}.png", "p_{}_q.png", "the names of the maps begin with 'p_' and end in '_q': give '{maps}/p_*_q.png'"),
        ("{}_gt.png", "{}.png", "the names of the ground truths end in '_gt': give '{gt}/*_gt.png'"),
        ("IMG{}.png", "img{}.png", "names differ in case: 'IMG1' and 'img1', 'IMG11' and 'img11'"),
    ],
)
def test_names_that_nearly_fit_are_explained(tmp_path, truths, maps, hint):
    stems = ("1", "2", "11", "12")  # "1" is part of others
    gt = folder_of(tmp_path / "gt", *(truths.format(s) for s in stems))
    found = folder_of(tmp_path / "maps", *(maps.format(s) for s in stems))
    said = message(gt, {"m": found})
    assert hint.replace("{maps}", str(found)).replace("{gt}", str(gt)) in said
    if "give '" in said:
        pattern = said.split("give '")[1].split("'")[0]
        sources = (pattern, {"m": found}) if "ground truths end" in said else (gt, {"m": pattern})
        assert len(pair_folders(*sources).data.entries) == 4


def test_one_odd_name_among_many_is_no_pattern(tmp_path, gt):
    said = message(gt, {"m": folder_of(tmp_path / "m", "a.png", "b.png", "xcx.png")})
    assert "1 of 3 maps are missing: c; 1 of 3 maps have no ground truth: xcx" in said
    assert "the names of the maps" not in said


def test_prior_maps_pair_by_the_same_rules(tmp_path, gt):
    priors = folder_of(tmp_path / "priors", "a.png", "b.png")
    said = message(gt, {"m": gt}, prior=priors)
    assert "1 of 3 maps are missing: c" in said and f"where: {priors}: prior maps" in said
    paired = pair_folders(gt, {"m": gt}, prior=folder_of(priors, "c.png"))
    assert paired.prior.path("c") == priors / "c.png"


def test_sizes_come_of_the_images_of_which_there_may_be_more(tmp_path, gt):
    images = tmp_path / "images"
    images.mkdir()
    for width, stem in enumerate("abcd", 5):
        (images / f"{stem}.jpg").write_bytes(encoded(Image.new("RGB", (width, 9)), "jpeg"))
    entries = pair_folders(gt, {"m": gt}, images=images).data.entries
    assert [(entry.height, entry.width) for entry in entries] == [(9, 5), (9, 6), (9, 7)]


def test_an_image_that_is_missing_or_broken_is_named(tmp_path, gt):
    images = folder_of(tmp_path / "images", "a.png", "b.png")
    assert "1 of 3 ground truths have no image: c" in message(gt, {"m": gt}, images=images)
    (images / "c.png").write_bytes(b"no image")
    said = message(gt, {"m": gt}, images=images)
    assert "not an image file" in said and "c.png" in said
