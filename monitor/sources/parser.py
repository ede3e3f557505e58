"""Has documents read by processes that can be killed (`parse_worker`). It reads none itself.

Two processes, so that a document that takes all its time delays no other feed by more than that.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
from contextlib import ExitStack

from monitor.errors import BadDocument, SourceUnavailable
from monitor.sources.address import redact
from monitor.sources.deadline import Deadline
from monitor.sources.parse_worker import receive, send
from monitor.sources.parsed import ParsedFeed

#: The only variables of our environment that a parser's process gets: it must start, and know no secrets.
INHERITED = ("LD_LIBRARY_PATH", "PATH")


class Parser:
    """`seconds`: the most one document may take. `memory`: the most address space of a process, in bytes; one that has
    grown beyond `resident` bytes, or has been `idle` for so many seconds, ends."""

    def __init__(
        self,
        *,
        processes: int = 2,
        seconds: float = 10.0,
        idle: float = 900.0,
        memory: int = 768 * 2**20,
        resident: int = 64 * 2**20,
    ) -> None:
        self._seconds = seconds
        # The last one used is the next: the others may become idle and end.
        self._free: queue.LifoQueue[_Process] = queue.LifoQueue()
        # The process's own limit is for the case that we are no longer here to kill it.
        self._all = tuple(_Process(seconds + 1, idle, memory, resident) for _ in range(processes))
        self._closed = False
        for process in self._all:
            self._free.put(process)

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(self, body: bytes, content_type: str, url: str, deadline: Deadline) -> ParsedFeed:
        """The feed in `body`. BadDocument where it is none or takes too long; SourceUnavailable where no process was
        free or would start before the deadline."""
        shown = redact(url)
        try:
            process = self._free.get(timeout=deadline.left())
        except (queue.Empty, TimeoutError) as error:
            text = f"{shown} was not read: other feeds took too long; it is tried again later."
            raise SourceUnavailable(text) from error
        try:
            if self._closed:
                raise SourceUnavailable(f"{shown} was not read: the monitor is stopping.")
            head = json.dumps({"content_type": content_type, "url": url}).encode()
            refusal, found = process.ask(head, body, deadline, self._seconds)
        except TimeoutError as error:
            raise BadDocument(f"{shown} takes too long to be read, as no feed should.") from error
        except (_NotStarted, _Died) as error:
            if self._closed:
                raise SourceUnavailable(f"{shown} was not read: the monitor is stopping.") from error
            if isinstance(error, _NotStarted):
                raise SourceUnavailable(
                    f"{shown} was not read: the program that reads feeds does not start."
                ) from error
            raise BadDocument(f"{shown} cannot be read: it crashed the program that reads feeds.") from error
        finally:
            self._free.put(process)
        if refusal:
            raise BadDocument(f"{shown} {refusal.decode()}.")
        return ParsedFeed.from_json(found)

    def close(self) -> None:
        """End all processes, also those at work; their polls fail as SourceUnavailable."""
        if self._closed:
            return
        self._closed = True
        for process in self._all:
            process.kill()
        for _ in self._all:
            self._free.get().end()


class _NotStarted(Exception):
    """The process ended, or was late, before it could read anything: nothing is wrong with the document."""


class _Died(Exception):
    """The process ended while it read a document."""


class _Process:
    """One process, started when it is needed. One thread uses it at a time; only `kill` may come from another."""

    def __init__(self, *limits: float) -> None:
        self._limits = [str(limit) for limit in limits]
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def ask(self, head: bytes, body: bytes, deadline: Deadline, seconds: float) -> tuple[bytes, bytes]:
        """The answer, within `seconds` of being asked. Any error ends the process."""
        try:
            answer = self._exchange(head, body, deadline, seconds)
            if answer is None and self.end(patience=1.0) == 0:
                # It had ended of its own will, for idleness or size, before the question came.
                answer = self._exchange(head, body, deadline, seconds)
            if answer is None:
                raise _Died
            return answer
        except BaseException:
            self.end()
            raise

    def _exchange(self, head: bytes, body: bytes, deadline: Deadline, seconds: float) -> tuple[bytes, bytes] | None:
        if self._running is None:
            self._start(deadline)
        assert self._running is not None
        _, channel = self._running
        within = deadline.within(seconds)
        try:
            send(channel, within.left, head, body)
            return receive(channel, within.left)
        except ConnectionError:
            return None

    def _start(self, deadline: Deadline) -> None:
        try:
            self._running = self._spawn()
            ready = receive(self._running[1], deadline.left)
        except OSError as error:
            raise _NotStarted from error
        if ready is None:
            raise _NotStarted

    def _spawn(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, sys.path))
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as failing:
            failing.callback(ours.close)
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "monitor.sources.parse_worker", *self._limits],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=environment,
            )
            failing.pop_all()
        return process, ours

    def kill(self) -> None:
        if self._running:
            self._running[0].kill()

    def end(self, patience: float = 0.0) -> int | None:
        """End the process if it runs, after `patience` seconds; its exit status, None where there was none."""
        if self._running is None:
            return None
        (process, channel), self._running = self._running, None
        channel.close()
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
