"""What people do with escalations, by whatever means: who may be given one, who reads what, which team has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.acting import Acting
from monitor.carry_out import kept_by
from monitor.errors import MonitorError
from monitor.escalation.acts import Channel, Person, ReadGuideline
from monitor.escalation.events import Acknowledge, Assign, HandOver, Reason, Resolve
from monitor.model import Outcome, State
from monitor.store import escalations
from tests.fakes.world import THREAD, World, angry

ANNA = Person("anna", Channel.SLACK, "U0000000001")
AT_THE_SHELL = Person("bob", Channel.COMMAND_LINE)
TEAMS = """\
social: {channel: "#social", members: {anna: U0000000001, bob: U0000000002}}
legal: {channel: "#legal", members: {lea: U0000000003}}
"""
PLAYBOOK = """\
---
owner: c@example.com
approved_by: the board
review_by: 2099-01-01
---
# Angry threads

Listen first.
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "rules" / "playbooks").mkdir(parents=True)
    (tmp_path / "rules" / "playbooks" / "angry.md").write_text(PLAYBOOK, "utf-8")
    made = World(tmp_path, teams=TEAMS, thread=THREAD + "playbook: playbooks/angry.md\n")
    angry(made)
    made.wait(seconds=31)
    made.told()
    yield made
    made.app.close()


@pytest.fixture
def acting(world: World) -> Acting:
    return Acting(world.app.store, world.app.rules)


def test_the_audit_log_says_who_acted_and_by_what(world: World, acting: Acting) -> None:
    done = acting.act(1, Acknowledge("anna"), ANNA, world.now)
    assert (done.changed, done.reason, done.escalation.assignee) == (True, Reason.ACKNOWLEDGED, "anna")
    done = acting.act(1, Resolve("bob", Outcome.ANSWERED), AT_THE_SHELL, world.now)
    assert done.escalation.state is State.RESOLVED
    with world.app.store.read() as connection:
        whos = [row["who"] for row in escalations.history(connection, 1)]
    assert whos[-2:] == ["anna (Slack U0000000001)", "bob (command line)"]


def test_what_changes_nothing_says_why(world: World, acting: Acting) -> None:
    acting.act(1, Acknowledge("anna"), ANNA, world.now)
    done = acting.act(1, Acknowledge("bob"), AT_THE_SHELL, world.now)
    assert (done.changed, done.reason) == (False, Reason.ALREADY_ACKNOWLEDGED)


def test_what_joins_the_act_is_stored_with_it_or_not_at_all(world: World, acting: Acting) -> None:
    def fails(connection: object, done: object) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        acting.act(1, Acknowledge("anna"), ANNA, world.now, fails)
    assert world.states() == [State.OPEN]
    seen = []
    acting.act(1, Acknowledge("anna"), ANNA, world.now, lambda connection, done: seen.append(done.escalation.state))
    assert seen == [State.ACKNOWLEDGED]


def test_an_unknown_escalation_is_refused(world: World, acting: Acting) -> None:
    with pytest.raises(MonitorError, match="There is no escalation 99"):
        acting.act(99, Acknowledge("anna"), ANNA, world.now)


# -- assigning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["lea", "Lea", "@lea", "U0000000003"])
def test_people_are_known_by_name_or_slack_id(world: World, acting: Acting, named: str) -> None:
    done = acting.act(1, Assign("bob", named), AT_THE_SHELL, world.now)
    assert done.escalation.assignee == "lea"


def test_at_the_command_line_a_stranger_is_a_mistake(world: World, acting: Acting) -> None:
    with pytest.raises(MonitorError, match='No team has a member "ana"; did you mean "anna"'):
        acting.act(1, Assign("bob", "ana"), AT_THE_SHELL, world.now)
    done = acting.act(1, Assign("bob", "Zoe"), AT_THE_SHELL, world.now, anyone=True)
    assert done.escalation.assignee == "Zoe"


def test_in_slack_every_member_can_be_given_one(world: World, acting: Acting) -> None:
    assert acting.act(1, Assign("anna", "Zoe"), ANNA, world.now).escalation.assignee == "Zoe"


# -- handing over ------------------------------------------------------------------------------------------------


def test_a_team_that_does_not_exist_is_a_mistake(world: World, acting: Acting) -> None:
    with pytest.raises(MonitorError, match='There is no team "leggal"; did you mean "legal"'):
        acting.act(1, HandOver("anna", "leggal"), ANNA, world.now)


def test_the_team_that_it_is_handed_to_stands_first_from_then_on(world: World, acting: Acting) -> None:
    acting.act(1, HandOver("anna", "legal"), ANNA, world.now)
    with world.app.store.read() as connection:
        escalation = escalations.by_id(connection, 1)
        assert escalation is not None
        team = kept_by(connection, escalation).team(1)
    assert team is not None and (team.id, team.members) == ("legal", {"lea": "U0000000003"})


def test_the_team_that_has_it_already_is_told_nothing(world: World, acting: Acting) -> None:
    before = len(world.messages())
    done = acting.act(1, HandOver("anna", "social"), ANNA, world.now)
    assert (done.changed, done.reason) == (False, Reason.ALREADY_THEIRS)
    assert len(world.messages()) == before


def test_what_has_ended_is_handed_to_nobody(world: World, acting: Acting) -> None:
    acting.act(1, Resolve("anna", Outcome.ANSWERED), ANNA, world.now)
    done = acting.act(1, HandOver("anna", "legal"), ANNA, world.now)
    assert (done.changed, done.reason) == (False, Reason.ALREADY_ENDED)


# -- guidelines --------------------------------------------------------------------------------------------------


def test_who_read_the_guideline_is_recorded_once(world: World, acting: Acting) -> None:
    assert acting.act(1, ReadGuideline("anna"), ANNA, world.now).changed
    again = acting.act(1, ReadGuideline("anna"), ANNA, world.now)
    assert (again.changed, again.reason) == (False, Reason.ALREADY_READ)
    renamed = replace(ANNA, name="Anna B.")
    assert not acting.act(1, ReadGuideline("Anna B."), renamed, world.now).changed
    assert acting.act(1, ReadGuideline("bob"), AT_THE_SHELL, world.now).changed
    assert acting.act(1, ReadGuideline("anna", version="0badc0de"), ANNA, world.now).changed, "another version"
    with world.app.store.read() as connection:
        view = escalations.view(connection, 1)
        events = [
            json.loads(e["data"]) for e in escalations.history(connection, 1) if e["what"] == "read the guideline"
        ]
    assert view.read_by == ("anna", "bob")
    assert view.guideline is not None
    assert [event["version"] for event in events] == [view.guideline.version, view.guideline.version, "0badc0de"]
    assert world.kinds().count("update") == 1, "the message says who has read it, once for all that waits"


def test_without_a_guideline_there_is_nothing_to_read(tmp_path: Path) -> None:
    world = World(tmp_path, thread=THREAD)
    angry(world)
    with pytest.raises(MonitorError, match="The rule thread has no guideline"):
        Acting(world.app.store, world.app.rules).act(1, ReadGuideline("anna"), ANNA, world.now)
    world.app.close()
