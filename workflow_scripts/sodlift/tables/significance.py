"""Whether refined maps differ from their prior: one comparison over images for every cell of a run.

The evaluation's ``per_image.parquet`` is the source. Intervals and tests are over images, of the per-image means over
seeds where there are several; the spread over seeds is an axis of its own, in ``Score``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sodlift.statistics.paired import Comparison, compare, over_seeds
from sodlift.statistics.per_image import read_per_image
from sodlift.tables.measures import MEASURES
from sodlift.tables.summary import BASELINE, Scored, read_frame, sort_frame

COLUMNS = (
    *("refiner", "detector", "dataset", "protocol", "metric"),
    *("n", "n_unpaired", "n_undefined", "gain", "low", "high", "p", "wins", "ties", "losses", "seeds"),
)
_COUNTS = ("n", "n_unpaired", "n_undefined", "wins", "ties", "losses", "seeds")
_TYPES = dict.fromkeys(_COUNTS, "int64") | dict.fromkeys(("gain", "low", "high", "p"), "float64")


def build_significance(cells: Iterable[Scored]) -> pd.DataFrame:
    """Compare every refined cell with the unrefined prior of its detector and data set, image by image.

    Only measures that are means over images have rows: nothing can be paired for a maximum of a mean curve.

    Returns
    -------
    pandas.DataFrame
        Columns ``COLUMNS``, sorted like the summary: one row a (refiner, detector, data set, protocol, measure).
        ``gain`` is refined minus prior, ``low`` and ``high`` bound its 95 % bootstrap interval over images, ``p`` is
        that of the Wilcoxon signed-rank test, uncorrected.

    Raises
    ------
    DataError
        If a ``per_image.parquet`` is missing or broken.
    """
    groups: dict[tuple[str, str], dict[str, list[Scored]]] = {}
    for cell in cells:
        groups.setdefault((cell.dataset, cell.detector), {}).setdefault(cell.refiner, []).append(cell)
    rows = [row for group in groups.values() if BASELINE in group for row in _group_rows(group)]
    return sort_frame(pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES))


def read_significance(path: str | Path) -> pd.DataFrame:
    """Read what ``write_frame`` wrote of it, bit for bit; raises DataError if it is missing or something else."""
    return read_frame(path, COLUMNS, _TYPES)


def _group_rows(group: Mapping[str, Sequence[Scored]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one (detector, data set); ``group`` holds its cells by refiner, one a seed."""
    prior = _averaged(group[BASELINE])
    for refiner, seeds in group.items():
        if refiner == BASELINE:
            continue
        refined = _averaged(seeds)
        for protocol, before in prior.items():
            after = refined.get(protocol, before.iloc[:0])
            measures = {m.per_image: m for m in MEASURES.values() if m.per_image in before and m.per_image in after}
            found = compare(before, after, {column: bool(m.higher) for column, m in measures.items()})
            for comparison in found:
                key = (refiner, seeds[0].detector, seeds[0].dataset, protocol, measures[comparison.metric].name)
                yield (*key, *_numbers(comparison), len(seeds))


def _averaged(cells: Sequence[Scored]) -> dict[str, pd.DataFrame]:
    """Return the per-image means over the seeds, by protocol; those of which no seed scored an image are left out."""
    files = [read_per_image(cell.folder / "per_image.parquet") for cell in cells]
    return {name: over_seeds([file[name] for file in files]) for name in files[0] if all(name in f for f in files)}


def _numbers(c: Comparison) -> tuple[Any, ...]:
    return c.n, c.n_unpaired, c.n_undefined, c.gain, c.low, c.high, c.p, *c.outcome
