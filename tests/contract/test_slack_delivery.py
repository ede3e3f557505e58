"""Delivery over a real database against a Slack that misbehaves: messages arrive exactly once, or are seen to wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor.deliver import Delivery, Messenger
from monitor.model import (
    Author,
    Finding,
    Mention,
    MessageKind,
    MessageState,
    OutboxMessage,
    Post,
    Scope,
    Sentiment,
    Severity,
)
from monitor.slack.client import SlackCheck, SlackMessenger
from monitor.slack.console import ConsoleMessenger
from monitor.slack.messages import Delivered, Message
from monitor.store import Store, escalations, mentions
from monitor.store.outbox import Outbox
from tests.fakes import block_kit
from tests.fakes import slack_server as faults
from tests.fakes.slack_server import SlackServer, refused

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
POST = "chat.postMessage"
ALERTS = "#brand-alerts"


@dataclass
class Bench:
    """One database, one Slack, one clock."""

    store: Store
    slack: SlackServer
    now: datetime = NOON
    token: str = faults.TOKEN

    def messenger(self, install: str = "here") -> SlackMessenger:
        return SlackMessenger(self.token, install=install, api_url=self.slack.url, timeout=1)

    def delivery(self, messenger: Messenger | None = None, store: Any = None, fallback: str | None = None) -> Delivery:
        return Delivery(
            store or self.store,
            messenger or self.messenger(),
            fallback_channel=fallback,
        )

    def run(self, delivery: Delivery, minutes: float = 9) -> None:
        """Step until nothing is left to do within `minutes`; the clock jumps to when delivery wants to be called."""
        end = self.now + timedelta(minutes=minutes)
        for _ in range(10_000):
            wake = delivery.step(self.now)
            if wake is None or wake > end:
                return
            self.now = wake
        raise AssertionError("delivery never comes to rest")

    def escalate(self, severity: Severity = Severity.HIGH, text: str = "Down again", **post: Any) -> int:
        with self.store.write() as connection:
            number = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
            given = {"source": "x", "native_id": f"{number}", "author": Author(handle="mario", followers=1200), **post}
            saved = mentions.save(
                connection,
                Post(text=text, published_at=NOON, **given),
                [Finding("Acme", ("acme",), text[:80], sentiment=Sentiment(0.9, 0.1, 0.0, "test"))],
                NOON,
            )
            about = saved.added[0].discussion_id
            return escalations.create(connection, "Acme", Scope.DISCUSSION, about, "angry", severity, NOON).id

    def enqueue(self, kind: MessageKind, escalation: int | None, **other: Any) -> int | None:
        with self.store.write() as connection:
            given = {"channel": ALERTS, "severity": Severity.HIGH, "now": self.now, **other}
            return Outbox(connection).enqueue(kind=kind, escalation_id=escalation, **given)

    def alert(self, **other: Any) -> int:
        """A new escalation with its root in the outbox; its id."""
        escalation = self.escalate(other.get("severity", Severity.HIGH))
        self.enqueue(MessageKind.ROOT, escalation, **other)
        return escalation

    def messages(self) -> list[OutboxMessage]:
        with self.store.read() as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY id")]
            return [Outbox(connection).get(id) for id in ids]

    def states(self) -> list[MessageState]:
        return [message.state for message in self.messages()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = Store(tmp_path / "test.db")
    with SlackServer() as slack:
        bench = Bench(store, slack)
        slack.now = lambda: bench.now.timestamp()
        yield bench
    store.close()


def test_an_old_backup_says_nothing_twice(bench: Bench, tmp_path: Path) -> None:
    """What waited when the backup was made has been posted since: Slack is asked, and later ids are not used again."""
    bench.alert()
    bench.store.backup(tmp_path / "old.db")
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 1
    bench.store.close()
    for suffix in ("-wal", "-shm"):
        Path(str(bench.store.path) + suffix).unlink(missing_ok=True)
    (tmp_path / "old.db").replace(bench.store.path)
    bench.store = Store(bench.store.path)
    bench.run(bench.delivery(), minutes=5)
    (message,) = bench.messages()
    assert message.state is MessageState.SENT
    bench.alert()
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 2
    assert bench.messages()[-1].id > 1_000_000
    bench.store.close()


def test_an_alert_arrives(bench: Bench) -> None:
    bench.alert()
    bench.run(bench.delivery())
    (post,), (message,) = bench.slack.posts("brand-alerts"), bench.messages()
    assert "Down again" in block_kit.words(post)
    assert (message.state, message.sent_channel, message.sent_ts) == (MessageState.SENT, "C00000001", post["ts"])
    assert post["unfurl_links"] is False and post["parse"] == "none"


# -- exactly one post --------------------------------------------------------------------------------------------

#: What the server does with the first post, and how many seconds histories lag behind.
BEHAVIOURS = {
    "accepts": ((), 0),
    "accepts, then fails": ((faults.HTTP_500_AFTER_ACCEPTING,), 0),
    "accepts, answers a fatal error": ((faults.FATAL_ERROR_AFTER_ACCEPTING,), 0),
    "accepts, then resets": ((faults.RESET_AFTER_ACCEPTING,), 0),
    "accepts, cuts its answer": ((faults.CUT_BODY,), 0),
    "accepts, answers nonsense": ((faults.GARBLED_BODY,), 0),
    "accepts, hides it at first": ((faults.HTTP_500_AFTER_ACCEPTING,), 20),
    "accepts, hides it for long": ((faults.HTTP_500_AFTER_ACCEPTING,), 80),
    "fails before accepting": ((faults.HTTP_500_BEFORE_ACCEPTING,), 0),
    "resets before accepting": ((faults.RESET_BEFORE_ACCEPTING,), 0),
    "fails twice": ((faults.HTTP_500_BEFORE_ACCEPTING, faults.HTTP_500_AFTER_ACCEPTING), 20),
    "limits the rate": ((faults.RATE_LIMITED, faults.RATE_LIMITED_WITHOUT_A_TIME), 0),
    "did not read it": ((faults.NOT_READ,), 0),
}
SLOW = {
    "is too slow, accepts": ((faults.TOO_SLOW_AFTER_ACCEPTING,), 0),
    "is too slow, does not accept": ((faults.TOO_SLOW_BEFORE_ACCEPTING,), 0),
}


class PowerCut(BaseException):
    """This process ends here."""


@dataclass
class FailingStore:
    """The store of a process that ends before or after the commit of its n-th transaction."""

    store: Store
    ends_at: tuple[int, str]
    transactions: int = 0

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        self.transactions += 1
        with self.store.write() as connection:
            yield connection
            if self.ends_at == (self.transactions, "before"):
                raise PowerCut
        if self.ends_at == (self.transactions, "after"):
            raise PowerCut

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        return self.store.read()

    def escalation_view(self, connection: sqlite3.Connection, escalation_id: int) -> Any:
        return self.store.escalation_view(connection, escalation_id)

    def mentions(self, connection: sqlite3.Connection, ids: Any) -> tuple[Mention, ...]:
        return self.store.mentions(connection, ids)


@dataclass
class FailingMessenger:
    """The messenger of a process that ends before or after its first post."""

    messenger: SlackMessenger
    ends: str

    @property
    def server_time(self) -> datetime | None:
        return self.messenger.server_time

    def post(self, message: Message, channel: str, **names: Any) -> Delivered:
        if self.ends == "before":
            raise PowerCut
        try:
            return self.messenger.post(message, channel, **names)
        finally:
            raise PowerCut

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        return self.messenger.update(message, channel, ts)

    def find(self, channel: str, **names: Any) -> Delivered | None:
        return self.messenger.find(channel, **names)


CLAIM, OUTCOME = 2, 3
ENDS = {
    "before the claim is committed": (CLAIM, "before"),
    "after the claim is committed": (CLAIM, "after"),
    "before the request": "before",
    "after the request": "after",
    "before the outcome is committed": (OUTCOME, "before"),
    "after the outcome is committed": (OUTCOME, "after"),
    "never": (0, ""),
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("script, lag", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_exactly_one_post(bench: Bench, script: tuple[faults.Fault, ...], lag: float, ends: Any) -> None:
    bench.alert()
    bench.slack.script(POST, *script)
    bench.slack.history_lag = lag
    try:
        if isinstance(ends, str):
            bench.run(bench.delivery(messenger=FailingMessenger(bench.messenger(), ends)))
        else:
            bench.run(bench.delivery(store=FailingStore(bench.store, ends)))
    except PowerCut:
        pass
    bench.run(bench.delivery())
    (post,), (message,) = bench.slack.posts("brand-alerts"), bench.messages()
    assert (message.state, message.sent_ts, message.repeated) == (MessageState.SENT, post["ts"], False)


@pytest.mark.parametrize("script, lag", SLOW.values(), ids=SLOW.keys())
def test_exactly_one_post_where_slack(bench: Bench, script: tuple[faults.Fault, ...], lag: float) -> None:
    bench.alert()
    bench.slack.script(POST, *script)
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 1
    assert bench.states() == [MessageState.SENT]


def test_a_reply_is_looked_for_in_its_thread(bench: Bench) -> None:
    escalation = bench.alert()
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": "News"})
    bench.slack.script(POST, faults.Fault(), faults.HTTP_500_AFTER_ACCEPTING)
    bench.run(bench.delivery())
    root, reply = bench.slack.posts("brand-alerts")
    assert reply["thread_ts"] == root["ts"]
    assert bench.states() == [MessageState.SENT] * 2


def test_an_old_post_of_another_installation_is_not_taken_for_ours(bench: Bench) -> None:
    bench.messenger(install="there").post(Message("Theirs"), ALERTS, thread_ts=None, outbox_id=1)
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_BEFORE_ACCEPTING)
    bench.run(bench.delivery())
    theirs, ours = bench.slack.posts("brand-alerts")
    assert (theirs["text"], bench.messages()[0].sent_ts) == ("Theirs", ours["ts"])


def test_of_two_copies_the_newer_is_deleted(bench: Bench) -> None:
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING, faults.HTTP_500_AFTER_ACCEPTING)
    bench.slack.history_lag = 95  # longer than two reads wait
    delivery = bench.delivery()
    bench.run(delivery, minutes=1.4)
    bench.slack.history_lag = 0
    bench.run(delivery)
    (post,) = bench.slack.posts("brand-alerts")
    assert bench.slack.calls(POST) == 2
    assert bench.messages()[0].sent_ts == post["ts"]


def test_a_post_is_found_on_a_later_page_and_with_a_wrong_clock(bench: Bench) -> None:
    bench.slack.now = lambda: bench.now.timestamp() - 3600  # ours is an hour fast
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING)
    delivery = bench.delivery()
    delivery.step(bench.now)
    for number in range(7):
        bench.messenger(install="there").post(Message(f"Other {number}"), ALERTS, thread_ts=None, outbox_id=1)
    bench.run(delivery)
    assert len(bench.slack.posts("brand-alerts")) == 8
    assert bench.messages()[0].sent_ts == bench.slack.posts("brand-alerts")[0]["ts"]


@pytest.mark.parametrize("severity, posts", [(Severity.CRITICAL, 2), (Severity.HIGH, 1)])
def test_only_a_critical_message_is_repeated_where_slack_cannot_be_asked(
    bench: Bench, severity: Severity, posts: int
) -> None:
    bench.alert(severity=severity)
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING)
    bench.slack.script("conversations.history", *[refused("missing_scope")] * 20)
    bench.run(bench.delivery(), minutes=12)
    assert len(bench.slack.posts("brand-alerts")) == posts
    if severity is Severity.CRITICAL:
        assert "see this twice" in block_kit.words(bench.slack.posts("brand-alerts")[-1])
    else:
        assert "channels:history" in bench.messages()[0].error


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


def test_a_thousand_alerts_are_paced_and_critical_ones_go_first(bench: Bench) -> None:
    severities = [Severity.LOW, Severity.HIGH, Severity.MEDIUM, Severity.CRITICAL]
    with bench.store.write() as connection:
        for number in range(1000):
            severity = severities[number % 4]
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
    assert len(set(ids)) == 1000
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(times))
    assert [id % 4 for id in ids] == [0] * 250 + [2] * 250 + [3] * 250 + [1] * 250


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
