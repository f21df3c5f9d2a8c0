"""The stretch to [0, 1] between the steps of a prior, written mm() in the equations."""

from typing import Any

import numpy as np
import numpy.typing as npt


def unit(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Stretch to [0, 1], float32; constant values, in which nothing stands out, give zeros."""
    low, high = values.min(), values.max()
    if high - low <= 1e-12:
        return np.zeros(values.shape, np.float32)
    return np.asarray((values - low) / (high - low), dtype=np.float32)
