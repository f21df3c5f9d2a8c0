"""Refines every prior map of a data set, one after the other."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sodlift.arrays import FloatMap, check_fit, read_image, resize
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.errors import MapError, SodliftError
from sodlift.mapset import MapSet, MapWriter
from sodlift.refiners._base import Refined, Refiner

Progress = Callable[[Iterable[Entry]], Iterable[Entry]]
"""Wraps the loop over images, as ``tqdm`` does."""


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
    writer: MapWriter,
    progress: Progress = iter,
    on_error: Literal["raise", "record"] = "raise",
) -> Summary:
    """Refine the prior of every image in ``manifest`` and write the results at the images' sizes.

    A prior of another size is Lanczos-resized to its image's first; an image whose prior was dropped or failed is
    recorded as such.

    Parameters
    ----------
    refiner : Refiner
        Ready to use.
    manifest : Manifest
        The images.
    priors : MapSet
        Their prior maps.
    writer : MapWriter
        Where the refined maps go.
    progress : callable
        Wraps the entries, to show a progress bar.
    on_error : str
        ``raise`` stops at the first error; ``record`` writes it down as that image's failure and goes on.

    Raises
    ------
    MapError
        If priors are missing, or one does not fit its image.
    DataError
        If an image is broken.
    """
    usable = set(priors.usable(manifest.stems))
    summary = Summary()
    for entry in progress(manifest.entries):
        if entry.stem in usable:
            refined = _refine(refiner, entry, priors, on_error)
        else:
            record = priors.records[entry.stem]
            refined = Refined(None, record.status, f"prior {record.status}: {record.note}")
        writer.add(entry.stem, refined.saliency, refined.status, refined.note)
        summary.status[refined.status] += 1
        summary.notes[refined.note] += 1
    return summary


def _refine(refiner: Refiner, entry: Entry, priors: MapSet, on_error: str) -> Refined:
    try:
        image = read_image(entry.image)
        prior = priors.read(entry.stem)
        size = (image.shape[0], image.shape[1])
        check_fit(prior, size, priors.path(entry.stem))
        return _checked(refiner.refine(image, resize(prior, size, "lanczos")), size, entry)
    except SodliftError as cause:
        if on_error == "raise":
            raise
        return Refined(None, "failed", " ".join(str(cause).split()))


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
