"""What the figures of all types share: which of a run's cells they show, and the scores of these."""

from collections.abc import Iterable
from dataclasses import dataclass

from sodlift.config.rows import RefinerRow
from sodlift.config.run import UNREFINED, Cell, Run
from sodlift.errors import ConfigError, DataError
from sodlift.registry import unknown_name
from sodlift.tables.measures import MEASURES


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The options by which every type of figure is told what to show.

    Attributes
    ----------
    protocol : str
        The protocol whose scores are drawn; empty for the run's first one.
    types : tuple of str
        Types of the refiners that are drawn beside the unrefined maps; empty for all, ``[none]`` for no refiner at all.
    refiners : tuple of str
        Of these the ones that are drawn, in this order, as far as the run has them; empty for all.
    detectors : tuple of str
        The detectors that are drawn, in this order, as far as the run has them; empty for all of the run.
    """

    protocol: str = ""
    types: tuple[str, ...] = ()
    refiners: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_names("refiner type", "types", self.types, [*RefinerRow.registry().names(), UNREFINED])

    def protocol_of(self, run: Run) -> str:
        """Return the protocol whose scores are drawn."""
        return self.protocol or run.protocols[0]

    def detectors_of(self, run: Run) -> tuple[str, ...]:
        """Return the run's detectors that are drawn.

        Raises
        ------
        UnknownNameError
            If no registry file has a detector.
        DataError
            If the run has none of them.
        """
        known = {name: run.detector(name) for name in self.detectors or run.detectors}
        found = tuple(name for name in known if name in run.detectors)
        if not found:
            raise _none_of("detectors", self.detectors, run.detectors)
        return found

    def refiners_of(self, run: Run) -> tuple[str, ...]:
        """Return the refiners that are drawn, ``none`` first; of several seeds the primary one's.

        Raises
        ------
        DataError
            If the figure names refiners, and the run has none of them.
        """
        names = [name for name in self.refiners or run.refiner_rows if name in run.refiner_rows and "@" not in name]
        if self.refiners and not names:
            raise _none_of("refiners", self.refiners, run.refiner_rows)
        return (UNREFINED, *(name for name in names if not self.types or run.refiner(name).type in self.types))

    def refiner_titles(self, run: Run) -> dict[str, str]:
        """Return what the refiners of ``refiners_of`` are called: the unrefined maps so, or not at all if alone."""
        first, *others = self.refiners_of(run)
        return {first: "unrefined" if others else "", **{name: run.refiner(name).title for name in others}}

    def cells(self, run: Run) -> tuple[Cell, ...]:
        """Return the scored cells that are drawn, by data set, detector and refiner."""
        every = (
            Cell(dataset, detector, refiner)
            for dataset in run.scored_sets
            for detector in self.detectors_of(run)
            for refiner in self.refiners_of(run)
        )
        scored = set(run.scored_cells)
        return tuple(cell for cell in every if cell in scored)


def _none_of(kind: str, asked: Iterable[str], known: Iterable[str]) -> DataError:
    return DataError(
        f"the run has none of the figure's {kind}: {', '.join(asked)}",
        expected=f"some of: {', '.join(known) or '(none)'}",
        mend=f"add one of them to `{kind}`, or leave the figure out",
    )


def check_names(kind: str, option: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnknownNameError for the first of an option's ``names`` that is not ``known``."""
    known = list(known)
    for name in names:
        if name not in known:
            raise unknown_name(kind, name, known, where=option)


def check_metrics(names: tuple[str, ...]) -> None:
    """Raise ConfigError if there is no metric, or one that no evaluation has."""
    if not names:
        raise ConfigError("no metric to draw", where="metrics", expected="at least one")
    check_names("metric", "metrics", names, MEASURES)


def score(run: Run, cell: Cell, protocol: str, metric: str) -> float | None:
    """Return a number of a cell, None where it has none; raises DataError if it was not computed at all."""
    from sodlift.evaluation.scores import read_records  # noqa: PLC0415 - slow to import, not needed for a configuration

    folder = run.evaluation_folder(cell)
    for record in read_records(folder):
        if (record["protocol"], record["metric"]) == (protocol, metric):
            value: float | None = record["value"]
            return value
    mend = "evaluate with this protocol, and with `extra_metrics` for a metric that is one of those"
    raise DataError(f"no {metric} under protocol '{protocol}'", where=folder, mend=mend)
