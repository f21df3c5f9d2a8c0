"""How well thresholds part A2S's activation before any training, Table I: ``python benchmarks/activation_variance.py``.

Prints the mean inter-class variance p1 p2 (m1 - m2)^2 over a folder of images, in Markdown, for Otsu's threshold, the
mean and the median. The paper does not say what the activation is before the first stage is trained, nor on which
scale; every map is min-max normalised to [0, 1] here, and there are two of them: ``deepest tap`` is the sum over
channels of the encoder's last tap, ``fused map`` that of the network with its decoder as training would begin.

    ... --backbone resnet50 --weights-file moco_v2_800ep_pretrain.pth.tar --size 320 --images MSRA-B/images
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sodlift.arrays import minmax, read_image, resize_image
from sodlift.backbones._base import normalise
from sodlift.detectors.a2s_labels.network import A2sLabels, build
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.detectors.a2s_labels.variance import THRESHOLDS, inter_class_variance
from sodlift.training.pretrained import Pretrained, pretrained

SEED = 1


def activations(network: A2sLabels, source: Pretrained, file: Path, size: int) -> dict[str, npt.NDArray[np.float32]]:
    """Return the maps of an image by name, each at its own size, min-max normalised to [0, 1]."""
    image = torch.from_numpy(resize_image(read_image(file), (size, size))).permute(2, 0, 1)[None]
    found: list[torch.Tensor] = []
    hook = network.boundaries[-1].register_forward_hook(lambda module, given, answer: found.append(answer))
    with torch.inference_mode():
        x = normalise(image, source.entry)
        network(x)
        deepest = network.taps(x)[network.deepest[-1]].sum(dim=1)
    hook.remove()
    maps = {"deepest tap": deepest[0], "fused map": found[0][0, 0]}
    return {name: minmax(values.numpy()) for name, values in maps.items()}


def rows(files: Iterable[Path], network: A2sLabels, source: Pretrained, size: int) -> Iterable[str]:
    """Yield a row of Markdown for each activation: the mean variances by threshold."""
    found: dict[str, list[list[float]]] = {}
    for file in files:
        for name, values in activations(network, source, file, size).items():
            variances = [inter_class_variance(values, choose(values)) for choose in THRESHOLDS.values()]
            found.setdefault(name, []).append(variances)
    for name, table in found.items():
        means = " | ".join(f"{mean:.4f}" for mean in np.mean(table, axis=0))
        yield f"| {name} | {len(table)} | {means} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Inter-class variance of A2S's activation before training.")
    parser.add_argument("--images", type=Path, help="folder of images; ECSSD's below SODLIFT_DATA by default")
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--weights", help="weights entry; the backbone's first by default")
    parser.add_argument("--weights-file", type=Path)
    parser.add_argument("--size", type=int, default=224, help="side that images are resized to")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    arguments = parser.parse_args()
    folder = arguments.images or Path(os.environ["SODLIFT_DATA"]) / "ECSSD" / "images"
    chosen = (arguments.backbone, arguments.weights, arguments.weights_file)
    options = A2sLabelsOptions(*chosen, size=arguments.size)
    torch.manual_seed(SEED)
    source = pretrained(options)
    network = build(options, source.backbone, source.module).eval()
    print(f"| activation | images | {' | '.join(THRESHOLDS)} |\n|---|---:|{'---:|' * len(THRESHOLDS)}")
    for row in rows(sorted(folder.iterdir())[:: arguments.every], network, source, options.size):
        print(row)


if __name__ == "__main__":
    main()
