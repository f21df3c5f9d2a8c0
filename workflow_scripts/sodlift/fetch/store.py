"""The folder of resources: files downloaded and dropped in by hand, pins of them, receipts of what they became.

::

    resources/downloads/<name>     what was downloaded
    resources/manual/<name>        what the user put there; it is looked for first and never touched
    resources/pins.json            size and SHA-256 of what had no published checksum: a later difference is an error
    resources/receipts/<of>.json   what was unpacked where, from which files
    resources/receipts/<of>.sha256 each file of it, in the form that `sha256sum -c` reads
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from sodlift.atomic import atomic_file
from sodlift.errors import DataError
from sodlift.fetch.download import Patience, Remote, check, download
from sodlift.fetch.release import Release, ReleaseFile

T = TypeVar("T")

RESOURCES, OFFLINE = "SODLIFT_RESOURCES", "SODLIFT_OFFLINE"
"""Environment variables: the folder of resources (default ``resources``), and whether the network is forbidden."""
_NEWER = "if the publisher has replaced it on purpose, remove its entry in"


@dataclass(frozen=True)
class Pin:
    """What the first accepted copy of a file was, and the day on which it was pinned."""

    size: int
    sha256: str
    date: str


@dataclass(frozen=True)
class Receipt:
    """What was put in place.

    Attributes
    ----------
    target : str
        The folder, as it was named.
    files, bytes : int
        What it held.
    sources : mapping of str to str
        By name of a file of the release, its SHA-256.
    date : str
        Day of the receipt.
    """

    target: str
    files: int
    bytes: int
    sources: dict[str, str]
    date: str


@dataclass(frozen=True)
class Store:
    """One folder of resources; ``offline`` forbids the network, ``patience`` is the downloader's."""

    root: Path
    offline: bool = False
    progress: bool = True
    patience: Patience | None = None

    @classmethod
    def default(cls) -> "Store":
        """Return the store that the environment names."""
        return cls(Path(os.environ.get(RESOURCES) or "resources"), os.environ.get(OFFLINE, "") not in ("", "0"))

    @property
    def pins_file(self) -> Path:
        """The user's lock file of sizes and checksums."""
        return self.root / "pins.json"

    def manual(self, file: ReleaseFile) -> Path:
        """Return where the user may put ``file`` by hand."""
        return self.root / "manual" / file.name

    def held(self, file: ReleaseFile) -> Path | None:
        """Return where ``file`` is, unchecked; None where it is not here."""
        places = (self.manual(file), self.root / "downloads" / file.name)
        return next((place for place in places if place.exists()), None)

    def obtain(self, file: ReleaseFile, release: Release) -> Path:
        """Return ``file`` of ``release``: dropped in by hand, or downloaded; equal to what is published or pinned.

        Raises
        ------
        DataError
            If it is another file, cannot be downloaded, or has to come by hand: the message says which file from
            which page goes where.
        """
        remote, pin = self.expected(file, release), self.pins().get(file.name)
        place, by_hand = self.root / "downloads" / file.name, self.manual(file)
        try:
            if by_hand.exists():
                return check(remote, by_hand)
            if not place.exists() and (self.offline or not remote.urls):
                raise self._by_hand(file, release, remote)
            return download(remote, place, self.offline, self.progress, self.patience, by_hand)
        except DataError as error:
            if pin is None or error.expected != str(remote):
                raise
            mend = f"{error.mend}; size and checksum are those of your first copy: {_NEWER} {self.pins_file}"
            raise DataError(error.what, where=error.where, expected=error.expected, mend=mend) from error

    def _by_hand(self, file: ReleaseFile, release: Release, remote: Remote) -> DataError:
        page = release.page or "its authors' page (we know of none)"
        note = f" ({release.note})" if release.note else ""
        why = "the network is forbidden (offline)" if remote.urls else "it has no address to download from"
        return DataError(
            f"{file.name} is missing and {why}",
            where=self.manual(file),
            expected=str(remote) or "size and checksum are published nowhere: your first copy will be pinned",
            mend=f"get {file.name} from {page}{note} and put it at {self.manual(file)}",
        )

    def expected(self, file: ReleaseFile, release: Release) -> Remote:
        """Return what is known of ``file``: what is published, and the pin for what is not.

        Raises
        ------
        DataError
            If the pin contradicts what is published.
        """
        remote, pin = file.remote(release.page), self.pins().get(file.name)
        if pin is None:
            return remote
        if remote.size not in (None, pin.size) or not pin.sha256.startswith((remote.sha256 or "").lower()):
            raise DataError(
                f"{file.name} was pinned as another file than is published",
                where=self.pins_file,
                expected=str(remote),
                mend=f"remove the entry '{file.name}' there, and the file if it is not the published one",
            )
        return replace(remote, size=pin.size, sha256=pin.sha256)

    def pins(self) -> dict[str, Pin]:
        """Return all pins by name of the file; raises DataError if the file of pins is broken."""
        return {name: _as(Pin, fields, self.pins_file) for name, fields in _read(self.pins_file).items()}

    def pin(self, file: ReleaseFile, path: Path) -> Pin:
        """Pin ``file`` as what is at ``path``, which has been checked and found good; a pin stays as it is."""
        if known := self.pins().get(file.name):
            return known
        with self.alone("pins"):
            pins = self.pins()
            if file.name not in pins:
                pins[file.name] = Pin(path.stat().st_size, digest(path), today())
                write_json(self.pins_file, {name: asdict(pins[name]) for name in sorted(pins)})
        return pins[file.name]

    def trust(self, file: ReleaseFile) -> str:
        """Say what ``file`` is checked against: a published checksum, the user's pin, or nothing."""
        published = " and ".join(
            kind if len(value) in (64, 32) else f"{len(value)} digits of {kind}"
            for kind, value in file.remote("").digests.items()
        )
        if published:
            return f"published {published}"
        pin = self.pins().get(file.name)
        return f"pinned {pin.date}" if pin else "never verified"

    def receipt_file(self, of: str) -> Path:
        """Return the file of the receipt ``of`` something, such as "datasets/ECSSD"."""
        return self.root / "receipts" / f"{of}.json"

    def receipt(self, of: str) -> Receipt | None:
        """Return the receipt, None where there is none; raises DataError if it is broken."""
        file = self.receipt_file(of)
        return _as(Receipt, _read(file), file) if file.exists() else None

    def write_receipt(self, of: str, target: Path, sources: dict[str, str]) -> Receipt:
        """Write and return the receipt of what now is in the folder ``target``."""
        digests = digests_below(target)
        size = sum((target / name).stat().st_size for name in digests)
        receipt = Receipt(target.as_posix(), len(digests), size, sources, today())
        with atomic_file(self._digests_file(of)) as part:
            part.write_text("".join(f"{value}  {name}\n" for name, value in digests.items()), encoding="utf-8")
        write_json(self.receipt_file(of), asdict(receipt))
        return receipt

    def changes(self, of: str, target: Path) -> list[str]:
        """Return what differs in the folder ``target`` from its receipt: files changed, missing or added.

        Raises
        ------
        DataError
            If the list of digests beside the receipt is missing or broken.
        """
        file = self._digests_file(of)
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            then = {name: value for value, name in (line.split("  ", 1) for line in lines)}
        except (OSError, ValueError) as error:
            raise _broken(file, error) from error
        now = digests_below(target)
        return [
            *(f"{name} is missing" for name in then if name not in now),
            *(f"{name} was added" for name in now if name not in then),
            *(f"{name} has changed" for name in then if name in now and now[name] != then[name]),
        ]

    def _digests_file(self, of: str) -> Path:
        return self.root / "receipts" / f"{of}.sha256"

    @contextmanager
    def alone(self, of: str) -> Iterator[None]:
        """Hold the lock on something; the system frees it when its holder dies."""
        lock = self.root / "locks" / f"{of.replace('/', '.')}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            yield


def digests_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below ``folder`` by its relative path, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.relative_to(folder).as_posix(): digest(file) for file in files}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def today() -> str:
    """Return the day in UTC, as ISO 8601 has it."""
    return datetime.now(UTC).date().isoformat()


def write_json(target: Path, content: Any) -> None:
    """Write ``content``, whole or not at all."""
    with atomic_file(target) as part:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read(file: Path) -> dict[str, Any]:
    """Return what ``write_json`` wrote, {} where there is no file."""
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(file, error) from error
    if not isinstance(content, dict):
        raise _broken(file, f"a {type(content).__name__} where a mapping was expected")
    return content


def _as(cls: type[T], fields: Any, file: Path) -> T:
    try:
        return cls(**fields)
    except TypeError as error:
        raise _broken(file, error) from error


def _broken(file: Path, why: object) -> DataError:
    return DataError(f"cannot be read: {why}", where=file, expected="what sodlift wrote", mend="mend or remove it")
