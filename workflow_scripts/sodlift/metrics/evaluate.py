"""Scores of a set of maps over a data set: per image and as a whole, under several protocols at once."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from typing import Protocol as Structure

import numpy as np
import pandas as pd

from sodlift.arrays import Grey, binarise, check_fit, read_grey
from sodlift.atomic import atomic_file
from sodlift.errors import ConfigError, DataError, MapError, listed
from sodlift.mapset import MapSet
from sodlift.metrics import all_metrics
from sodlift.metrics._base import Curve, ImageScore, Means, Metric
from sodlift.metrics._fit import Size, resized
from sodlift.metrics._pair import GroundTruth, prepare
from sodlift.metrics.protocols import Protocol, Role
from sodlift.progress import track
from sodlift.registry import unknown_name

COUNTS = (
    "dropped",  # left the test set by the protocol's drop rule
    "left_out",  # have no map: the refiner dropped them or failed
    "empty_gt",
    "constant",
    "all_zero",
    "resized",
    "partial_range",  # do not span 0..255
    "nan_s",  # a quadrant of the S-measure has fewer than two pixels
)
"""What is counted over the images of a cell, under each protocol; ``undefined`` is counted by metric besides."""


class Entry(Structure):
    """An image of a data set, as a manifest lists it."""

    @property
    def stem(self) -> str:
        """Its name."""

    @property
    def mask(self) -> Path | None:
        """File of its ground truth."""

    @property
    def height(self) -> int:
        """Height of the image in pixels."""

    @property
    def width(self) -> int:
        """Width of the image in pixels."""


class Entries(Structure):
    """A data set, as a manifest lists it."""

    @property
    def dataset(self) -> str:
        """Its name."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Its images."""


@dataclass(frozen=True)
class Score:
    """One number over a data set: a record of ``scores.json``.

    Attributes
    ----------
    protocol, protocol_hash, metric : str
        What was computed.
    value : float or None
        The number, None where no image has one.
    n_used, n_expected : int
        Images behind the number, and images of the data set.
    status : str
        ``ok``, or ``failed`` where there is no number.
    counts : mapping
        Numbers of images by ``COUNTS``, and ``undefined``: those for which the metric is not defined.
    """

    protocol: str
    protocol_hash: str
    metric: str
    value: float | None
    n_used: int
    n_expected: int
    status: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class CellScores:
    """Everything that an evaluation says of one (data set, detector, refiner).

    Attributes
    ----------
    per_image : pandas.DataFrame
        One row a (protocol, image): columns ``protocol``, ``stem``, then the metrics, NaN where undefined.
    curves : mapping
        Means over the data set by ``<protocol>/<curve>``, one value a threshold, ascending: ``P``, ``R``, ``F``, ``E``,
        and ``FPR``, ``TPR`` over the images that have both classes.
    scores : tuple of Score
        The numbers over the data set.
    """

    per_image: pd.DataFrame
    curves: Mapping[str, Curve]
    scores: tuple[Score, ...]

    def save(self, folder: str | Path) -> None:
        """Write ``per_image.parquet``, ``curves.npz`` and ``scores.json``, each whole or not at all."""
        folder = Path(folder)
        with atomic_file(folder / "per_image.parquet") as part:
            self.per_image.to_parquet(part, index=False)
        with atomic_file(folder / "curves.npz") as part:
            np.savez_compressed(part, allow_pickle=False, **self.curves)
        with atomic_file(folder / "scores.json") as part:
            records = [asdict(score) for score in self.scores]
            part.write_text(json.dumps(records, indent=1, allow_nan=False) + "\n", encoding="utf-8")


