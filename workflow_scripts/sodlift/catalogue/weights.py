"""Weights of backbones: one file each, kept where it was downloaded or dropped, or shipped by a package."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import Backbone, WeightsEntry
from sodlift.backbones._weights import load_pretrained, verify_weights
from sodlift.catalogue._base import Kind, Registered
from sodlift.errors import MissingDependencyError
from sodlift.fetch.release import Release
from sodlift.fetch.store import Store


@dataclass(frozen=True)
class WeightsItem:
    """One weights entry of a backbone."""

    backbone_name: str
    backbone: Backbone
    name: str
    entry: WeightsEntry
    expected: int | None = 1

    @property
    def address(self) -> str:
        """Its name in the catalogue."""
        return f"weights/{self.backbone_name}/{self.name}"

    @property
    def release(self) -> Release:
        """Where the file comes from."""
        return self.entry.release

    def place(self, store: Store) -> Path | None:
        """Return where the file is, or may be put by hand; None where a package ships it."""
        if self.entry.locate is not None or self.entry.file is None:
            return None
        return store.held(self.entry.file) or store.manual(self.entry.file)

    def found(self, store: Store) -> int | None:
        """Return 1 where the file is here."""
        if self.entry.locate is None:
            return 1 if self.entry.file and store.held(self.entry.file) else None
        try:
            return 1 if self.entry.locate().is_file() else None
        except MissingDependencyError:
            return None

    def get(self, store: Store) -> None:
        """Fetch the file, and pin it if each of its keys fits the network."""
        load_pretrained(self.backbone, self.entry, store=store)

    def verify(self, store: Store) -> list[str]:
        """Check the file, and each of its keys against the network."""
        return verify_weights(self.backbone_name, self.name, store).splitlines()


def items(registered: Registered) -> Iterator[WeightsItem]:
    """Yield every weights entry of every backbone."""
    for backbone_name in BACKBONES.names():
        backbone = BACKBONES.get(backbone_name)
        for name, entry in backbone.weights.items():
            yield WeightsItem(backbone_name, backbone, name, entry)


KIND = Kind("weights of backbones", items)
