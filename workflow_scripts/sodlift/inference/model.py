"""A trained model from its file alone: the file knows its type and its options; and one image at a time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sodlift.arrays import FloatMap, Image8, check_fit, resize
from sodlift.backbones._state import read_state
from sodlift.detectors import DETECTORS
from sodlift.detectors._deep import DeepDetector, is_map
from sodlift.errors import ConfigError, DataError, MapError, WeightsError
from sodlift.options import build
from sodlift.refiners import REFINERS
from sodlift.refiners._base import Refiner
from sodlift.training.model_file import FORMAT


class Model(NamedTuple):
    """What a model file says of itself.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        Its type: a name in one of the two registries.
    options : object
        An instance of that type's options.
    """

    path: Path
    kind: str
    options: Any

    @property
    def detects(self) -> bool:
        """Whether it finds maps by itself; else it refines those of others."""
        return self.kind in DETECTORS

    def load(self, device: str, pool: Path | None = None) -> Refiner | DeepDetector:
        """Return it ready to use; see ``refiner`` for the pool. Raises WeightsError, ConfigError or DataError."""
        return self.detector(device) if self.detects else self.refiner(device, pool)

    def refiner(self, device: str, pool: Path | None = None) -> Refiner:
        """Return the refiner, with its pool if it compares with one: without a name, the one beside the model file.

        Raises WeightsError where it is a detector, ConfigError where a pool is named in vain, DataError for none.
        """
        if self.detects:
            raise self._misused("detector", "detect by it (`sodlift detect`), or name a refiner's file")
        kind = REFINERS.get(self.kind)
        if kind.pooled:
            pool = pool_beside(self.path) if pool is None else pool
        elif pool is not None:
            raise ConfigError(f"the refiner '{self.kind}' compares with no pool", where="pool", mend="leave it out")
        return kind.ready(self.options, device, self.path, pool)

    def detector(self, device: str) -> DeepDetector:
        """Return the detector; raises WeightsError where it is a refiner."""
        if not self.detects:
            raise self._misused("refiner", "refine priors by it (`sodlift refine`), or name a detector's file")
        load = DETECTORS.get(self.kind).load
        assert load is not None  # only deep detectors write model files
        return load(self.options.with_model(self.path), device)

    def _misused(self, noun: str, mend: str) -> WeightsError:
        return WeightsError(f"model file of the {noun} '{self.kind}'", where=self.path, mend=mend)


def pool_beside(model: Path) -> Path:
    """Return where the pool of a refiner lies that was trained without a workflow: ``lps.pt`` has ``lps.pool``."""
    return model.with_suffix(".pool")


def read_model(path: str | Path, settings: Mapping[str, Any] | None = None) -> Model:
    """Return what a model file is, with ``settings`` in place of its own options.

    Raises
    ------
    WeightsError
        If the file is missing, broken, or no model file.
    ConfigError
        If a setting is unknown or not allowed.
    """
    path = Path(path)
    content = read_state(path)
    kind, own = content.get("refiner"), content.get("options")
    registry = next((registry for registry in (REFINERS, DETECTORS) if kind in registry), None)
    if content.get("format") != FORMAT or registry is None or not isinstance(own, dict):
        raise WeightsError(
            "not a model file of this version of sodlift",
            where=path,
            expected="what `sodlift train` or the workflow writes",
            mend="train the model again",
        )
    # which weights they were is in the file; where they lay on the machine that trained it does not matter here
    trained = {**own, "weights": content["weights"], "weights_file": None}
    options = registry.get(str(kind)).options
    return Model(path, str(kind), build(options, {**trained, **(settings or {})}, f"{path}: options"))


def load_model(
    path: str | Path,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    pool: str | Path | None = None,
) -> Refiner | DeepDetector:
    """Return the refiner or detector of a model file, ready to use; ``sodlift.load``.

    Parameters
    ----------
    path : str or Path
        A model file, as training wrote it.
    device : str
        ``cpu``, ``cuda``, ``cuda:N``; ``auto`` is a GPU where there is one.
    settings : mapping of str to object
        Options that differ from those it was trained with, such as ``theta_fg`` or ``iterations``.
    pool : str or Path, optional
        The folder of the images that a refiner such as MIJR compares with; without it, the one beside the model file.

    Raises
    ------
    WeightsError
        If the file is missing, broken, or no model file, or was trained with another pool.
    DataError
        If a pool is needed and is not there.
    ConfigError
        If a setting is unknown or not allowed, a pool is named in vain, or the device is not there.
    """
    return read_model(path, settings).load(device, None if pool is None else Path(pool))


def detect(image: Image8, model: str | Path | DeepDetector, **settings: Any) -> FloatMap:
    """Find what is salient in one image; ``sodlift.detect``.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    model : path or DeepDetector
        A detector's model file, or what ``sodlift.load`` made of it: with a file each call loads it anew.
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
        If what the network gives is no map.
    WeightsError, ConfigError
        See ``load_model``.
    """
    size = _size(image)
    detector = read_model(model, settings).detector("auto") if isinstance(model, str | Path) else model
    with torch.inference_mode():
        (found,) = detector.predict([image])
    if not is_map(found, size):
        raise MapError(
            "what the network gives is no map", expected="finite values in [0, 1]", mend="train the detector again"
        )
    return found


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
    size = _size(image)
    refiner = read_model(model, settings).refiner("auto") if isinstance(model, str | Path) else model
    refined = refiner.refine(image, resize(_unit(prior, size), size, "lanczos"))
    if refined.saliency is None:
        raise MapError(f"the model drops this prior: {refined.note}", mend="set mode='keep'")
    return refined.saliency


def _size(image: Image8) -> tuple[int, int]:
    """Return the height and width of an image (H, W, 3) uint8; raises DataError for any other array."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"image of shape {image.shape} and type {image.dtype}", expected="(H, W, 3) uint8, RGB")
    return image.shape[0], image.shape[1]


def _unit(prior: npt.NDArray[Any], size: tuple[int, int]) -> FloatMap:
    """Return a prior as float32 in [0, 1]; raises MapError."""
    values = (prior / 255 if prior.dtype == np.uint8 else prior).astype(np.float32)
    if values.ndim != 2 or not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise MapError(
            f"prior of shape {prior.shape} and type {prior.dtype}", expected="(H, W), uint8 or finite values in [0, 1]"
        )
    check_fit(values, size)
    return values
