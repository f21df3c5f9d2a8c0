"""What is known of a deep detector's model file without its network; torch is imported when a file is read."""

from sodlift.detectors._base import ModelOptions, model_files
from sodlift.errors import WeightsError

__all__ = ["model_files", "seen_images"]


def seen_images(options: ModelOptions) -> frozenset[str]:
    """Return the SHA-256 of every image that a model learnt from or was chosen by.

    Raises
    ------
    WeightsError
        If no file is named, it is missing or broken, or it is no model file.
    """
    from sodlift.backbones._state import read_state  # noqa: PLC0415 - torch is slow to import
    from sodlift.training.model_file import FORMAT  # noqa: PLC0415

    if options.model is None:
        raise WeightsError("a deep detector needs a trained model file", mend="train it first, or name its file")
    content = read_state(options.model)
    if content.get("format") != FORMAT:
        raise WeightsError(
            "not a model file of this version of sodlift", where=options.model, mend="train the model again"
        )
    return frozenset(image for _, _, _, image, _, part in content["images"] if part != "skipped")
