"""Model files of DRFI: the forest's arrays and the record of its training, without pickle."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sodlift.atomic import atomic_file
from sodlift.errors import WeightsError
from sodlift.priors._forest import Forest

FORMAT = "sodlift DRFI 2"

HOW_TO_TRAIN = "train one: give the detector's row `train: {datasets: [...]}` (docs/priors/drfi.md)"
"""What an error about a missing model says."""

_ARRAYS = tuple(field.name for field in fields(Forest))


@dataclass(frozen=True)
class DrfiModel:
    """A trained forest.

    Attributes
    ----------
    forest : Forest
        Scores regions by their 93 features.
    record : mapping
        How it was trained: names of the ``datasets``, the ``images`` (a row of data set, stem and the SHA-256 of image
        and mask each) and their own ``images_sha256``, the number of ``regions``, the settings ``region`` and
        ``training``, and the ``seed``.
    """

    forest: Forest
    record: Mapping[str, Any]

    def save(self, path: str | Path) -> None:
        """Write the model as ``.npz``, whole or not at all; the same model gives the same bytes."""
        arrays = {name: getattr(self.forest, name) for name in _ARRAYS}
        record = json.dumps({"format": FORMAT, **self.record}, sort_keys=True)
        with atomic_file(path) as part, part.open("wb") as handle:
            np.savez_compressed(handle, record=np.array(record), **arrays)


def load_model(path: Path) -> DrfiModel:
    """Return the model in a file, which is read once as long as it does not change; raises WeightsError naming it."""
    try:
        state = path.stat()
    except OSError as cause:
        raise WeightsError("model file of DRFI not found", where=path, mend=HOW_TO_TRAIN) from cause
    return _load(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int, _size: int) -> DrfiModel:
    try:
        with np.load(path, allow_pickle=False) as file:
            record = json.loads(str(file["record"]))
            forest = Forest(**{name: file[name] for name in _ARRAYS})
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as cause:
        raise WeightsError(f"not a model file of DRFI: {cause}", where=path, mend="train it again") from cause
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise WeightsError("model file of another format", where=path, expected=FORMAT, mend="train it again")
    return DrfiModel(forest, record)
