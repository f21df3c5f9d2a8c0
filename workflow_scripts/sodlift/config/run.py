"""A run: what the configuration asks for, resolved into plain data that every stage of the workflow asks."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sodlift.config.lineage import learnt
from sodlift.config.rows import DatasetRow, DetectorRow, FigureRow, PoolRow, PriorMaps, RefinerRow, Training
from sodlift.datasets.sources import has_masks
from sodlift.datasets.subset import Subset
from sodlift.registry import unknown_name

UNREFINED = "none"
"""The refiner's place in a cell whose prior map is left as it is: the baseline."""


class Cell(NamedTuple):
    """One combination of which maps are made; ``refiner`` is ``none`` for the unrefined prior."""

    dataset: str
    detector: str
    refiner: str


class Shards(NamedTuple):
    """Into how many ``jobs`` the maps of a data set of at least so many ``images`` are divided."""

    jobs: int = 1
    images: int = 2000


class Absent(NamedTuple):
    """Prior maps that the run does not have, and why."""

    dataset: str
    detector: str
    reason: str


@dataclass(frozen=True)
class Run:
    """One run of the benchmark.

    Attributes
    ----------
    results, data_root, resources : Path
        Folder of the results; folder at which relative paths of the data start; folder of what is fetched.
    offline : bool
        Whether the network is forbidden.
    seeds : tuple of int
        Seeds of the trainable refiners; the first is the primary one.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    precision : str
        Arithmetic of networks that refine: ``float32`` or ``bfloat16``.
    threads : int
        CPU threads that one job may use.
    on_error : str
        ``raise`` ends a job at the first image that fails, ``record`` notes it and goes on.
    test_sets, detectors, protocols, extra_metrics : tuple of str
        What is evaluated, in the order of the configuration.
    table_rows : mapping of str to mapping
        The tables that are made: their rows of ``tables.yaml``.
    figure_rows : mapping of str to FigureRow
        The figures that are made.
    refiner_rows : mapping of str to RefinerRow
        The refiners by the name that they have in paths: one with a trained model appears once a seed, plainly for the
        primary seed and as ``<refiner>@<seed>`` for the others.
    model_rows : mapping of str to RefinerRow
        Likewise, the refiners that are trained for the sake of others that use their models.
    baseline_only : tuple of str
        Test sets on which no refiner runs.
    shards : Shards
        How the computation of maps of large data sets is divided.
    subset : mapping of str to Subset
        What is used of a data set, where not all of it is.
    known_leaks : mapping
        By training set and test set, how many test images may have a near-identical training image.
    dataset_rows, detector_rows, pool_rows : mapping
        Every registered row by its id.
    """

    results: Path
    data_root: Path
    resources: Path
    offline: bool
    seeds: tuple[int, ...]
    device: str
    precision: str
    threads: int
    on_error: str
    test_sets: tuple[str, ...]
    detectors: tuple[str, ...]
    protocols: tuple[str, ...]
    extra_metrics: tuple[str, ...]
    table_rows: Mapping[str, Mapping[str, Any]]
    figure_rows: Mapping[str, FigureRow]
    baseline_only: tuple[str, ...]
    shards: Shards
    subset: Mapping[str, Subset]
    known_leaks: Mapping[str, Mapping[str, int]]
    dataset_rows: Mapping[str, DatasetRow]
    detector_rows: Mapping[str, DetectorRow]
    pool_rows: Mapping[str, PoolRow]
    refiner_rows: Mapping[str, RefinerRow]
    model_rows: Mapping[str, RefinerRow]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """What is made: by data set and detector, the unrefined prior first, then every refiner."""
        return tuple(
            Cell(dataset, detector, refiner)
            for dataset in self.test_sets
            for detector in self.detectors
            if self.detector_rows[detector].covers(dataset)
            for refiner in (UNREFINED, *(() if dataset in self.baseline_only else self.refiner_rows))
        )

    @cached_property
    def scored_sets(self) -> tuple[str, ...]:
        """The test sets that have ground truth; on the others maps are made for their own sake."""
        return tuple(name for name in self.test_sets if has_masks(self.dataset_rows[name]))

    @cached_property
    def scored_cells(self) -> tuple[Cell, ...]:
        """The cells that are evaluated: those of the data sets with ground truth."""
        return tuple(cell for cell in self.cells if cell.dataset in self.scored_sets)

    @cached_property
    def absent(self) -> tuple[Absent, ...]:
        """Test sets and detectors of the run that make no cell, since the detector has no maps there."""
        return tuple(
            Absent(dataset, detector, f"the row of '{detector}' lists maps of {', '.join(row.datasets or ())} only")
            for dataset in self.test_sets
            for detector in self.detectors
            if not (row := self.detector_rows[detector]).covers(dataset)
        )

    @cached_property
    def refined_cells(self) -> tuple[Cell, ...]:
        """The cells with a refiner."""
        return tuple(cell for cell in self.cells if cell.refiner != UNREFINED)

    @cached_property
    def facts(self) -> str:
        """All that tables and figures read off the run, as text: when it changes they are made again."""
        sets = [self.dataset_rows[name] for name in self.scored_sets]
        parts = {name: subset.words for name, subset in self.subset.items()}
        learnt = [(row.id, row.title, row.train) for row in map(self.detector, self.trained_detectors)]
        return repr(
            (
                self.scored_cells,
                sets,
                parts,
                self.refiner_rows,
                self.model_rows,
                self.labels,
                learnt,
                self.seeds,
                self.protocols,
                self.known_leaks,
            )
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are made."""
        return tuple(self.table_rows)

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that are made."""
        return tuple(self.figure_rows)

    def evaluation_folder(self, cell: Cell) -> Path:
        """Return the folder that the evaluation of a cell writes."""
        return self.results / "evaluation" / cell.dataset / cell.detector / cell.refiner

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Every registered data set, whether the run needs it or not."""
        return tuple(self.dataset_rows)

    @property
    def all_detectors(self) -> tuple[str, ...]:
        """Every registered detector, whether the run needs it or not."""
        return tuple(self.detector_rows)

    @property
    def all_refiners(self) -> tuple[str, ...]:
        """The run's refiners by the name that they have in paths, those included that give others their models."""
        return (*self.refiner_rows, *self.model_rows)

    @cached_property
    def trained(self) -> tuple[str, ...]:
        """The refiners that are trained, one for each seed: what runs on some test set needs their models."""
        used = dict.fromkeys(cell.refiner for cell in self.cells if cell.refiner != UNREFINED)
        return tuple(dict.fromkeys(model for name in used if (model := self.model_of(name))))

    def model_of(self, refiner: str) -> str:
        """Return the refiner whose trained model ``refiner`` uses, mostly itself; empty for one without a model.

        Raises
        ------
        UnknownNameError
            If there is no such refiner.
        """
        row = self.refiner(refiner)
        _, at, seed = refiner.partition("@")
        return f"{row.model_of}{at}{seed}" if row.model_of else refiner if row.train is not None else ""

    @cached_property
    def trained_detectors(self) -> tuple[str, ...]:
        """The detectors that the run trains: each once, whatever the number of seeds."""
        used = dict.fromkeys(maps.detector for maps in self.prior_maps)
        return tuple(name for name in used if self.detector_rows[name].train is not None)

    @cached_property
    def trained_and_tested(self) -> dict[str, dict[str, list[str]]]:
        """By detector or refiner that learnt, whatever its seed, the data sets that it learnt from and is scored on.

        What learns from maps has learnt from what the detectors of these maps did, and so on; so has a detector whose
        maps are made of another one's.
        """
        rows: list[DetectorRow | RefinerRow] = [self.refiner(name) for name in self.trained if "@" not in name]
        rows += [self.detector_rows[name] for name in dict.fromkeys(maps.detector for maps in self.prior_maps)]
        learnt_by = {row.id: list(sets) for row in rows if (sets := learnt(row, self.detector_rows))}
        tested: dict[str, list[str]] = {name: [] for name in learnt_by}
        for cell in self.scored_cells:
            model = "" if cell.refiner == UNREFINED else self.model_of(cell.refiner)
            for name in {cell.detector, model} & tested.keys():
                tested[name].append(cell.dataset)
        return {name: {"train": sets, "test": list(dict.fromkeys(tested[name]))} for name, sets in learnt_by.items()}

    @cached_property
    def prior_maps(self) -> tuple[PriorMaps, ...]:
        """All prior maps that the run needs, those for training and for other maps included, each once."""
        tested = (PriorMaps(cell.dataset, cell.detector) for cell in self.cells)
        waiting = deque([*tested, *(maps for refiner in self.trained for maps in self.train_inputs(refiner))])
        found: dict[PriorMaps, None] = {}
        while waiting:
            maps = waiting.popleft()
            if maps not in found:
                found[maps] = None
                waiting.extend(self._behind(maps))
        return tuple(found)

    def _behind(self, maps: PriorMaps) -> tuple[PriorMaps, ...]:
        """Return the maps that have to be there before these can be made."""
        row = self.detector(maps.detector)
        taken = (PriorMaps(maps.dataset, row.needs),) if row.needs else ()
        return (*taken, *(row.train or Training()).maps)

    @cached_property
    def datasets(self) -> tuple[str, ...]:
        """All data sets that the run needs, those for training included, each once."""
        learnt = (name for sets in self.trained_and_tested.values() for name in sets["train"])
        return tuple(dict.fromkeys([*self.test_sets, *learnt]))

    def images(self, dataset: str) -> int:
        """Return how many images of a data set the run uses, as far as its row and its subset tell; else 0."""
        expected, subset = self.dataset(dataset).expected or 0, self.subset.get(dataset)
        return expected if subset is None else subset.limit or subset.sample or len(subset.stems or ()) or expected

    def sharded(self, dataset: str, detector: str) -> bool:
        """Return whether the maps of a detector on a data set are computed by several jobs."""
        divided = self.shards.jobs > 1 and self.images(dataset) >= max(self.shards)
        return divided and bool(self.detector(detector).kind.divisible)

    def subset_parameters(self, name: str) -> dict[str, Any]:
        """Return what is used of a data set as plain data, from which ``build`` makes the subset; empty for all."""
        return asdict(self.subset[name]) if name in self.subset else {}

    def train_inputs(self, refiner: str) -> tuple[PriorMaps, ...]:
        """Return the maps that ``refiner`` is trained on, none where it learns nothing or learns from masks.

        Raises
        ------
        UnknownNameError
            If there is no such refiner.
        """
        return (self.refiner(refiner).train or Training()).maps

    def train_manifests(self, refiner: str) -> tuple[str, ...]:
        """Return the data set of each of ``train_inputs``, or those whose masks it learns from; UnknownNameError."""
        return (self.refiner(refiner).train or Training()).manifests

    @property
    def all_pools(self) -> tuple[str, ...]:
        """Every registered pool, whether the run needs it or not."""
        return tuple(self.pool_rows)

    def pool(self, name: str) -> PoolRow:
        """Return the row of a pool; raises UnknownNameError."""
        if name not in self.pool_rows:
            raise unknown_name("pool", name, self.pool_rows)
        return self.pool_rows[name]

    def dataset(self, name: str) -> DatasetRow:
        """Return the row of a data set; raises UnknownNameError."""
        if name not in self.dataset_rows:
            raise unknown_name("data set", name, self.dataset_rows)
        return self.dataset_rows[name]

    def detector(self, name: str) -> DetectorRow:
        """Return the row of a detector; raises UnknownNameError."""
        if name not in self.detector_rows:
            raise unknown_name("detector", name, self.detector_rows)
        return self.detector_rows[name]

    def refiner(self, name: str) -> RefinerRow:
        """Return the row of a refiner of this run, its seed filled in; raises UnknownNameError."""
        if name not in self.all_refiners:
            raise unknown_name("refiner", name, self.all_refiners)
        return self.refiner_rows[name] if name in self.refiner_rows else self.model_rows[name]

    @cached_property
    def labels(self) -> dict[str, dict[str, str]]:
        """The detectors' names: by detector, then ``title`` or the paper that prints the name."""
        return {
            name: {"title": self.detector_rows[name].title, **self.detector_rows[name].paper_names}
            for name in self.detectors
        }


def with_seeds(refiners: Mapping[str, RefinerRow], seeds: tuple[int, ...]) -> dict[str, RefinerRow]:
    """Return the refiners by the name that they have in paths, those with a trained model once for each seed."""
    rows: dict[str, RefinerRow] = {}
    for name, row in refiners.items():
        if row.train is None and not row.model_of:
            rows[name] = row
            continue
        rows[name] = replace(row, seed=seeds[0])
        for seed in seeds[1:]:
            at = f"{name}@{seed}"
            rows[at] = replace(row, id=at, title=f"{row.title} (seed {seed})", seed=seed)
    return rows
