"""Refines the prior maps of a data set: decoded ahead, an image's priors together, images in batches on a GPU."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, check_fit, read_image, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import MapError, SodliftError
from sodlift.inference.shared import SharedRefiner, SideBySideRefiner, batch_of
from sodlift.mapset import MapSet
from sodlift.parallel import ahead
from sodlift.refiners._base import Refined, Refiner
from sodlift.training.on_device import Precision, arithmetic, batches, in_memory

Progress = Callable[[Iterable[Entry]], Iterable[Entry]]
"""Wraps the loop over images, as ``tqdm`` does."""

R = TypeVar("R")

OnError = Literal["raise", "record"]

DECODERS = 2
"""Threads that decode; they run beside the network, most of whose time is spent outside Python."""


class Writer(Protocol):
    """What takes refined maps, such as a ``MapWriter``."""

    def add(self, stem: str, saliency: npt.NDArray[np.float32] | None, status: str = "ok", note: str = "") -> None:
        """Write the map (H, W) in [0, 1] of an image, None where it was dropped or failed."""
        ...


@dataclass
class Summary:
    """What became of the images of a data set.

    Attributes
    ----------
    status : Counter of str
        Images by status: ``ok``, ``dropped``, ``failed``.
    notes : Counter of str
        Images by the refiner's note, such as "kept prior: no pixel >= theta_fg".
    """

    status: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        parts = [f"{count} {name}" for name, count in sorted(self.status.items())]
        return ", ".join(parts) + "".join(f"; {count} x {note}" for note, count in sorted(self.notes.items()) if note)


def refine_dataset(
    refiner: Refiner,
    manifest: Manifest,
    priors: MapSet,
    writer: Writer,
    progress: Progress = iter,
    on_error: OnError = "raise",
    precision: Precision = "float32",
    batch: int | None = None,
) -> Summary:
    """Refine one set of priors; see ``refine_map_sets``."""
    return refine_map_sets(refiner, manifest, [(priors, writer)], progress, on_error, precision, batch)[0]


def refine_map_sets(
    refiner: Refiner,
    manifest: Manifest,
    sets: Sequence[tuple[MapSet, Writer]],
    progress: Progress = iter,
    on_error: OnError = "raise",
    precision: Precision = "float32",
    batch: int | None = None,
) -> list[Summary]:
    """Refine the priors of every image in ``manifest`` and write the results at the images' sizes.

    A prior of another size is Lanczos-resized to its image's first; an image whose prior was dropped or failed is
    recorded as such. A network sees an image once for all sets, and images of one size together.

    Parameters
    ----------
    refiner : Refiner
        Ready to use.
    manifest : Manifest
        The images.
    sets : sequence of (MapSet, Writer)
        Prior maps, such as those of several detectors, and where each set's refined maps go.
    progress : callable
        Wraps the entries, to show a progress bar.
    on_error : str
        ``raise`` stops at the first error; ``record`` writes it down as that image's failure and goes on.
    precision : str
        Arithmetic of a network: ``float32``, or ``bfloat16`` with distances and sums in float32.
    batch : int or None
        Images that a network sees at once; None is 16 on a GPU and 1 elsewhere, and as many as torch has threads where
        each thread has an image of its own. A device's memory that is too small for them halves it, with a warning.

    Returns
    -------
    list of Summary
        One a set.

    Raises
    ------
    MapError
        If priors are missing, or one does not fit its image.
    DataError
        If an image is broken.
    ConfigError
        If the device's memory is too small for one image.
    """
    usable = [set(priors.usable(manifest.stems)) for priors, _ in sets]
    summaries = [Summary() for _ in sets]
    batch = batch_of(refiner) if batch is None else batch
    read = partial(_read, sets=[priors for priors, _ in sets], usable=usable, on_error=on_error)
    sorting = batch > 1 and isinstance(refiner, SharedRefiner)
    entries = progress(_by_network_size(refiner, manifest.entries) if sorting else manifest.entries)
    with closing(ahead(read, entries, DECODERS, 2 * batch + DECODERS)) as loaded:
        for group in batches(loaded, partial(_seen_as, refiner), batch):
            for one, found in zip(group, _refined(refiner, group, on_error, precision), strict=True):
                for (_, writer), summary, refined in zip(sets, summaries, found, strict=True):
                    writer.add(one.entry.stem, refined.saliency, refined.status, refined.note)
                    summary.status[refined.status] += 1
                    summary.notes[refined.note] += 1
    return summaries


class _Loaded(NamedTuple):
    """One image, None where it is broken or no prior needs it; and of each set its prior, or what became of it."""

    entry: Entry
    image: Image8 | None
    priors: list[FloatMap | Refined]

    @property
    def size(self) -> tuple[int, int]:
        return (0, 0) if self.image is None else (self.image.shape[0], self.image.shape[1])

    @property
    def open(self) -> list[int]:
        """The sets whose prior is to be refined."""
        return [i for i, prior in enumerate(self.priors) if not isinstance(prior, Refined)]


def _read(entry: Entry, sets: Sequence[MapSet], usable: Sequence[set[str]], on_error: OnError) -> _Loaded:
    wanted = [entry.stem in stems for stems in usable]
    image = _tried(partial(read_image, entry.image), on_error) if any(wanted) else None
    priors: list[FloatMap | Refined] = []
    for maps, is_wanted in zip(sets, wanted, strict=True):
        if not is_wanted:
            record = maps.records[entry.stem]
            priors.append(Refined(None, record.status, f"prior {record.status}: {record.note}"))
        elif isinstance(image, Refined):
            priors.append(image)
        else:
            size = (image.shape[0], image.shape[1]) if image is not None else (0, 0)
            priors.append(_tried(partial(_read_prior, maps, entry.stem, size), on_error))
    return _Loaded(entry, None if isinstance(image, Refined) else image, priors)


def _read_prior(maps: MapSet, stem: str, size: tuple[int, int]) -> FloatMap:
    prior = maps.read(stem)
    check_fit(prior, size, maps.path(stem))
    return resize(prior, size, "lanczos")


def _tried(work: Callable[[], R], on_error: OnError) -> R | Refined:
    """Return what ``work`` does, or its error as a failure where errors are recorded."""
    try:
        return work()
    except SodliftError as cause:
        if on_error == "raise":
            raise
        return Refined(None, "failed", " ".join(str(cause).split()))


def _by_network_size(refiner: Refiner, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries such that those whose images can share a batch follow each other."""
    shared = cast(SharedRefiner, refiner)
    return sorted(entries, key=lambda entry: (shared.network_size((entry.height, entry.width)), entry.stem))


