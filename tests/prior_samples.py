"""Every prior, ready to run, and what is asked of any map."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from drfi_samples import small_model
from sodlift.priors import PRIORS
from sodlift.priors._base import Prior


def model_file(folder: Path) -> Path:
    """Write a small model below a folder, for the methods that are trained, and return its file."""
    small_model(folder).save(folder / "model.npz")
    return folder / "model.npz"


def ready(name: str, model: Path) -> Prior:
    """Return a prior whose parameters hold the model, where it needs one."""
    prior = PRIORS.get(name)
    return replace(prior, params=partial(prior.params, model=model)) if prior.learning else prior


def assert_is_a_map(saliency: np.ndarray, shape: tuple[int, int]) -> None:
    assert saliency.shape == shape and saliency.dtype == np.float32
    assert np.isfinite(saliency).all() and saliency.min() >= 0 and saliency.max() <= 1
