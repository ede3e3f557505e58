"""In which language a message speaks: that of the team whose channel it is, by its clock, with buttons that name it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.deliver import Delivery
from monitor.model import FiredRule, Severity
from monitor.outgoing import MessageKind
from monitor.render import Renderer
from monitor.rules.people.rota import Team
from monitor.rules.rule import TierSpec
from monitor.rules.snapshot import Snapshot
from monitor.slack.marks import Mark
from monitor.store import escalations
from monitor.wording.text import say
from tests.fakes import block_kit
from tests.fakes.bench import ALERTS, NOON, Bench

CARE = Team("care", ALERTS, language="it", zone="Europe/Rome")
LEGAL = Team("legal", "#fallback", zone="America/New_York")


def alerted(bench: Bench, kind: MessageKind = MessageKind.ROOT, **given: Any) -> int:
    """An escalation of a rule that tells `care` first, then `legal`; with such a message about it."""
    escalation = bench.escalate()
    tiers = (TierSpec(timedelta(), "care"), TierSpec(timedelta(hours=1), "legal"))
    kept = Snapshot("a.yaml", "", "#other", tiers, {"care": CARE, "legal": LEGAL}, {}, 0, False)
    with bench.store.write() as connection:
        fired = FiredRule("angry", "Angry", Severity.HIGH, (), NOON)
        escalations.add_rule(connection, escalation, fired, kept.to_json())
    bench.enqueue(kind, escalation, **given)
    return escalation


def sent(bench: Bench, channel: str = "brand-alerts", **renderer: Any) -> dict[str, Any]:
    bench.run(Delivery(bench.store, bench.messenger(), renderer=Renderer(**renderer)))
    return bench.slack.posts(channel)[-1]


def test_a_channel_is_told_in_the_language_and_by_the_clock_of_its_team(bench: Bench) -> None:
    alerted(bench)
    said = block_kit.words(sent(bench))
    assert "⏳ In sospeso · alta: Acme" in said and "1 menzione" in said
    assert "14 nov, 13:00 CET" in said, "where Slack cannot tell the reader's own time"


def test_a_team_without_a_language_is_told_in_that_of_the_configuration(bench: Bench) -> None:
    alerted(bench, MessageKind.CALL, channel="#fallback", payload={"text": [say("tier {tier}", tier=2).to_json()]})
    assert "*livello 2*" in block_kit.words(sent(bench, "fallback", language="it"))


def test_each_channel_has_its_own(bench: Bench) -> None:
    escalation = alerted(bench)
    text = [say("tier {tier}", tier=2).to_json(), say("{who} has it", who="<!channel>").to_json()]
    bench.enqueue(MessageKind.CALL, escalation, channel="#fallback", payload={"text": text})
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": text})
    bench.run(Delivery(bench.store, bench.messenger(), renderer=Renderer()))
    call, (_, reply) = bench.slack.posts("fallback")[0], bench.slack.posts("brand-alerts")
    assert "*tier 2 &lt;!channel&gt; has it*" in block_kit.words(call)
    assert "*livello 2 se ne occupa &lt;!channel&gt;*" in block_kit.words(reply)
    assert block_kit.pings(call) == block_kit.pings(reply) == []


@pytest.mark.parametrize(
    "kept, said",
    [
        ("As an older <version> kept it", "As an older &lt;version&gt; kept it"),
        (say("tier {tier}", tier=3).to_json(), "livello 3"),
        ([say("tier {tier}", tier=3).to_json(), "And a line."], "livello 3\nAnd a line."),
    ],
    ids=["a string", "a text", "several"],
)
def test_a_notice_says_whatever_form_its_text_was_kept_in(bench: Bench, kept: Any, said: str) -> None:
    bench.enqueue(MessageKind.NOTICE, None, payload={"text": kept})
    assert said in block_kit.words(sent(bench, language="it"))


def test_the_buttons_name_the_message_that_they_stand_in_also_when_it_is_brought_up_to_date(bench: Bench) -> None:
    escalation = alerted(bench)
    post = sent(bench, install="here", buttons=True)
    (root,) = bench.messages()
    assert block_kit.buttons(post)["Prendi in carico"] == f"ack:{escalation}:{root.id}:here"
    bench.enqueue(MessageKind.UPDATE, escalation)
    bench.run(Delivery(bench.store, bench.messenger(), renderer=Renderer("here", buttons=True)))
    assert (
        block_kit.buttons(bench.slack.posts("brand-alerts")[0])["Prendi in carico"]
        == f"ack:{escalation}:{root.id}:here"
    )


def test_where_nobody_hears_of_a_click_a_command_stands_instead(bench: Bench) -> None:
    escalation = alerted(bench)
    post = sent(bench)
    assert block_kit.buttons(post) == {} and f"`brand-monitor escalations ack {escalation}`" in block_kit.words(post)


def test_a_drill_is_marked_in_the_language_of_its_readers(bench: Bench) -> None:
    alerted(bench)
    mark = Mark(say("🧪 DRILL"), say("this is an exercise, the posts are invented, nothing was published."))
    post = sent(bench, mark=mark, buttons=True, install="here")
    assert post["text"].startswith("🧪 ESERCITAZIONE · ") and "nulla è stato pubblicato" in block_kit.words(post)
    assert len(block_kit.buttons(post)) == 7, "they stay"
