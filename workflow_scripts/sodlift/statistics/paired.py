"""Refined maps against their prior, image by image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from sodlift.statistics import LEVEL, RESAMPLES, SEED
from sodlift.statistics.bootstrap import FEWEST, Floats, paired_bootstrap
from sodlift.statistics.significance import WinTieLoss, wilcoxon, win_tie_loss


@dataclass(frozen=True)
class Comparison:
    """One metric of refined maps against that of their prior, over the images that both have.

    Attributes
    ----------
    metric : str
        The per-image column.
    n : int
        Images behind the numbers.
    n_unpaired, n_undefined : int
        Images that only one of both has; images that both have and for which one has no value.
    prior, refined, gain : float or None
        Means over the n images, and refined minus prior; None without any image.
    low, high : float or None
        Bootstrap interval of the gain over images; None for fewer than two.
    p : float or None
        Of the Wilcoxon signed-rank test, uncorrected; None without any image.
    outcome : WinTieLoss
        Images that refinement made better, left equal and made worse, in the metric's own direction.
    """

    metric: str
    n: int
    n_unpaired: int
    n_undefined: int
    prior: float | None
    refined: float | None
    gain: float | None
    low: float | None
    high: float | None
    p: float | None
    outcome: WinTieLoss


def compare(
    prior: pd.DataFrame,
    refined: pd.DataFrame,
    metrics: Mapping[str, bool],
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Comparison]:
    """Compare per-image scores, paired by the images' names; the order of rows does not matter.

    Parameters
    ----------
    prior, refined : pandas.DataFrame
        A column ``stem``, each name once, and the metrics, NaN where undefined.
    metrics : mapping of str to bool
        The columns to compare, and of each whether more is better.
    level, resamples, seed
        See ``paired_bootstrap``.

    Returns
    -------
    list of Comparison
        In the order of ``metrics``.

    Raises
    ------
    ConfigError
        If the level, the number of resamples or the seed is out of range.
    KeyError
        If a frame lacks a metric.
    """
    names = list(metrics)
    both = sorted(set(prior["stem"]) & set(refined["stem"]))
    unpaired = len(set(prior["stem"]) ^ set(refined["stem"]))
    before, after = (_by_stem(frame, both, names) for frame in (prior, refined))
    gains = after - before
    defined = ~np.isnan(gains)
    intervals = _intervals(gains, defined, level, resamples, seed)
    return [
        _comparison(name, metrics[name], before[rows, i], after[rows, i], len(both), unpaired, intervals[i])
        for i, (name, rows) in enumerate(zip(names, defined.T, strict=True))
    ]


def over_seeds(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the per-image means over seeds.

    Images are those that all seeds have; a value that one seed lacks is NaN. The seeds' own spread is another axis,
    and no part of what is computed over images.
    """
    if len(frames) == 1:
        return frames[0]
    stems = sorted(set.intersection(*(set(frame["stem"]) for frame in frames)))
    names = [name for name in frames[0].columns if name != "stem"]
    mean = np.mean([_by_stem(frame, stems, names) for frame in frames], axis=0)
    means = pd.DataFrame(mean, columns=names)
    means.insert(0, "stem", pd.Series(stems, dtype=str))
    return means


def _by_stem(frame: pd.DataFrame, stems: list[str], names: list[str]) -> Floats:
    return frame.set_index("stem").loc[stems, names].to_numpy(dtype=np.float64)


def _intervals(
    gains: Floats, defined: npt.NDArray[np.bool_], level: float, resamples: int, seed: int
) -> list[tuple[float, float] | None]:
    """Return the interval of each column; those that are defined for the same images share the resamples."""
    intervals: list[tuple[float, float] | None] = [None] * gains.shape[1]
    same: dict[bytes, list[int]] = {}
    for i, rows in enumerate(defined.T):
        same.setdefault(rows.tobytes(), []).append(i)
    for columns in same.values():
        rows = defined[:, columns[0]]
        if rows.sum() >= FEWEST:
            lows, highs = paired_bootstrap(gains[rows][:, columns], level, resamples, seed)
            for i, low, high in zip(columns, lows, highs, strict=True):
                intervals[i] = float(low), float(high)
    return intervals


def _comparison(
    name: str,
    higher: bool,
    before: Floats,
    after: Floats,
    paired: int,
    unpaired: int,
    interval: tuple[float, float] | None,
) -> Comparison:
    gains, n = after - before, len(before)
    low, high = interval or (None, None)
    return Comparison(
        metric=name,
        n=n,
        n_unpaired=unpaired,
        n_undefined=paired - n,
        prior=float(before.mean()) if n else None,
        refined=float(after.mean()) if n else None,
        gain=float(gains.mean()) if n else None,
        low=low,
        high=high,
        p=wilcoxon(gains) if n else None,
        outcome=win_tie_loss(gains if higher else -gains),
    )
