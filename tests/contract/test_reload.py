"""A reload against a database that is locked, a start with people that have changed, and signals that come together."""

from __future__ import annotations

import logging
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from monitor import reloading
from monitor.daemon import Daemon
from monitor.errors import StoreError
from monitor.escalation import outbox as decisions
from monitor.outgoing import MessageState
from monitor.store import facts
from monitor.store.outbox import Outbox
from tests.fakes.world import THREAD, World, angry


@pytest.fixture
def daemon(world: World) -> Daemon:
    world.app.note_rules()
    return Daemon(world.app)


@pytest.fixture
def locked(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Another program holds the database, until it is closed."""
    monkeypatch.setattr(reloading, "AGAIN_AFTER", 0.05)
    world.app.store._writer.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(world.app.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def until(daemon: Daemon, met: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)
        daemon._mind_the_rules()


def problem(world: World) -> object:
    with world.app.store.read() as connection:
        found = facts.recall(connection, "rules_problem")
    return found and found[0]


def fails(daemon: Daemon) -> None:
    with pytest.raises(StoreError):
        until(daemon, lambda: False)


def test_a_broken_set_is_told_even_if_the_database_was_locked_when_it_was_read(
    world: World, daemon: Daemon, locked: sqlite3.Connection
) -> None:
    (world.folder / "rules" / "thread.yaml").write_text(THREAD.replace("high", "hihg"), "utf-8")
    daemon._reloading.ask()
    fails(daemon)
    locked.close()
    until(daemon, lambda: problem(world))
    assert "did you mean" in str(problem(world)) and len(world.app.rules.rules) == 2


def test_a_good_set_is_taken_over_even_if_the_database_was_locked(
    world: World, daemon: Daemon, locked: sqlite3.Connection
) -> None:
    (world.folder / "rules" / "thread.yaml").write_text(THREAD.replace("high", "low"), "utf-8")
    # monitor.yaml is read with it, as was asked for, also the second time.
    config = world.folder / "monitor.yaml"
    config.write_text(config.read_text("utf-8").replace("#alerts", "#elsewhere"), "utf-8")
    daemon._reloading.ask()
    fails(daemon)
    assert world.app.config.slack.channel == "#alerts"
    locked.close()
    until(daemon, lambda: world.app.config.slack.channel == "#elsewhere")
    assert {rule.severity for rule in world.app.rules.rules} == {"low", "critical"}


def test_a_folder_without_any_rule_left_is_refused_at_a_reload_and_at_a_start(world: World, daemon: Daemon) -> None:
    for path in (world.folder / "rules").rglob("*.yaml"):
        path.unlink()
    daemon._reloading.ask()
    until(daemon, lambda: problem(world))
    world.app.close()
    world.app = world.opened()
    world.app.note_rules()
    assert "there is no rule here any more" in str(problem(world)) and len(world.app.rules.rules) == 2


def test_a_channel_that_was_changed_while_nothing_ran_is_the_one_that_is_told(world: World) -> None:
    angry(world)
    world.wait(seconds=30)
    with world.app.store.write() as connection:
        sending = Outbox(connection).claim(Outbox(connection).get(1), world.now, world.now)
        assert sending is not None
        Outbox(connection).save(decisions.after_refused(sending, "is_archived", "archived", world.now, None))
    world.app.close()
    (world.folder / "rules" / "teams.yaml").write_text('social: {channel: "#new"}\n', "utf-8")
    world.app = world.opened()
    world.app.note_rules()
    world.app.delivery.step(world.now)
    with world.app.store.read() as connection:
        (sent,) = Outbox(connection).in_state(MessageState.SENT)
    assert sent.channel == "#new"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_no_lock(daemon: Daemon, number: signal.Signals) -> None:
    """It may have interrupted whoever holds that lock, such as another signal's handler: both would wait for ever."""
    called: list[str] = []
    with daemon._signals():
        handler = signal.getsignal(number)
        assert callable(handler)
        sys.setprofile(lambda frame, event, what: called.append(frame.f_code.co_filename))
        try:
            handler(number, None)
        finally:
            sys.setprofile(None)
    assert called and [file for file in called if file in (threading.__file__, logging.__file__)] == []
