"""What zip and tar archives declare of their members, read one after another with a bound on memory and time."""

import bz2
import copy
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from sodlift.errors import DataError

CHUNK = 1 << 20
"""Bytes read at once; a header of a tar may not be longer either, since tarfile holds it in memory."""
_AGAIN = "download it again; if it stays so, use another source or unpack it by hand"


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes
    ----------
    max_bytes : int
        Bytes of all members together, unpacked.
    max_members : int
        Files, folders and skipped members together.
    max_ratio : float
        Unpacked over packed bytes.
    ratio_from : int
        Unpacked bytes from which on the ratio counts: small text may well shrink a thousandfold.
    """

    max_bytes: int = 64 << 30
    max_members: int = 1_000_000
    max_ratio: float = 200.0
    ratio_from: int = 100_000_000


@dataclass(frozen=True)
class Member:
    """One member as its archive declares it.

    Attributes
    ----------
    name : str
        As it stands in the archive: not to be trusted.
    size : int
        Declared bytes.
    kind : str
        "file", "folder" or, in words, what is never unpacked.
    open : callable
        Returns the content as a stream, to be called before the next member is asked for.
    """

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes]]


Reader = Callable[[Path, Limits], Iterator[Member]]


def is_bomb(unpacked: int, packed: int, limits: Limits) -> bool:
    """Whether ``unpacked`` bytes are more than any honest archive of ``packed`` bytes holds."""
    return unpacked >= limits.ratio_from and unpacked > limits.max_ratio * packed


def refusal(archive: Path, what: str, expected: str) -> DataError:
    """Return the error for an archive that is not to be trusted or not whole."""
    return DataError(what, where=archive, expected=expected, mend=_AGAIN)


def too_many(archive: Path, limits: Limits) -> DataError:
    """Return the error for an archive of more than ``limits.max_members`` members."""
    return refusal(archive, "archive has too many members", f"at most {limits.max_members}")


# zip

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MODES = {
    **dict.fromkeys((stat.S_IFCHR, stat.S_IFBLK), "a device"),
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""The flags of encryption: a member's, the strong one, and of the directory."""


def _zip_members(archive: Path, limits: Limits) -> Iterator[Member]:
    with archive.open("rb") as file:
        if _count_zip(file, limits.max_members) > limits.max_members:  # zipfile would hold them all before we count
            raise too_many(archive, limits)
        with zipfile.ZipFile(file) as packed:
            for info in packed.infolist():
                probe = copy.copy(info)
                probe.file_size += 1  # else zipfile would stop where the header says, whatever the stream holds
                # zipfile cuts a name at its NUL
                name = info.orig_filename if "\0" in info.orig_filename else info.filename
                yield Member(name, info.file_size, _zip_kind(info), partial(packed.open, probe))


