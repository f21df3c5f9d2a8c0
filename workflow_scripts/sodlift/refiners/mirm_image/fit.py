"""MIRM's network fitted to one image (Sec. 5.4): a pixel classifier that its own prior teaches.

With one image a step, F_fg adds the same number to all pixels of a channel, and batch normalisation by the image's own
statistics takes it out again. So the foreground branch changes no output here, in a step or in the result, and is
neither computed nor trained: F_fg is 0.
"""

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from sodlift.refiners.mirm.loss import loss
from sodlift.refiners.mirm.network import WIDTH, Mirm
from sodlift.refiners.mirm_image.options import MirmImageOptions
from sodlift.training.errors import TrainingError
from sodlift.training.optimisers import make_optimiser, set_rates
from sodlift.training.task import groups_of


def fit(start: Mirm, image: Tensor, prior: Tensor, options: MirmImageOptions) -> Tensor:
    """Return the logits (1, 1, H, W) of a copy of ``start`` that is fitted to one image.

    Parameters
    ----------
    start : Mirm
        Pretrained backbone and the head's start; left as it is.
    image : (1, 3, H, W) float32
        Normalised.
    prior : (1, 1, H, W) float32 in [0, 1]
        With a pixel of at least theta_afg and one of at most theta_abg.
    options : MirmImageOptions
        Labels and recipe.

    Raises
    ------
    TrainingError
        If the loss becomes NaN or infinite.
    """
    network, recipe = copy.deepcopy(start).train(), options.recipe
    taps = _taps(network, image)
    size = (prior.shape[-2], prior.shape[-1])
    optimiser = make_optimiser(groups_of(network, recipe), recipe)
    for step in range(recipe.steps):
        set_rates(optimiser, recipe.factor(step))
        optimiser.zero_grad(set_to_none=True)
        value = loss(
            _logits(network, taps(), size), prior, options.theta_afg, options.theta_abg, options.loss_weighting
        )
        if not math.isfinite(value.item()):
            raise TrainingError(
                f"loss is {value.item()} after {step} steps on one image",
                mend="lower `recipe.head_lr` and `recipe.backbone_lr`",
            )
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        return _logits(network, taps(), size)


def _taps(network: Mirm, image: Tensor) -> Callable[[], tuple[Tensor, ...]]:
    """Return what gives the backbone's taps: computed anew by each step, or once where the backbone is frozen."""
    if not network.frozen_backbone:
        return lambda: network.backbone(image)
    with torch.no_grad():
        kept = network.backbone(image)
    return lambda: kept


def _logits(network: Mirm, taps: tuple[Tensor, ...], size: tuple[int, int]) -> Tensor:
    pixel = network.pixel(network.aspp(network.merge(taps[::-1])))
    return network.discriminator(pixel, pixel.new_zeros(1, WIDTH), size)  # type: ignore[no-any-return]
