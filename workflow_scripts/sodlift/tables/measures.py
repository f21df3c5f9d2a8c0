"""The measures that tables show: their names in text and in LaTeX, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure of the results.

    Attributes
    ----------
    name : str
        Its name in ``summary.csv``.
    text, latex : str
        Its heading in plain text and in LaTeX's math mode.
    higher : bool
        Whether more of it is better.
    """

    name: str
    text: str
    latex: str
    higher: bool = True


_ALL = (
    Measure("MAE", "MAE", r"\mathrm{MAE}", higher=False),
    Measure("adpF", "adaptive F", r"F_\beta^{\mathrm{adp}}"),
    Measure("meanF", "mean F", r"F_\beta^{\mathrm{mean}}"),
    Measure("maxF", "max F", r"F_\beta^{\max}"),
    Measure("maxF_PR", "max F of mean PR", r"F_\beta^{\max\,\mathrm{PR}}"),
    Measure("S", "S", r"S_\alpha"),
    Measure("adpE", "adaptive E", r"E_\xi^{\mathrm{adp}}"),
    Measure("meanE", "mean E", r"E_\xi^{\mathrm{mean}}"),
    Measure("maxE", "max E", r"E_\xi^{\max}"),
    Measure("wF", "weighted F", r"F_\beta^{w}"),
    Measure("AUC", "AUC", r"\mathrm{AUC}"),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
"""Measures by name, in the order in which results list them."""
