from pathlib import Path

import pytest

from sodlift.atomic import atomic_file, atomic_folder
from sodlift.errors import DataError


class Interrupted(BaseException):
    """Stands for what is no ordinary error, such as the user's Ctrl-C."""


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_appears_with_its_content_when_the_block_ends(tmp_path):
    with atomic_file(tmp_path / "new" / "a.txt") as part:
        part.write_text("whole")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert names(tmp_path / "new") == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic_file(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise error
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_the_file_aside_keeps_the_suffix_and_is_hidden(tmp_path):
    with atomic_file(tmp_path / "a.png") as part:
        part.touch()
        assert (part.suffix, part.name[0], part.parent) == (".png", ".", tmp_path)


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "语" * 83 + ".png"])
def test_the_longest_name_that_the_file_system_takes_can_be_written(tmp_path, name):
    with atomic_file(tmp_path / name) as part:
        part.touch()
    assert names(tmp_path) == [name]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_file(tmp_path / "a") as first, atomic_file(tmp_path / "a") as second:
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"  # the outer block ends last


def test_a_folder_appears_filled_when_the_block_ends(tmp_path):
    with atomic_folder(tmp_path / "deep" / "set") as part:
        (part / "a").touch()
        assert names(tmp_path / "deep") == [part.name]
    assert names(tmp_path / "deep") == ["set"]
    assert names(tmp_path / "deep" / "set") == ["a"]


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_a_failing_block_leaves_no_folder(tmp_path, error):
    with pytest.raises(error), atomic_folder(tmp_path / "set") as part:
        (part / "a").touch()
        raise error
    assert names(tmp_path) == []


def test_an_empty_folder_may_become_the_target(tmp_path):
    (tmp_path / "set").mkdir()
    with atomic_folder(tmp_path / "set") as part:
        (part / "a").touch()
    assert names(tmp_path / "set") == ["a"]


def test_nothing_of_the_users_is_replaced(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").touch()
    with pytest.raises(DataError, match="not empty") as caught, atomic_folder(tmp_path / "set"):
        pytest.fail("the block must not be entered")
    assert str(tmp_path / "set") in str(caught.value)
    assert names(tmp_path / "set") == ["mine"]


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "set").touch()
    with pytest.raises(DataError, match="not empty"), atomic_folder(tmp_path / "set"):
        pytest.fail("the block must not be entered")
