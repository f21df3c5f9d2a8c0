"""The errors of sodlift: one clear message saying what is wrong, where, what was expected and how to mend it."""

from collections.abc import Iterable


def listed(items: Iterable[object], shown: int = 10) -> str:
    """Return ``items`` as one line that names at most ``shown`` of them and counts the rest."""
    names = [str(item) for item in items]
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest


class SodliftError(Exception):
    """Base of every error that sodlift raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    where : object, optional
        File, configuration key or item concerned.
    expected : object, optional
        What would have been right.
    mend : object, optional
        What the reader can do about it.
    """

    def __init__(self, what: str, *, where: object = None, expected: object = None, mend: object = None) -> None:
        self.what, self.where, self.expected, self.mend = what, where, expected, mend
        parts = [("where", where), ("expected", expected), ("mend", mend)]
        super().__init__("\n".join([what, *(f"  {label}: {text}" for label, text in parts if text is not None)]))


class ConfigError(SodliftError):
    """The configuration or a registry file is wrong."""


class DataError(SodliftError):
    """An image, a mask or a data set is missing, broken or inconsistent."""


class MapError(SodliftError):
    """A saliency map is missing, broken or does not fit its image."""


class WeightsError(SodliftError):
    """A weights file is missing, broken or belongs to another model."""


class UnknownNameError(ConfigError):
    """A name that no registry knows."""


class MissingDependencyError(SodliftError):
    """An optional package that the requested part needs is not installed."""
