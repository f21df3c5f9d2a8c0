"""Seeds for every source of randomness that sodlift uses."""

import random
import sys

import numpy as np

from sodlift.errors import ConfigError


def seed_everything(seed: int) -> np.random.Generator:
    """Seed Python, NumPy and (where it is imported) torch; return a NumPy generator of the same seed.

    Raises
    ------
    ConfigError
        If ``seed`` is not an integer in [0, 2**32).
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ConfigError(f"invalid seed {seed!r}", expected="an integer from 0 to 4294967295")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries below us still draw from the global generator
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
    return np.random.default_rng(seed)