def _seen_as(refiner: Refiner, one: _Loaded) -> object:
    """Return the size that the network sees of an image, None where images need not be of one size."""
    return refiner.network_size(one.size) if isinstance(refiner, SharedRefiner) else None


def _refined(
    refiner: Refiner, group: Sequence[_Loaded], on_error: OnError, precision: Precision
) -> Iterator[list[Refined]]:
    """Yield what becomes of each image's priors."""
    if isinstance(refiner, SideBySideRefiner):
        yield from _side_by_side(refiner, group, on_error)
        return
    if not isinstance(refiner, SharedRefiner):
        yield from ([_one(refiner, one, prior, on_error) for prior in one.priors] for one in group)
        return
    busy = [one for one in group if one.open]
    with arithmetic(refiner.device, precision):
        features = iter(in_memory(refiner.encode, [cast(Image8, one.image) for one in busy], "images") if busy else [])
        for one in group:
            found = list(one.priors)
            if one.open:
                shared = partial(refiner.refine_all, next(features))
                priors = [cast(FloatMap, one.priors[i]) for i in one.open]
                for i, refined in zip(one.open, in_memory(shared, priors, "priors of an image"), strict=True):
                    found[i] = cast(Refined, _tried(partial(_checked, refined, one.size, one.entry), on_error))
            yield cast(list[Refined], found)


def _side_by_side(refiner: SideBySideRefiner, group: Sequence[_Loaded], on_error: OnError) -> Iterator[list[Refined]]:
    """Refine the priors of all images of a group at once."""
    images = [cast(Image8, one.image) for one in group for _ in one.open]
    results = iter(refiner.refine_many(images, [cast(FloatMap, one.priors[i]) for one in group for i in one.open]))
    for one in group:
        found = list(one.priors)
        for i in one.open:
            found[i] = _tried(partial(_given, next(results), one), on_error)
        yield cast(list[Refined], found)


def _given(result: Refined | SodliftError, one: _Loaded) -> Refined:
    """Return a result, checked; raise it where it is an error."""
    if isinstance(result, SodliftError):
        raise result
    return _checked(result, one.size, one.entry)


def _one(refiner: Refiner, one: _Loaded, prior: FloatMap | Refined, on_error: OnError) -> Refined:
    """Refine one prior by a refiner that shares nothing."""
    if isinstance(prior, Refined) or one.image is None:
        return cast(Refined, prior)
    image = one.image
    return _tried(lambda: _checked(refiner.refine(image, prior), one.size, one.entry), on_error)


def _checked(refined: Refined, size: tuple[int, int], entry: Entry) -> Refined:
    """Raise MapError unless a refined map is finite, in [0, 1] and of its image's size."""
    saliency: FloatMap | None = refined.saliency
    if (saliency is None) == (refined.status == "ok"):
        raise MapError(f"refiner gave status '{refined.status}' with{'out' if saliency is None else ''} a map")
    if saliency is not None and (saliency.shape != size or not _in_unit(saliency)):
        raise MapError(
            f"refined map of image '{entry.stem}' is invalid",
            where=entry.image,
            expected=f"finite values in [0, 1], {size[1]}x{size[0]} pixels",
            mend="train the refiner again: its weights may be damaged",
        )
    return refined


def _in_unit(saliency: FloatMap) -> bool:
    return bool(np.isfinite(saliency).all() and saliency.min() >= 0 and saliency.max() <= 1)
