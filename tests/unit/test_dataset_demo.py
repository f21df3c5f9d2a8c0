"""The source of the embedded demo scenes, on a table of our own."""

from pathlib import Path

import pytest

from sodlift.datasets.sources import demo
from sodlift.datasets.sources._base import Pair
from sodlift.datasets.sources.demo import DemoOptions, find
from sodlift.errors import ConfigError, DataError


@pytest.fixture
def scenes(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(demo, "demo_root", lambda: tmp_path)
    (tmp_path / "scenes.csv").write_text("stem,split,kind\nz,train,photo\na,test,scene\nb,train,scene\n")
    return tmp_path


def test_scenes_are_listed_sorted_with_their_split(scenes):
    pairs = find(DemoOptions(), Path("/anywhere")).pairs
    assert [(pair.stem, pair.split) for pair in pairs] == [("a", "test"), ("b", "train"), ("z", "train")]
    assert pairs[0] == Pair("a", scenes / "images" / "a.jpg", scenes / "masks" / "a.png", "test")


def test_a_split_selects_its_scenes(scenes):
    assert [pair.stem for pair in find(DemoOptions(split="train"), scenes).pairs] == ["b", "z"]


def test_an_unknown_split_is_an_error_with_a_suggestion(scenes):
    with pytest.raises(ConfigError, match=r"unknown split 'tran'(.|\n)*did you mean 'train'"):
        find(DemoOptions(split="tran"), scenes)


def test_missing_scenes_are_an_error_that_names_the_mend(scenes):
    (scenes / "scenes.csv").unlink()
    with pytest.raises(DataError, match=r"scenes are missing(.|\n)*install sodlift again"):
        find(DemoOptions(), scenes)
