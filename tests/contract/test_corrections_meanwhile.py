"""Corrections, and what comes in afterwards or at the same time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from monitor.acting import Acting
from monitor.cli.words import score
from monitor.escalation.acts import Correct, Correction, Done
from monitor.escalation.events import Reason, Resolve
from monitor.explain import answer, find
from monitor.model import Outcome, State
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.load import RuleSet
from monitor.store import Store, escalations, evidence, labels, mentions, stats
from monitor.wording.text import english
from tests.fakes.corrected import (
    ANNA,
    NOT_ABOUT_US,
    NOT_NEGATIVE,
    correct,
    discussion,
    mention,
    opened,
    said,
)
from tests.fakes.world import NOW, World, angry

# -- what comes in afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("correction", [NOT_NEGATIVE, NOT_ABOUT_US])
def test_what_a_person_dismissed_does_not_count_again(world: World, correction: Correction) -> None:
    opened(world, 3)
    assert correct(world, correction).escalation.state is State.RESOLVED
    world.say("acme is bad")
    world.say("acme is bad")
    assert world.states() == [State.RESOLVED], "with those corrected there would be five"
    world.say("acme is bad")
    assert world.states() == [State.OPEN]


def test_an_edit_that_changes_no_word_leaves_what_a_person_said(world: World) -> None:
    opened(world, 5)
    world.say("Acme  is BAD", native_id="p1")
    world.say("acme is bad", native_id="p2")
    correct(world, NOT_NEGATIVE, 1)
    correct(world, NOT_ABOUT_US, 2)
    figures = discussion(world)
    world.say("acme is\nbad", native_id="p1")
    world.say("ACME is bad", native_id="p2")
    told = mention(world, 1).sentiment
    assert told is not None and told.model == "person"
    assert mention(world, 2).dismissed
    assert (discussion(world).mentions, discussion(world).negative) == (figures.mentions, figures.negative)


def test_other_words_are_judged_anew(world: World) -> None:
    opened(world, 5)
    correct(world, NOT_NEGATIVE, 1)
    correct(world, NOT_ABOUT_US, 2)
    world.say("acme is really awful", native_id="p1")
    world.say("acme is awful, and I mean the network", native_id="p2")
    assert (discussion(world).mentions, discussion(world).negative, discussion(world).authors) == (5, 5, 5)
    assert not mention(world, 2).dismissed
    assert correct(world, NOT_NEGATIVE, 1).corrected == 1, "what was said of the old words says nothing of the new"


def test_a_dismissed_mention_that_is_edited_away_is_not_taken_off_twice(world: World) -> None:
    opened(world, 5)
    correct(world, NOT_ABOUT_US, 1)
    world.say("never mind", native_id="p1", conversation_id=None)
    assert (discussion(world).mentions, discussion(world).negative) == (4, 4)


def test_a_reply_to_what_is_not_about_us_is_not_about_us(world: World) -> None:
    world.say("the acme of bad taste", conversation_id="film", native_id="film")
    world.say("acme is bad", conversation_id="t1")
    with world.app.store.write() as connection:
        one = escalations.create(connection, "Acme", "discussion", 1, "thread", "high", NOW)  # type: ignore[arg-type]
        labels.correct(connection, [1], NOT_ABOUT_US, who="anna", escalation=one, now=NOW)
    world.say("so true", conversation_id="film", parent_id="film", native_id="reply")
    with world.app.store.read() as connection:
        assert evidence.latest(connection).id == 2


def test_listings_tell_what_is_not_about_us(world: World) -> None:
    opened(world, 5)
    correct(world, NOT_ABOUT_US, 1)
    with world.app.store.read() as connection:
        assert [score(one) for one in mentions.search(connection, "acme")].count("not us") == 1
        assert stats.volume(connection, NOW).mentions == 4
        [found] = find(connection, "m", 1)
        why = answer(connection, found, world.app.rules, ["Globex"], Spoken(world.now))
    assert english(why.notes[0]) == "Somebody said that m1 is not about Acme: it counts nowhere."


# -- at the same time --------------------------------------------------------------------------------------------


class Interrupted:
    """A database in which something happens each time somebody has finished reading, up to so many times."""

    def __init__(self, store: Store, happens: Callable[[], None], times: int = 1) -> None:
        self._store, self._happens, self._left = store, happens, times

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._store.read() as connection:
            yield connection
        if self._left:
            self._left -= 1
            self._happens()

    def write(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._store.write()


def interrupted(world: World, happens: Callable[[], None], rules: RuleSet, times: int = 1) -> Done:
    acting = Acting(Interrupted(world.app.store, happens, times), rules)
    return acting.act(1, Correct("anna", NOT_NEGATIVE, (1, 2, 3)), ANNA, world.now)


def test_what_comes_in_while_it_is_judged_keeps_it_open(world: World) -> None:
    opened(world, 3)
    done = interrupted(world, lambda: angry(world, 3), world.app.rules)
    assert (done.reason, done.escalation.state) == (Reason.CORRECTED, State.OPEN)


def test_what_is_edited_while_it_is_judged_is_judged_as_it_is(world: World) -> None:
    opened(world, 5)
    edits = iter(["acme is bad!", "acme is so bad", "acme is very bad", "acme is good"])
    done = interrupted(world, lambda: world.say(next(edits), native_id="p4"), world.app.rules, times=4)
    assert done.escalation.state is State.RESOLVED
    assert discussion(world).negative == (2 if next(edits, None) else 1)


def test_what_somebody_else_ended_meanwhile_stays_as_they_ended_it(world: World) -> None:
    opened(world, 3)
    other = Acting(world.app.store, world.app.rules)
    done = interrupted(
        world, lambda: other.act(1, Resolve("bob", Outcome.ANSWERED), ANNA, world.now) and None, world.app.rules
    )
    assert (done.corrected, done.escalation.outcome, done.escalation.resolved_by) == (3, Outcome.ANSWERED, "bob")


def test_killed_after_the_correction_the_next_try_ends_it(world: World) -> None:
    opened(world, 3)

    def dies() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(world, dies, world.app.rules)
    assert world.states() == [State.OPEN]
    done = correct(world, NOT_NEGATIVE, 1, 2, 3)
    assert (done.corrected, done.escalation.state) == (0, State.RESOLVED)
    assert len(said(world)) == 3
