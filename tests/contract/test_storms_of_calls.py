"""Storms of calls, reminders and pointers; and clicks and mutes in a storm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor import told
from monitor.escalation.events import Acknowledge, Resolve
from monitor.model import Outcome, State
from monitor.outgoing import MessageKind, MessageState
from monitor.store.outbox import Outbox
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.slack_server import refused
from tests.fakes.storm import TWO_TIERS, buttons, escalate_many, happen, settle, start, tiers_told

# -- many calls --------------------------------------------------------------------------------------------------------


def test_the_next_tier_hears_of_many_in_one_message_and_is_called_once(bench: Bench) -> None:
    escalate_many(bench, 40, rule=TWO_TIERS)
    delivery = bench.delivery()
    bench.run(delivery, minutes=0.5)
    for id in range(1, 11):
        happen(bench, id, Acknowledge("anna"))
    bench.now += timedelta(minutes=16)
    settle(bench)
    bench.run(delivery, minutes=1)
    (leads,) = bench.slack.posts("fallback")
    assert "30 discussions that nobody has taken" in block_kit.words(leads)
    assert block_kit.pings(leads) == ["<!subteam"]
    assert "Handled in #brand-alerts" in block_kit.words(leads)
    # The home channel hears it once as well, and no thread is written for it.
    assert len([post for post in bench.slack.posts("brand-alerts") if not post.get("thread_ts")]) == 2
    for id in range(11, 41):
        happen(bench, id, Acknowledge("anna"))
    bench.run(delivery, minutes=1)
    assert "30 discussions, all taken" in block_kit.words(bench.slack.posts("fallback")[0])


def test_a_few_calls_of_folded_escalations_give_them_messages(bench: Bench) -> None:
    delivery = start(bench)
    for id in (3, 4):
        bench.enqueue(
            MessageKind.REPLY, id, payload={"text": "anna has it and it is not resolved yet.", "notify": ["U1A"]}
        )
    bench.run(delivery, minutes=0.5)
    _, *own = bench.slack.posts("brand-alerts")
    assert len(own) == 4 and len([post for post in own if post.get("thread_ts")]) == 2


def test_many_reminders_in_threads_make_one_message(bench: Bench) -> None:
    """Their own messages stand there; what is to be said of all at once is said in the channel."""
    delivery = bench.delivery()
    for _ in range(4):
        escalate_many(bench, 9)
        bench.run(delivery, minutes=0.5)
        bench.now += timedelta(minutes=2)
    assert len(bench.slack.posts("brand-alerts")) == 36
    for id in range(1, 37):
        bench.enqueue(MessageKind.REPLY, id, payload={"text": "Still open.", "notify": ["S0LEADS"]})
    bench.run(delivery, minutes=1)
    (said,) = bench.slack.posts("brand-alerts")[36:]
    assert "36 discussions that nobody has taken" in block_kit.words(said) and not said.get("thread_ts")
    assert block_kit.pings(said) == ["<!subteam"]


def test_calls_are_kept_current_and_end_without_buttons(bench: Bench) -> None:
    bench.alert()
    bench.enqueue(MessageKind.CALL, 1, channel="#fallback", payload={"text": "Nobody has taken it.", "tier": 2})
    delivery = bench.delivery()
    bench.run(delivery)
    for _ in range(3):
        bench.enqueue(MessageKind.UPDATE, 1)
    waiting = [m for m in bench.messages() if m.state is MessageState.READY]
    assert [m.payload.get("of") for m in waiting] == [2, None]
    with bench.store.write() as connection:
        connection.execute("UPDATE escalations SET state = 'resolved', resolved_by = 'anna'")
    bench.run(delivery)
    (call,) = bench.slack.posts("fallback")
    assert "Resolved" in block_kit.words(call) and not buttons(call)
    assert bench.slack.calls("chat.update") == 2


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "is_archived"])
def test_a_call_that_can_no_longer_be_changed_is_left_alone(bench: Bench, code: str) -> None:
    bench.alert()
    bench.enqueue(MessageKind.CALL, 1, channel="#fallback", payload={"text": "Nobody has taken it.", "tier": 2})
    delivery = bench.delivery()
    bench.run(delivery)
    bench.slack.script("chat.update", refused(code))
    bench.enqueue(MessageKind.UPDATE, 1, payload={"of": 2})
    bench.run(delivery)
    assert set(bench.states()) == {MessageState.SENT}
    assert len(bench.slack.posts("brand-alerts")) == len(bench.slack.posts("fallback")) == 1


def test_pointers_to_another_channel_are_one_message_too(bench: Bench) -> None:
    delivery = start(bench)
    for id in range(1, 41):
        bench.enqueue(MessageKind.NOTICE, id, channel="#fallback", payload={"text": "Loud: handled in #brand-alerts."})
    bench.run(delivery, minutes=0.5)
    (post,) = bench.slack.posts("fallback")
    assert "40 discussions that other teams handle" in block_kit.words(post) and not buttons(post)


# -- clicks, mutes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [MessageState.SENDING, MessageState.UNKNOWN, MessageState.READY])
def test_a_click_proves_that_a_message_stands_there(bench: Bench, state: MessageState) -> None:
    escalate_many(bench, 1)
    with bench.store.write() as connection:
        connection.execute("UPDATE outbox SET state = ?, floor_at = created_at", [state])
        ts = f"{bench.now.timestamp():.6f}"
        assert told.adopt(connection, 1, 1, "C00000001", ts, bench.now)
        assert not told.adopt(connection, 1, 1, "C00000001", ts, bench.now)
    assert tiers_told(bench) == 1
    bench.run(bench.delivery())
    (message,) = bench.messages()
    assert (message.state, message.sent_ts, bench.slack.posts("brand-alerts")) == (MessageState.SENT, ts, [])


def test_a_click_on_a_summary_tells_all(bench: Bench) -> None:
    escalate_many(bench, 30)
    delivery = bench.delivery()
    bench.slack.script("chat.postMessage", refused("fatal_error"))
    delivery.step(bench.now), delivery.step(bench.now)
    with bench.store.write() as connection:
        assert told.adopt(connection, 31, 0, "C00000001", f"{bench.now.timestamp():.6f}", bench.now)
    delivery.step(bench.now)
    assert tiers_told(bench) == 30


def test_a_summary_of_what_was_muted_meanwhile_waits_for_the_end(bench: Bench) -> None:
    escalate_many(bench, 30)
    delivery = bench.delivery()
    delivery.step(bench.now)
    bench.mute("storm", hours=1)
    with bench.store.read() as connection:
        assert Outbox(connection).muted(bench.now) == 1
    bench.run(delivery, minutes=59)
    assert bench.slack.posts("brand-alerts") == []
    bench.run(delivery, minutes=61)
    assert len(bench.slack.posts("brand-alerts")) == 1


def test_states_of_all_are_counted(bench: Bench) -> None:
    delivery = start(bench, 30)
    for id in range(1, 4):
        happen(bench, id, Resolve("anna", Outcome.NO_ACTION))
    happen(bench, 4, Acknowledge("anna"))
    bench.run(delivery, minutes=0.5)
    words = block_kit.words(bench.slack.posts("brand-alerts")[0])
    assert "26 open" in words and "1 taken" in words and "3 resolved" in words and State.OPEN.value in words
