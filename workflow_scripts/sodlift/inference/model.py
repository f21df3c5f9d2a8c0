"""A trained model from its file alone: the file knows its refiner type and its options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap, Image8, check_fit, resize
from sodlift.backbones._state import read_state
from sodlift.errors import DataError, MapError, WeightsError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refiner
from sodlift.training.model_file import FORMAT


def load_model(path: str | Path, device: str = "auto", settings: Mapping[str, Any] | None = None) -> Refiner:
    """Return the refiner of a model file, ready to refine.

    Parameters
    ----------
    path : str or Path
        A model file, as training wrote it.
    device : str
        ``cpu``, ``cuda``, ``cuda:N``; ``auto`` is a GPU where there is one.
    settings : mapping of str to object
        Options that differ from those it was trained with, such as ``theta_fg`` or ``iterations``.

    Raises
    ------
    WeightsError
        If the file is missing, broken, or no model file.
    ConfigError
        If a setting is unknown or not allowed, or the device is not there.
    """
    path = Path(path)
    kind, options = options_of(path, settings or {})
    return REFINERS.get(kind).load(options, path, device)


def options_of(path: Path, settings: Mapping[str, Any]) -> tuple[str, Any]:
    """Return a model file's refiner type, and its options with ``settings`` in place of its own."""
    content = read_state(path)
    kind, own = content.get("refiner"), content.get("options")
    if content.get("format") != FORMAT or kind not in REFINERS or not isinstance(own, dict):
        raise WeightsError(
            "not a refiner's model file of this version of sodlift",
            where=path,
            expected="what `sodlift train` or the workflow writes",
            mend="train the model again",
        )
    # which weights they were is in the file; where they lay on the machine that trained it does not matter here
    trained = {**own, "weights": content["weights"], "weights_file": None}
    return str(kind), build(REFINERS.get(str(kind)).options, {**trained, **settings}, f"{path}: options")


def refine(image: Image8, prior: npt.NDArray[Any], model: str | Path | Refiner, **settings: Any) -> FloatMap:
    """Refine one prior map; ``sodlift.refine``.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    prior : (h, w) float in [0, 1], or uint8
        Its prior map; one of another size is Lanczos-resized to the image's.
    model : path or Refiner
        A model file, or what ``sodlift.load`` made of it: with a file each call loads it anew.
    **settings
        Options that differ from those it was trained with; for a model file.

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    DataError
        If the image is no such array.
    MapError
        If the prior is none or does not fit, or the model's ``mode`` drops it.
    WeightsError, ConfigError
        See ``load_model``.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"image of shape {image.shape} and type {image.dtype}", expected="(H, W, 3) uint8, RGB")
    size = (image.shape[0], image.shape[1])
    refiner = load_model(model, settings=settings) if isinstance(model, str | Path) else model
    refined = refiner.refine(image, resize(_unit(prior, size), size, "lanczos"))
    if refined.saliency is None:
        raise MapError(f"the model drops this prior: {refined.note}", mend="set mode='keep'")
    return refined.saliency


def _unit(prior: npt.NDArray[Any], size: tuple[int, int]) -> FloatMap:
    """Return a prior as float32 in [0, 1]; raises MapError."""
    values = (prior / 255 if prior.dtype == np.uint8 else prior).astype(np.float32)
    if values.ndim != 2 or not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise MapError(
            f"prior of shape {prior.shape} and type {prior.dtype}", expected="(H, W), uint8 or finite values in [0, 1]"
        )
    check_fit(values, size)
    return values
