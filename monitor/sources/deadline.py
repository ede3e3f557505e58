"""One deadline over many blocking calls: connecting, every read and write of a socket. It cancels nothing by itself.

A socket's own timeout starts anew with each call, so that a server that drips bytes would hold a poll for ever.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from typing import Any, cast


class Deadline:
    """The moment `seconds` from now on `clock`, a monotonic clock in seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds left, more than 0; TimeoutError when the moment has passed."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def within(self, seconds: float) -> Deadline:
        """A deadline `seconds` from now, or this one where it comes first."""
        return Deadline(min(seconds, self.left()), self._clock)


class TimedSocket:
    """What http.client needs of a socket, every call within the deadline. Closing it is the caller's business."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._deadline.left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._deadline))

    def close(self) -> None:
        """http.client closes its socket while the answer is still read; a real one counts its files."""

    def as_socket(self) -> socket.socket:
        """Itself, for interfaces that are typed for real sockets."""
        return cast(socket.socket, self)


class _Reader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(buffer)
