"""People say that mentions are not negative or not about us: what is counted, what ends, what comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.acting import Acting
from monitor.escalation.acts import Correct, Correction
from monitor.escalation.events import Reason, Resolve
from monitor.figures import RuleFigures
from monitor.model import Author, Outcome, State
from monitor.store import escalations, mentions
from monitor.store.figures import of_rules
from tests.fakes.corrected import (
    ANNA,
    NEGATIVE,
    NOT_ABOUT_US,
    NOT_NEGATIVE,
    correct,
    discussion,
    mention,
    opened,
    said,
)
from tests.fakes.world import LOUD, NOW, THREAD, World, angry

SPIKE = """\
id: brand
title: Many complaints about {brand}
owner: c@example.com
status: live
severity: high
scope: brand
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - negative_mentions: {at_least: 3, within: 60m}
timing: {wait_first: 30s}
"""


# -- what ends, what goes on -------------------------------------------------------------------------------------


def test_three_of_five_are_not_negative_and_that_ends_it(world: World) -> None:
    opened(world, 5)
    done = correct(world, NOT_NEGATIVE)
    assert (done.corrected, done.changed, done.reason) == (3, True, Reason.RESOLVED)
    assert (done.escalation.state, done.escalation.outcome) == (State.RESOLVED, Outcome.NOT_NEGATIVE)
    assert done.escalation.resolved_by == "anna"
    assert (discussion(world).mentions, discussion(world).negative) == (5, 2)
    assert world.kinds()[-1] == "update", "its message says so"


def test_three_of_fifty_are_not_negative_and_it_goes_on(world: World) -> None:
    opened(world, 50)
    done = correct(world, NOT_NEGATIVE)
    assert (done.corrected, done.reason, done.escalation.state) == (3, Reason.CORRECTED, State.OPEN)
    assert (discussion(world).mentions, discussion(world).negative) == (50, 47)
    assert world.kinds()[-1] == "update", "its message shows the figures of now"
    with world.app.store.read() as connection:
        (why,) = escalations.view(connection, 1).rules[0].reasons
    assert why.found == "47", "and why it alerts is told by them"
    with world.app.store.read() as connection:
        quoted = {one.id for one in escalations.view(connection, 1).mentions}
    assert not quoted & {row[0] for row in said(world)}, "others are quoted now"


def test_what_is_not_about_us_counts_nowhere(world: World) -> None:
    opened(world, 5)
    done = correct(world, NOT_ABOUT_US, 1, 2, 3)
    assert (done.escalation.state, done.escalation.outcome) == (State.RESOLVED, Outcome.NOT_ABOUT_US)
    found = discussion(world)
    assert (found.mentions, found.negative, found.authors, sum(found.trend)) == (2, 2, 2, 2)
    assert mention(world, 1).dismissed
    with world.app.store.read() as connection:
        assert [one.id for one in mentions.worst(connection, 1, 9)] == [4, 5]
        assert mentions.counts_of_brand(connection, "Acme", NOW) == {"mentions": 2, "negative": 2}


def test_corrections_long_after_the_last_alert_do_not_end_what_goes_on(world: World) -> None:
    """The rule looks at an hour; what it fired on in the morning is as negative in the evening."""
    opened(world, 10)
    world.wait(hours=30)
    done = correct(world, NOT_NEGATIVE, 8, 9, 10)
    assert (done.reason, done.escalation.state) == (Reason.CORRECTED, State.OPEN)


def test_what_was_resolved_before_it_came_back_holds_nothing_open(world: World) -> None:
    opened(world, 5)
    Acting(world.app.store, world.app.rules).act(1, Resolve("anna", Outcome.ANSWERED), ANNA, world.now)
    world.wait(hours=2)
    angry(world, 3)
    assert world.states() == [State.OPEN]
    assert correct(world, NOT_NEGATIVE, 6, 7, 8).escalation.state is State.RESOLVED


def test_two_clicks_end_what_one_does_not(world: World) -> None:
    opened(world, 7)
    assert correct(world, NOT_NEGATIVE).escalation.state is State.OPEN
    assert correct(world, NOT_NEGATIVE).escalation.state is State.RESOLVED


def test_a_loud_voice_that_is_not_about_us_lends_no_reach(tmp_path: Path) -> None:
    world = World(tmp_path, loud=LOUD)
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    world.say("acme is fine", author=Author(id="fan", followers=10))
    world.wait(seconds=31)
    assert discussion(world).reach == 500_010
    assert correct(world, NOT_ABOUT_US, 1).escalation.state is State.RESOLVED
    assert (discussion(world).reach, discussion(world).authors) == (10, 1)
    correct(world, NEGATIVE, 1)
    assert (discussion(world).reach, discussion(world).authors) == (500_010, 2)
    world.app.close()


def test_an_escalation_about_the_brand_as_a_whole(tmp_path: Path) -> None:
    world = World(tmp_path, brand=SPIKE)
    for number in range(5):
        world.say("acme is bad", conversation_id=f"t{number}")
    world.wait(seconds=40)
    world.wait(seconds=40)
    assert world.states() == [State.OPEN]
    world.say("acme is bad", conversation_id="other", source="elsewhere")
    assert correct(world, NOT_NEGATIVE, 1, 2, 3).escalation.state is State.OPEN, "three are left"
    done = correct(world, NOT_ABOUT_US)
    assert (done.corrected, done.escalation.state) == (3, State.RESOLVED)
    assert discussion(world, 1).negative == 0
    world.app.close()


def test_a_rule_whose_file_is_gone_holds_while_anything_negative_is_left(world: World) -> None:
    opened(world, 4)
    empty = Acting(world.app.store, replace(world.app.rules, rules=()))
    assert empty.act(1, Correct("anna", NOT_NEGATIVE), ANNA, world.now).escalation.state is State.OPEN
    assert empty.act(1, Correct("anna", NOT_NEGATIVE), ANNA, world.now).escalation.state is State.RESOLVED


# -- what is not done --------------------------------------------------------------------------------------------


def test_the_same_said_twice_is_one_label(world: World) -> None:
    opened(world, 50)
    correct(world, NOT_NEGATIVE, 1, 2)
    again = correct(world, NOT_NEGATIVE, 1, 2)
    assert (again.corrected, again.changed, again.reason) == (0, False, Reason.ALREADY_CORRECTED)
    assert said(world) == [(1, "not negative", "neutral", "negative"), (2, "not negative", "neutral", "negative")]
    assert discussion(world).negative == 48


def test_mentions_of_others_are_not_corrected(world: World) -> None:
    opened(world, 3)
    world.say("globex is bad", conversation_id="other")
    done = correct(world, NOT_NEGATIVE, 4, 999)
    assert (done.reason, done.changed) == (Reason.NOTHING_TO_CORRECT, False)
    assert said(world) == []


def test_a_kind_word_among_those_called_not_negative_stays_kind(world: World) -> None:
    opened(world, 3)
    world.say("acme is great")
    correct(world, NOT_NEGATIVE, 1, 2, 3, 4)
    kind = mention(world, 4).sentiment
    assert kind is not None and kind.label == "positive"


def test_after_its_end_mentions_can_be_corrected_all_the_same(world: World) -> None:
    opened(world, 5)
    Acting(world.app.store, world.app.rules).act(1, Resolve("bob", Outcome.NO_ACTION), ANNA, world.now)
    done = correct(world, NOT_NEGATIVE)
    assert (done.corrected, done.reason, done.escalation.outcome) == (3, Reason.ALREADY_ENDED, Outcome.NO_ACTION)
    assert discussion(world).negative == 2


# -- taking back -------------------------------------------------------------------------------------------------


def test_what_was_said_can_be_taken_back(world: World) -> None:
    opened(world, 5)
    before, figures = mention(world, 1), discussion(world)
    assert correct(world, NOT_NEGATIVE).escalation.state is State.RESOLVED
    done = correct(world, NEGATIVE)
    assert (done.corrected, done.escalation.state) == (3, State.OPEN), "it goes on where it was ended"
    after = mention(world, 1)
    assert after.sentiment is not None and before.sentiment is not None
    assert after.sentiment.model == before.sentiment.model
    assert after.sentiment.negative == pytest.approx(before.sentiment.negative)
    assert after.sentiment.positive == pytest.approx(before.sentiment.positive)
    assert discussion(world) == figures


def test_nothing_comes_back_that_somebody_ended_otherwise(world: World) -> None:
    opened(world, 5)
    correct(world, NOT_NEGATIVE, 1)
    Acting(world.app.store, world.app.rules).act(1, Resolve("bob", Outcome.ANSWERED), ANNA, world.now)
    assert correct(world, NEGATIVE, 1).escalation.state is State.RESOLVED


def test_a_person_can_call_negative_what_the_model_did_not(world: World) -> None:
    opened(world, 3)
    world.say("well done acme, three hours on the phone")
    correct(world, NEGATIVE, 4)
    told = mention(world, 4).sentiment
    assert told is not None and (told.score, told.model) == (-1, "person")
    assert discussion(world).negative == 4


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(list(Correction)), st.integers(1, 4)), max_size=12))
def test_the_figures_are_those_of_the_mentions_whatever_was_said(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Correction, int]]
) -> None:
    world = World(tmp_path_factory.mktemp("world"), thread=THREAD)
    angry(world, 3)
    world.say("acme is great", author=Author(id="1", followers=7))
    first = mention(world, 1)
    world.wait(seconds=31)
    for correction, number in steps:
        correct(world, correction, number)
    found, every = discussion(world), [mention(world, number) for number in range(1, 5)]
    counted = [one for one in every if not one.dismissed]
    assert found.mentions == len(counted)
    assert found.negative == sum(one.sentiment is not None and one.sentiment.label == "negative" for one in counted)
    assert found.authors == len({one.post.author.id for one in counted})
    correct(world, NEGATIVE, 1)
    again = mention(world, 1)
    assert again.sentiment is not None and first.sentiment is not None
    assert (again.dismissed, again.sentiment.label, again.sentiment.model) == (False, "negative", first.sentiment.model)
    world.app.close()


# -- what rules learn of it --------------------------------------------------------------------------------------


def test_what_people_said_counts_against_the_rule(world: World) -> None:
    opened(world, 3)
    correct(world, NOT_NEGATIVE, 1, 2, 3)
    with world.app.store.read() as connection:
        assert of_rules(connection, NOW) == (RuleFigures("thread", 1, 1, 1, 3),)
    correct(world, NEGATIVE)
    with world.app.store.read() as connection:
        assert of_rules(connection, NOW) == (RuleFigures("thread", 1),)
