"""Archives unpacked safely: inspected member by member before anything is written, then built aside and renamed."""

import lzma
import re
import shutil
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sodlift.atomic import atomic_folder
from sodlift.errors import DataError
from sodlift.fetch.members import CHUNK, Limits, Member, is_bomb, reader_of, refusal, too_many
from sodlift.problems import shown
from sodlift.progress import track

_LONGEST_PART, _LONGEST_NAME = 255, 1024
"""Bytes of a file's name, which file systems set, and of its path inside the archive."""
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db"}
"""What desktops leave in archives."""
_BAD_NAMES = {
    re.compile(r"^/"): "has an absolute path",
    re.compile(r"(^|/)[A-Za-z]:"): "has a drive letter",
    re.compile(r"(^|/)\.\.(/|\Z)"): "climbs out of its folder by '..'",
    re.compile(r"[\x00-\x1f\x7f]"): "has a control character in its name",
    re.compile(r"[\ud800-\udfff]"): "has a name that is not UTF-8",
}
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, NotImplementedError, RecursionError),
)
"""What the standard library raises for damaged archives; headers of headers of headers end in a RecursionError."""
_DEFAULT = Limits()


@dataclass(frozen=True)
class Extracted:
    """What was unpacked: the number of ``files``, their ``bytes``, and the members ``skipped`` as desktops' litter."""

    files: int
    bytes: int
    skipped: int


def extract(
    archive: Path,
    target: Path,
    limits: Limits = _DEFAULT,
    progress: bool = False,
    place: Callable[[str], str | None] = lambda path: path,
) -> Extracted:
    """Unpack a zip, tar, tar.gz, tar.bz2 or tar.xz into the new folder ``target``, which appears whole or not at all.

    Every member is inspected before anything is written, and again, with its bytes counted, while it is written. A
    packed tar is therefore unpacked twice. Permissions, owners and times are not taken over; backslashes are read as
    the separators that some Windows programs mean by them.

    Parameters
    ----------
    archive : Path
        The archive; its suffix does not matter.
    target : Path
        A folder that is absent or empty.
    limits : Limits
        Size, number of members and ratio that are accepted.
    progress : bool
        Whether a bar counts the members.
    place : callable
        Maps the path of each file in the archive to its path below ``target``; None leaves it out.

    Returns
    -------
    Extracted
        Files and bytes written, members skipped.

    Raises
    ------
    DataError
        If the archive is missing, no archive, empty, damaged or encrypted; if it is beyond the limits or larger than
        the free space; if a member leaves the folder, is a link or a device, or shares its name with another, be it
        in another case or Unicode normal form; or if ``target`` exists and is not empty.
    """
    with _told(archive, "archive"):
        members = reader_of(archive)
        inspection = _Inspection(archive, limits)
        for member in members(archive, limits):
            inspection.admit(member)
    if not inspection.files:
        raise refusal(archive, "archive holds no file", "at least one file that is not a desktop's litter")
    _need_space(archive, target, inspection.bytes)
    with _told(archive, "archive"), atomic_folder(target) as part:
        again = _Inspection(archive, limits)
        entries = members(archive, limits)
        for member in track(entries, f"unpack {archive.name}", inspection.members, "member") if progress else entries:
            path = again.admit(member)
            placed = place(path) if path and member.kind == "file" else path
            if placed:
                _write(archive, member, part / placed)
    return Extracted(again.files, again.bytes, again.skipped)


