"""The beginning of a download that was cut short, and a note of which file on which server it begins."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sodlift.atomic import atomic_file


@dataclass(frozen=True)
class Note:
    """Which version of which file a server delivers.

    Attributes
    ----------
    url : str
        The address asked, before any redirect.
    etag : str
        The server's name for this version, or "".
    last_modified : str
        Its date as an HTTP header, or "".
    size : int or None
        Bytes of the whole file, where the server says.
    """

    url: str
    etag: str
    last_modified: str
    size: int | None

    @property
    def validator(self) -> str:
        """What ``If-Range`` may hold: a strong ETag, else the date, else "" (RFC 9110, section 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def same_version(self, answer: "Note") -> bool:
        """Whether a partial answer continues this file; it may leave out the date (RFC 9110, section 15.3.7)."""
        same_date = answer.last_modified in ("", self.last_modified)
        return same_date and (answer.etag, answer.size) == (self.etag, self.size)


class Part:
    """``<target>.part`` and its note ``<target>.part.json``."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._note_path = target.with_name(target.name + ".part.json")

    @property
    def size(self) -> int:
        """Bytes that were kept."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self) -> Note | None:
        """Return the note; one that is missing or unreadable is None, and the download then starts again."""
        try:
            note = Note(**json.loads(self._note_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        texts = (note.url, note.etag, note.last_modified)
        right = all(isinstance(text, str) for text in texts) and isinstance(note.size, int | None)
        return note if right else None

    def kept_from(self, url: str) -> Note | None:
        """Return the note if what was kept comes from ``url`` and the server can tell whether it has changed since."""
        note = self.note()
        return note if note and note.url == url and note.validator and self.size else None

    def begin(self, note: Note) -> None:
        """Start again with an empty part; the old bytes go first, so that they never meet the new note."""
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._note_path) as aside:
            aside.write_text(json.dumps(asdict(note), indent=1) + "\n", encoding="utf-8")
        self.path.touch()

    def discard(self) -> None:
        """Remove the part and its note."""
        self.path.unlink(missing_ok=True)
        self._note_path.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Rename the complete part to ``target``."""
        self.path.replace(target)
        self._note_path.unlink(missing_ok=True)
