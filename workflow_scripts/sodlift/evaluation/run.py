"""Sets of maps scored over a data set: images outside, methods inside, so that they share each ground truth."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from sodlift.allocator import keep_freed_memory
from sodlift.errors import ConfigError, DataError, MapError, listed
from sodlift.evaluation.cell import Cell, Maps, Method, Outcome
from sodlift.evaluation.protocols import Protocol, Role
from sodlift.evaluation.scores import CellScores
from sodlift.evaluation.truth import Entries, Entry, Truth
from sodlift.metrics import METRICS, metrics_with
from sodlift.metrics._base import Metric
from sodlift.parallel import ordered_map
from sodlift.progress import track

FEWEST = 1000
"""Below this number of maps a worker, starting a process costs more than it saves: 1.5 s against 1 to 2 ms a map."""


@dataclass(frozen=True)
class _Scorer:
    """What is done to each image, here or in a worker process."""

    methods: tuple[Method, ...]
    protocols: tuple[Protocol, ...]
    extra: tuple[str, ...]

    @cached_property
    def metrics(self) -> list[Metric]:
        return metrics_with(self.extra)

    def __call__(self, entry: Entry) -> list[list[Outcome]]:
        keep_freed_memory()
        truth = Truth(entry)
        return [method.score(truth, self.protocols, self.metrics) for method in self.methods]


def evaluate_methods(
    data: Entries,
    methods: Sequence[Method],
    protocols: Sequence[Protocol],
    extra: Collection[str] = (),
    workers: int = 1,
    progress: bool = False,
) -> dict[str, CellScores]:
    """Score several sets of maps against the masks of a data set.

    The scores are the same, bit for bit, whatever the number of workers. An image and what it scored are forgotten but
    for the row of the per-image table.

    Parameters
    ----------
    data : Manifest or alike
        The data set; every image needs a mask.
    methods : sequence of Method
        The sets of maps, of different names.
    protocols : sequence of Protocol
        Under which to score, at least one, each once.
    extra : collection of str
        Metrics beyond those that are always computed; see ``Metric.extra``.
    workers : int
        Number of processes.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    dict of str to CellScores
        By the methods' names.

    Raises
    ------
    DataError
        If images have no mask, or a mask cannot be read.
    MapError
        If maps are missing (all are named), broken, or neither of the ground truth's size nor of its aspect ratio.
    ConfigError
        If there is no method or protocol, one is given twice, or one needs prior maps that are not given.
    UnknownNameError
        If an extra metric does not exist.
    """
    _check(data, methods, protocols)
    scorer = _Scorer(tuple(methods), tuple(protocols), tuple(extra))
    metrics = metrics_with(extra)  # not the scorer's own, since it goes to the workers without them
    cells = {method.name: Cell(protocols, metrics) for method in methods}
    workers = max(1, min(workers, len(data.entries) * len(methods) // FEWEST))
    found = ordered_map(scorer, data.entries, workers, preload=[__name__, *map(METRICS.module, METRICS.names())])
    shown = track(found, f"evaluate {data.dataset}", total=len(data.entries)) if progress else found
    for entry, outcomes in zip(data.entries, shown, strict=True):
        for cell, outcome in zip(cells.values(), outcomes, strict=True):
            cell.add(entry.stem, outcome)
    return {name: cell.scores() for name, cell in cells.items()}


def evaluate_maps(
    data: Entries,
    maps: Maps,
    prior: Maps | None,
    protocols: Sequence[Protocol],
    role: Role,
    extra: Collection[str] = (),
    workers: int = 1,
    progress: bool = False,
) -> CellScores:
    """Score one set of maps; see ``evaluate_methods`` and ``Method``."""
    method = Method("maps", maps, prior, role)
    return evaluate_methods(data, [method], protocols, extra, workers, progress)[method.name]


def _check(data: Entries, methods: Sequence[Method], protocols: Sequence[Protocol]) -> None:
    names = [method.name for method in methods]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"methods given: {', '.join(names) or '(none)'}", expected="at least one, each once")
    for method in methods:
        method.require(protocols)
    _require_masks(data)
    if any(protocol.missing == "error" for protocol in protocols):
        for method in methods:
            _require_maps(data, method.maps)
    if any(protocol.drop for protocol in protocols):
        for method in methods:
            if method.judged is not None:
                _require_maps(data, method.judged)


def _require_masks(data: Entries) -> None:
    without = [entry.stem for entry in data.entries if entry.mask is None]
    if without:
        raise DataError(
            f"{len(without)} of {len(data.entries)} images of '{data.dataset}' have no mask: {listed(without)}",
            expected="scoring needs masks",
            mend="evaluate on a data set with ground truth, or give its folder of masks",
        )


def _require_maps(data: Entries, maps: Maps) -> None:
    stems = [entry.stem for entry in data.entries]
    missing = [stem for stem in maps.usable(stems) if not maps.path(stem).is_file()]
    if missing:
        raise MapError(
            f"{len(missing)} of {len(stems)} maps are missing: {listed(missing)}",
            where=maps.folder,
            mend="delete the folder and run the stage that makes it again",
        )
