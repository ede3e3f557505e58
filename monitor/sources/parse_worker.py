"""The process that reads documents for `parser`: one after the other over a socket that is its standard input.

A document's regular expressions can run for hours and hold the interpreter's lock, so this process kills itself when a
document's time is over, and ends when the daemon does, after long idleness, or when a document made it large.
"""

from __future__ import annotations

import json
import resource
import select
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

HEAD = struct.Struct(">II")
#: Bytes of one message, at the most: a document, or what was read from it.
MOST = 64 * 2**20
#: The first message of a process: from here on, the time is the document's.
READY = b"ready"

Left = Callable[[], float | None]


def send(channel: socket.socket, left: Left, head: bytes, body: bytes = b"") -> None:
    """Send a message; `left` gives the seconds left for each step, None without end."""
    for part in (HEAD.pack(len(head), len(body)), head, body):
        channel.settimeout(left())
        channel.sendall(part)


def receive(channel: socket.socket, left: Left) -> tuple[bytes, bytes] | None:
    """The next message; None when the other side has ended."""
    head = _exactly(channel, HEAD.size, left)
    sizes = HEAD.unpack(head) if head is not None else (MOST, MOST)
    if sum(sizes) > MOST:
        return None
    first, second = (_exactly(channel, size, left) for size in sizes)
    return None if first is None or second is None else (first, second)


def _exactly(channel: socket.socket, size: int, left: Left) -> bytes | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        channel.settimeout(left())
        try:
            got = channel.recv_into(view)
        except ConnectionError:
            return None
        if not got:
            return None
        view = view[got:]
    return bytes(data)


def forever() -> None:
    """No limit of time."""


def main(seconds: float, idle: float, memory: int, resident: int) -> None:
    """Serve until there is a reason to end. `memory` is the most address space, in bytes; a process that has grown to
    more than `resident` bytes ends after its answer, to give them back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from monitor.sources import document

    with suppress(ConnectionError), socket.socket(fileno=0) as channel:
        send(channel, forever, READY)
        while select.select([channel], [], [], idle)[0]:
            message = receive(channel, forever)
            if message is None:
                return
            # Its default action ends the process also inside a regular expression, and when nobody waits any more.
            signal.setitimer(signal.ITIMER_REAL, seconds)
            send(channel, forever, *_answer(document.read, *message))
            signal.setitimer(signal.ITIMER_REAL, 0)
            if _resident() > resident:
                return


def _resident() -> int:
    """Bytes in memory. getrusage would tell the daemon's: its `ru_maxrss` outlives fork and exec."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def _answer(read: Callable[..., object], head: bytes, body: bytes) -> tuple[bytes, bytes]:
    from monitor.sources.parsed import ParsedFeed, Unreadable

    try:
        found = read(body, **json.loads(head))
        assert isinstance(found, ParsedFeed)
        return b"", found.to_json()
    except Unreadable as error:
        return str(error).encode("utf-8", "replace"), b""
    except MemoryError:
        return b"needs more memory to be read than any feed should", b""
    # Whatever a document brings a parser to raise, it is the document's fault; the next one is read all the same.
    except Exception as error:
        return f"cannot be read ({type(error).__name__})".encode(), b""


if __name__ == "__main__":
    import sys

    main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
