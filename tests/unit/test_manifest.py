import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodlift.datasets.manifest import COLUMNS, Entry, Manifest
from sodlift.errors import DataError


def entry(folder: Path, stem: str, **changes) -> Entry:
    fields = {"mask": folder / "masks" / f"{stem}.png", "image_sha256": f"i{stem}", "mask_sha256": f"m{stem}"} | changes
    return Entry(stem=stem, image=folder / "images" / f"{stem}.jpg", height=3, width=4, **fields)


def saved(folder: Path, *stems: str) -> Path:
    path = folder / "manifest.csv"
    Manifest("set", tuple(entry(folder / "data", stem) for stem in stems)).save(path)
    return path


def test_a_saved_manifest_loads_equal(tmp_path):
    entries = (entry(tmp_path, "a", split="train"), entry(tmp_path, "b", mask=None, mask_sha256=""))
    Manifest("set", entries).save(tmp_path / "deep" / "down" / "manifest.csv")
    loaded = Manifest.load(tmp_path / "deep" / "down" / "manifest.csv")
    assert loaded == Manifest("set", entries)
    assert loaded.entries[1].mask is None


stems = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda stem: stem not in {".", ".."}
)


@given(st.sets(stems, min_size=1, max_size=5))
def test_any_stem_survives_saving_and_loading(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("any")
    manifest = Manifest("set", tuple(entry(folder, name) for name in names))
    manifest.save(folder / "manifest.csv")
    assert Manifest.load(folder / "manifest.csv") == manifest


def test_entries_are_sorted_by_stem_whatever_their_order(tmp_path):
    assert Manifest("set", tuple(entry(tmp_path, stem) for stem in ("b", "10", "a", "9"))).stems == (
        "10",
        "9",
        "a",
        "b",
    )


def test_the_columns_are_the_documented_ones(tmp_path):
    columns = "dataset,stem,image,mask,height,width,image_sha256,mask_sha256,split"
    assert saved(tmp_path, "a").read_text().splitlines()[0] == columns


def test_two_places_write_the_same_bytes(tmp_path):
    assert saved(tmp_path / "here", "a", "b").read_bytes() == saved(tmp_path / "there", "a", "b").read_bytes()


def test_a_project_moved_as_a_whole_finds_its_files(tmp_path):
    saved(tmp_path / "old", "a")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert Manifest.load(tmp_path / "new" / "manifest.csv").entries[0].image == tmp_path / "new/data/images/a.jpg"


def test_a_results_folder_that_is_a_link_finds_its_files(tmp_path):
    (tmp_path / "far" / "away" / "disk").mkdir(parents=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / "results").symlink_to(tmp_path / "far" / "away" / "disk")
    Manifest("set", (entry(project / "data", "a"),)).save(project / "results" / "manifest.csv")
    assert Manifest.load(project / "results" / "manifest.csv").entries[0].image == project / "data/images/a.jpg"


def test_a_data_folder_that_is_a_link_keeps_its_name(tmp_path):
    """The link may point elsewhere tomorrow."""
    (tmp_path / "far" / "disk").mkdir(parents=True)
    (tmp_path / "data").symlink_to(tmp_path / "far" / "disk")
    assert Manifest.load(saved(tmp_path, "a")).entries[0].image == tmp_path / "data/images/a.jpg"


def test_relative_paths_are_found_from_any_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(Path("project"), "a")
    monkeypatch.chdir("/")
    assert Manifest.load(tmp_path / "project/manifest.csv").entries[0].image == tmp_path / "project/data/images/a.jpg"


def test_no_images_is_an_error():
    with pytest.raises(DataError, match="'set' has no images"):
        Manifest("set", ())


@pytest.mark.parametrize("stem", ["", "..", "a/b", "line\nbreak", "\r", "not utf-8 \udcff"])
def test_a_name_that_no_table_or_path_can_carry_is_an_error(tmp_path, stem):
    with pytest.raises(DataError, match="file names that cannot be used") as caught:
        Manifest("set", (entry(tmp_path, stem), entry(tmp_path, "b")))
    assert ascii(stem) in str(caught.value)


def test_a_repeated_stem_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match="several entries of one stem: a"):
        Manifest("set", (entry(tmp_path, "a"), entry(tmp_path, "b"), entry(tmp_path, "a")))


def replaced(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dataset,stem", "dataset,name", "manifest has the columns dataset,name"),
        (",3,4,", ",3,", "row of 8 fields"),
        (",3,4,", ",3,-4,", "size '3' x '-4'"),
        (",3,4,", ",3,0,", "size '3' x '0'"),
        ("set,b", "other,b", "names 2 data sets: other, set"),
        ("set,b", "set,a", "several entries of one stem: a"),
        ("data/images/b.jpg", "", "row without a stem or an image"),
        ("data/images/b.jpg", '"data/images/b.jpg', "cannot read the manifest"),
    ],
)
def test_a_damaged_manifest_is_an_error_that_names_file_and_mend(tmp_path, old, new, message):
    path = replaced(saved(tmp_path, "a", "b"), old, new)
    with pytest.raises(DataError, match=message) as caught:
        Manifest.load(path)
    assert str(path) in str(caught.value)
    assert "run the datasets stage again" in str(caught.value)


def test_a_wrong_row_is_named_by_its_line(tmp_path):
    path = replaced(saved(tmp_path, "a", "b", "c"), "mb,", "mb,,")
    with pytest.raises(DataError, match="line 3"):
        Manifest.load(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00broken"])
def test_a_file_that_is_no_manifest_is_an_error(tmp_path, content):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.csv"):
        Manifest.load(tmp_path / "manifest.csv")


def test_a_manifest_without_rows_is_an_error(tmp_path):
    (tmp_path / "manifest.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(DataError, match=r"names 0 data sets: \(no row\)"):
        Manifest.load(tmp_path / "manifest.csv")


def test_a_missing_manifest_is_an_error_that_names_the_stage(tmp_path):
    with pytest.raises(DataError, match="run the datasets stage"):
        Manifest.load(tmp_path / "manifest.csv")


def test_a_failing_save_leaves_the_old_manifest(tmp_path):
    path = saved(tmp_path, "a")
    before = path.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        Manifest("not utf-8 \udcff", (entry(tmp_path, "b"),)).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.csv"]
