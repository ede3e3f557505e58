"""Why was I (not) alerted, about what really happened: the sentences that a real database and a real clock lead to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.escalation.events import Resolve
from monitor.explain import Answer, answer, find
from monitor.model import Author, Outcome, Post
from monitor.rules.explaining.explain import in_short
from monitor.rules.explaining.inquiry import Result
from monitor.rules.explaining.spoken import Spoken
from monitor.store import mutes
from monitor.wording.text import english
from tests.fakes.world import LOUD, TEAMS, THREAD, World, angry


def asked(world: World, name: str = "d1", **more: object) -> Answer:
    world.app.note_rules()
    with world.app.store.read() as connection:
        [found] = find(connection, name[0], int(name[1:]))
        return answer(connection, found, world.app.rules, ["Globex"], Spoken(world.now), **more)  # type: ignore[arg-type]


def notes(told: Answer) -> tuple[str, ...]:
    return tuple(map(english, told.notes))


def said(world: World, name: str = "d1", rule: str = "thread", **more: object) -> str:
    [explained] = asked(world, name, only=rule, **more).explanations
    return english(explained.sentence)


def test_it_alerted(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.told()
    assert said(world) == "thread alerted at 10:00: escalation e1 (open)."
    assert said(world, "m3") == said(world, "e1") == said(world)
    assert said(world, rule="loud") == (
        "loud did not alert: the loudest negative voice had 0 followers at 10:00, it asks for at least 100,000"
        " (rules/loud.yaml:10)."
    )


def test_one_more_would_have_been_enough(world: World) -> None:
    angry(world, 2)
    world.wait(hours=2)
    assert said(world) == (
        "thread did not alert: 2 negative mentions within 1h at 10:00, it asks for at least 3 (rules/thread.yaml:10)."
        " One more before 11:00 would have been enough."
    )


def test_it_waits_for_more(world: World) -> None:
    angry(world)
    assert said(world) == "thread fired at 10:00 and waits 30s for more before it speaks: escalation e1."


def test_it_is_muted(world: World) -> None:
    with world.app.store.write() as connection:
        mute = mutes.Mute("thread", world.now, world.now + timedelta(days=4, hours=8), "jana", "works on the line")
        mutes.add(connection, mute)
    angry(world)
    world.wait(seconds=31)
    assert said(world) == (
        "thread would have alerted at 10:00, but it is muted until Fri 18:00 by jana (works on the line); escalation e1"
        " is held until then."
    )
    assert asked(world).explanations[0].result is Result.HELD
    world.wait(days=4, hours=9)
    world.told()
    assert said(world) == (
        "thread fired on Mon at 10:00 and alerted at 19:00 (until then it was muted): escalation e1 (open)."
    )


def test_its_team_is_not_there(tmp_path: Path) -> None:
    hours = 'social: {channel: "#social", zone: Europe/Rome, hours: {open: {tue-fri: "09:00-18:00"}}}\n'
    world = World(tmp_path, teams=hours, thread=THREAD)
    angry(world)
    world.wait(seconds=31)
    assert said(world) == (
        "thread would have alerted at 10:00, but its team social is not there until Tue 07:00; escalation e1 is held"
        " until then."
    )
    world.app.close()


def test_it_fired_again_while_an_escalation_was_alive(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.told()
    world.wait(minutes=20)
    angry(world)
    assert said(world) == (
        "thread alerted at 10:00: escalation e1 (open). It fired again at 10:20, when that was alive: news go into its"
        " thread, not into a second message."
    )


def test_it_joined_what_another_rule_had_made(world: World) -> None:
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    world.wait(seconds=31)
    world.told()
    angry(world, 2)
    assert said(world) == (
        "thread fired at 10:00 and joined escalation e1 (open), which loud had made: one message a discussion."
    )


def test_it_is_muted_while_another_rule_speaks(world: World) -> None:
    """Both fired during the same first wait."""
    with world.app.store.write() as connection:
        mute = mutes.Mute("thread", world.now, world.now + timedelta(hours=3), "jana", "works on the line")
        mutes.add(connection, mute)
    angry(world, 2)
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    world.wait(seconds=31)
    world.told()
    assert said(world) == (
        "thread fired at 10:00, but it is muted until 13:00 by jana (works on the line); escalation e1 (open) was made"
        " by loud."
    )


def test_it_opened_again_what_was_resolved_soon_ago(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.told()
    world.act(Resolve("ann", Outcome.ANSWERED))
    world.say("acme is great now, thank you")
    friendly = said(world)
    assert friendly == (
        "thread fires as of 10:00 through a friendly mention, and such a one opens nothing: escalation e1 had been"
        " resolved at 10:00; the next negative one does. Before that it alerted at 10:00: escalation e1 (resolved:"
        " answered)."
    )
    world.wait(hours=1, minutes=10)
    angry(world)
    world.told()
    assert said(world) == (
        "thread fired at 11:10 and opened escalation e1 again: it had been resolved at 10:00, less than 6h before"
        " (open)."
    )


def test_it_was_dropped(world: World) -> None:
    angry(world)
    post = {"source": "forum", "native_id": "p1", "published_at": world.now, "conversation_id": "t1"}
    world.app.take([Post(**post, text="acme is great", author=Author(id="1"))])  # type: ignore[arg-type]
    world.wait(seconds=31)
    dropped = (
        "it fired at 10:00, but nobody was told: when its first wait of 30s was over, the condition no longer held"
        " (escalation e1 was dropped)."
    )
    assert said(world) == (
        "thread did not alert: 2 negative mentions within 1h at 10:00, it asks for at least 3 (rules/thread.yaml:10)."
        f" One more before 11:00 is enough. By the rules and mentions of then {dropped}"
    )
    assert asked(world, "e1", only="thread").explanations[0].result is Result.DROPPED


def test_a_rule_in_test_has_recorded_it(tmp_path: Path) -> None:
    world = World(tmp_path, thread=THREAD.replace("status: live", "status: test"))
    angry(world)
    assert said(world) == (
        "thread would have alerted at 10:00, as was recorded at 10:00, but it is in test: nobody is told"
        " (rules/thread.yaml:4)."
    )
    world.app.close()


def test_old_posts_that_are_read_now(world: World) -> None:
    for n in range(3):
        world.say("acme is bad", published_at=world.now - timedelta(days=3, minutes=n))
    assert "its mentions were read only at 10:00: what is longer ago than 1d is history" in said(world)


def test_slack_refused_its_message(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    with world.app.store.write() as connection:
        connection.execute("UPDATE outbox SET state = 'blocked', error = 'is_archived'")
    assert said(world).endswith("(open). Its message could not be sent to #social: is_archived.")


def test_a_summary_stands_for_its_message(world: World) -> None:
    for number in range(12):
        for _ in range(3):
            world.say("acme is bad", after=timedelta(), conversation_id=f"t{number}")
    world.wait(seconds=31)
    assert said(world, "e1").endswith("Its message has not reached #social yet.")
    world.deliver()
    assert said(world, "e1").endswith("One message in #social stands for many that came at once, and for it.")


def test_at_a_moment_before_it_was_enough(world: World) -> None:
    angry(world, 2)
    world.wait(minutes=10)
    then = world.now
    angry(world)
    assert "2 negative mentions within 1h at 10:10" in said(world, at=then)


def test_an_escalation_tells_whom_it_told_and_what_is_due(tmp_path: Path) -> None:
    teams = TEAMS + 'leads: {channel: "#leads", members: {anna: U0123456789}}\n'
    tiers = "escalate: [{after: 0m, team: social}, {after: 15m, unless: acknowledged, team: leads, mention: true}]"
    world = World(tmp_path, teams=teams, thread=THREAD.replace("escalate: [{after: 0m, team: social}]", tiers))
    angry(world)
    world.wait(seconds=31)
    told = asked(world, "e1").account
    assert told is not None
    assert [line.text for line in told.told] == ["tier 1: social in #social; its message is not sent yet"]
    [recorded] = told.rules
    assert recorded.made_it and recorded.reasons[0].found == "3" and recorded.file == "thread.yaml is as it was then"
    (tmp_path / "rules" / "thread.yaml").write_text(THREAD.replace("severity: high", "severity: low"), "utf-8")
    world.app.reload()
    told = asked(world, "e1").account
    assert told is not None and told.rules[0].file == "thread.yaml has changed since"
    world.app.close()


@pytest.mark.parametrize(
    ("unless", "told"),
    [
        pytest.param("", "", id="in any case"),
        pytest.param("unless: acknowledged, ", " unless somebody takes it", id="taken"),
        pytest.param("unless: answered, ", " unless one of our accounts answers", id="answered"),
        pytest.param(
            "unless: [acknowledged, answered], ",
            " unless somebody takes it or one of our accounts answers",
            id="either",
        ),
    ],
)
def test_an_escalation_says_what_spares_its_next_tier(tmp_path: Path, unless: str, told: str) -> None:
    teams = TEAMS + 'leads: {channel: "#leads"}\nlegal: {channel: "#legal"}\n'
    tiers = f"escalate: [{{after: 0m, team: social}}, {{after: 15m, {unless}team: leads}}, {{after: 1h, team: legal}}]"
    world = World(tmp_path, teams=teams, thread=THREAD.replace("escalate: [{after: 0m, team: social}]", tiers))
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    due = asked(world, "e1").account
    assert due is not None
    assert [line.text for line in due.due] == [f"tier 2 is told: leads{told}, 15m after the first message"]
    world.say("We are sorry, acme will mend it.", author=Author(handle="acme_help"))
    answered = asked(world, "e1").account
    assert answered is not None
    spared = "our accounts" in told
    assert any(line.text.startswith("tier 3 is told: legal" if spared else "tier 2 is told") for line in answered.due)
    world.app.close()


def test_a_rule_about_the_whole_brand(tmp_path: Path) -> None:
    wide = THREAD.replace("id: thread", "id: wide\nscope: brand")
    world = World(tmp_path, wide=wide, thread=THREAD)
    for talk in ("t1", "t2", "t3"):
        world.say("acme is bad", conversation_id=talk)
    world.app.settle(at_once=True)
    world.wait(seconds=31)
    world.told()
    alerted = "wide alerted at 10:00: escalation e1 (open)."
    assert [said(world, name, "wide") for name in ("d1", "m3", "e1")] == [alerted] * 3
    assert said(world, "d1") == (
        "thread did not alert: 1 negative mention within 1h at 10:00, it asks for at least 3 (rules/thread.yaml:10)."
        " 2 more before 11:00 are enough."
    )
    assert tuple(map(english, in_short(asked(world, "e1").explanations))) == (
        alerted,
        "Does not apply: thread (it looks at single discussions).",
    )
    before = asked(world, "e1", at=world.now - timedelta(minutes=5))
    assert notes(before) == ("At 09:55 nothing had been said of Acme that its rules look at.",)
    world.app.close()


def test_what_a_rule_about_the_brand_did_on_another_day_is_not_about_this_discussion(tmp_path: Path) -> None:
    world = World(tmp_path, wide=THREAD.replace("id: thread", "id: wide\nscope: brand"))
    world.say("acme is good", conversation_id="praise")
    world.wait(days=2)
    angry(world)
    world.app.settle(at_once=True)
    assert said(world, "d2", "wide") == "wide fired at 10:00 and waits 30s for more before it speaks: escalation e1."
    assert "e1" not in said(world, "d1", "wide")
    world.app.close()


def test_a_discussion_whose_mentions_are_gone(world: World) -> None:
    angry(world)
    with world.app.store.write() as connection:
        connection.execute("DELETE FROM posts")
    told = asked(world)
    assert told.explanations == () and "No mention of d1 is stored any more" in notes(told)[0]


def test_an_answer_of_ours_never_counts(world: World) -> None:
    angry(world, 1)
    world.say("acme is sorry", author=Author(id="9", handle="acme_help"))
    assert notes(asked(world, "m2")) == ("m2 is an answer of ours: what our own accounts say never counts.",)


def test_a_rule_that_is_gone(world: World) -> None:
    angry(world)
    (world.folder / "rules" / "thread.yaml").unlink()
    (world.folder / "rules" / "tests" / "thread.yaml").unlink()
    world.app.reload()
    assert notes(asked(world)) == ("thread fired at 10:00 on escalation e1, and is no rule any more.",)
    account = asked(world, "e1").account
    assert account is not None and account.rules[0].file == "the rule is gone since"


def test_a_competitor(world: World) -> None:
    rule = LOUD.replace("id: loud", "id: any").replace("brands: [acme]", "sources: [forum]").replace("live", "test")
    (world.folder / "rules" / "any.yaml").write_text(rule, "utf-8")
    world.app.reload()
    world.say("globex is bad", conversation_id="t9")
    assert tuple(map(english, in_short(asked(world).explanations))) == (
        "Do not apply: any (competitors are watched only by rules that name them), loud (it watches Acme only),"
        " thread (it watches Acme only).",
    )


@pytest.mark.parametrize("letter", ["m", "d", "e"])
def test_an_empty_database_has_nothing_to_explain(world: World, letter: str) -> None:
    with world.app.store.read() as connection:
        assert find(connection, letter, 1) == ()


def test_words_that_have_changed_since(world: World) -> None:
    words = world.folder / "rules" / "topics.yaml"
    words.write_text("legal: {en: [lawyer]}\n", "utf-8")
    world.app.reload()
    world.say("acme is bad, my lawyer smells smoke", language="en")
    assert not asked(world, "m1").notes
    words.write_text("safety: {en: [smoke]}\n", "utf-8")
    world.app.reload()
    assert notes(asked(world, "m1")) == (
        "The words of topics.yaml have changed since m1 was stored: now they would find safety in it, then they found"
        " legal. What they found then counts; `rules backtest` shows what the new words come to.",
    )
