"""The error of a training that cannot go on."""

from sodlift.errors import SodliftError


class TrainingError(SodliftError):
    """Training cannot go on: its loss is not a number, memory is short, or its checkpoint is damaged."""
