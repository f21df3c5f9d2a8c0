"""Files downloaded over http(s): resumed, retried, taken from mirrors, checked and only then given their name."""

import errno
import hashlib
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from tqdm import tqdm

from sodlift.errors import ConfigError, DataError
from sodlift.fetch._http import Again, Refused, Reply, Session, Stale, Wrong, ask
from sodlift.fetch._part import Part
from sodlift.problems import shown

_DIGESTS = {"sha256": 64, "md5": 32}
"""Checksums that a source may have, with their lengths in hexadecimal digits."""
_LEADING = range(8, 17)
"""Numbers of leading digits that will do: torchvision puts 8 into the names of its files, others a few more."""
_READ = 1 << 20
"""Bytes read at once from the disk."""


@dataclass(frozen=True)
class Remote:
    """A file that others publish.

    Attributes
    ----------
    urls : tuple of str
        Its addresses, http or https, tried in this order; none for a file that is fetched by hand only.
    size : int or None
        Bytes, where known.
    sha256, md5 : str or None
        Checksums in hexadecimal digits, where published or pinned; the leading 8 to 16 do where only those are.
    page : str
        The page that offers the file to people.

    Raises
    ------
    ConfigError
        If an address is not http(s), or a size or a checksum is none.
    """

    urls: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    page: str = ""

    def __post_init__(self) -> None:
        for url in self.urls:
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
                raise ConfigError(f"not an address to download from: {shown(url)}", expected="http:// or https://")
        if self.size is not None and self.size < 1:
            raise ConfigError(f"not a size: {self.size}", expected="bytes, 1 or more")
        for kind, digest in self.digests.items():
            if not (re.fullmatch("[0-9a-fA-F]+", digest) and len(digest) in (*_LEADING, _DIGESTS[kind])):
                expected = f"{_DIGESTS[kind]} hexadecimal digits, or the leading {_LEADING[0]} to {_LEADING[-1]}"
                raise ConfigError(f"not a {kind}: {shown(digest)}", expected=expected)

    @property
    def digests(self) -> dict[str, str]:
        """The known checksums by their kind."""
        return {kind: digest for kind in _DIGESTS if (digest := getattr(self, kind)) is not None}

    def __str__(self) -> str:
        facts = [f"{self.size} bytes"] if self.size is not None else []
        return ", ".join([*facts, *(f"{kind} {digest}" for kind, digest in self.digests.items())])


@dataclass(frozen=True)
class Patience:
    """How long a download waits, and for what.

    Attributes
    ----------
    tries : int
        Failures in a row, without a byte gained, after which an address is given up.
    connect, read : float
        Seconds without a connection, and without a byte, that count as a failure.
    first, longest : float
        Seconds before the second try, doubled from then on, and their bound. A server that asks for more than
        ``longest`` (Retry-After) is given up.
    sleep : callable
        Waits the given seconds.
    jitter : callable
        Draws from [0, 1), so that many clients do not come back at once.
    """

    tries: int = 5
    connect: float = 15.0
    read: float = 60.0
    first: float = 1.0
    longest: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, failures: int, wish: float | None) -> float:
        """Return the seconds to wait after so many failures, at least as long as the server wishes."""
        backoff = min(self.longest, self.first * 2.0 ** (failures - 1)) * (0.5 + 0.5 * self.jitter())
        return max(backoff, wish or 0.0)


