"""Mean absolute error.

Source: F. Perazzi, P. Krähenbühl, Y. Pritch, A. Hornung, "Saliency Filters", CVPR 2012.
"""

from sodlift.metrics._base import ImageScore, Metric, always_defined, mean_over_images
from sodlift.metrics._pair import Floats, Integers, Pair


def mean_absolute_error(table: Floats, inside: Integers, outside: Integers) -> float:
    """Return the mean of ``|x - g|`` over the pixels, in [0, 1].

    Parameters
    ----------
    table : (L,) float64
        Grey values in [0, 1].
    inside, outside : (L,) int64
        Their histograms inside (g = 1) and outside (g = 0) the ground truth.
    """
    return float(inside @ (1 - table) + outside @ table) / int(inside.sum() + outside.sum())


def _format(pair: Pair) -> tuple[Floats, Integers, Integers]:
    return pair.table, pair.inside, pair.outside


def _update(data: tuple[Floats, Integers, Integers]) -> ImageScore:
    return ImageScore({"MAE": mean_absolute_error(*data)})


METRIC = Metric(
    title="MAE",
    source="Perazzi et al., CVPR 2012",
    order=0,
    names=("MAE",),
    image_names=("MAE",),
    validate=always_defined,
    format=_format,
    update=_update,
    compute=mean_over_images("MAE"),
)
