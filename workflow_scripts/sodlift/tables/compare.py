"""A number of ours against the one that a paper printed."""

from collections.abc import Sequence
from dataclasses import dataclass

VERDICTS = ("match", "near", "off", "not comparable")
SIGNS = {"match": "=", "near": "≈", "off": "≠"}
"""Signs of the verdicts; "not comparable" has a footnote, which gives the reason."""

_ROUNDING_NOISE = 1e-12  # differences of decimal numbers are not exact in binary


@dataclass(frozen=True)
class Tolerance:
    """How far apart two numbers may be.

    Attributes
    ----------
    match : float
        A match may differ by half a unit of the last printed digit, which is all that the print tells, and by this
        much besides: what 8-bit maps and another build of an image decoder move.
    near : float
        Near is within this: what choices that papers leave unsaid move (how maps are resized and quantised, how the
        ground truth is made binary).
    """

    match: float = 5e-4
    near: float = 0.012


@dataclass(frozen=True)
class Printed:
    """A number as printed: its text keeps the digits that rounding left.

    Attributes
    ----------
    text : str
        The printed text, such as "0.6902".
    source : str
        Where it is printed, such as "MIRM, Table 1".
    """

    text: str
    source: str = ""

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit: 0.00005 for "0.6902"."""
        return 0.5 * 10.0 ** -len(self.text.partition(".")[2])


@dataclass(frozen=True)
class Verdict:
    """What a comparison says.

    Attributes
    ----------
    kind : str
        One of ``VERDICTS``.
    reason : str
        Why the two are not comparable; else empty.
    difference : float or None
        Ours minus the printed number; None where nothing is printed.
    """

    kind: str
    reason: str = ""
    difference: float | None = None


def verdict(
    ours: float, printed: Printed | None, reasons: Sequence[str] = (), tolerance: Tolerance | None = None
) -> Verdict:
    """Judge ``ours`` against ``printed``; ``reasons`` say why the two are not comparable, if they are not.

    The difference is given whenever there is a printed number, also where it must not be read as a disagreement.
    """
    tolerance = tolerance or Tolerance()
    if printed is None:
        return Verdict("not comparable", "; ".join(reasons) or "the paper prints no value")
    difference = ours - printed.value
    if reasons:
        return Verdict("not comparable", "; ".join(reasons), difference)
    distance = abs(difference) - _ROUNDING_NOISE
    if distance <= printed.half_unit + tolerance.match:
        return Verdict("match", difference=difference)
    return Verdict("near" if distance <= tolerance.near else "off", difference=difference)
