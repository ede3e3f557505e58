"""A WebSocket's bytes as slack_sdk's client should get them: a whole frame at a time, and an error where they end.

By itself that client takes the empty read at the end for a pause, and reads on at full speed. A frame that takes longer
than its patience is lost, and with it all that follows. It calls itself anew for every piece of a long message, with a
copy of all that came before. And it may send half of what it is given.
"""

from __future__ import annotations

import socket
from contextlib import suppress

#: Bytes read at once.
PIECE = 1 << 16
#: No message of Slack's comes near.
LONGEST = 4 << 20
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_KNOWN = frozenset({0, _TEXT, _BINARY, _CLOSE, _PING, _PONG})


class Wire:
    """Stands for a connected socket. For one reading thread; whoever writes takes turns."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner, self._come = inner, bytearray()

    def recv(self, size: int) -> bytes:
        """The next frame, as long as it is. What has come of one stays here where the rest is late."""
        while (end := self._end()) is None:
            piece = self._inner.recv(PIECE)
            if not piece:
                raise ConnectionResetError("the other side has closed the connection")
            self._come += piece
        frame = bytes(self._come[:end])
        del self._come[:end]
        return frame

    def _end(self) -> int | None:
        """Where the first frame ends; None while it is not all there."""
        come = self._come
        # The client leaves the end of the last line of the handshake to be read; no frame begins so.
        while come[:1] == b"\n":
            del come[:1]
        if len(come) < 2:
            return None
        # Nothing can be told apart any more in what follows.
        if come[0] & 0x70 or come[0] & 0x0F not in _KNOWN or come[1] & 0x80:
            raise ConnectionResetError("what comes is no WebSocket of Slack's")
        head, length = 2, come[1]
        if length > 125:
            head += 2 if length == 126 else 8
            if len(come) < head:
                return None
            length = int.from_bytes(come[2:head], "big")
        if length > LONGEST:
            raise ConnectionResetError("a message is too long to be one of Slack's")
        return head + length if len(come) >= head + length else None

    def send(self, data: bytes) -> int:
        self._inner.sendall(data)
        return len(data)

    def end(self) -> None:
        """Whoever reads from it stops at once."""
        with suppress(OSError):
            self._inner.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._inner.close()
