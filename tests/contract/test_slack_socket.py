"""The socket over which Slack tells what people do, against a real WebSocket that misbehaves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.errors import StoreError
from monitor.slack.socket import Health, Pace, Socket, SocketState
from tests.fakes.slack_server import refused
from tests.fakes.slack_socket import SocketSlack
from tests.fakes.slack_workspace import APP_TOKEN

QUICK = Pace(tick=0.02, ping=0.05, silent=0.6, greeting=0.6, first_wait=0.02, longest_wait=0.2, recheck=0.3, lasting=60)


class Listener:
    """A program that listens, and what it heard."""

    def __init__(self, slack: SocketSlack, pace: Pace = QUICK, token: str = APP_TOKEN) -> None:
        self.slack, self.envelopes, self.told = slack, list[tuple[str, str]](), list[Health]()
        self.answer: Callable[[str], Mapping[str, Any] | None] = lambda id: None
        self.socket = Socket(
            token, self._heard, clock=lambda: datetime.now(UTC), changed=self.told.append,
            api_url=slack.url, pace=pace,
        )  # fmt: skip
        self.socket.start()

    def _heard(self, kind: str, id: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.envelopes.append((kind, id))
        return self.answer(id)

    def until(self, met: Callable[[Health], object]) -> Health:
        self.slack.until(lambda: met(self.socket.health))
        return self.socket.health


@pytest.fixture
def slack() -> Iterator[SocketSlack]:
    with SocketSlack() as slack:
        yield slack


@pytest.fixture
def listener(slack: SocketSlack) -> Iterator[Listener]:
    made = Listener(slack)
    yield made
    made.socket.stop()
    assert made.socket.join(5)
    slack.until(lambda: not slack.connections)


def connected(health: Health) -> bool:
    return health.state is SocketState.CONNECTED


def test_what_is_told_is_acknowledged_once_it_was_taken_in(slack: SocketSlack, listener: Listener) -> None:
    taken = threading.Event()
    listener.answer = lambda id: {"response_action": "clear"} if taken.wait(5) else None
    envelope = slack.send("interactive", {"type": "block_actions"})
    slack.until(lambda: listener.envelopes)
    assert not slack.is_acked(envelope)
    taken.set()
    assert slack.acked(envelope) == {"response_action": "clear"}
    assert listener.envelopes == [("interactive", envelope)]


def test_what_could_not_be_taken_in_is_not_acknowledged_and_taken_in_when_it_comes_again(
    slack: SocketSlack, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(id: str) -> None:
        raise StoreError("the database is locked")

    listener.answer = locked
    envelope = slack.send("interactive", {"response_url": "https://hooks.example/very-secret"})
    slack.until(lambda: listener.envelopes)
    listener.answer = lambda id: None
    second = slack.send("interactive", {})
    assert slack.acked(second) == {} and not slack.is_acked(envelope)
    slack.redeliver(envelope)
    assert slack.acked(envelope) == {}
    assert "locked" in caplog.text and "very-secret" not in caplog.text


def test_a_long_message_arrives_whole(slack: SocketSlack, listener: Listener) -> None:
    assert slack.acked(slack.send("interactive", {"view": "x" * 300_000})) == {}


def test_a_session_that_went_deaf_is_built_anew(slack: SocketSlack, listener: Listener) -> None:
    """It is open, and the SDK says that it is connected; only the answers to its pings fail to come."""
    listener.until(connected)
    slack.silent = True
    listener.until(lambda health: not connected(health))
    slack.silent = False
    health = listener.until(connected)
    assert "silent" in health.trouble and health.reconnects == 1 and health.problem == ""
    assert slack.acked(slack.send("interactive", {})) == {}


@pytest.mark.parametrize("politely", [True, False])
def test_a_connection_that_is_cut_is_built_anew(slack: SocketSlack, listener: Listener, politely: bool) -> None:
    listener.until(connected)
    slack.hang_up(politely=politely)
    health = listener.until(lambda health: connected(health) and health.reconnects)
    assert "closed" in health.trouble
    assert slack.acked(slack.send("interactive", {})) == {}


def test_before_slack_closes_a_connection_the_next_one_is_open(slack: SocketSlack, listener: Listener) -> None:
    listener.until(connected)
    slack.goodbye()
    slack.until(lambda: slack.opened == 2 and slack.connections == 1)
    assert slack.acked(slack.send("interactive", {})) == {}
    assert not [health for health in listener.told if health.state is not SocketState.CONNECTED]
    assert listener.socket.health.problem == ""


def test_a_slack_that_opens_but_does_not_greet_is_tried_again(slack: SocketSlack) -> None:
    slack.silent = True
    listener = Listener(slack)
    health = listener.until(lambda health: health.problem)
    assert "hello" in health.problem
    slack.silent = False
    assert listener.until(connected).problem == ""
    listener.socket.stop()
    assert listener.socket.join(5)


def test_another_program_with_the_same_token_is_named_until_it_is_gone(slack: SocketSlack, listener: Listener) -> None:
    listener.until(connected)
    slack.counted = 3
    slack.goodbye()
    assert "Another program" in listener.until(lambda health: health.problem).problem
    slack.counted = None
    listener.until(lambda health: not health.problem)


def test_a_token_that_slack_refuses_is_told_with_what_to_click(
    slack: SocketSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    listener = Listener(slack, token="xapp-wrong-token")
    health = listener.until(lambda health: health.problem)
    assert health.state is SocketState.REFUSED and "App-Level Tokens" in health.problem
    slack.workspace.app_token = "xapp-wrong-token"
    slack.script("apps.connections.open", refused("missing_scope"))
    assert "connections:write" in listener.until(lambda health: "missing_scope" in health.problem).problem
    listener.until(connected)
    listener.socket.stop()
    assert listener.socket.join(5)
    assert "wrong-token" not in caplog.text + repr(listener.told) and "ticket" not in caplog.text


def test_socket_mode_that_is_switched_off_is_told(slack: SocketSlack, listener: Listener) -> None:
    listener.until(connected)
    slack.goodbye("link_disabled")
    listener.until(lambda health: "Socket Mode is switched off" in health.problem)
    listener.until(connected)


def test_it_ends_at_once_even_while_slack_is_silent(slack: SocketSlack) -> None:
    listener = Listener(slack, Pace(tick=5))
    listener.until(connected)
    slack.silent = True
    listener.socket.stop()
    assert listener.socket.join(1)
    slack.until(lambda: not slack.connections)
