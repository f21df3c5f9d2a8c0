"""Batch normalisation folded into the convolution before it: in evaluation both are affine, and one does the work."""

import torch
from torch import Tensor, fx, nn


class _Layers(fx.Tracer):
    """Traces down to modules without children, whose own arithmetic does not matter here."""

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        return not any(True for _ in module.children())


def scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return a and b, (C,) each, with which ``norm`` in evaluation mode maps x to a x + b."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale.detach(), (norm.bias - norm.running_mean * scale).detach()


def fold_pair(parent: nn.Module, conv: str, norm: str) -> None:
    """Fold the normalisation ``parent.norm`` into the convolution ``parent.conv`` whose output alone it takes."""
    convolution, scale, shift = parent.get_submodule(conv), *scale_and_shift(parent.get_submodule(norm))  # type: ignore[arg-type]
    assert isinstance(convolution, nn.Conv2d)
    bias = shift if convolution.bias is None else convolution.bias.detach() * scale + shift
    weight = convolution.weight.detach() * scale[:, None, None, None]
    convolution.weight = nn.Parameter(weight, requires_grad=False)
    convolution.bias = nn.Parameter(bias, requires_grad=False)
    above, _, name = norm.rpartition(".")
    setattr(parent.get_submodule(above), name, nn.Identity())


def fold_norms(network: nn.Module) -> int:
    """Fold every batch normalisation that directly follows a convolution, in place; return how many there were.

    The convolution's zero padding lies before both, so that the result is exact. A normalisation in front of a
    convolution is left alone: the padding's zeros would have to become another number.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode, and such that ``torch.fx`` can follow its forward method down to single layers.
    """
    layers = dict(network.named_modules())
    pairs = []
    for node in _Layers().trace(network).nodes:
        if node.op != "call_module" or not isinstance(layers[str(node.target)], nn.BatchNorm2d):
            continue
        before = node.args[0]
        assert isinstance(before, fx.Node)
        follows = before.op == "call_module" and isinstance(layers[str(before.target)], nn.Conv2d)
        if follows and len(before.users) == 1:  # else somebody needs what is not normalised
            pairs.append((str(before.target), str(node.target)))
    for conv, norm in pairs:
        fold_pair(network, conv, norm)
    return len(pairs)
