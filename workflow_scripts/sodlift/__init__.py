"""sodlift: promote saliency detectors and hold the result against the papers.

From Python, ``sodlift.load(file)`` makes a model ready, ``sodlift.detect(image, model)`` finds a map and
``sodlift.refine(image, prior, model)`` refines one; they import torch when called.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sodlift.inference.model import detect, refine
    from sodlift.inference.model import load_model as load

__version__ = "0.1.0"
__all__ = ["__version__", "detect", "load", "refine"]

_LAZY = {"detect": "detect", "load": "load_model", "refine": "refine"}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'sodlift' has no attribute '{name}'")
    from sodlift.inference import model  # noqa: PLC0415 - torch is slow to import

    return getattr(model, _LAZY[name])
