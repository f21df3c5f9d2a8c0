"""A part of a data set, for small runs: a split, listed images, the first ones by stem, or some drawn at random."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sodlift.datasets.sources._base import Listing
from sodlift.datasets.sources._lists import read_list, stems_of
from sodlift.errors import ConfigError, listed
from sodlift.options import build
from sodlift.problems import ConfigProblems, Problem, raise_any


@dataclass(frozen=True)
class Subset:
    """Which images of a data set a run uses; what is given is applied in this order.

    Attributes
    ----------
    split : str, optional
        Only this split, of a source that has splits.
    stems : tuple of str, optional
        Only these, by stem or file name.
    limit : int, optional
        Of what is left the first ones by stem, this many.
    sample : int, optional
        In place of ``limit``: this many, drawn at random.
    seed : int, optional
        Seed of the draw, 0 where it is left out.
    """

    split: str | None = None
    stems: tuple[str, ...] | None = None
    limit: int | None = None
    sample: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        wrong = [
            Problem(name, f"{number} is not allowed", "at least 1")
            for name, number in (("limit", self.limit), ("sample", self.sample))
            if number is not None and number < 1
        ]
        if self.stems == ():
            wrong.append(Problem("stems", "no image is listed", "at least one stem or file name"))
        if self.limit is not None and self.sample is not None:
            wrong.append(Problem("", "`limit` and `sample` are both given", "one of them", "remove the other"))
        if self.seed is not None and self.sample is None:
            wrong.append(Problem("seed", "`seed` without `sample`", mend="add `sample`, or remove `seed`"))
        if all(getattr(self, field.name) is None for field in fields(self)):
            wrong.append(Problem("", "nothing is asked for", "some of: split, stems, limit, sample (with seed)"))
        raise_any(wrong)

    @property
    def words(self) -> str:
        """What is used, for the notes of tables: "split train, of these 50 images drawn with seed 3"."""
        parts = {
            f"split {self.split}": self.split,
            f"the images of a list of {len(self.stems or ())}": self.stems,
            f"the first {_images(self.limit)}": self.limit,
            f"{_images(self.sample)} drawn with seed {self.seed or 0}": self.sample,
        }
        return ", of these ".join(words for words, asked in parts.items() if asked is not None)


def read_subset(asked: Mapping[str, Any], where: str) -> Subset:
    """Make a subset of what a configuration asks for; text under ``stems`` is a file of one stem or name a line.

    The file is read here, so that the subset holds what it lists, and a change of it is a change of the subset.

    Parameters
    ----------
    asked : mapping
        Values by field of ``Subset``, as YAML gives them.
    where : str
        Dotted path of the mapping, the beginning of every path in a message.

    Raises
    ------
    ConfigProblems
        Everything that is wrong with it, a file that cannot be read included.
    """
    stems = asked.get("stems")
    if not isinstance(stems, str):
        return build(Subset, asked, where)
    try:
        return build(Subset, {**asked, "stems": read_list(Path(stems))}, where)
    except OSError as cause:
        what = f"cannot read the list '{stems}': {cause.strerror}"
        mend = "check the path: a relative one starts at the working folder"
        unreadable = Problem(f"{where}.stems", what, "a list of stems, or a text file with one a line", mend)
        raise ConfigProblems([unreadable]) from None


def select(listing: Listing, subset: Subset, where: object = None) -> Listing:
    """Return the part of a data set that is asked for.

    Images are drawn by a hash: those whose SHA-256 of ``<seed>/<stem>`` is the smallest. The draw is thus the same on
    every machine and whatever the order of files, a smaller sample is a part of a larger one, and an image that is
    added to or taken from the data set changes at most one image of the sample.

    Parameters
    ----------
    listing : Listing
        What the source found: all of the data set.
    subset : Subset
        What is used of it.
    where : object, optional
        Place of the subset in the configuration, for messages.

    Raises
    ------
    ConfigError
        If the split or a stem is unknown (they are named), no image is left, or fewer than are asked for.
    """
    pairs = listing.select(subset.split, where).pairs
    if subset.stems is not None:
        stems, unknown = stems_of(subset.stems, {pair.stem for pair in listing.pairs})
        if unknown:
            what = f"stems that are not in the data set: {listed(unknown)}"
            raise ConfigError(what, where=where, expected="stems or file names of its images", mend="correct `stems`")
        pairs = tuple(pair for pair in pairs if pair.stem in stems)
    if not pairs:
        raise ConfigError("the subset leaves no image", where=where, mend="choose another split or other stems")
    wanted = subset.limit or subset.sample or len(pairs)
    if wanted > len(pairs):
        what, expected = f"{wanted} images are asked for and there are {len(pairs)}", f"at most {len(pairs)}"
        raise ConfigError(what, where=where, expected=expected, mend="ask for fewer")
    if subset.sample is not None:
        pairs = tuple(sorted(pairs, key=lambda pair: _draw(subset.seed or 0, pair.stem)))
    return replace(listing, pairs=tuple(sorted(pairs[:wanted], key=lambda pair: pair.stem)))


def _images(number: int | None) -> str:
    return f"{number} image" if number == 1 else f"{number} images"


def _draw(seed: int, stem: str) -> bytes:
    return sha256(f"{seed}/{stem}".encode(errors="surrogateescape")).digest()