def _zip_kind(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode in _MODES:
        return _MODES[mode]
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile unpacks the other methods without a bound on its memory
        return f"packed by method {info.compress_type}, where only stored and deflated members are unpacked"
    return "folder" if stat.S_ISDIR(mode) or info.filename.endswith(("/", "\\")) else "file"


def _count_zip(file: IO[bytes], limit: int) -> int:
    """Count the entries of a zip's directory up to ``limit + 1`` without holding them, as ``zipfile`` would.

    The directory's own count is not believed. Layout: PKWARE's APPNOTE 6.3, sections 4.3.12 to 4.3.16.
    """
    size = file.seek(0, io.SEEK_END)
    start = file.seek(max(0, size - (1 << 16) - 98))  # the longest comment and the three end records
    tail = file.read()
    bare = len(tail) - 22  # where the end record lies if no comment follows
    end = bare if tail[bare:].startswith(b"PK\x05\x06") and tail.endswith(b"\0\0") else tail.rfind(b"PK\x05\x06")
    if not 0 <= end <= bare:
        raise zipfile.BadZipFile("its directory is missing, as when a download stops early")
    (directory,) = struct.unpack_from("<L", tail, end + 12)
    if end >= 76 and tail[end - 20 :].startswith(b"PK\x06\x07") and tail[end - 76 :].startswith(b"PK\x06\x06"):
        end -= 76  # zip64: two more records lie before
        (directory,) = struct.unpack_from("<Q", tail, end + 40)
    stop, count = start + end, 0
    if directory > stop:
        raise zipfile.BadZipFile("its directory is cut off")
    place = file.seek(stop - directory)
    while place < stop and count <= limit:
        header = file.read(46)
        if len(header) < 46 or not header.startswith(b"PK\x01\x02"):
            raise zipfile.BadZipFile("its directory is broken")
        place = file.seek(sum(struct.unpack_from("<3H", header, 28)), io.SEEK_CUR)
        count += 1
    return count


# tar

_Unpack = Callable[[Path], io.BufferedIOBase]
_PACKINGS: dict[bytes, _Unpack] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_TAR_KINDS = {
    **dict.fromkeys((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE), "file"),
    **dict.fromkeys((tarfile.CHRTYPE, tarfile.BLKTYPE), "a device"),
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.FIFOTYPE: "a fifo",
}


def _unpacked(archive: Path) -> io.BufferedIOBase:
    return archive.open("rb")


class _TarStream(io.BufferedIOBase):
    """The unpacked bytes of a tar, read forwards only and within the ratio; ``last`` is what was read last."""

    def __init__(self, stream: io.BufferedIOBase, archive: Path, limits: Limits) -> None:
        self._stream, self._archive, self._limits = stream, archive, limits
        self._packed = archive.stat().st_size
        self.last = b""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= CHUNK:
            raise tarfile.ReadError(f"one of its headers declares {size} bytes")
        self._admit(self.tell() + size)
        self.last = self._stream.read(size)
        return self.last

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        if place < self.tell():  # a negative size, which would send tarfile round in circles
            raise tarfile.ReadError("its members overlap")
        self._admit(place)
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _admit(self, place: int) -> None:
        if is_bomb(place - CHUNK, self._packed, self._limits):
            what = f"archive unpacks to more than {self._limits.max_ratio:g} times its size"
            raise refusal(self._archive, what, "an archive of ordinary files")


def _tar_members(unpack: _Unpack, archive: Path, limits: Limits) -> Iterator[Member]:
    with unpack(archive) as file:
        stream = _TarStream(file, archive, limits)
        with tarfile.open(fileobj=stream, mode="r:", encoding="utf-8", errors="surrogateescape") as packed:
            while (info := packed.next()) is not None:
                packed.members.clear()  # type: ignore[attr-defined]  # else it keeps a record of every member
                kind = _TAR_KINDS.get(info.type, "of an unknown type")
                yield Member(info.name, info.size, kind, _opener(packed, info))
        # tarfile takes a broken header for the end
        if stream.last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it stops without an end mark")
        while rest := stream.read(CHUNK):  # to its end, where the checksum of the packing lies
            if rest.strip(b"\0"):
                raise tarfile.ReadError("more follows its end mark")


def _opener(packed: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        stream = packed.extractfile(info)
        if stream is None:
            raise tarfile.ReadError("it has no content")
        return stream

    return opened


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return block == bytes(tarfile.BLOCKSIZE)  # the end mark, first in an empty tar
    return True


# which of them

_BY_HAND = "unpack it by hand and pack it again as zip or tar"
_NO_ARCHIVE = {
    **dict.fromkeys(
        (b"<!doctype html", b"<html", b"<head", b"<!--", b"<?xml"),
        ("looks like a web page", "the link leads to a page, not to the file: download it there by hand"),
    ),
    b"rar!": ("is a RAR archive", _BY_HAND),
    b"7z\xbc\xaf\x27\x1c": ("is a 7z archive", _BY_HAND),
    b"version https://git-lfs": ("is a Git LFS pointer, not the file itself", "download the file that it points to"),
}


def reader_of(archive: Path) -> Reader:
    """Return what lists the members of ``archive``, chosen by its first bytes.

    Raises
    ------
    DataError
        If it is no archive of a known format; the message says what it looks like.
    """
    with archive.open("rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
    if head.startswith(_ZIP):
        return _zip_members
    unpack = next((unpack for magic, unpack in _PACKINGS.items() if head.startswith(magic)), _unpacked)
    with unpack(archive) as stream:
        if _is_tar(stream.read(tarfile.BLOCKSIZE)):
            return partial(_tar_members, unpack)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    looks = (found for magic, found in _NO_ARCHIVE.items() if start.startswith(magic))
    what, mend = next(looks, ("is none, or holds none, that is known" if head else "is empty", _AGAIN))
    raise DataError(
        f"file saved as an archive {what}", where=archive, expected="a zip, tar, tar.gz, tar.bz2 or tar.xz", mend=mend
    )
