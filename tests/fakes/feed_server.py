"""Feeds on loopback, served by a real server that misbehaves on demand.

    with FeedServer() as server:
        server.put("/feed.xml", Page(rss(item("1", title="Acme is down")), headers={"ETag": '"a"'}))
        …server.url("/feed.xml")…
        assert server.requests[-1].headers["if-none-match"] == '"a"'

A page answers 304 by itself where the validators it was served with come back. Each connection carries one request.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Page:
    """What a path answers.

    `raw`: these bytes instead of an HTTP answer. `cut`: only so many bytes of the body come. `drip` and `slow_head`:
    seconds between two bytes of the body, of the head. `reset`: the connection breaks before the answer ("head") or in
    the middle of the body ("body").
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/rss+xml; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: int | None = None
    drip: float | None = None
    slow_head: float | None = None
    reset: str = ""


@dataclass(frozen=True)
class Request:
    """As it came; the names of the headers in lower case."""

    path: str
    headers: Mapping[str, str]


NOT_FOUND = Page(b"nothing here", status=404, content_type="text/plain")


class FeedServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._tls = tls
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._pages: dict[str, list[Page]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> FeedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    def put(self, path: str, *pages: Page) -> None:
        """From now on `path` answers the pages one after the other, and the last one for ever."""
        with self._lock:
            self._pages[path] = list(pages)

    def take(self, request: Request) -> Page:
        with self._lock:
            self.requests.append(request)
            pages = self._pages.get(request.path, [NOT_FOUND])
            return pages.pop(0) if len(pages) > 1 else pages[0]

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            return super().finish_request(request, client_address)
        with self._tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


class _Handler(socketserver.StreamRequestHandler):
    server: FeedServer
    connection: socket.socket

    def handle(self) -> None:
        request = self._request()
        if request is None:
            return
        page = self.server.take(request)
        if page.reset == "head":
            return self._reset()
        if page.raw is not None:
            return self._send(page.raw, page.slow_head)
        conditions = {"etag": "if-none-match", "last-modified": "if-modified-since"}
        served = {name.lower(): value for name, value in page.headers.items()}
        asked = {name: request.headers.get(header) for name, header in conditions.items()}
        unchanged = page.status == 200 and any(value and value == served.get(name) for name, value in asked.items())
        body = b"" if unchanged else page.body
        head = {"Content-Type": page.content_type, "Content-Length": str(len(body)), **page.headers}
        lines = [f"HTTP/1.1 {304 if unchanged else page.status} Told", *(f"{k}: {v}" for k, v in head.items() if v)]
        self._send("\r\n".join([*lines, "", ""]).encode("latin-1"), page.slow_head)
        self._send(body[: len(body) // 2] if page.reset else body[: page.cut], page.drip)
        if page.reset:
            self._reset()

    def _request(self) -> Request | None:
        lines: list[str] = []
        while line := self.rfile.readline(65536).decode("latin-1").rstrip("\r\n"):
            lines.append(line)
        if not lines:
            return None
        pairs = (line.partition(":") for line in lines[1:])
        return Request(lines[0].split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})

    def _send(self, data: bytes, pause: float | None) -> None:
        if pause is None:
            self.wfile.write(data)
            return
        for at in range(len(data)):
            self.wfile.write(data[at : at + 1])
            if self.server.stopping.wait(pause):
                return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


# -- documents ---------------------------------------------------------------------------------------------------


def item(id: str | None = None, **elements: str) -> str:
    """An RSS item; `id` is its guid. Elements with a prefix are written `dc__creator`."""
    guid = f'<guid isPermaLink="false">{escape(id)}</guid>' if id is not None else ""
    named = ((name.replace("__", ":"), escape(text)) for name, text in elements.items())
    return f"<item>{guid}{''.join(f'<{name}>{text}</{name}>' for name, text in named)}</item>"


def rss(*items: str, channel: str = "") -> bytes:
    """An RSS 2.0 document; `channel` stands before the items."""
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:wfw="http://wellformedweb.org/CommentAPI/"'
    )
    start = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" {spaces}><channel><title>A feed</title>'
    return "\n".join([start, channel, *items, "</channel></rss>", ""]).encode()


def atom(*entries: str, attributes: str = "") -> bytes:
    """An Atom document of `entries`, each the inside of an entry."""
    spaces = 'xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"'
    start = f'<?xml version="1.0" encoding="utf-8"?>\n<feed {spaces} {attributes}><title>A feed</title>'
    return "\n".join([start, *(f"<entry>{each}</entry>" for each in entries), "</feed>", ""]).encode()
