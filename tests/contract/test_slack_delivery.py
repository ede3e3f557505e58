"""Delivery over a real database against a Slack that misbehaves: messages arrive, or are seen to wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from monitor.model import Author, Scope, Severity
from monitor.outgoing import MessageKind, MessageState
from monitor.slack.client import SlackCheck, SlackMessenger
from monitor.slack.console import ConsoleMessenger
from monitor.slack.messages import Delivered, Message
from monitor.store import escalations
from monitor.store.outbox import Outbox
from tests.fakes import block_kit
from tests.fakes import slack_server as faults
from tests.fakes.bench import ALERTS, NOON, POST, Bench
from tests.fakes.slack_server import refused


def test_an_alert_arrives(bench: Bench) -> None:
    bench.alert()
    bench.run(bench.delivery())
    (post,), (message,) = bench.slack.posts("brand-alerts"), bench.messages()
    assert "Down again" in block_kit.words(post)
    assert (message.state, message.sent_channel, message.sent_ts) == (MessageState.SENT, "C00000001", post["ts"])
    assert post["unfurl_links"] is False and post["parse"] == "none"


# -- limits and refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, pause", [(faults.RATE_LIMITED, 7), (faults.RATE_LIMITED_WITHOUT_A_TIME, 30)], ids=["7 s", "no time given"]
)
def test_a_limit_pauses_the_whole_channel(bench: Bench, fault: faults.Fault, pause: int) -> None:
    bench.alert()
    bench.alert()
    bench.alert(channel="#fallback")
    bench.slack.script(POST, fault)
    bench.run(bench.delivery())
    times = [float(post["ts"]) - NOON.timestamp() for post in bench.slack.posts("brand-alerts")]
    assert times == pytest.approx([pause, pause + 1], abs=0.01)
    assert float(bench.slack.posts("fallback")[0]["ts"]) - NOON.timestamp() < 1


def test_an_archived_channel_leads_to_the_fallback_channel(bench: Bench) -> None:
    escalation = bench.alert()
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": "News"})
    bench.slack.archived.add("brand-alerts")
    bench.run(bench.delivery(fallback="#fallback"))
    root, reply = bench.slack.posts("fallback")
    assert "Meant for #brand-alerts" in block_kit.words(root)
    assert reply["thread_ts"] == root["ts"]


def test_where_no_channel_takes_it_a_message_is_blocked_visibly_until_one_is_mended(bench: Bench) -> None:
    bench.alert()
    bench.slack.archived.update({"brand-alerts", "fallback"})
    delivery = bench.delivery(fallback="#fallback")
    bench.run(delivery)
    (message,) = bench.messages()
    assert (message.state, message.channel) == (MessageState.BLOCKED, ALERTS)
    assert "Unarchive" in message.error
    bench.slack.archived.clear()
    bench.run(delivery, minutes=11)
    assert (len(bench.slack.posts("brand-alerts")), len(bench.slack.posts("fallback"))) == (1, 0)


def test_a_reload_tries_blocked_messages_at_once(bench: Bench) -> None:
    bench.alert()
    bench.slack.not_joined.add("brand-alerts")
    delivery = bench.delivery()
    bench.run(delivery)
    assert "/invite" in bench.messages()[0].error
    bench.slack.not_joined.clear()
    assert delivery.retry_blocked(bench.now) == 1
    bench.run(delivery, minutes=0.1)
    assert bench.states() == [MessageState.SENT]


def test_a_revoked_token_blocks_until_a_new_one_is_there_after_a_restart(bench: Bench) -> None:
    for _ in range(3):
        bench.alert()
    bench.slack.token = "xoxb-new"
    bench.run(bench.delivery(fallback="#fallback"))
    assert bench.states() == [MessageState.BLOCKED] * 3
    assert all("SLACK_BOT_TOKEN" in message.error and faults.TOKEN not in message.error for message in bench.messages())
    bench.token = "xoxb-new"
    bench.run(bench.delivery(fallback="#fallback"), minutes=0.1)
    assert bench.states() == [MessageState.SENT] * 3


def test_refused_blocks_are_sent_as_plain_text(bench: Bench) -> None:
    bench.alert()
    bench.slack.script(POST, refused("invalid_blocks"))
    bench.run(bench.delivery())
    (post,) = bench.slack.posts("brand-alerts")
    assert not post.get("blocks") and "Down again" in post["text"] and "escalations show 1" in post["text"]


def test_no_connection_is_tried_again_without_asking(bench: Bench) -> None:
    bench.alert()
    away = SlackMessenger(bench.token, install="here", api_url="http://127.0.0.1:9/api/", timeout=1)
    bench.run(bench.delivery(messenger=away), minutes=3)
    (message,) = bench.messages()
    assert message.state is MessageState.READY and "cannot be reached" in message.error
    bench.run(bench.delivery(), minutes=1.1)
    assert bench.states() == [MessageState.SENT]


# -- updates and threads -----------------------------------------------------------------------------------------


def test_updates_are_collapsed_and_keep_the_one_message_current(bench: Bench) -> None:
    escalation = bench.alert()
    for _ in range(5):
        bench.enqueue(MessageKind.UPDATE, escalation)
    bench.run(bench.delivery())
    assert (len(bench.slack.posts("brand-alerts")), bench.slack.calls("chat.update")) == (1, 1)
    bench.enqueue(MessageKind.UPDATE, escalation)
    bench.slack.script("chat.update", faults.HTTP_500_AFTER_ACCEPTING, faults.CUT_BODY)
    bench.run(bench.delivery())
    assert bench.slack.calls("chat.update") == 4
    assert bench.states() == [MessageState.SENT] * 3


def test_updates_keep_slacks_pace_and_hold_up_no_post(bench: Bench) -> None:
    """Slack takes fifty changes of messages a minute, in all channels together."""
    for number in range(9):
        bench.alert(channel=(ALERTS, "#fallback")[number % 2])
    delivery = bench.delivery()
    bench.run(delivery)
    began = bench.now
    for id in range(1, 10):
        bench.enqueue(MessageKind.UPDATE, id, severity=Severity.CRITICAL)
        bench.enqueue(MessageKind.REPLY, id, payload={"text": "News"}, severity=Severity.LOW)
    bench.slack.script("chat.update", faults.RATE_LIMITED)
    bench.run(delivery)
    replies = [post for name in ("brand-alerts", "fallback") for post in bench.slack.posts(name)[-5:]]
    assert max(float(post["ts"]) for post in replies) - began.timestamp() < 6
    updates = sorted(m.sent_at for m in bench.messages() if m.kind is MessageKind.UPDATE and m.sent_at)
    assert len(updates) == 9 and updates[0] - began >= timedelta(seconds=7)
    assert all(later - earlier >= timedelta(seconds=1.2) for earlier, later in pairwise(updates))


def test_nothing_overtakes_its_root(bench: Bench) -> None:
    escalation = bench.alert(severity=Severity.LOW)
    bench.enqueue(MessageKind.REPLY, escalation, severity=Severity.CRITICAL, payload={"text": "News"})
    bench.slack.script(POST, faults.RATE_LIMITED)
    bench.run(bench.delivery())
    root, reply = bench.slack.posts("brand-alerts")
    assert ("thread_ts" not in root) and reply["thread_ts"] == root["ts"]


def test_a_deleted_message_is_posted_anew_and_its_thread_goes_on_there(bench: Bench) -> None:
    escalation = bench.alert()
    delivery = bench.delivery()
    bench.run(delivery)
    messenger = bench.messenger()
    (first,) = bench.slack.posts("brand-alerts")
    messenger._client.chat_delete(channel="C00000001", ts=first["ts"])
    bench.enqueue(MessageKind.UPDATE, escalation)
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": "News"})
    bench.run(delivery)
    root, reply = bench.slack.posts("brand-alerts")
    assert "Down again" in block_kit.words(root) and reply["thread_ts"] == root["ts"]


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_a_message_that_may_not_be_edited_gets_its_news_in_the_thread(bench: Bench, code: str) -> None:
    escalation = bench.alert()
    bench.run(bench.delivery())
    bench.enqueue(MessageKind.UPDATE, escalation)
    bench.slack.script("chat.update", refused(code))
    bench.run(bench.delivery())
    root, reply = bench.slack.posts("brand-alerts")
    assert reply["thread_ts"] == root["ts"]
    assert bench.states() == [MessageState.SENT] * 2


def test_what_was_printed_on_the_terminal_gets_a_message_once_slack_is_there(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    escalation = bench.alert()
    bench.run(bench.delivery(messenger=ConsoleMessenger()))
    assert "Down again" in capsys.readouterr().out
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": "News"})
    bench.enqueue(MessageKind.UPDATE, escalation)
    bench.run(bench.delivery())
    (root,) = bench.slack.posts("brand-alerts")
    assert "News" in block_kit.words(root)
    assert bench.states() == [MessageState.SENT] * 3


def test_a_notice_needs_no_escalation_and_is_sent_once_for_its_key(bench: Bench) -> None:
    for _ in range(2):
        bench.enqueue(MessageKind.NOTICE, None, payload={"text": "Rule file broken"}, op_key="notice:rules")
    bench.run(bench.delivery())
    assert [post["text"] for post in bench.slack.posts("brand-alerts")] == ["Rule file broken"]


def test_a_message_that_cannot_be_made_holds_nothing_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.alert(payload={"notify": 7})
    bench.alert()
    bench.run(bench.delivery())
    assert bench.states() == [MessageState.BLOCKED, MessageState.SENT]
    assert "cannot be made" in caplog.text


# -- hostile posts, many posts -----------------------------------------------------------------------------------

EVIL = "<!channel> <@U123> & <https://evil.example|click> \u202etxt\u202c\u200b*bold*"


def test_a_hostile_post_pings_nobody(bench: Bench) -> None:
    escalation = bench.escalate(
        text=EVIL,
        title=EVIL,
        url="https://x.example/<!channel>|<@U123>?q=<!here>",
        author=Author(handle=EVIL, name=EVIL, followers=3),
    )
    bench.enqueue(MessageKind.ROOT, escalation)
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": EVIL, "mention_ids": [1]})
    bench.enqueue(MessageKind.NOTICE, None, payload={"text": EVIL})
    bench.run(bench.delivery())
    bench.slack.script(POST, refused("invalid_blocks"))
    bench.alert(payload={"text": EVIL})
    bench.run(bench.delivery())
    posts = bench.slack.posts("brand-alerts")
    assert len(posts) == 4
    assert [ping for post in posts for ping in block_kit.pings(post)] == []
    assert not any(character in block_kit.words(post) for post in posts for character in "\u202e\u202c\u200b")


def test_many_alerts_are_paced_and_critical_ones_go_first(bench: Bench) -> None:
    """What is critical is posted one by one, however much it is; few of the others as well."""
    others = [Severity.LOW, Severity.HIGH, Severity.MEDIUM]
    with bench.store.write() as connection:
        for number in range(300):
            severity = others[number % 3] if number < 9 else Severity.CRITICAL
            id = escalations.create(connection, "Acme", Scope.BRAND, None, f"rule-{number}", severity, NOON).id
            Outbox(connection).enqueue(
                kind=MessageKind.ROOT, channel=ALERTS, severity=severity, escalation_id=id, now=NOON
            )
    printed: list[tuple[datetime, int]] = []

    class Terminal(ConsoleMessenger):
        def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
            printed.append((bench.now, outbox_id))
            return Delivered("console", str(outbox_id))

    bench.run(bench.delivery(messenger=Terminal()), minutes=30)
    times, ids = zip(*printed, strict=True)
    assert len(set(ids)) == 300
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(times))
    assert list(ids) == [*range(10, 301), 2, 5, 8, 3, 6, 9, 1, 4, 7]


# -- check --online ----------------------------------------------------------------------------------------------


def test_check_says_who_we_are_and_what_is_wrong(bench: Bench) -> None:
    assert bench.messenger().check([ALERTS, "C00000002"]) == SlackCheck("Acme", "brand-monitor", ())
    bench.slack.scopes = "chat:write,channels:read"
    bench.slack.not_joined.add("brand-alerts")
    bench.slack.archived.add("fallback")
    missing, not_joined, archived = bench.messenger().check([ALERTS, "#fallback"]).problems
    assert "add channels:history to its Bot Token Scopes" in missing
    assert "#brand-alerts" in not_joined and "/invite" in not_joined
    assert "#fallback is archived" in archived


def test_the_token_is_never_logged_or_shown(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    bench.alert()
    bench.slack.script(POST, faults.GARBLED_BODY, faults.RESET_BEFORE_ACCEPTING, refused("invalid_auth"))
    messenger = bench.messenger()
    bench.run(bench.delivery(messenger))
    assert faults.TOKEN not in caplog.text + repr(messenger) + "".join(m.error for m in bench.messages())


@pytest.mark.parametrize(
    "fault, words",
    [
        (refused("invalid_auth"), "does not accept the bot token"),
        (faults.Fault(404, body="garbled"), "HTTP 404"),
        (faults.RESET_BEFORE_ACCEPTING, "broke off"),
        (refused("a_new_code"), "a_new_code"),
    ],
)
def test_check_puts_failures_into_words(bench: Bench, fault: faults.Fault, words: str) -> None:
    bench.slack.script("auth.test", fault)
    (problem,) = bench.messenger().check().problems
    assert words in problem and faults.TOKEN not in problem
