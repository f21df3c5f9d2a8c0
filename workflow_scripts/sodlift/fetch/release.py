"""What a data set, a detector's maps or a weights file was released as: pages, files, checksums, layout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sodlift.errors import ConfigError
from sodlift.fetch.download import Remote
from sodlift.problems import shown

Globs = str | tuple[str, ...]


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release.

    Attributes
    ----------
    name : str
        What it is called here, in the folders of downloads and of manual drops; unique over all releases.
    urls : tuple of str
        Its addresses, in the order in which they are tried; none for a file that comes by hand only.
    size : int or None
        Bytes, where publicly recorded.
    sha256, md5 : str or None
        Checksums, or their leading digits (8 to 16), where publicly recorded.
    checksum_source : str
        Where the checksum is recorded.
    take : mapping of str to str or tuple of str
        By folder of ours, glob patterns of the files inside the archive that go there; ``**`` stands for any folders.
        The pattern ``.`` is the file itself, which is then no archive.

    Raises
    ------
    ConfigError
        If the name is none of a file, a checksum names no source, or an address, size or checksum is malformed.
    """

    name: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    checksum_source: str = ""
    take: Mapping[str, Globs] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ConfigError(f"not a name of a file: {shown(self.name)}", where="name", expected="such as ECSSD.zip")
        if self.remote("").digests and not self.checksum_source:
            raise ConfigError(
                "a checksum without its source",
                where="checksum_source",
                expected="where it is publicly recorded",
                mend="name the record, or leave the checksum out: the first download is then pinned",
            )

    def remote(self, page: str) -> Remote:
        """Return what the downloader needs to know of the file, which ``page`` offers to people."""
        return Remote(self.urls, self.size, self.sha256, self.md5, page)

    def globs(self, folder: str) -> tuple[str, ...]:
        """Return the patterns of what goes to our ``folder``; none where nothing does."""
        globs = self.take.get(folder, ())
        return (globs,) if isinstance(globs, str) else globs


@dataclass(frozen=True)
class Release:
    """Where something can be had.

    Attributes
    ----------
    page : str
        The official page, for people; empty where unknown.
    note : str
        What stands in the way, such as "the host is often down"; empty where nothing does.
    files : tuple of ReleaseFile
        Its files; none where only the page is known.
    """

    page: str = ""
    note: str = ""
    files: tuple[ReleaseFile, ...] = ()

    def files_for(self, folder: str) -> tuple[ReleaseFile, ...]:
        """Return the files of which something goes to our ``folder``."""
        return tuple(file for file in self.files if file.globs(folder))

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Our folders that something goes to, each once."""
        return tuple(dict.fromkeys(folder for file in self.files for folder in file.take))