class Truth:
    """The ground truth of one image, read once and shared by every map and protocol.

    Raises
    ------
    DataError
        If the image has no mask, or its mask cannot be read.
    """

    def __init__(self, entry: Entry) -> None:
        if entry.mask is None:
            raise DataError(f"image '{entry.stem}' has no mask", expected="scoring needs masks")
        self.stem, self.path = entry.stem, entry.mask
        self._grey = read_grey(entry.mask, DataError)
        self._image_size = (entry.height, entry.width)
        self._made: list[GroundTruth] = []

    def size(self, protocol: Protocol) -> Size:
        """Return the size (height, width) at which the protocol scores."""
        height, width = self._grey.values.shape if protocol.size == "mask" else self._image_size
        return height, width

    def under(self, protocol: Protocol) -> GroundTruth:
        """Return the binary ground truth; protocols under which it is the same share it."""
        mask = binarise(resized(self._grey, self.size(protocol), protocol.resize), protocol.gt_rule)
        for made in self._made:
            if np.array_equal(made.mask, mask):
                return made
        self._made.append(GroundTruth(mask))
        return self._made[-1]


@dataclass
class _Tally:
    """Running result of one protocol."""

    protocol: Protocol
    counts: Counter[str] = field(default_factory=Counter)
    means: dict[str, Means] = field(default_factory=dict)
    undefined: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, stem: str, scores: Mapping[str, ImageScore | None]) -> None:
        row: dict[str, Any] = {"protocol": self.protocol.name, "stem": stem}
        for title, score in scores.items():
            means = self.means.setdefault(title, Means())
            if score is None:
                self.undefined[title] += 1
                continue
            means.add(score)
            row.update(score.values)
            self.counts.update(score.flags)
        self.rows.append(row)


class Cell:
    """Running evaluation of one set of maps; several cells may take the same images in turn, sharing each truth.

    Parameters
    ----------
    maps : MapSet
        The maps to score.
    prior : MapSet or None
        The prior maps behind refined ones; needed where a protocol drops images by their prior.
    protocols : sequence of Protocol
        Under which to score.
    role : str
        ``prior`` or ``refined``.

    Raises
    ------
    ConfigError
        If no protocol is given, one twice, the role is unknown, or a needed prior is not given.
    """

    def __init__(self, maps: MapSet, prior: MapSet | None, protocols: Sequence[Protocol], role: Role) -> None:
        names = [protocol.name for protocol in protocols]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"protocols given: {', '.join(names) or '(none)'}", expected="at least one, each once")
        if role not in {"prior", "refined"}:
            raise unknown_name("role", role, ("prior", "refined"))
        self.maps, self.role = maps, role
        self.prior = maps if role == "prior" else prior
        for protocol in protocols:
            if protocol.drop and self.prior is None:
                raise ConfigError(
                    f"protocol '{protocol.name}' drops images by their prior map, and no prior maps are given",
                    where=maps.folder,
                    mend="give the set of prior maps, or take a protocol without a drop rule",
                )
        self._metrics = all_metrics()
        self._tallies = [_Tally(protocol) for protocol in protocols]
        self._images = 0

    def add(self, truth: Truth) -> None:
        """Score the map of one image under every protocol; raises MapError if it is missing, broken or does not fit."""
        self._images += 1
        kept = [tally for tally in self._tallies if not self._dropped(truth, tally)]
        if not self.maps.usable([truth.stem]):
            for tally in kept:
                tally.counts["left_out"] += 1
            return
        path = self.maps.path(truth.stem)
        grey = read_grey(path) if kept else None
        known: dict[Any, dict[str, ImageScore | None]] = {}
        for tally in kept:
            assert grey is not None
            self._score(grey, path, truth, tally, known)

    def _dropped(self, truth: Truth, tally: _Tally) -> bool:
        rule = tally.protocol.drop
        if rule is None or self.prior is None or not self.prior.usable([truth.stem]):
            return False  # an image without a prior map has no refined one either: it is left out
        if not rule.drops(read_grey(self.prior.path(truth.stem))):
            return False
        tally.counts["dropped"] += 1
        return True

    def _score(
        self, grey: Grey, path: Path, truth: Truth, tally: _Tally, known: dict[Any, dict[str, ImageScore | None]]
    ) -> None:
        protocol = tally.protocol
        size = truth.size(protocol)
        check_fit(grey.values, size, path)
        binary = truth.under(protocol)
        tally.counts.update(_oddities(grey, size, binary))
        if binary.positives == 0 and protocol.empty_gt == "skip":
            return
        # protocols that differ in other choices only, such as who is dropped, share the scores
        key = (id(binary), size, protocol.quantise, protocol.resize, protocol.norm(self.role), protocol.thresholds)
        if key not in known:
            fitted = resized(protocol.quantised(grey), size, protocol.resize)
            pair = prepare(fitted, binary, protocol.norm(self.role), protocol.thresholds)
            known[key] = {metric.title: metric.score(pair) for metric in self._metrics}
        tally.add(truth.stem, known[key])

    def scores(self) -> CellScores:
        """Return the scores over the images so far."""
        columns = ["protocol", "stem", *(name for metric in self._metrics for name in metric.image_names)]
        rows = [row for tally in self._tallies for row in tally.rows]
        curves = {
            f"{tally.protocol.name}/{name}": curve
            for tally in self._tallies
            for means in tally.means.values()
            for name, curve in means.curves().items()
        }
        scores = [
            score for tally in self._tallies for metric in self._metrics for score in self._dataset(metric, tally)
        ]
        return CellScores(pd.DataFrame(rows, columns=columns), curves, tuple(scores))

    def _dataset(self, metric: Metric, tally: _Tally) -> Iterable[Score]:
        means = tally.means.get(metric.title, Means())
        values = metric.compute(means) if means.count else dict.fromkeys(metric.names, math.nan)
        counts = {name: tally.counts[name] for name in COUNTS} | {"undefined": tally.undefined[metric.title]}
        for name in metric.names:
            finite = math.isfinite(values[name])
            yield Score(
                protocol=tally.protocol.name,
                protocol_hash=tally.protocol.hash,
                metric=name,
                value=values[name] if finite else None,
                n_used=means.count,
                n_expected=self._images,
                status="ok" if finite else "failed",
                counts=counts,
            )


def evaluate_maps(
    manifest: Entries,
    maps: MapSet,
    prior: MapSet | None,
    protocols: Sequence[Protocol],
    role: Role,
    progress: bool = False,
) -> CellScores:
    """Score a set of maps against the masks of a data set.

    One image is in memory at a time.

    Parameters
    ----------
    manifest : Manifest
        The data set; every image needs a mask.
    maps, prior, protocols, role
        See ``Cell``.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        If images have no mask, or a mask cannot be read.
    MapError
        If maps are missing (all are named), broken, or neither of the ground truth's size nor of its aspect ratio.
    ConfigError
        See ``Cell``.
    """
    cell = Cell(maps, prior, protocols, role)
    _require_masks(manifest)
    _require_maps(manifest, maps)
    if cell.prior is not None and any(protocol.drop for protocol in protocols):
        _require_maps(manifest, cell.prior)
    entries = track(manifest.entries, f"evaluate {manifest.dataset}") if progress else manifest.entries
    for entry in entries:
        cell.add(Truth(entry))
    return cell.scores()


def _require_masks(manifest: Entries) -> None:
    without = [entry.stem for entry in manifest.entries if entry.mask is None]
    if without:
        raise DataError(
            f"{len(without)} of {len(manifest.entries)} images of '{manifest.dataset}' have no mask: {listed(without)}",
            expected="scoring needs masks",
            mend="evaluate on a data set with ground truth, or give its folder of masks",
        )


def _require_maps(manifest: Entries, maps: MapSet) -> None:
    stems = [entry.stem for entry in manifest.entries]
    missing = [stem for stem in maps.usable(stems) if not maps.path(stem).is_file()]
    if missing:
        raise MapError(
            f"{len(missing)} of {len(stems)} maps are missing: {listed(missing)}",
            where=maps.folder,
            mend="delete the folder and run the stage that makes it again",
        )


def _oddities(grey: Grey, size: Size, truth: GroundTruth) -> list[str]:
    """Return which of ``COUNTS`` the map as stored, and its ground truth, add to."""
    low, high = grey.values.min(), grey.values.max()
    odd = {
        "empty_gt": truth.positives == 0,
        "constant": low == high,
        "all_zero": high == 0,
        "resized": grey.values.shape != size,
        "partial_range": low > 0 or high < grey.full,
    }
    return [name for name, is_so in odd.items() if is_so]
