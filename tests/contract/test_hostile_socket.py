"""A Slack at the other end of the socket that answers and then goes, sends rubbish, or never answers at all."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.slack.socket import Pace, Socket, SocketState
from monitor.slack.wire import Wire
from tests.contract.test_slack_socket import Listener, connected
from tests.fakes.slack_server import Answer, Fault, Message
from tests.fakes.slack_socket import TEXT, SocketSlack, _Link
from tests.fakes.slack_workspace import APP_TOKEN

Greeting = Callable[["BadSlack", _Link], None]
PATIENT = Pace(
    tick=0.02, ping=0.05, silent=0.6, greeting=0.6, first_wait=0.1, longest_wait=0.4, recheck=0.3, lasting=60
)


class BadSlack(SocketSlack):
    """`then` is done once a connection was greeted."""

    then: Greeting | None = None
    address = ""

    def greet(self, link: _Link) -> None:
        super().greet(link)
        if self.then:
            self.then(self, link)

    def _own(self, method: str, token: str, arguments: Message) -> Answer | None:
        if method == "apps.connections.open" and self.address:
            return {"ok": True, "url": self.address}
        return super()._own(method, token, arguments)


def gone(slack: BadSlack, link: _Link) -> None:
    link.cut()


def leaving(slack: BadSlack, link: _Link) -> None:
    link.send(TEXT, json.dumps({"type": "disconnect", "reason": "refresh_requested"}).encode())


@pytest.fixture
def slack() -> Iterator[BadSlack]:
    with BadSlack() as slack:
        yield slack


def ended(listener: Listener) -> None:
    listener.socket.stop()
    assert listener.socket.join(5)


@pytest.mark.parametrize("then", [gone, leaving])
def test_a_slack_that_greets_and_goes_is_not_asked_at_full_speed(slack: BadSlack, then: Greeting) -> None:
    slack.then = then
    listener = Listener(slack, PATIENT)
    begun = time.monotonic()
    slack.until(lambda: slack.calls("apps.connections.open") >= 6)
    assert time.monotonic() - begun > 1.0
    # It is still heard in the end.
    slack.then = None
    listener.until(lambda health: connected(health) and slack.connections == 1)
    assert slack.acked(slack.send("interactive", {})) == {}
    ended(listener)


@pytest.mark.parametrize("then", [gone, leaving, None])
def test_fifty_reconnects_leave_no_threads(slack: BadSlack, then: Greeting | None) -> None:
    slack.then = then
    if then is None:
        slack.address = "ws://[broken"
    quick = Pace(tick=0.01, ping=0.05, silent=0.6, greeting=0.6, first_wait=0.01, longest_wait=0.01, lasting=60)
    listener = Listener(slack, quick)
    slack.until(lambda: slack.calls("apps.connections.open") >= 5)
    slack.until(lambda: slack.calls("apps.connections.open") >= 55, 60)
    ended(listener)
    slack.until(lambda: not of_the_sdk(), 10)


def of_the_sdk() -> list[str]:
    """Threads that sessions left behind."""
    return [
        one.name
        for one in threading.enumerate()
        if one.name == "closing a socket" or "ThreadPoolExecutor" in one.name or "(_run)" in one.name
    ]


def test_a_pause_without_end_is_not_kept(slack: BadSlack) -> None:
    """Slack asks for a pause of eleven days; whatever that was, people want to click before."""
    slack.script("apps.connections.open", Fault(status=429, error="ratelimited", headers={"Retry-After": "999999"}))
    listener = Listener(slack)
    listener.until(lambda health: health.problem)
    ended(listener)
    waits = []
    made = Socket(APP_TOKEN, lambda *_: None, clock=lambda: datetime.now(UTC), api_url=slack.url, pace=Pace())
    slack.script("apps.connections.open", Fault(status=429, error="ratelimited", headers={"Retry-After": "999999"}))
    waits.append(made._step())
    assert waits[0] <= 600


def test_it_stops_at_once_in_a_pause(slack: BadSlack) -> None:
    slack.script("apps.connections.open", Fault(status=429, error="ratelimited", headers={"Retry-After": "300"}))
    listener = Listener(slack)
    listener.until(lambda health: health.problem)
    listener.socket.stop()
    assert listener.socket.join(1)


def test_a_command_is_not_taken_for_slacks_goodbye(slack: BadSlack) -> None:
    listener = Listener(slack)
    listener.until(connected)
    typed = {"channel_name": "link_disabled", "command": "/brand", "text": "disconnect"}
    # Slack sends no blanks.
    raw = json.dumps({"envelope_id": "e", "type": "slash_commands", "payload": typed}, separators=(",", ":"))
    slack._open()[0].send(TEXT, raw.encode())
    slack.acked("e")
    session = listener.socket._session
    assert session and not session.disabled
    assert not [health for health in listener.told if health.state is SocketState.REFUSED]
    ended(listener)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b'{"type": 3}', b'{"envelope_id": {}, "type": []}',
        b'{"type": "hello", "num_connections": "many"}', b"[" * 50_000, b'{"a":' * 50_000,
        b'{"type": "interactive", "envelope_id": "x", "payload": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"type": "disconnect"}', b'{"type": "disconnect", "reason": {}}', b"9" * 10_000,
    ],
)  # fmt: skip
def test_rubbish_does_not_deafen(slack: BadSlack, raw: bytes) -> None:
    listener = Listener(slack)
    listener.until(connected)
    slack._open()[0].send(TEXT, raw)
    slack.acked(slack.send("interactive", {"a": 1}))
    ended(listener)


@pytest.mark.parametrize(
    "raw", [b"\xf1" + os.urandom(4000), b"\x83\x03abc", b"\x81\x7f" + b"\x7f" * 8, b"\x81\x85\x00\x05hello"]
)
def test_broken_frames_are_outlived(slack: BadSlack, raw: bytes) -> None:
    """After them nothing can be told apart in the stream: another connection is."""
    listener = Listener(slack)
    listener.until(connected)
    with contextlib.suppress(OSError):
        slack._open()[0]._socket.sendall(raw)

    def heard() -> Any:
        return connected(listener.socket.health) and slack.connections

    slack.until(lambda: slack.opened >= 2 and heard())
    slack.acked(slack.send("interactive", {"a": 1}))
    ended(listener)


def test_a_message_without_end_costs_no_memory_without_end(slack: BadSlack) -> None:
    import resource

    listener = Listener(slack)
    listener.until(connected)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    link = slack._open()[0]
    head, piece = b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), b"x" * (1 << 16)

    def flood() -> None:
        with contextlib.suppress(OSError):
            link._socket.sendall(head)
            for _ in range(4000):
                link._socket.sendall(piece)

    flooding = threading.Thread(target=flood, daemon=True)
    flooding.start()
    slack.until(lambda: slack.opened >= 2 and connected(listener.socket.health))
    slack.acked(slack.send("interactive", {"a": 1}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    ended(listener)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 2_000_000])
def test_a_message_arrives_whole_in_pieces_that_come_late(slack: BadSlack, size: int) -> None:
    """A piece takes longer than the client's patience of three seconds."""
    near, far = socket.socketpair()
    near.settimeout(0.05)
    wire = Wire(near)
    if size < 126:
        head = bytes([0x81, size])
    elif size < 1 << 16:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    frame = head + os.urandom(size)
    with near, far:
        far.sendall(frame[:1])
        with pytest.raises(TimeoutError):
            wire.recv(1024)
        sending = threading.Thread(target=far.sendall, args=(frame[1:] + b"\x8a\x00" + frame,))
        sending.start()
        assert [received(wire) for _ in range(3)] == [frame, b"\x8a\x00", frame]
        sending.join()


def received(wire: Wire) -> bytes:
    for _ in range(100):
        with contextlib.suppress(TimeoutError):
            return wire.recv(1024)
    raise AssertionError("nothing came")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_never_answers_the_handshake_is_given_up(slack: BadSlack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slack.address = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        listener = Listener(slack)
        assert "cannot be opened" in listener.until(lambda health: health.problem).problem
        slack.address = ""
        listener.until(connected)
        ended(listener)
