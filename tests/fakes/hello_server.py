"""One end of a WebSocket that says one thing to whoever comes, or nothing, and waits to be left."""

from __future__ import annotations

import base64
import hashlib
import socketserver
import threading

_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class HelloServer(socketserver.ThreadingTCPServer):
    """`says` is its one message; "" leaves the caller without. With `takes_calls` off it refuses the handshake."""

    daemon_threads = True

    def __init__(self, says: str, *, takes_calls: bool = True) -> None:
        self.says, self.takes_calls = says, takes_calls
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server_address[1]}/link?ticket=very-secret"

    def __enter__(self) -> HelloServer:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(socketserver.StreamRequestHandler):
    server: HelloServer

    def handle(self) -> None:
        lines = list(iter(lambda: self.rfile.readline().strip(), b""))
        headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
        if not self.server.takes_calls:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + _KEY).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.wfile.write(answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        if said := self.server.says.encode():
            self.wfile.write(b"\x81\x7e" + len(said).to_bytes(2, "big") + said)
        while self.rfile.read(1):
            pass
