"""What becomes of a message after each outcome, which one is next, and how the table keeps them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.escalation import outbox as decisions
from monitor.escalation.outbox import Waiting
from monitor.model import Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.store import schema
from monitor.store.outbox import Outbox

NOW = datetime(2026, 11, 14, 12, tzinfo=UTC)
ALERTS, FALLBACK = "#brand-alerts", "#fallback"


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def message(**changes: Any) -> OutboxMessage:
    sending = OutboxMessage(
        id=1,
        op_key="12:1:root:1",
        kind=MessageKind.ROOT,
        state=MessageState.SENDING,
        channel=ALERTS,
        severity=Severity.HIGH,
        created_at=NOW,
        not_before=NOW,
        escalation_id=12,
        attempts=1,
    )
    return replace(sending, **changes)


def unknown(**changes: Any) -> OutboxMessage:
    return decisions.after_unknown(message(**changes), "broke", NOW)


# -- after each outcome ------------------------------------------------------------------------------------------


def test_sent_keeps_its_name_in_slack() -> None:
    sent = decisions.after_sent(unknown(), "C1", "1.2", NOW)
    assert (sent.state, sent.sent_channel, sent.sent_ts, sent.sent_at) == (MessageState.SENT, "C1", "1.2", NOW)
    assert (sent.error, sent.unknown_at) == ("", None)


@pytest.mark.parametrize(
    "asked, waits", [(7, 7), (0, 1), (-5, 1), (999_999, 3600)], ids=["as asked", "zero", "negative", "absurd"]
)
def test_a_limit_is_kept_within_reason(asked: int, waits: int) -> None:
    after = decisions.after_limited(message(), seconds(asked), "limited", NOW)
    assert (after.state, after.not_before) == (MessageState.READY, NOW + seconds(waits))


def test_failures_back_off_up_to_a_minute() -> None:
    waits = [decisions.after_failed(message(attempts=n), "down", NOW).not_before - NOW for n in (1, 2, 5, 6, 99)]
    assert waits == [seconds(s) for s in (2, 4, 32, 60, 60)]


@pytest.mark.parametrize(
    "kind, code, plain, fallback, expected",
    [
        ("root", "invalid_blocks", False, None, ("ready", "root", ALERTS, True)),
        ("root", "invalid_blocks", True, FALLBACK, ("blocked", "root", ALERTS, True)),
        ("root", "is_archived", False, FALLBACK, ("ready", "root", FALLBACK, False)),
        ("root", "is_archived", False, None, ("blocked", "root", ALERTS, False)),
        ("root", "is_archived", False, ALERTS, ("blocked", "root", ALERTS, False)),
        ("root", "a_new_code", False, FALLBACK, ("ready", "root", FALLBACK, False)),
        ("root", "token_revoked", False, FALLBACK, ("blocked", "root", ALERTS, False)),
        ("reply", "is_archived", False, FALLBACK, ("ready", "root", FALLBACK, False)),
        ("reply", "thread_not_found", False, None, ("ready", "root", ALERTS, False)),
        ("update", "message_not_found", False, None, ("ready", "root", ALERTS, False)),
        ("update", "edit_window_closed", False, None, ("ready", "reply", ALERTS, False)),
        ("notice", "not_in_channel", False, FALLBACK, ("ready", "notice", FALLBACK, False)),
    ],
    ids=str,
)
def test_a_refusal_changes_form_or_channel_or_blocks(
    kind: str, code: str, plain: bool, fallback: str | None, expected: tuple[Any, ...]
) -> None:
    refused = message(kind=MessageKind(kind), plain=plain)
    after = decisions.after_refused(refused, code, "no", NOW, fallback)
    assert (after.state, after.kind, after.channel, after.plain) == expected
    assert after.error == "no"


@pytest.mark.parametrize("code", ["is_archived", "message_not_found", "edit_window_closed", "invalid_blocks", "other"])
@pytest.mark.parametrize("kind", list(MessageKind))
def test_refusals_never_go_round_in_circles(kind: MessageKind, code: str) -> None:
    current = message(kind=kind)
    for _ in range(6):
        current = decisions.after_refused(current, code, "no", NOW, FALLBACK)
        if current.state is MessageState.BLOCKED:
            break
    assert current.state is MessageState.BLOCKED
    assert current.channel == ALERTS, "next time it goes first where it was meant to go"
    assert current.not_before == NOW + timedelta(minutes=10)


def test_an_unknown_update_is_made_again_and_all_else_is_looked_for() -> None:
    assert unknown(kind=MessageKind.UPDATE).state is MessageState.READY
    asked = unknown()
    assert (asked.state, asked.not_before - NOW) == (MessageState.UNKNOWN, seconds(30))


def test_absent_in_two_complete_reads_is_sent_again() -> None:
    once = decisions.after_absent(unknown(), NOW + seconds(30))
    assert (once.state, once.not_before - NOW) == (MessageState.UNKNOWN, seconds(90))
    twice = decisions.after_absent(once, NOW + seconds(90))
    assert (twice.state, twice.repeated, twice.absent_reads) == (MessageState.READY, False, 0)


def test_an_unreadable_history_does_not_count_as_absent() -> None:
    once = decisions.after_absent(unknown(), NOW + seconds(30))
    still = decisions.after_unreadable(once, "no", NOW + seconds(90))
    assert (still.state, still.absent_reads) == (MessageState.UNKNOWN, 1)


@pytest.mark.parametrize(
    "severity, after, state",
    [
        (Severity.CRITICAL, 299, MessageState.UNKNOWN),
        (Severity.CRITICAL, 300, MessageState.READY),
        (Severity.HIGH, 86_400, MessageState.UNKNOWN),
    ],
    ids=str,
)
def test_only_a_critical_message_is_repeated_unread(severity: Severity, after: int, state: MessageState) -> None:
    current = decisions.after_unreadable(unknown(severity=severity), "no", NOW + seconds(after))
    assert (current.state, current.repeated) == (state, state is MessageState.READY)


def test_the_floor_goes_by_slacks_clock_and_else_allows_for_ours() -> None:
    assert decisions.floor(NOW - timedelta(hours=1), NOW) == NOW - timedelta(hours=1, seconds=120)
    assert decisions.floor(None, NOW) == NOW - timedelta(hours=2)


# -- which is next -----------------------------------------------------------------------------------------------


def test_critical_goes_first_then_the_oldest() -> None:
    old = message(id=3, created_at=NOW - seconds(9))
    low = message(id=2, severity=Severity.LOW, created_at=NOW - seconds(99))
    critical = message(id=4, severity=Severity.CRITICAL)
    order = []
    waiting = [message(), low, old, critical]
    while waiting:
        chosen = decisions.next_to_send(map(Waiting, waiting), {}, {}, NOW)
        assert isinstance(chosen, Waiting)
        order.append(chosen.message.id)
        waiting.remove(chosen.message)
    assert order == [4, 3, 1, 2]


@pytest.mark.parametrize(
    "last_sent, paused_until, expected",
    [
        (NOW - seconds(1), None, "now"),
        (NOW - seconds(0.4), None, NOW + seconds(0.6)),
        (NOW + timedelta(hours=1), None, "now"),
        (None, NOW + seconds(7), NOW + seconds(7)),
        (NOW, NOW + seconds(0.2), NOW + seconds(1)),
    ],
    ids=["a second passed", "too soon", "the clock was set back", "paused", "both"],
)
def test_a_channel_gets_one_message_a_second(
    last_sent: datetime | None, paused_until: datetime | None, expected: datetime | str
) -> None:
    sent = {ALERTS: last_sent} if last_sent else {}
    paused = {ALERTS: paused_until} if paused_until else {}
    chosen = decisions.next_to_send([Waiting(message())], sent, paused, NOW)
    assert (chosen if isinstance(chosen, datetime) else "now") == expected


def test_a_free_channel_does_not_wait_for_a_paused_one() -> None:
    paused = Waiting(message(id=1, severity=Severity.CRITICAL))
    free = Waiting(message(id=2, channel=FALLBACK))
    assert decisions.next_to_send([paused, free], {}, {ALERTS: NOW + seconds(60)}, NOW) == free


def test_a_reply_is_paced_in_the_channel_of_its_root() -> None:
    reply = Waiting(message(kind=MessageKind.REPLY), root=message(channel=FALLBACK))
    assert decisions.next_to_send([reply], {FALLBACK: NOW}, {}, NOW) == NOW + seconds(1)


def test_nothing_waits() -> None:
    assert decisions.next_to_send([], {}, {}, NOW) is None


# -- the table ---------------------------------------------------------------------------------------------------


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection)
    connection.execute(
        "INSERT INTO escalations (id, brand, scope, rule_id, severity, state, created_at, changed_at)"
        " VALUES (12, 'Acme', 'brand', 'r', 'high', 'open', '', '')"
    )
    yield connection
    connection.close()


def put(outbox: Outbox, kind: str, **other: Any) -> int | None:
    given = {"channel": ALERTS, "severity": Severity.HIGH, "now": NOW, "escalation_id": 12, **other}
    return outbox.enqueue(kind=MessageKind(kind), **given)


def send(outbox: Outbox, id: int) -> OutboxMessage:
    claimed = outbox.claim(outbox.get(id), NOW, NOW)
    assert claimed
    sent = decisions.after_sent(claimed, "C1", f"{id}.0", NOW)
    assert outbox.save(sent)
    return sent


@pytest.mark.parametrize("factory", [None, sqlite3.Row], ids=["tuples", "rows"])
def test_what_is_saved_is_read_back(connection: sqlite3.Connection, factory: Any) -> None:
    connection.row_factory = factory
    outbox = Outbox(connection)
    put(outbox, "root", payload={"text": "è"}, tier=1)
    claimed = outbox.claim(outbox.get(1), NOW, NOW)
    assert claimed and (claimed.op_key, claimed.attempts, claimed.floor_at) == ("12:1:root:1", 1, NOW)
    saved = replace(unknown(), payload={"text": "è"}, floor_at=NOW, plain=True, repeated=True, absent_reads=1)
    assert outbox.save(saved) and outbox.get(1) == saved


def test_an_operation_is_written_once(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    assert (put(outbox, "notice", op_key="a"), put(outbox, "notice", op_key="a")) == (1, None)
    keys = [outbox.get(put(outbox, "reply", tier=2) or 0).op_key for _ in range(2)]
    assert keys == ["12:2:reply:1", "12:2:reply:2"]


def test_one_update_waits_for_all_and_takes_the_higher_severity(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    root, update = put(outbox, "root") or 0, put(outbox, "update") or 0
    assert put(outbox, "update", severity=Severity.CRITICAL) is None
    assert put(outbox, "update", severity=Severity.LOW) is None
    assert outbox.get(update).severity is Severity.CRITICAL
    send(outbox, root)
    outbox.claim(outbox.get(update), NOW, NOW)
    assert put(outbox, "update"), "the one being sent may show things as they were before"


def test_only_one_sender_can_claim_and_sent_is_final(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    ready = outbox.get(put(outbox, "root") or 0)
    claimed = outbox.claim(ready, NOW, NOW)
    assert claimed and outbox.claim(ready, NOW, NOW) is None
    assert outbox.save(decisions.after_sent(claimed, "C1", "1.0", NOW))
    assert not outbox.save(decisions.after_unknown(claimed, "late", NOW))
    assert outbox.get(1).state is MessageState.SENT


def test_the_earliest_floor_stays(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    put(outbox, "root")
    claimed = outbox.claim(outbox.get(1), NOW, NOW)
    assert claimed
    outbox.save(decisions.after_failed(claimed, "down", NOW))
    again = outbox.claim(outbox.get(1), NOW + seconds(60), NOW)
    assert again and again.floor_at == NOW


def test_due_is_the_first_of_each_channel_and_nothing_overtakes_its_root(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    root = put(outbox, "root") or 0
    reply = put(outbox, "reply", severity=Severity.CRITICAL)
    put(outbox, "notice", channel=FALLBACK)
    notice = put(outbox, "notice", channel=FALLBACK, severity=Severity.CRITICAL)
    assert {waiting.message.id for waiting in outbox.due(NOW)} == {root, notice}
    assert outbox.due(NOW - seconds(1)) == () and outbox.next_due(NOW - seconds(1)) == NOW
    sent = send(outbox, root)
    assert {waiting.message.id: waiting.root for waiting in outbox.due(NOW)} == {reply: sent, notice: None}
    assert outbox.root_of(12) == sent and outbox.root_of(13) is None


def test_what_status_shows(connection: sqlite3.Connection) -> None:
    outbox = Outbox(connection)
    first, second = put(outbox, "root") or 0, put(outbox, "notice", now=NOW + seconds(5)) or 0
    claimed = outbox.claim(outbox.get(second), NOW, NOW)
    assert claimed
    outbox.save(decisions.after_impossible(claimed, "no", NOW))
    send(outbox, first)
    assert outbox.counts() == {MessageState.SENT: 1, MessageState.BLOCKED: 1}
    assert [blocked.error for blocked in outbox.in_state(MessageState.BLOCKED)] == ["no"]
    assert (outbox.oldest_waiting(NOW), outbox.muted(NOW)) == (NOW + seconds(5), 0)
    assert outbox.release_blocked(NOW) == 1 and len(outbox.due(NOW)) == 1
