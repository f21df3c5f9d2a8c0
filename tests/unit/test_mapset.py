import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodlift.errors import MapError
from sodlift.mapset import RECORDS, MapRecord, MapSet, new_mapset

HALF = np.full((3, 4), 0.5, np.float32)


@pytest.fixture
def mapset(tmp_path) -> MapSet:
    with new_mapset(tmp_path / "maps") as writer:
        writer.add("b", HALF, note="resized")
        writer.add("a", HALF / 2)
        writer.add("c", None, status="dropped", note="low contrast")
        writer.add("d", None, status="failed", note="out of memory")
    return MapSet(tmp_path / "maps")


def test_maps_and_records_come_back(mapset):
    np.testing.assert_allclose(mapset.read("b"), HALF, atol=0.5 / 255)
    assert mapset.records["b"] == MapRecord("b", "ok", "resized")
    assert list(mapset.records) == ["a", "b", "c", "d"]


def test_dropped_and_failed_maps_have_no_file_but_a_record(mapset):
    assert sorted(file.name for file in mapset.folder.iterdir()) == ["a.png", "b.png", RECORDS]
    assert mapset.usable(["d", "b", "c", "a"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("stem", "state"), [("c", r"dropped \(low contrast\)"), ("d", r"failed \(out of memory\)"), ("e", "missing")]
)
def test_asking_for_a_map_that_is_not_there_says_why(mapset, stem, state):
    with pytest.raises(MapError, match=f"map of image '{stem}' is {state}") as caught:
        mapset.read(stem)
    assert str(mapset.folder) in str(caught.value)


def test_images_without_a_record_are_named_and_counted(mapset):
    with pytest.raises(MapError, match=r"12 of 13 maps are missing: x0, x1, .*, x9 and 2 more"):
        mapset.usable(["a", *(f"x{i}" for i in range(12))])


def test_a_map_that_vanished_is_an_error_that_names_it(mapset):
    (mapset.folder / "a.png").unlink()
    with pytest.raises(MapError, match=r"file not found\n.*a\.png"):
        mapset.read("a")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_set_leaves_nothing(tmp_path, error):
    with pytest.raises(error), new_mapset(tmp_path / "maps") as writer:
        writer.add("a", HALF)
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_map_stops_the_set_and_leaves_nothing(tmp_path):
    with pytest.raises(MapError, match=r"outside \[0, 1\]"), new_mapset(tmp_path / "maps") as writer:
        writer.add("a", HALF)
        writer.add("b", HALF * 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("saliency", "status", "message"),
    [
        (HALF, "dropped", "status 'dropped' and a map"),
        (None, "ok", "status 'ok' and no map"),
        (None, "lost", "status 'lost'"),
    ],
)
def test_status_and_map_must_agree(tmp_path, saliency, status, message):
    with pytest.raises(MapError, match=message), new_mapset(tmp_path / "maps") as writer:
        writer.add("a", saliency, status)


def test_adding_a_stem_twice_is_an_error(tmp_path):
    with pytest.raises(MapError, match="'a' added twice"), new_mapset(tmp_path / "maps") as writer:
        writer.add("a", HALF)
        writer.add("a", None, "failed")


def test_a_folder_without_records_is_an_error_that_names_the_mend(tmp_path):
    with pytest.raises(MapError, match="run the stage that makes it"):
        MapSet(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "stem,status\na,ok\n", "stem,status,note\na,ok\n", "stem,status,note\na,odd,\n"]
)
def test_damaged_records_are_an_error(tmp_path, content):
    (tmp_path / RECORDS).write_text(content)
    with pytest.raises(MapError, match=r"damaged records|status 'odd'"):
        MapSet(tmp_path)


@given(
    stem=st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_any_stem_and_note_survive_the_records_on_one_line(tmp_path_factory, stem, note):
    folder = tmp_path_factory.mktemp("any") / "maps"
    with new_mapset(folder) as writer:
        writer.add(stem, HALF, note=note)
    mapset = MapSet(folder)
    assert mapset.records[stem].note == " ".join(note.split())
    assert len((folder / RECORDS).read_text("utf-8").split("\n")) == 3
    assert mapset.read(stem).shape == HALF.shape
