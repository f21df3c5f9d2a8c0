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
    higher : bool or None
        Whether more of it is better; None for a threshold, of which neither is.
    per_image : str
        The per-image column whose mean over images it is. Empty for a measure of curves or counts over the whole data
        set: no image has its share of such a number, so that nothing can be paired.
    """

    name: str
    text: str
    latex: str
    higher: bool | None = True
    per_image: str = ""


_ALL = (
    Measure("MAE", "MAE", r"\mathrm{MAE}", higher=False, per_image="MAE"),
    Measure("adpF", "adaptive F", r"F_\beta^{\mathrm{adp}}", per_image="adpF"),
    Measure("meanF", "mean F", r"F_\beta^{\mathrm{mean}}", per_image="meanF"),
    Measure("maxF", "max F", r"F_\beta^{\max}"),
    Measure("maxF_PR", "max F of mean PR", r"F_\beta^{\max\,\mathrm{PR}}"),
    Measure("maxF_image", "mean of image max F", r"\overline{F_\beta^{\max}}", per_image="maxF"),
    Measure("meanF_PR", "mean F of mean PR", r"F_\beta^{\mathrm{mean}\,\mathrm{PR}}"),
    Measure("P_maxF", "P at max F", r"P_{F^{\max}}"),
    Measure("R_maxF", "R at max F", r"R_{F^{\max}}"),
    Measure("T_maxF", "threshold of max F", r"t_{F^{\max}}", higher=None),
    Measure("P_maxF_PR", "P at max F of mean PR", r"P_{F^{\max\,\mathrm{PR}}}"),
    Measure("R_maxF_PR", "R at max F of mean PR", r"R_{F^{\max\,\mathrm{PR}}}"),
    Measure("T_maxF_PR", "threshold of max F of mean PR", r"t_{F^{\max\,\mathrm{PR}}}", higher=None),
    Measure("S", "S", r"S_\alpha", per_image="S"),
    Measure("adpE", "adaptive E", r"E_\xi^{\mathrm{adp}}", per_image="adpE"),
    Measure("meanE", "mean E", r"E_\xi^{\mathrm{mean}}", per_image="meanE"),
    Measure("maxE", "max E", r"E_\xi^{\max}"),
    Measure("wF", "weighted F", r"F_\beta^{w}", per_image="wF"),
    Measure("AUC", "AUC", r"\mathrm{AUC}"),
    Measure("AUC_image", "mean of image AUC", r"\overline{\mathrm{AUC}}", per_image="AUC"),
    Measure("IoU", "IoU", r"\mathrm{IoU}", per_image="IoU"),
    Measure("Dice", "Dice", r"\mathrm{Dice}", per_image="Dice"),
    Measure("BER", "BER", r"\mathrm{BER}", higher=False, per_image="BER"),
    Measure("IoU_pooled", "pooled IoU", r"\mathrm{IoU}_{\mathrm{pooled}}"),
    Measure("Dice_pooled", "pooled Dice", r"\mathrm{Dice}_{\mathrm{pooled}}"),
    Measure("BER_pooled", "pooled BER", r"\mathrm{BER}_{\mathrm{pooled}}", higher=False),
    Measure("F_pooled", "pooled F", r"F_{\beta,\mathrm{pooled}}"),
    Measure("maxIoU", "max IoU", r"\mathrm{IoU}^{\max}"),
    Measure("meanIoU", "mean IoU", r"\mathrm{IoU}^{\mathrm{mean}}"),
    Measure("BIoU", "boundary IoU", r"\mathrm{BIoU}", per_image="BIoU"),
    Measure("HCE", "HCE", r"\mathrm{HCE}", higher=False, per_image="HCE"),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
"""Measures by name, in the order in which results list them."""
