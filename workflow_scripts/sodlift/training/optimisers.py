"""The optimisers of recipes, by name."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer

from sodlift.training.recipe import Recipe
from sodlift.training.task import Group

_Groups = list[dict[str, Any]]

OPTIMISERS: dict[str, Callable[[_Groups, Recipe], Optimizer]] = {
    "sgd": lambda groups, recipe: torch.optim.SGD(groups, momentum=recipe.momentum, weight_decay=recipe.weight_decay),
    "nesterov": lambda groups, recipe: torch.optim.SGD(
        groups, momentum=recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True
    ),
    "adam": lambda groups, recipe: torch.optim.Adam(groups, betas=recipe.betas, weight_decay=recipe.weight_decay),
}
"""Optimisers over groups with learning rates of their own; weight decay is added to the gradient."""


def make_optimiser(groups: Iterable[Group], recipe: Recipe) -> Optimizer:
    """Return the recipe's optimiser; each group keeps its learning rate before the schedule as ``base_lr``."""
    described = [{"name": g.name, "params": g.parameters, "lr": g.lr, "base_lr": g.lr} for g in groups]
    return OPTIMISERS[recipe.optimiser](described, recipe)


def set_rates(optimiser: Optimizer, factor: float) -> float:
    """Multiply every group's learning rate by the schedule's ``factor``; return the last group's."""
    for group in optimiser.param_groups:
        group["lr"] = group["base_lr"] * factor
    return float(optimiser.param_groups[-1]["lr"])
