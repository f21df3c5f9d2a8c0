"""What the tests of backbones share: a network of two convolutions, its weights file, a store and a site to fill it."""

from dataclasses import replace
from pathlib import Path

import torch
from download_samples import Clock, quick
from torch import nn

from http_server import Site, serve
from sodlift.backbones._base import Backbone, Tap, WeightsEntry
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Store, digest

ENTRY = WeightsEntry("tiny", "test", "symmetric", 1e-5, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
"""Weights that only the user has."""
PAGE = "https://people.example/tiny"


class Tiny(nn.Module):
    def __init__(self, entry: WeightsEntry = ENTRY) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.stem(x),)


def tiny(entry: WeightsEntry = ENTRY) -> Backbone:
    return Backbone("Tiny", "test", (Tap("stem", 4, 2),), Tiny, {"a": entry, "b": replace(entry, title="other")})


def save(path: Path, content: object = None) -> Path:
    """Write what a training would: the state dict of a tiny network, or the given content."""
    torch.save(Tiny().state_dict() if content is None else content, path)
    return path


def released(site: Site, file: Path, **facts: object) -> WeightsEntry:
    """Return an entry whose release is ``file``, served by ``site``, with eight digits of its checksum."""
    site.usual[f"/{file.name}"] = serve(file.read_bytes())
    known = {"urls": (f"{site.url}/{file.name}",), "sha256": digest(file)[:8], "checksum_source": "this test"} | facts
    return replace(ENTRY, release=Release(PAGE, files=(ReleaseFile(file.name, **known),)))


def store_at(folder: Path, offline: bool = False) -> Store:
    return Store(folder, offline, progress=False, patience=quick(Clock()))


def same(module: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
