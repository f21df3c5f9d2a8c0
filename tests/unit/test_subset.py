"""Subsets of data sets: what they take, in which order, and what is told of a wrong one."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from sodlift.datasets.sources._base import Listing, Pair
from sodlift.datasets.subset import Subset, read_subset, select
from sodlift.errors import ConfigError
from sodlift.problems import ConfigProblems

STEMS = tuple(f"{i:03}" for i in range(100))


def listing(stems: tuple[str, ...] = STEMS, odd: str = "", even: str = "") -> Listing:
    return Listing(tuple(Pair(s, Path(f"{s}.jpg"), split=odd if int(s[-1]) % 2 else even) for s in stems))


def taken(subset: Subset, **of: Any) -> list[str]:
    return [pair.stem for pair in select(listing(**of), subset).pairs]


def problems(asked: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigProblems) as caught:
        read_subset(asked, "subset.mine")
    return {problem.path: f"{problem.what}; {problem.expected}; {problem.mend}" for problem in caught.value.problems}


# --- what is taken -----------------------------------------------------------------------------------------------


def test_a_limit_takes_the_first_by_stem() -> None:
    assert taken(Subset(limit=3)) == ["000", "001", "002"]


def test_a_sample_takes_as_many_as_asked_sorted_by_stem() -> None:
    stems = taken(Subset(sample=30, seed=3))
    assert len(set(stems)) == 30
    assert stems == sorted(stems)
    assert stems != list(STEMS[:30])


def test_a_sample_is_the_same_on_every_machine() -> None:
    """The five smallest of `printf 3/000 | sha256sum` to 3/099."""
    assert taken(Subset(sample=5, seed=3)) == ["028", "033", "042", "083", "091"]


def test_a_sample_does_not_depend_on_the_order_of_files() -> None:
    shuffled = list(listing().pairs)
    Random(1).shuffle(shuffled)
    subset = Subset(sample=30, seed=3)
    assert select(Listing(tuple(shuffled)), subset) == select(listing(), subset)


def test_another_seed_draws_others_and_none_is_zero() -> None:
    assert taken(Subset(sample=30, seed=1)) != taken(Subset(sample=30, seed=2))
    assert taken(Subset(sample=30)) == taken(Subset(sample=30, seed=0))


def test_a_smaller_sample_is_a_part_of_a_larger_one() -> None:
    assert set(taken(Subset(sample=10))) < set(taken(Subset(sample=20)))


@pytest.mark.parametrize("extra", ["100", "234", "999"])
def test_an_added_image_changes_at_most_one_of_a_sample(extra: str) -> None:
    before, after = taken(Subset(sample=30)), taken(Subset(sample=30), stems=(*STEMS, extra))
    assert len(set(after) - set(before)) <= 1


def test_every_image_has_the_same_chance_in_a_sample() -> None:
    """Over 2000 seeds each of 100 images is drawn 200 times on average; five standard deviations are 67."""
    counts = dict.fromkeys(STEMS, 0)
    for seed in range(2000):
        for stem in taken(Subset(sample=10, seed=seed)):
            counts[stem] += 1
    assert 133 < min(counts.values()) <= max(counts.values()) < 267


def test_stems_are_taken_by_stem_or_file_name_whatever_their_order() -> None:
    assert taken(Subset(stems=("042", "007.jpg", "042"))) == ["007", "042"]


def test_stems_match_whether_accents_are_composed_or_not() -> None:
    accented = Listing((Pair("\u00e91", Path("a.jpg")),))
    assert select(accented, Subset(stems=("e\u03011",))) == accented


def test_a_split_takes_its_images() -> None:
    assert taken(Subset(split="train"), odd="train", even="test") == [s for s in STEMS if int(s) % 2]


def test_split_then_stems_then_limit() -> None:
    subset = Subset(split="train", stems=("001", "002", "003", "005"), limit=2)
    assert taken(subset, odd="train", even="test") == ["001", "003"]


def test_split_then_stems_then_sample() -> None:
    subset = Subset(split="train", stems=("001", "002", "003"), sample=2)
    assert taken(subset, odd="train", even="test") == ["001", "003"]


def test_files_that_belong_to_no_image_stay_listed() -> None:
    whole = Listing(listing().pairs, (Path("Thumbs.db"),))
    assert select(whole, Subset(limit=1)).unused == whole.unused


@pytest.mark.parametrize(
    ("subset", "words"),
    [
        (Subset(limit=4), "the first 4 images"),
        (Subset(sample=50, seed=3), "50 images drawn with seed 3"),
        (Subset(sample=50), "50 images drawn with seed 0"),
        (Subset(stems=("a", "b")), "the images of a list of 2"),
        (Subset(split="train"), "split train"),
        (
            Subset("train", ("a", "b"), sample=1),
            "split train, of these the images of a list of 2, of these 1 image drawn with seed 0",
        ),
    ],
)
def test_what_is_taken_is_said_in_words(subset: Subset, words: str) -> None:
    assert subset.words == words


# --- what does not fit the data set ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subset", "message"),
    [
        (Subset(stems=("000", "x", "y.jpg")), r"stems that are not in the data set: x, y\.jpg(.|\n)*subset\.mine"),
        (Subset(limit=101), "101 images are asked for and there are 100"),
        (Subset(split="test", sample=51), "51 images are asked for and there are 50"),
        (Subset(split="test", stems=("001",)), "the subset leaves no image"),
        (Subset(split="tests"), "unknown split 'tests'(.|\n)*did you mean 'test'"),
    ],
)
def test_a_subset_that_does_not_fit_is_an_error(subset: Subset, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        select(listing(odd="train", even="test"), subset, "subset.mine")


def test_a_split_of_a_set_without_splits_is_an_error() -> None:
    with pytest.raises(ConfigError, match="split 'train' of a data set without splits"):
        taken(Subset(split="train"))


# --- the configuration -------------------------------------------------------------------------------------------


def test_stems_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "mine.txt").write_bytes(b"\xef\xbb\xbf001\r\n\r\n 002.jpg \r\n")
    assert read_subset({"stems": "lists/mine.txt"}, "subset.mine") == Subset(stems=("001", "002.jpg"))


def test_a_list_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    (said,) = problems({"stems": str(tmp_path / "none.txt")}).items()
    assert said[0] == "subset.mine.stems"
    assert f"cannot read the list '{tmp_path / 'none.txt'}'" in said[1]
    assert "starts at the working folder" in said[1]


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n")
    assert "no image is listed" in problems({"stems": str(tmp_path / "none.txt")})["subset.mine.stems"]


@pytest.mark.parametrize(
    ("asked", "path", "said"),
    [
        ({}, "subset.mine", "nothing is asked for; some of: split, stems, limit, sample"),
        ({"limit": 0}, "subset.mine.limit", "0 is not allowed; at least 1"),
        ({"sample": -1}, "subset.mine.sample", "-1 is not allowed; at least 1"),
        ({"limit": 3, "sample": 3}, "subset.mine", "`limit` and `sample` are both given"),
        ({"limit": 3, "seed": 1}, "subset.mine.seed", "`seed` without `sample`"),
        ({"stems": []}, "subset.mine.stems", "no image is listed"),
        ({"stems": ["a", 1]}, "subset.mine.stems[1]", "1 has the wrong type; text; put the text in quotes"),
        ({"samples": 3}, "subset.mine.samples", "unknown key 'samples'"),
        ({"limit": "3"}, "subset.mine.limit", "write 3 without quotes"),
    ],
)
def test_a_mistake_is_told_with_its_path(asked: dict[str, Any], path: str, said: str) -> None:
    assert said in problems(asked)[path]
