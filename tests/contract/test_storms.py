"""Storms: a thousand discussions at once make one message that stands for all, and nobody is forgotten over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.escalate import reroute
from monitor.escalation.events import Acknowledge, Fired, Resolve
from monitor.model import Outcome, Severity
from monitor.outgoing import MessageKind, MessageState
from monitor.rules.load import load_rules
from monitor.rules.people.rota import Team
from monitor.rules.testing.testcase import Expectation, Said
from monitor.simulate import Simulation
from monitor.store import escalations
from monitor.store.outbox import Outbox
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.slack_server import refused
from tests.fakes.storm import buttons, escalate_many, folded, happen, start, summaries, tiers_told

START = datetime(2026, 3, 30, 8, tzinfo=UTC)
SIMPLE = load_rules(
    {
        "r.yaml": """\
id: r
title: Trouble
owner: ada@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any: [negative_mentions: {at_least: 1, within: 60m}]
timing: {wait_first: 10s}
escalate: [{after: 0m, team: social}, {after: 15m, team: social}]
""",
        "teams.yaml": 'social: {channel: "#s"}\n',
    },
    ["Acme"],
)


# -- one message for many --------------------------------------------------------------------------------------------


def test_many_at_once_make_one_message_with_the_worst_by_name(bench: Bench) -> None:
    start(bench)
    (post,) = bench.slack.posts("brand-alerts")
    words = block_kit.words(post)
    assert "40 discussions at once" in words and "40 open" in words and "/brand open" in words
    assert sum(value.startswith("show:") for value in buttons(post)) == 10
    assert {value.split(":")[0] for value in buttons(post)} == {"show", "ack_all", "resolve_all"}
    assert all(value.split(":")[2] == str(summaries(bench)[0].id) for value in buttons(post))
    assert len(folded(bench)) == 40


def test_a_few_are_posted_one_by_one(bench: Bench) -> None:
    start(bench, 10)
    assert len(bench.slack.posts("brand-alerts")) == 10 and not summaries(bench)


def test_a_storm_that_rises_slowly_is_one_all_the_same(bench: Bench) -> None:
    """Three a second, faster than Slack takes them: some go out, then one stands for what follows."""
    delivery = bench.delivery()
    for _ in range(100):
        escalate_many(bench, 3)
        until = bench.now + timedelta(seconds=1)
        bench.run(delivery, minutes=1 / 60)
        bench.now = until
    bench.run(delivery, minutes=0.5)
    assert len(summaries(bench)) == 1
    assert len(bench.slack.posts("brand-alerts")) <= 21  # ten a minute, and the summary
    assert len(folded(bench)) + len(bench.slack.posts("brand-alerts")) - 1 == 300
    assert bench.slack.calls("chat.update") < 45


def test_what_is_critical_is_never_folded_and_goes_first(bench: Bench) -> None:
    escalate_many(bench, 30)
    escalate_many(bench, 12, Severity.CRITICAL)
    bench.run(bench.delivery(), minutes=0.5)
    posts = bench.slack.posts("brand-alerts")
    assert len(posts) == 13 and "30 discussions at once" in block_kit.words(posts[-1])


def test_every_escalation_is_told_once_the_summary_stands_there(bench: Bench) -> None:
    escalate_many(bench, 120)
    bench.slack.script("chat.postMessage", refused("fatal_error"))
    delivery = bench.delivery()
    delivery.step(bench.now)
    delivery.step(bench.now)
    assert tiers_told(bench) == 0
    bench.run(delivery)
    assert tiers_told(bench) == 120
    (summary,) = summaries(bench)
    roots = [m for m in bench.messages() if m.state is MessageState.FOLDED]
    assert {m.sent_ts for m in roots} == {summary.sent_ts}


def test_where_the_summary_is_refused_its_escalations_hear_of_it(bench: Bench) -> None:
    bench.slack.archived.add("brand-alerts")
    start(bench)
    assert [m.state for m in summaries(bench)] == [MessageState.BLOCKED]
    told_of = [m for m in bench.messages() if m.state is MessageState.FOLDED and m.sent_channel]
    assert len(told_of) == 40
    assert tiers_told(bench) == 40
    bench.slack.archived.clear()
    bench.run(bench.delivery(), minutes=11)
    assert len(bench.slack.posts("brand-alerts")) == 1


def test_a_young_summary_takes_in_what_follows_and_is_kept_current(bench: Bench) -> None:
    delivery = start(bench)
    escalate_many(bench, 25)
    happen(bench, 1, Acknowledge("anna"))
    bench.run(delivery, minutes=0.5)
    (post,) = bench.slack.posts("brand-alerts")
    assert "65 discussions at once" in block_kit.words(post) and "1 taken" in block_kit.words(post)
    assert tiers_told(bench) == 65
    assert bench.slack.calls("chat.update") == 2  # the click at once, then all that follows


@pytest.mark.parametrize("why", ["old", "settled"])
def test_a_summary_that_is_old_or_settled_gets_a_successor(bench: Bench, why: str) -> None:
    delivery = start(bench, 20)
    if why == "old":
        bench.now += timedelta(hours=1, minutes=1)
    else:
        bench.now += timedelta(minutes=2)
        for id in range(1, 21):
            happen(bench, id, Resolve("anna", Outcome.NO_ACTION))
    escalate_many(bench, 15)
    bench.run(delivery, minutes=0.5)
    first, second = bench.slack.posts("brand-alerts")
    assert "15 discussions at once" in block_kit.words(second)
    assert ("20 discussions, all resolved" in block_kit.words(first)) == (why == "settled")
    assert bool(buttons(first)) == (why == "old")


def test_what_becomes_of_folded_escalations_neither_goes_out_nor_piles_up(bench: Bench) -> None:
    delivery = start(bench)
    before = len(bench.messages())
    for _ in range(5):
        for id in range(1, 41):
            bench.enqueue(MessageKind.REPLY, id, payload={"text": [], "mention_ids": [id], "new": 1, "up_to": id})
            bench.enqueue(MessageKind.UPDATE, id)
    news = [m for m in bench.messages()[before:] if m.kind is MessageKind.UPDATE]
    assert len(news) == 1 and news[0].payload == {"of": summaries(bench)[0].id}
    bench.run(delivery, minutes=1)
    assert len(bench.slack.posts("brand-alerts")) == 1 and bench.slack.calls("chat.update") == 1
    with bench.store.read() as connection:
        assert escalations.last_told(connection, 7) == 7


def test_updates_and_news_that_waited_with_a_root_are_folded_with_it(bench: Bench) -> None:
    escalate_many(bench, 30)
    bench.enqueue(MessageKind.UPDATE, 3)
    bench.enqueue(MessageKind.REPLY, 3, payload={"mention_ids": [3], "new": 1, "up_to": 3})
    bench.run(bench.delivery(), minutes=1)
    assert (len(bench.slack.posts("brand-alerts")), bench.slack.calls("chat.update")) == (1, 0)
    assert {m.state for m in bench.messages()} == {MessageState.FOLDED, MessageState.SENT}


def test_a_summary_that_somebody_deleted_is_posted_anew(bench: Bench) -> None:
    delivery = start(bench)
    (post,) = bench.slack.posts("brand-alerts")
    bench.messenger()._client.chat_delete(channel="C00000001", ts=post["ts"])
    happen(bench, 1, Acknowledge("anna"))
    bench.run(delivery, minutes=1)
    (again,) = bench.slack.posts("brand-alerts")
    assert "40 discussions at once" in block_kit.words(again)
    with bench.store.read() as connection:
        assert len(Outbox(connection).members(summaries(bench)[-1].id)) == 40
    happen(bench, 2, Acknowledge("anna"))
    bench.run(delivery, minutes=1)
    assert "2 taken" in block_kit.words(bench.slack.posts("brand-alerts")[0])


def test_a_summary_finds_the_fallback_channel(bench: Bench) -> None:
    bench.slack.archived.add("brand-alerts")
    escalate_many(bench, 30)
    bench.run(bench.delivery(fallback="#fallback"), minutes=1)
    (post,) = bench.slack.posts("fallback")
    assert "Meant for #brand-alerts" in block_kit.words(post) and tiers_told(bench) == 30


# -- out of the fold -------------------------------------------------------------------------------------------------


def test_shown_on_its_own_and_never_folded_again(bench: Bench) -> None:
    delivery = start(bench)
    (summary,) = summaries(bench)
    with bench.store.write() as connection:
        assert Outbox(connection).unfold(7, bench.now) and not Outbox(connection).unfold(7, bench.now)
        assert 7 not in Outbox(connection).members(summary.id) and len(Outbox(connection).members(summary.id)) == 39
    escalate_many(bench, 30)
    bench.run(delivery, minutes=0.5)
    first, own = bench.slack.posts("brand-alerts")
    assert "Discussion 7" in block_kit.words(own)
    assert "69 discussions at once" in block_kit.words(first) and "1 more has a message of its own" in block_kit.words(
        first
    )


@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_what_becomes_more_severe_gets_a_message_of_its_own(bench: Bench, severity: Severity) -> None:
    delivery = start(bench, severity=Severity.MEDIUM)
    happen(bench, 7, Fired("storm", severity, added=False))
    bench.run(delivery, minutes=0.5)
    _, own, reply = bench.slack.posts("brand-alerts")
    assert "Discussion 7" in block_kit.words(own) and reply["thread_ts"] == own["ts"]


def test_a_root_that_waits_when_it_becomes_critical_is_not_folded(bench: Bench) -> None:
    escalate_many(bench, 30)
    happen(bench, 7, Fired("storm", Severity.CRITICAL, added=False))
    bench.run(bench.delivery(), minutes=0.5)
    posts = bench.slack.posts("brand-alerts")
    assert "Discussion 7" in block_kit.words(posts[0])
    assert "29 discussions at once" in block_kit.words(next(p for p in posts if "at once" in block_kit.words(p)))


def test_rules_are_tried_in_storms_as_well() -> None:
    """A test of a rule sees what people would see: one post, and every discussion told by it."""
    world = Simulation(SIMPLE, ["Acme"], START)
    world.until(START)
    for number in range(30):
        world.say(Said(START, timedelta(), 1, "Acme", -0.9, 0.9, discussion=f"d{number}"))
    world.until(START + timedelta(minutes=20))

    def found(discussion: str | None) -> dict[str, object]:
        values = world.found(Expectation(START, {"posts": 0}, discussion=discussion))
        assert isinstance(values, dict)
        return values

    assert found(None)["posts"] == 2  # one by one they came; then the second tier's
    assert (found("d7")["posts"], found("d7")["tier"]) == (1, 2)
    assert any("one message for" in moment.text for moment in world.timeline)
    world.close()


def test_what_has_a_message_of_its_own_no_longer_changes_the_summary(bench: Bench) -> None:
    delivery = start(bench)
    with bench.store.write() as connection:
        Outbox(connection).unfold(7, bench.now)
    bench.run(delivery, minutes=0.5)
    before = bench.slack.calls("chat.update")
    happen(bench, 7, Acknowledge("anna"))
    bench.run(delivery, minutes=0.5)
    assert bench.slack.calls("chat.update") == before + 1
    assert "anna" in block_kit.words(bench.slack.posts("brand-alerts")[1])


def test_a_reload_sends_a_refused_summary_where_its_team_is_now(bench: Bench) -> None:
    bench.slack.archived.add("brand-alerts")
    start(bench)
    with bench.store.write() as connection:
        reroute(connection, {"social": Team("social", "#fallback")}, bench.now)
    delivery = bench.delivery()
    bench.run(delivery, minutes=0.2)
    (post,) = bench.slack.posts("fallback")
    assert "40 discussions at once" in block_kit.words(post)