def download(
    source: Remote,
    target: Path,
    offline: bool = False,
    progress: bool = True,
    patience: Patience | None = None,
    by_hand: Path | None = None,
) -> Path:
    """Return ``target``, downloaded if it is not there, and equal to what is known of ``source``.

    A download that was cut short goes on from ``<target>.part``, if the server still has the same file. Of several
    processes that want one target, one downloads it and the others wait.

    Parameters
    ----------
    source : Remote
        Where the file is and what is known of it.
    target : Path
        Where it goes; a file that is there already is checked, never replaced.
    offline : bool
        Whether the network is forbidden.
    progress : bool
        Whether to show a bar.
    patience : Patience, optional
        Tries, timeouts and waits.
    by_hand : Path, optional
        Where a message asks to put the file where it cannot be downloaded; ``target`` by default.

    Raises
    ------
    DataError
        If no address delivers the file (each is listed), if the file that is there is another one, if it is missing
        and ``offline``, or if the disk is full; the part is kept then.
    """
    if target.exists():
        return check(source, target)
    if offline or not source.urls:
        why = "the network is forbidden (offline)" if offline else "it has no address to download from"
        raise DataError(f"{target.name} is missing and {why}", where=target, **_help(source, by_hand or target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            if target.exists():
                return check(source, target)
            _from_any(source, target, by_hand or target, progress, patience or Patience())
    except OSError as error:
        raise _disk_error(error, source, target) from error
    return target


def check(source: Remote, file: Path) -> Path:
    """Return ``file`` if its size and checksums are those of ``source``, where known.

    Raises
    ------
    DataError
        If it is no file, or another one.
    """
    if not file.is_file():
        raise DataError("not a file", where=file, expected="a file", mend="move it away")
    try:
        size = file.stat().st_size
        hashes = _Hashes(source)
        if source.size is None or size == source.size:  # a wrong size says it without reading gigabytes
            hashes.read(file)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=file, mend="make it readable") from error
    if wrong := _wrong_size(source, size) or hashes.wrong():
        raise DataError(
            f"{file.name} is another file than expected: {wrong}",
            where=file,
            expected=str(source),
            mend=f"move it away, then run again; it can also come by hand{_from_page(source)}",
        )
    return file


class _Hashes:
    """The checksums of the bytes so far, of those kinds that the source has."""

    def __init__(self, source: Remote) -> None:
        self._expected = source.digests
        self._hashes = {kind: hashlib.new(kind, usedforsecurity=False) for kind in self._expected}

    def update(self, data: bytes) -> None:
        for digest in self._hashes.values():
            digest.update(data)

    def read(self, file: Path) -> None:
        if not self._hashes:
            return
        with file.open("rb") as stream:
            while data := stream.read(_READ):
                self.update(data)

    def wrong(self) -> str:
        """Say which checksum differs, or return ""."""
        for kind, digest in self._hashes.items():
            if not digest.hexdigest().startswith(self._expected[kind].lower()):
                return f"{kind} {digest.hexdigest()} where {self._expected[kind].lower()} was expected"
        return ""


def _wrong_size(source: Remote, size: int | None) -> str:
    """Say that ``size`` is not the source's, or return ""; an unknown one is not wrong."""
    wrong = source.size is not None and size not in (None, source.size)
    return f"{size} bytes where {source.size} were expected" if wrong else ""


def _from_page(source: Remote) -> str:
    address = source.page or next(iter(source.urls), "")
    return f" from {address}" if address else ""


def _help(source: Remote, target: Path) -> dict[str, str | None]:
    """Return what an error says of the expected file and of the way to put it there by hand."""
    return {"expected": str(source) or None, "mend": f"download it by hand{_from_page(source)} and save it as {target}"}


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the lock on ``target``, waited for if need be; the system frees it when its holder dies."""
    lock = FileLock(target.with_name(target.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tqdm.write(f"waiting for another process that downloads {target}", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _disk_error(error: OSError, source: Remote, target: Path) -> DataError:
    kept = Part(target).size
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        what = f"cannot be written: {error.strerror or error}"
        return DataError(what, where=target, mend="make its folder writable, then run again")
    wanted = "" if source.size is None else f" ({max(0, source.size - kept)} bytes are missing)"
    mend = f"free space{wanted}, then run again: it goes on after the {kept} bytes that were kept"
    return DataError(f"the disk is full while {target.name} is downloaded", where=target.parent, mend=mend)


def _from_any(source: Remote, target: Path, by_hand: Path, progress: bool, patience: Patience) -> None:
    """Download from the first address that delivers."""
    part, failed = Part(target), []
    with Session() as session:
        for url in source.urls:
            try:
                _from_mirror(session, url, source, part, progress, patience)
            except Refused as error:
                failed.append(f"\n  - {url}: {error}")
            else:
                part.become(target)
                return
    raise DataError(f"{target.name} could not be downloaded:{''.join(failed)}", where=target, **_help(source, by_hand))


def _from_mirror(session: Session, url: str, source: Remote, part: Part, progress: bool, patience: Patience) -> None:
    """Fill ``part`` from ``url``, with as many tries as gain bytes or as ``patience`` allows."""
    failures, furthest = 0, part.size if part.kept_from(url) else 0
    while True:
        try:
            return _attempt(session, url, source, part, progress, patience)
        except Wrong:
            _drop(part, url)
            raise
        except Again as error:
            reached = part.size if part.kept_from(url) else 0
            # counted from the furthest byte: a server without ranges, cut off every time, must not go on for ever
            failures, furthest = (1, reached) if reached > furthest else (failures + 1, furthest)
            if isinstance(error, Stale):
                _drop(part, url)
            if failures >= patience.tries:
                raise Refused(f"{error} (given up after {failures} tries)") from error
            if error.wait is not None and error.wait > patience.longest:
                raise Refused(f"{error} (it asks to wait {error.wait:.0f} s)") from error
            patience.sleep(patience.pause(failures, error.wait))


def _drop(part: Part, url: str) -> None:
    """Discard the part if it comes from ``url``; another mirror's is worth keeping."""
    note = part.note()
    if note is None or note.url == url:
        part.discard()


def _attempt(session: Session, url: str, source: Remote, part: Part, progress: bool, patience: Patience) -> None:
    """Ask once, and check everything that arrives."""
    kept = part.kept_from(url)
    start = part.size if kept else 0
    hashes = _Hashes(source)
    if kept and start == kept.size:  # killed between the last byte and the name
        hashes.read(part.path)
        _verify(source, start, hashes)
        return
    with ask(session, url, (patience.connect, patience.read), start, kept) as reply:
        _judge(source, reply)
        if reply.start == 0:
            part.begin(reply.note)
        else:
            hashes.read(part.path)
        size = _receive(reply, source, part, hashes, progress)
    if not reply.framed and source.size is not None and size < source.size:
        raise Again(f"the connection closed after {size} of {source.size} bytes")
    _verify(source, size, hashes)


def _judge(source: Remote, reply: Reply) -> None:
    """Raise if the answer's head already says that this is not the file."""
    if reply.is_page:  # what was kept stays: this may be the login page of the reader's own network
        raise Refused("an HTML page came instead of the file (moved, gone, or wants a login or a click)")
    if wrong := _wrong_size(source, reply.note.size):
        raise Wrong(wrong)
    if not reply.framed and source.size is None and not source.digests:
        raise Refused(
            "the server gives no length, and without a known size or checksum a cut file would pass for whole"
        )


def _receive(reply: Reply, source: Remote, part: Part, hashes: _Hashes, progress: bool) -> int:
    """Append the body to the part and return the part's size; stop at the first byte too many."""
    size, total = reply.start, source.size or reply.note.size
    interval = 0.2 if sys.stderr.isatty() else 10.0
    bar = tqdm(
        desc=f"download {part.path.stem}", total=total, initial=size, disable=not progress,
        unit="B", unit_scale=True, mininterval=interval, maxinterval=interval,
    )  # fmt: skip
    with bar, part.path.open("ab") as file:
        for chunk in reply.chunks:
            size += len(chunk)
            if source.size is not None and size > source.size:
                raise Wrong(f"more than the {source.size} bytes that were expected")
            file.write(chunk)
            hashes.update(chunk)
            bar.update(len(chunk))
    return size


def _verify(source: Remote, size: int, hashes: _Hashes) -> None:
    if wrong := _wrong_size(source, size) or hashes.wrong():
        raise Wrong(wrong)
