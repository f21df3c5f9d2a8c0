"""A file server on this machine that misbehaves as a test asks."""

import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers with the next of the path's planned behaviours, and with `serve` when they are used up."""

    protocol_version = "HTTP/1.1"
    server: "FileServer"

    def do_GET(self) -> None:
        site = self.server.site
        with site.lock:
            site.requests.append((self.path, self.headers.get("Range", "")))
            planned = site.plans.get(self.path, [])
            behaviour = planned.pop(0) if planned else site.usual.get(self.path, not_found)
        try:
            behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, which is what the test wants

    def send(self, data: bytes) -> None:
        with self.server.site.lock:  # counted first, since the client may be done before this thread goes on
            self.server.site.bytes_sent += len(data)
        self.wfile.write(data)

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


Behaviour = Callable[[Handler], None]


class FileServer(ThreadingHTTPServer):
    """The server of one site."""

    daemon_threads = True
    site: "Site"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up, since they are what the tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Site:
    """What the server does and did: ``plans`` are used up one a request, ``usual`` stays."""

    url: str
    usual: dict[str, Behaviour] = field(default_factory=dict)
    plans: dict[str, list[Behaviour]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bytes_sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_site() -> Iterator[Site]:
    server = FileServer(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.site
    finally:
        server.site.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _cut(handler: Handler, body: bytes, stop: int | None, reset: bool) -> None:
    handler.send(body[:stop])
    if stop is not None:
        handler.close_connection = True
        if reset:  # a linger of 0 s makes closing a reset
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.wfile.close()
            handler.rfile.close()
            handler.connection.close()


def serve(
    data: bytes, etag: str = '"v1"', stop: int | None = None, reset: bool = False, **headers: object
) -> Behaviour:
    """Deliver a file as RFC 9110 says, with ranges; only ``stop`` bytes of the body where given."""

    def behave(handler: Handler) -> None:
        asked = re.fullmatch(r"bytes=([0-9]+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked and handler.headers.get("If-Range") == etag else 0
        if asked and start >= len(data):
            return handler.head(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
        partial = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.head(206 if start else 200, ETag=etag, Content_Length=len(data) - start, **partial, **headers)
        _cut(handler, data[start:], stop, reset)

    return behave


def serve_whole(data: bytes, stop: int | None = None, **headers: object) -> Behaviour:
    """Deliver all of a file, whatever range is asked for."""

    def behave(handler: Handler) -> None:
        handler.head(200, Content_Length=len(data), **headers)
        _cut(handler, data, stop, reset=False)

    return behave


def serve_unframed(data: bytes) -> Behaviour:
    """Deliver a file whose end is the end of the connection."""

    def behave(handler: Handler) -> None:
        handler.head(200, Connection="close")
        handler.send(data)

    return behave


def serve_chunked(data: bytes) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked")
        handler.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    return behave


def stall(data: bytes, after: int) -> Behaviour:
    """Deliver the beginning and then nothing, until the test is over."""

    def behave(handler: Handler) -> None:
        handler.head(200, ETag='"v1"', Content_Length=len(data))
        handler.send(data[:after])
        handler.server.site.over.wait(30)
        handler.close_connection = True

    return behave


def answer(status: int, body: bytes = b"", **headers: object) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.head(status, Content_Length=len(body), **headers)
        handler.send(body)

    return behave


not_found = answer(404)
