"""The partners of some images in a pool, and where each superpixel is linked to: a page to be looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sodlift.config.run import Run
from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError, DataError
from sodlift.figures._base import FigureType
from sodlift.registry import did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sodlift.alignment.linking import Links
    from sodlift.alignment.scene import Scene
    from sodlift.arrays import Image8
    from sodlift.plots.partners import Floats, Picture


@dataclass(frozen=True)
class PartnersOptions:
    """Which images are shown, beside which pool.

    Attributes
    ----------
    dataset : str
        The data set whose images are shown: one that the run tests or trains on; empty for its first test set.
    pool : str
        The pool of their partners: that of one of the run's refiners; empty for that of the first that has one.
    stems : tuple of str
        The images by their stems; empty for ``count`` of them.
    count : int
        How many images are shown, spread evenly over the data set; all of a smaller one.
    proposals : int
        How many of each image's boxes are drawn: those that count most when superpixels are linked.

    Raises
    ------
    ConfigError
        If a number is too small.
    """

    dataset: str = ""
    pool: str = ""
    stems: tuple[str, ...] = ()
    count: int = 6
    proposals: int = 0

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("proposals", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{getattr(self, name)} is not allowed", where=name, expected=f"at least {least}")

    def dataset_of(self, run: Run) -> str:
        """Return the data set; raises UnknownNameError, or DataError if the run does not use it."""
        name = run.dataset(self.dataset or run.test_sets[0]).id
        return _used("data set", name, run.datasets, "add it to `datasets`")

    def pool_of(self, run: Run) -> str:
        """Return the pool; raises UnknownNameError, or DataError if no refiner of the run compares with it."""
        used = tuple(dict.fromkeys(pool for name in run.all_refiners if (pool := run.refiner(name).pool)))
        mend = "add a refiner with a `pool` to `refiners`"
        if not (self.pool or used):
            raise DataError("the run has no pool to draw partners from", mend=f"{mend}, or leave the figure out")
        return _used("pool", run.pool(self.pool or used[0]).id, used, mend)


def _used(kind: str, name: str, used: tuple[str, ...], mend: str) -> str:
    """Return a name that is among those that the run uses; raises DataError for another."""
    if name not in used:
        expected = f"one of: {', '.join(used) or '(none)'}"
        raise DataError(f"the run does not use the figure's {kind} '{name}'", expected=expected, mend=mend)
    return name


def inputs(options: PartnersOptions, run: Run) -> dict[str, Path]:
    """Return the data set's ``manifest``, the ``pool``, and the data set ``aligned`` with it.

    Raises
    ------
    UnknownNameError, DataError
        As ``PartnersOptions.dataset_of`` and ``pool_of`` do.
    """
    dataset, pool = options.dataset_of(run), options.pool_of(run)
    return {
        "manifest": run.results / "datasets" / dataset / "manifest.csv",
        "pool": run.results / "pools" / pool,
        "aligned": run.results / "aligned" / dataset / pool,
    }


def shown(options: PartnersOptions, manifest: Manifest) -> tuple[str, ...]:
    """Return the stems of the images that are shown; raises DataError for one that the data set has not."""
    for stem in options.stems:
        if stem not in manifest.stems:
            mend = f"{did_you_mean(stem, manifest.stems)}Correct the figure's `stems`"
            raise DataError(f"no image '{stem}'", where=f"data set '{manifest.dataset}'", mend=mend)
    last = len(manifest.stems) - 1
    spread = dict.fromkeys(np.linspace(0, last, min(options.count, last + 1)).round().astype(int).tolist())
    return options.stems or tuple(manifest.stems[i] for i in spread)


def rows(options: PartnersOptions, run: Run) -> "Iterator[list[Picture]]":
    """Yield the pictures of each image: itself, then its partners.

    Raises
    ------
    UnknownNameError, DataError
        As ``inputs`` and ``shown`` do; DataError too where files are missing.
    """
    from sodlift.arrays import read_image  # noqa: PLC0415 - slow to import, and not needed to read a configuration
    from sodlift.pools.similar.aligned import AlignedSet  # noqa: PLC0415 - as above
    from sodlift.pools.similar.images import ImagePool  # noqa: PLC0415 - as above

    files = inputs(options, run)
    manifest, pool, aligned = Manifest.load(files["manifest"]), ImagePool(files["pool"]), AlignedSet(files["aligned"])
    images = {entry.stem: entry.image for entry in manifest.entries}
    for stem in shown(options, manifest):
        here = aligned.of(stem)
        places = here.scene.centres / here.scene.labels.shape[::-1]
        row = [_picture(stem, read_image(images[stem]), here.scene, places, options.proposals)]
        for similar, _, links in here.partners:
            there = pool.scene(similar.stem)
            name = similar.stem if len(pool.manifests) > 1 else similar.stem.partition("/")[2]
            caption, found = f"{name}: {similar.distance:.3f}", linked_places(places, links, there.count)
            row.append(_picture(caption, pool.image(similar.stem), there, found, options.proposals))
        yield row


def linked_places(places: "Floats", links: "Links", count: int) -> "Floats":
    """Return where a partner's superpixels are linked from.

    Parameters
    ----------
    places : (n, 2) float64
        Where the image's superpixels are.
    links : Links
        The partner's superpixels that each of them is linked to; the first one of each counts.
    count : int
        How many superpixels the partner has.

    Returns
    -------
    (count, 2) float64
        Of several that are linked to one the place of the cheapest; NaN where there is none.
    """
    found = np.full((count, 2), np.nan)
    to, cost = links.partner[:, 0], links.cost[:, 0]
    order = np.argsort(-cost, kind="stable")
    order = order[to[order] >= 0]
    found[to[order]] = places[order]  # the last one written stays: the cheapest
    return found


def _picture(caption: str, image: "Image8", scene: "Scene", places: "Floats", proposals: int) -> "Picture":
    from sodlift.plots.partners import Picture  # noqa: PLC0415 - as above

    height, width = scene.labels.shape
    order = np.argsort(-scene.members.worth, kind="stable") if proposals else np.empty(0, np.intp)
    boxes = scene.proposals.boxes[order[:proposals]] / (width, height, width, height)
    return Picture(caption, image, scene.full, places, boxes)


def draw(options: PartnersOptions, run: Run, title: str) -> "Figure":
    """Draw the page; raises what ``rows`` does."""
    from sodlift.plots.partners import partners_figure  # noqa: PLC0415 - as above

    dataset, pool = run.dataset(options.dataset_of(run)), run.pool(options.pool_of(run))
    return partners_figure(list(rows(options, run)), f"{title}\n{dataset.title}; pool: {pool.title}")


FIGURE = FigureType("partners of images in a pool, and links to them", PartnersOptions, draw, inputs)
