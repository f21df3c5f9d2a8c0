"""Rows of the registry files: one data set, detector or refiner each, with its options made and checked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from sodlift.fetch.release import Release
from sodlift.registry import Registry


@dataclass(frozen=True)
class Row:
    """What the rows of all registry files have in common.

    Attributes
    ----------
    id : str
        The row's key, its name in paths and in the configuration.
    title : str
        Its name in tables and figures.
    type : str
        The kind of source, detector or refiner: a name in the code's registry.
    options : object
        Options of that kind: a mapping in the file, the kind's frozen dataclass in a run.
    """

    id: str
    title: str
    type: str
    options: Any = field(default_factory=dict)

    registered: ClassVar[tuple[str, str]]
    """Package and name of the code's registry of ``type``; it is imported when a row asks for it."""

    @classmethod
    def registry(cls) -> Registry[Any]:
        """Return the code's registry of ``type``."""
        package, name = cls.registered
        found: Registry[Any] = getattr(import_module(package), name)
        return found

    @property
    def kind(self) -> Any:
        """The registered Source, DetectorType or RefinerType behind ``type``."""
        return self.registry().get(self.type)

    @property
    def code(self) -> tuple[str, ...]:
        """The dotted modules that the row loads by name, for ``code_hash``.

        These are its type's module and those that its options name in an attribute ``modules``, where they have one.
        """
        return (self.registry().module(self.type), *getattr(self.options, "modules", ()))

    @property
    def parameters(self) -> dict[str, Any]:
        """Every option with its value, defaults and preset included, as plain data that JSON can hold.

        ``build`` makes the same options of it. Paths are as the row writes them, so that moving the data changes no
        parameter; ``below`` tells where they start.
        """
        plain: dict[str, Any] = _plain(asdict(self.options))
        return plain


@dataclass(frozen=True)
class DatasetRow(Row):
    """One data set.

    Attributes
    ----------
    expected : int or None
        How many images it has.
    paper_name : str
        The name under which papers print it; empty where none does.
    complete : bool
        Whether it is all of the set that papers use.
    note : str
        What is special about it, such as "108 of the 850 images of PASCAL-S".
    part_of : str
        The registered data set that it is a part of; empty where it is a whole.
    masks : mapping of str to str
        What its ground truth is: ``kind`` (binary, nearly binary, graded) and a ``note``.
    defects : tuple of str
        What is known to be wrong with it, a sentence each.
    shares : mapping of str to int
        By another registered data set, the number of near-identical images.
    release : Release
        Where its files come from.
    licence, citation : str
        Terms of use, and the paper to cite.
    """

    registered = ("sodlift.datasets.sources", "SOURCES")

    expected: int | None = None
    paper_name: str = ""
    complete: bool = True
    note: str = ""
    part_of: str = ""
    masks: Mapping[str, str] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    release: Release = field(default_factory=Release)
    licence: str = ""
    citation: str = ""


class PriorMaps(NamedTuple):
    """The prior maps of one detector on one data set."""

    dataset: str
    detector: str


@dataclass(frozen=True)
class Training:
    """What a refiner or a detector is trained on.

    One that learns from maps, with masks or without, takes every one of the data sets with the maps of every one of the
    detectors; another one takes no maps.
    """

    datasets: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()

    @property
    def maps(self) -> tuple[PriorMaps, ...]:
        """The maps that are learnt from."""
        return tuple(PriorMaps(dataset, detector) for dataset in self.datasets for detector in self.detectors)

    @property
    def manifests(self) -> tuple[str, ...]:
        """The data set of each of ``maps``; where no maps are learnt from, every data set."""
        return tuple(maps.dataset for maps in self.maps) or self.datasets


@dataclass(frozen=True)
class DetectorRow(Row):
    """One detector: where prior maps come from.

    Attributes
    ----------
    datasets : tuple of str or None
        The data sets of which there are maps; None is all.
    paper_names : mapping of str to str
        By paper ("MIRM"), the name of the detector in its tables.
    train : Training or None
        Its training data, where the run trains it.
    release : Release
        Where its maps come from, a folder of its ``take`` a data set.
    licence, citation : str
        Terms of use, and the paper to cite.
    """

    registered = ("sodlift.detectors", "DETECTORS")
    noun: ClassVar[str] = "detector"
    instead: ClassVar[str] = "name the file of a trained model"

    datasets: tuple[str, ...] | None = None
    paper_names: Mapping[str, str] = field(default_factory=dict)
    train: Training | None = None
    release: Release = field(default_factory=Release)
    licence: str = ""
    citation: str = ""

    @property
    def learns_from(self) -> str | None:
        """What it has to be trained on: ``images``, ``priors`` or ``masks``; None where it needs no training."""
        learns: str | None = self.kind.learns_from if self.kind.needs_training(self.options) else None
        return learns

    @property
    def trained_already(self) -> str:
        """In words, why the run need not train it although its type learns; empty where it does."""
        return "names the file of a trained model" if self.learns_from and self.options.model is not None else ""

    @property
    def needs(self) -> str | None:
        """The detector whose maps its own are made of, None for most."""
        needed: str | None = self.kind.needs(self.options)
        return needed

    def covers(self, dataset: str) -> bool:
        """Whether there are maps of ``dataset``."""
        return self.datasets is None or dataset in self.datasets


@dataclass(frozen=True)
class PoolRow(Row):
    """A pool of images that refiners compare with.

    Attributes
    ----------
    datasets : tuple of str
        The data sets whose images it holds.
    """

    registered = ("sodlift.pools", "POOLS")

    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefinerRow(Row):
    """One refiner.

    Attributes
    ----------
    train : Training or None
        Its training data; None where it has nothing to train.
    model_of : str
        The refiner of the same type whose trained model it uses, with options of its own; empty for most.
    pool : str
        The pool that it compares images with; empty for one that does not.
    seed : int or None
        The seed of its training in a run; None where it has nothing to train.
    """

    registered = ("sodlift.refiners", "REFINERS")
    noun: ClassVar[str] = "refiner"
    instead: ClassVar[str] = "take another one's model by `model_of`"

    train: Training | None = None
    model_of: str = ""
    pool: str = ""
    seed: int | None = None

    @property
    def learns_from(self) -> str | None:
        """What it has to be trained on: ``priors``, ``masks`` or ``both``; None where it needs no training."""
        learns: str | None = self.kind.learns_from
        return learns

    @property
    def trained_already(self) -> str:
        """In words, why the run need not train it although its type learns; empty where it does."""
        return "uses another one's model" if self.model_of else ""


@dataclass(frozen=True)
class FigureRow(Row):
    """One figure: what it shows of a run. Its title is its heading."""

    registered = ("sodlift.figures", "FIGURES")


def below(options: Any, root: Path) -> Any:
    """Return ``options`` with relative paths (what they hold of type Path, in mappings too) starting at ``root``."""
    held = {f.name: getattr(options, f.name) for f in fields(options)}
    moved = {name: _below(value, root) for name, value in held.items()}
    return replace(options, **{name: value for name, value in moved.items() if value != held[name]})


def _below(value: Any, root: Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _below(inner, root) for key, inner in value.items()}
    return root / value if isinstance(value, Path) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
