"""One request to one server: redirects, ranges, and which failures are worth another try."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from sodlift.fetch._part import Note

_CHUNK = 1 << 16
"""Bytes read at once, and so the most that a killed download loses."""
_REDIRECTS = 10
_BUSY = {408, 425, 429}
"""Answers below 500 that may be another one soon: timeout, too early, too many requests."""


class Again(Exception):
    """The request failed in a way that may pass; ``wait`` is the server's own wish in seconds."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Stale(Again):
    """What was kept does not fit what the server has: it is dropped before the next try."""


class Refused(Exception):
    """This address will not deliver the file."""


class Wrong(Refused):
    """This address delivers another file than the expected one: what was kept of it is dropped."""


class Session(requests.Session):
    """A session that follows redirects over http(s), but never from https to http."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = _REDIRECTS
        # stored bytes are asked for: sizes, ranges and checksums mean nothing for bytes packed on the way
        self.headers.update({"Accept-Encoding": "identity", "User-Agent": "sodlift"})

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return the address that the answer points to, if any.

        Raises
        ------
        Refused
            If it leaves http(s), or https for http.
        """
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        target = urljoin(resp.url, target)
        allowed = {"https"} if urlsplit(resp.url).scheme == "https" else {"http", "https"}
        if urlsplit(target).scheme not in allowed:
            raise Refused(f"redirects to {target}, which is not {' or '.join(sorted(allowed))}")
        return target


@dataclass(frozen=True)
class Reply:
    """The answer to a request for a file.

    Attributes
    ----------
    note : Note
        What the server says of the whole file.
    start : int
        Position of the first byte that is delivered.
    framed : bool
        Whether a body that was cut short can be told from a whole one.
    is_page : bool
        Whether an HTML page is delivered.
    chunks : iterator of bytes
        The body; raises Again where it breaks off.
    """

    note: Note
    start: int
    framed: bool
    is_page: bool
    chunks: Iterator[bytes]


@contextmanager
def ask(session: Session, url: str, timeout: tuple[float, float], start: int, kept: Note | None) -> Iterator[Reply]:
    """Ask ``url`` for its bytes from ``start`` on, if it is still the file that ``kept`` describes, else for all.

    Raises
    ------
    Again
        If the server is busy or the connection fails or stalls (connect and read ``timeout`` in seconds); as Stale,
        if the server's file does not continue what was kept.
    Refused
        If the answer is final, such as 404.
    """
    headers = {"Range": f"bytes={start}-", "If-Range": kept.validator} if kept else {}
    with _network_errors():
        response = session.get(url, headers=headers, timeout=timeout, stream=True)
    with response:
        _judge(response)
        size = _total_of_range(response, start) if response.status_code == 206 else _length(response)
        note = Note(url, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""), size)
        if response.status_code == 206 and (kept is None or not kept.same_version(note)):
            raise Stale("the file on the server has changed")
        chunks = _chunks(response)
        head = next(chunks, b"")
        framed = "Content-Length" in response.headers or _is_chunked(response)
        position = start if response.status_code == 206 else 0
        is_page = position == 0 and _is_page(response.headers.get("Content-Type", ""), head)
        yield Reply(note, position, framed, is_page, _and_rest(head, chunks))


@contextmanager
def _network_errors() -> Iterator[None]:
    """Turn what requests and urllib3 raise into Again or Refused."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise Refused(f"no secure connection: {error}") from error
    except requests.exceptions.TooManyRedirects as error:
        raise Refused(f"more than {_REDIRECTS} redirects") from error
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Again("no answer in time: the connection stalled") from error
    except (
        requests.exceptions.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise Again(f"the connection broke: {error}") from error
    except requests.exceptions.RequestException as error:
        raise Refused(f"not a request that can be made: {error}") from error


def _judge(response: requests.Response) -> None:
    """Raise for every answer but 200 and 206."""
    code = response.status_code
    said = f"HTTP {code} {response.reason or ''}".rstrip()
    if code == 416:
        raise Stale(f"{said}: the file on the server is shorter than what was kept")
    if code in _BUSY or code >= 500:
        raise Again(said, _retry_after(response.headers.get("Retry-After", "")))
    if code not in (200, 206):
        raise Refused(said)


def _retry_after(text: str) -> float | None:
    """Return the seconds that the header asks to wait, given as such or as a date; None where it is absent or odd."""
    if re.fullmatch(r"[0-9]+", text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _total_of_range(response: requests.Response, start: int) -> int | None:
    """Return the size of the whole file, and make sure that the range is the one asked for, up to the end."""
    said = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)", said.strip())
    if not match or int(match[1]) != start or (match[3] != "*" and int(match[2]) + 1 != int(match[3])):
        raise Stale(f"the server sent another range than asked for: {said!r}")
    return None if match[3] == "*" else int(match[3])


def _is_chunked(response: requests.Response) -> bool:
    return "chunked" in response.headers.get("Transfer-Encoding", "").lower()


def _length(response: requests.Response) -> int | None:
    """Return the size of a whole body, where the server says."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and not _is_chunked(response) else None


def _is_page(content_type: str, head: bytes) -> bool:
    opening = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return content_type.lower().startswith(("text/html", "application/xhtml")) or opening.startswith(
        (b"<!doctype html", b"<html")
    )


def _chunks(response: requests.Response) -> Iterator[bytes]:
    with _network_errors():
        # the bytes as sent: some servers call a .tar.gz the packed form of a .tar, and requests would unpack it
        yield from response.raw.stream(_CHUNK, decode_content=False)


def _and_rest(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks
