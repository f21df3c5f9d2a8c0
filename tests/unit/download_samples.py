"""What the tests of the downloader share: a file, a site to take it from and a patience that does not wait."""

import hashlib
import random
from pathlib import Path

import pytest

from http_server import Site
from sodlift.errors import DataError
from sodlift.fetch.download import Patience, Remote, download

DATA = random.Random(4).randbytes(300_000)
OTHER = random.Random(5).randbytes(300_000)
SHA256, MD5 = hashlib.sha256(DATA).hexdigest(), hashlib.md5(DATA).hexdigest()


class Clock:
    """Sleeps at once and remembers how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def quick(clock: Clock) -> Patience:
    """Return a patience of three tries and a third of a second without a byte."""
    return Patience(tries=3, connect=2, read=0.3, sleep=clock, jitter=lambda: 1.0)


def remote(site: Site, *paths: str, **facts: object) -> Remote:
    known = {"size": len(DATA), "sha256": SHA256, "page": "https://people.example/dataset"} | facts
    return Remote(tuple(site.url + path for path in paths or ("/a.zip",)), **known)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def refused(source: Remote, target: Path, patience: Patience) -> str:
    """Return the message of a download that must fail and leave no file."""
    with pytest.raises(DataError) as caught:
        download(source, target, progress=False, patience=patience)
    assert not target.exists()
    return str(caught.value)
