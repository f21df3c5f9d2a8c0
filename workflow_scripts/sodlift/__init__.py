"""sodlift: promote saliency detectors and hold the result against the papers.

``sodlift.load(file)`` and ``sodlift.refine(image, prior, model)`` refine from Python; they import torch when called.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sodlift.inference.model import load_model as load
    from sodlift.inference.model import refine

__version__ = "0.1.0"
__all__ = ["__version__", "load", "refine"]

_LAZY = {"load": "load_model", "refine": "refine"}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'sodlift' has no attribute '{name}'")
    from sodlift.inference import model  # noqa: PLC0415 - torch is slow to import

    return getattr(model, _LAZY[name])
