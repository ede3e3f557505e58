"""A drill from its first post to its figures, on real files and in no time: the clock jumps to whatever is due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.desk import Desk
from monitor.drill import place
from monitor.drill.place import Setup
from monitor.drill.report import Verdict
from monitor.drill.wording import verdict
from monitor.errors import MonitorError
from monitor.escalation.events import Resolve
from monitor.model import Outcome
from monitor.store import Store, mutes
from tests.fakes.drill_stage import NOON, Stage, ack, measures, minutes, resolve, script, well_faced


def test_a_crisis_well_faced_meets_all_its_targets(stage: Stage) -> None:
    well_faced(stage)
    found = stage.play()
    # The first bad post comes at 1:00, the third at 3:00, the alert half a minute later.
    assert measures(found) == {
        "called": ("met", minutes(2.5)),
        "acknowledged": ("met", minutes(2)),
        "guideline": ("met", minutes(2.5)),
        "answered": ("met", minutes(5.5)),
        "resolved": ("met", minutes(8.5)),
    }
    assert found.met and verdict(found) == "All 5 targets met: Anna had it 2m after the alert."
    assert (found.mentions, found.negative, found.alerts) == (5, 4, 1)
    (anna,) = found.people
    assert (anna.name, anna.called_after, anna.tier, anna.did, anna.took) == (
        "anna", minutes(3.5), 1, "took it", minutes(2),
    )  # fmt: skip
    told = [step.text for step in found.steps]
    assert told[0] == "first negative post, by a1 on forum"
    assert "alert: social is told (tier 1), anna by name" in told
    assert any("anna reads playbooks/calm.md, version " in text for text in told)
    assert "anna answers: “We are sorry: it is mended by noon.”" in told
    assert told[-1] == "Anna resolves it: answered “all mended”"
    assert stage.now < NOON + minutes(12.1), "it ends when all is settled"


def test_nobody_does_anything_and_the_leads_are_called(stage: Stage) -> None:
    found = stage.play()
    assert not found.met
    assert [(one.name, one.called_after, one.took) for one in found.people] == [
        ("anna", minutes(3.5), None),
        ("carla", minutes(13.5), None),
    ]
    assert verdict(found) == (
        "1 of 5 targets met: nobody took it, nobody read the guideline, nobody answered it and nobody resolved it."
    )
    assert minutes(33) < stage.now - NOON < minutes(35), "it waits for the longest target, not for ever"


def test_too_late_is_told_with_the_difference(stage: Stage) -> None:
    stage.at(11.5, ack)
    stage.at(12, resolve)
    found = stage.play()
    assert measures(found)["acknowledged"] == ("missed", minutes(8))
    assert verdict(found) == "3 of 5 targets met: it was taken 3m late and nobody read the guideline."


def test_what_is_not_about_us_needs_no_answer(stage: Stage) -> None:
    stage.at(5, lambda desk: desk.act(1, Resolve("Anna", Outcome.NOT_ABOUT_US), "Anna"))
    found = stage.play()
    assert measures(found)["answered"] == (Verdict.UNASKED, None)
    assert measures(found)["acknowledged"] == ("met", minutes(1.5)), "whoever resolves it has taken it"


def test_an_answer_in_the_script_counts_as_ours(stage: Stage) -> None:
    answer = {"at": "8m", "source": "forum", "text": "We look into it", "conversation_id": "p1", "answer": True}
    stage.at(9, lambda desk: desk.act(1, Resolve("Anna", Outcome.NO_ACTION), "Anna"))
    found = stage.play(script(answer))
    assert "acme_help answers, as the script has it" in [step.text for step in found.steps]
    stage.acts.clear()
    assert measures(stage.play(script(answer)))["answered"] == ("met", minutes(4.5))


def test_ended_early_it_tells_what_nobody_can_know_yet(stage: Stage) -> None:
    def interrupt(desk: Desk) -> None:
        raise KeyboardInterrupt

    stage.at(5, ack)
    stage.at(6, interrupt)
    found = stage.play()
    assert found.course.early and not found.met
    assert {name: value for name, (value, _) in measures(found).items()} == {
        "called": "met", "acknowledged": "met", "guideline": "open", "answered": "open", "resolved": "open",
    }  # fmt: skip
    assert "it ended too early to tell about: guideline read" in verdict(found)


def test_where_no_rule_fires_it_tells_which_came_nearest(stage: Stage) -> None:
    found = stage.play(script(bad=2))
    assert not found.met and found.alerts == 0
    assert verdict(found) == (
        "No rule fired: 2 of 3 posts about Acme were negative. "
        "The nearest was thread on “Is it me?” (negative_mentions at least 3 within 1h: 2)."
    )


def test_a_drill_that_is_over_takes_no_more_acts_and_shows_its_figures_again(stage: Stage) -> None:
    well_faced(stage)
    found = stage.play()
    assert stage.store
    desk = Desk(stage.config, stage.store, drill=True, clock=lambda: stage.now)
    with pytest.raises(MonitorError, match="drill --report"):
        ack(desk)
    guideline, recorded = desk.guideline(1, "bruno")
    assert (guideline.title, recorded) == ("Stay calm", False)
    assert place.read_report(stage.store, stage.now + minutes(99)) == found


# -- hours, mutes ------------------------------------------------------------------------------------------------


def test_hours_are_set_aside_unless_they_are_kept(stage: Stage) -> None:
    assert stage.play().alerts == 1
    stage.now = NOON
    kept = stage.play(setup=Setup("#drill", keep_hours=True))
    assert kept.alerts == 0 and "Nobody was told" in verdict(kept)
    assert "not said yet: the team is not there yet" in [step.text for step in kept.steps][-1]


def test_mutes_hold_back_a_drill_that_keeps_hours(stage: Stage) -> None:
    monday = NOON + timedelta(days=1)
    live = Store(stage.config.store)
    with live.write() as connection:
        mutes.add(connection, mutes.Mute("thread", NOON, NOON + timedelta(days=9), "anna"))
    live.close()
    stage.now = monday
    assert stage.play().alerts == 1
    stage.now = monday + timedelta(hours=1)
    kept = stage.play(setup=Setup("#drill", keep_hours=True))
    assert kept.alerts == 0 and "not said yet: the rule is muted" in [step.text for step in kept.steps]
