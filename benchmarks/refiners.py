"""Speed of the learnt refiners: ``python benchmarks/refiners.py [--device cuda] [--refiner mirm lps] [--json]``.

On a CPU: the least time of one image of 256x256 in several forms, timed in turns, so that whatever else the machine
does is spread over them. On a GPU: images a second of a batch of 64 that lies on the device, each way to speed alone
and together. On both: from JPEG and PNG files to PNG files, with each stage alone, so that the slowest one shows. The
networks have random weights and normalisation that has seen data; denormal numbers are flushed.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from sodlift.allocator import keep_freed_memory
from sodlift.arrays import read_image, read_map, write_map
from sodlift.backbones import BACKBONES
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.inference.export import write_onnx
from sodlift.inference.refine import DECODERS, refine_dataset
from sodlift.mapset import MapSet, new_mapset
from sodlift.parallel import ahead
from sodlift.refiners.lps.network import Lps
from sodlift.refiners.lps.network import build as build_lps
from sodlift.refiners.lps.options import LpsOptions
from sodlift.refiners.lps.refine import folded
from sodlift.refiners.mirm.fast import FastMirm
from sodlift.refiners.mirm.network import Mirm, resize
from sodlift.refiners.mirm.network import build as build_mirm
from sodlift.refiners.mirm.options import MirmOptions
from sodlift.refiners.mirm.refine import MirmRefiner
from sodlift.training.on_device import GPU_BATCH

SIDE, MANY, GPU_IMAGES, FILES = 256, 12, 64, 512
Row = dict[str, Any]


def calibrated(network: nn.Module) -> nn.Module:
    """Give a network He's weights and normalisation that has seen data, as a trained one has."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None
            layer.train()
    with torch.no_grad():
        network(*inputs(2, 1))
    return network.requires_grad_(False).eval()


def inputs(batch: int, priors: int) -> tuple[Tensor, Tensor]:
    """Return images (B, 3, 256, 256) and priors (B, P, 256, 256) that sum to 1, as MIRM's weights do."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, SIDE, SIDE, generator=generator).contiguous(memory_format=torch.channels_last)
    weights = torch.rand(batch, priors, SIDE, SIDE, generator=generator)
    return x, weights / weights.sum(dim=(-2, -1), keepdim=True)


def mirm() -> Mirm:
    """Return MIRM on MobileNetV2."""
    backbone = BACKBONES.get("mobilenet_v2")
    network = build_mirm(MirmOptions(backbone_norm="batch"), backbone, backbone.build(backbone.choose(None)[1]))
    return calibrated(network)  # type: ignore[return-value]


def lps() -> Lps:
    """Return LPS on the dilated VGG16."""
    backbone = BACKBONES.get("vgg16_dilated")
    return calibrated(build_lps(LpsOptions(), backbone, backbone.build(backbone.choose(None)[1])))  # type: ignore[return-value]


def plain_mirm(network: Mirm, x: Tensor, weights: Tensor) -> Tensor:
    """Return MIRM's logits in the published form: everything is resized first, then mixed."""
    taps = network.backbone(x)[::-1]
    half, whole = (x.shape[-2] // 2, x.shape[-1] // 2), (x.shape[-2], x.shape[-1])
    features = network.merge.mix(torch.cat([resize(tap, half) for tap in taps], dim=1))
    features = network.aspp(network.merge.blend(network.merge.squeeze(features)))
    pixel, certain = resize(network.pixel(features), whole), resize(network.foreground(features), whole)
    mean = (certain * weights).sum(dim=(-2, -1), keepdim=True).expand_as(pixel)
    head = network.discriminator
    return head.last(head.act(head.norm(head.first(torch.cat([pixel, mean], dim=1)))))  # type: ignore[no-any-return]


def plain_lps(network: Lps, x: Tensor, prior: Tensor) -> Tensor:
    """Return LPS's logits in the published form: all embeddings are made, and distances taken between them."""
    taps, size = network.taps(x), (x.shape[-2], x.shape[-1])
    features = torch.cat([up(taps[i], size) for up, i in zip(network.subpixels, network.used, strict=True)], dim=1)
    pixels = functional.conv2d(torch.cat([features, features], dim=1), network.embedding.pixel.weight)

    def distance(region: Tensor) -> Tensor:
        anchor = (pixels * region).sum(dim=(-2, -1), keepdim=True) / region.sum(dim=(-2, -1), keepdim=True)
        return (pixels - anchor).square().sum(dim=1, keepdim=True).sqrt()

    return distance(1 - prior) - distance(prior)


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[Any], nn.Module], Callable[..., Tensor]]] = {
    "mirm": (mirm, FastMirm, plain_mirm),
    "lps": (lps, lambda network: folded(deepcopy(network)).to(memory_format=torch.channels_last), plain_lps),
}
"""Of each refiner: its network, the form that refines, and the published form."""