class _Inspection:
    """Counts and names of the members so far; ``admit`` refuses the first one that is not safe."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._packed = archive.stat().st_size
        self._folders: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self.members = self.files = self.bytes = self.skipped = 0

    def admit(self, member: Member) -> str:
        """Return the member's path below the target; empty where there is nothing to write."""
        self.members += 1
        self._admit_amount(member)
        if member.kind not in ("file", "folder"):
            raise self._refusal(member, f"is {member.kind}", "plain files and folders")
        path = self._admit_name(member)
        if not _LITTER.isdisjoint(path.split("/")):
            self.skipped += member.kind == "file"
            return ""
        if member.kind == "folder":
            if member.size:
                raise self._refusal(member, f"is a folder and a file of {member.size} bytes at once", "one of them")
            self._admit_folder(member, path)
            return path
        self._admit_file(member, path)
        self.files += 1
        self.bytes += member.size
        return path

    def _admit_amount(self, member: Member) -> None:
        limits, total = self._limits, self.bytes + member.size
        if self.members > limits.max_members:
            raise too_many(self._archive, limits)
        if total > limits.max_bytes:
            raise self._refusal(member, f"brings the archive to {total} bytes", f"at most {limits.max_bytes} bytes")
        if is_bomb(total, self._packed, limits):
            what = f"brings the archive to {total / self._packed:.0f} times its packed size"
            raise self._refusal(member, what, f"at most {limits.max_ratio:g} times")

    def _admit_name(self, member: Member) -> str:
        name = member.name.replace("\\", "/")
        for pattern, what in _BAD_NAMES.items():
            if pattern.search(name):
                raise self._refusal(member, what, "relative UTF-8 names below the archive's own folder")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        path = "/".join(parts)
        if len(path.encode()) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in parts):
            expected = f"at most {_LONGEST_PART} bytes a name and {_LONGEST_NAME} bytes a path"
            raise self._refusal(member, "has too long a name", expected)
        if not path and member.kind == "file":
            raise self._refusal(member, "is a file without a name", "a name")
        return path

    def _admit_folder(self, member: Member, path: str) -> None:
        while path and (key := _key(path)) not in self._folders:
            if key in self._files:
                raise self._refusal(member, f"makes {shown(path)} a file and a folder at once", "one of them")
            self._folders[key] = path
            path = path.rpartition("/")[0]
        if path and self._folders[key] != path:
            raise self._refusal(
                member, f"differs from the folder {shown(self._folders[key])} only in spelling", "one spelling"
            )

    def _admit_file(self, member: Member, path: str) -> None:
        key = _key(path)
        if key in self._files:
            what = f"has the name of {shown(self._files[key])}, but for case and Unicode form"
            raise self._refusal(member, what, "each name once")
        if key in self._folders:
            raise self._refusal(member, f"makes {shown(path)} a file and a folder at once", "one of them")
        self._admit_folder(member, path.rpartition("/")[0])
        self._files[key] = path

    def _refusal(self, member: Member, what: str, expected: str) -> DataError:
        return refusal(self._archive, f"member {shown(member.name)} {what}", expected)


def _key(path: str) -> str:
    """Return what file systems that ignore case or Unicode form would take ``path`` for."""
    return unicodedata.normalize("NFC", path.casefold())


@contextmanager
def _told(archive: Path, what: str) -> Iterator[None]:
    """Turn what the standard library raises into one DataError that says what of the archive is damaged."""
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not a decoder's
            told = f"{what} cannot be unpacked: {error.strerror}"
            raise DataError(told, where=archive, mend="check the path, its rights and the free space") from error
        raise refusal(archive, f"{what} is damaged: {error or type(error).__name__}", "a whole archive") from error


def _need_space(archive: Path, target: Path, size: int) -> None:
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    free = shutil.disk_usage(existing).free
    if size > free:
        raise DataError(
            f"not enough disk space: {size} bytes to unpack, {free} free at {existing}",
            where=archive,
            mend=f"free {size - free} bytes or choose a folder on another disk",
        )


def _write(archive: Path, member: Member, file: Path) -> None:
    """Write one member; its bytes are counted, since a header can say less than the stream holds."""
    with _told(archive, f"member {shown(member.name)}"):
        if member.kind == "folder":
            file.mkdir(parents=True, exist_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        # "x", should the file system fold names in yet another way
        with member.open() as source, file.open("xb") as sink:
            while written <= member.size and (chunk := source.read(CHUNK)):
                written += len(chunk)
                sink.write(chunk)
    if written != member.size:
        amount = "more" if written > member.size else f"only {written}"
        what = f"member {shown(member.name)} declares {member.size} bytes and holds {amount}"
        raise refusal(archive, what, "true sizes")