def cpu_forms(name: str, folder: Path, compiles: bool) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the forms of one image, by name; the compiled one is left out unless ``compiles``: it takes minutes."""
    make, fast, plain = NETWORKS[name]
    network = make()
    quick, plane, last = fast(network), fast(network).to(memory_format=torch.contiguous_format), deepcopy(network)
    last.to(memory_format=torch.channels_last)
    (x, prior), flat, many = inputs(1, 1), inputs(1, 1)[0].contiguous(), inputs(1, MANY)[1]
    yield "published form", lambda: plain(network, flat, prior)
    yield "published form, channels last", lambda: plain(last, x, prior)
    yield "exact algebra", lambda: network(flat, prior)
    yield "exact algebra, channels last", lambda: last(x, prior)
    yield "and folded", lambda: plane(flat, prior)
    yield "and folded, channels last (refines)", lambda: quick(x, prior)
    yield f"the same, {MANY} priors", lambda: quick(x, many)
    if compiles:
        compiled = torch.compile(quick)
        yield "the same, torch.compile", lambda: compiled(x, prior)
    write_onnx(plane, (torch.cat([flat, flat]), torch.cat([prior, prior])), folder / f"{name}.onnx")
    for threads in (1, 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # else it slows the form after it
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
        feed = {"image": flat.numpy(), "prior": prior.numpy()}
        yield f"ONNX Runtime, {threads} thread(s)", partial(session.run, None, feed)


def on_cpu(name: str, rounds: int, compiles: bool) -> Iterator[Row]:
    """Yield the least time of each form, in ms, and how many times as fast as the published form it is."""
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        forms = dict(cpu_forms(name, Path(folder), compiles))
        best = dict.fromkeys(forms, float("inf"))
        for run in forms.values():
            run()  # warm
        for _ in range(rounds):
            for form, run in forms.items():
                begin = time.perf_counter()
                run()
                best[form] = min(best[form], 1000 * (time.perf_counter() - begin))
        for form, least in best.items():
            yield {"refiner": name, "form": form, "ms": least, "times": best["published form"] / least}


def on_gpu(name: str, seconds: float = 3.0) -> Iterator[Row]:
    """Yield images a second for data on the device: each way to speed alone, then together."""
    make, fast, _ = NETWORKS[name]
    device = torch.device("cuda")
    network = make()
    quick = fast(network).to(device)
    plane = fast(network).to(device).to(memory_format=torch.contiguous_format)
    x, prior = (tensor.to(device) for tensor in inputs(GPU_IMAGES, 1))
    flat, many = x.contiguous(), inputs(GPU_IMAGES, MANY)[1].to(device)
    for form, module, image, maps, half, how in (
        ("float32", plane, flat, prior, False, None),
        ("channels last", quick, x, prior, False, None),
        ("bfloat16", plane, flat, prior, True, None),
        ("CUDA graph", plane, flat, prior, False, "graph"),
        ("torch.compile", plane, flat, prior, False, "default"),
        ("bfloat16, channels last", quick, x, prior, True, None),
        ("bfloat16, channels last, CUDA graph", quick, x, prior, True, "graph"),
        ("bfloat16, channels last, torch.compile", quick, x, prior, True, "default"),
        ("bfloat16, channels last, torch.compile, CUDA graph", quick, x, prior, True, "reduce-overhead"),
        (f"bfloat16, channels last, {MANY} priors", quick, x, many, True, None),
    ):
        run = gpu_form(module, image, maps, half, how)
        yield {"refiner": name, "form": form, "images/s": GPU_IMAGES * rate(run, seconds)}


def gpu_form(module: nn.Module, x: Tensor, priors: Tensor, half: bool, how: str | None) -> Callable[[], object]:
    """Return a call of the module: as it is, recorded as a CUDA graph, or compiled in a mode."""
    if how not in (None, "graph"):
        torch.compiler.reset()
        module = torch.compile(module, mode=how)  # type: ignore[assignment]

    def call() -> Tensor:
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16) if half else nullcontext():
            return module(x, priors)  # type: ignore[no-any-return]

    if how != "graph":
        return call
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with torch.cuda.stream(side):
        for _ in range(3):  # what is made at the first call must not be recorded
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def rate(run: Callable[[], object], seconds: float) -> float:
    """Return calls a second on the GPU, after five to warm up."""
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        for _ in range(10):
            run()
        torch.cuda.synchronize()
        calls += 10
    return calls / (time.perf_counter() - begin)


def from_files(device: str, count: int) -> Iterator[Row]:
    """Yield images a second of MIRM from files to files, and of each stage alone; the slowest one is the bottleneck."""
    backbone = BACKBONES.get("mobilenet_v2")
    refiner = MirmRefiner(mirm().to(device), backbone.choose(None)[1], MirmOptions(), torch.device(device))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, priors = written(folder, count)
        images = [read_image(entry.image) for entry in manifest.entries]
        maps = [priors.read(entry.stem) for entry in manifest.entries]

        def decode() -> None:
            for _ in ahead(
                lambda e: (read_image(e.image), read_map(priors.path(e.stem))), manifest.entries, DECODERS, 8
            ):
                pass

        def compute() -> None:
            size = GPU_BATCH if device == "cuda" else 1
            for at in range(0, count, size):
                for features, prior in zip(refiner.encode(images[at : at + size]), maps[at : at + size], strict=True):
                    refiner.refine_all(features, [prior])

        def encode() -> None:
            for stem, saliency in zip(manifest.stems, maps, strict=True):
                write_map(folder / "alone" / f"{stem}.png", saliency)

        def whole() -> None:
            with new_mapset(folder / "out") as writer:
                refine_dataset(refiner, manifest, priors, writer)

        compute()  # warm
        stages = {"decode": decode, "network, merge and stretch": compute, "write": encode, "files to files": whole}
        rates = {}
        for stage, run in stages.items():
            begin = time.perf_counter()
            run()
            rates[stage] = count / (time.perf_counter() - begin)
        slowest = min(list(stages)[:3], key=rates.__getitem__)
        for stage, value in rates.items():
            yield {"refiner": "mirm", "form": stage + (" (bottleneck)" if stage == slowest else ""), "images/s": value}


def written(folder: Path, count: int) -> tuple[Manifest, MapSet]:
    """Write smooth images (JPEG) and priors (PNG) of 400x300 with a certain blob."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:300, :400]
    entries = []
    with new_mapset(folder / "priors") as writer:
        for number in range(count):
            blob = np.hypot((y - rng.uniform(90, 210)) / 300, (x - rng.uniform(120, 280)) / 400)
            file = folder / f"{number:05d}.jpg"
            pixels = np.stack([200 - 150 * blob, 60 + 80 * blob, 50 + 100 * blob], axis=2) + rng.normal(
                0, 10, (300, 400, 1)
            )
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, quality=90)
            writer.add(file.stem, np.clip(1.6 - 5 * blob, 0, 1))
            entries.append(Entry(file.stem, file, None, 300, 400, image_sha256=""))
    return Manifest("files", tuple(entries)), MapSet(folder / "priors")


def main() -> None:
    """Print one Markdown table, or JSON."""
    parser = argparse.ArgumentParser(description="Time the learnt refiners.")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--refiner", nargs="+", choices=tuple(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=10, help="times that each form is run on a CPU; the least counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="torch.compile on a CPU too, which takes minutes")
    parser.add_argument("--files", type=int, default=FILES, help="images from files to files; 0 leaves that out")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True
    rows: list[Row] = []
    for name in arguments.refiner:
        rows += on_gpu(name) if arguments.device == "cuda" else on_cpu(name, arguments.rounds, arguments.compile)
    if arguments.files:
        rows += from_files(arguments.device, arguments.files)
    if arguments.json:
        print(json.dumps({"device": arguments.device, "threads": arguments.threads, "rows": rows}, indent=1))
        return
    print("| refiner | form | ms | images/s | times |\n|---|---|---|---|---|")
    for row in rows:
        numbers = [f"{row[key]:.4g}" if key in row else "" for key in ("ms", "images/s", "times")]
        print("| " + " | ".join([row["refiner"], row["form"], *numbers]) + " |")


if __name__ == "__main__":
    main()
