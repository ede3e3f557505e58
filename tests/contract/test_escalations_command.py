"""`escalations` as people type it: all that a button can do, what it says, what it refuses; and the timeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import cli
from monitor.errors import MonitorError
from monitor.model import State
from monitor.store import escalations
from tests.fakes.world import THREAD, World, angry

TEAMS = """\
social: {channel: "#social", members: {anna: U0000000001, bob: U0000000002}}
legal: {channel: "#legal", members: {lea: U0000000003}}
"""
PLAYBOOK = "---\nowner: c@example.com\napproved_by: the board\nreview_by: 2099-01-01\n---\n# Angry threads\n\nListen.\n"
Type = Callable[..., Result]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "rules" / "playbooks").mkdir(parents=True)
    (tmp_path / "rules" / "playbooks" / "angry.md").write_text(PLAYBOOK, "utf-8")
    made = World(tmp_path, teams=TEAMS, thread=THREAD + "playbook: playbooks/angry.md\n")
    angry(made, 5)
    made.wait(seconds=31)
    made.deliver()
    yield made
    made.app.close()


@pytest.fixture
def typed(world: World) -> Type:
    def run(*words: str) -> Result:
        options = ["--config", str(world.folder / "monitor.yaml"), "escalations", *words]
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli, options)

    return run


def refused(result: Result) -> str:
    """The sentence in which it was refused."""
    assert isinstance(result.exception, MonitorError)
    return str(result.exception)


def test_what_a_button_can_do_the_command_line_can(world: World, typed: Type) -> None:
    assert "Escalation e1 is acknowledged now, bob has it" in typed("ack", "e1", "--by", "bob").output
    assert "Escalation e1 is acknowledged now, lea has it" in typed("assign", "1", "U0000000003", "--by", "bob").output
    assert "handed over to team legal" in typed("handover", "1", "legal", "--by", "bob").output
    assert "is snoozed now" in typed("snooze", "1", "--for", "2h", "--by", "bob").output
    assert "resolved now" in typed("resolve", "1", "--outcome", "no-action", "--by", "bob").output
    with world.app.store.read() as connection:
        whos = {row["who"] for row in escalations.history(connection, 1) if row["what"] in ("acknowledged", "resolved")}
    assert whos == {"bob (command line)"}


def test_corrections_say_what_follows(world: World, typed: Type) -> None:
    one = typed("correct", "1", "not-negative", "--mention", "m1", "--by", "bob").output
    assert one.startswith("1 mention counts as neutral from now on. Escalation e1 is open;")
    again = typed("correct", "1", "not-negative", "--mention", "m1").output
    assert again.startswith("Nothing changed: there is nothing left to correct in these mentions")
    rest = typed("correct", "1", "not about us", "--by", "bob").output
    assert rest.startswith("3 mentions count nowhere from now on. Escalation e1 is resolved by bob: not about us;")
    back = typed("correct", "1", "negative", "--by", "bob").output
    assert back.startswith("4 mentions count as negative again from now on. Escalation e1 is open;")
    assert "there is no such mention to correct" in typed("correct", "1", "not-negative", "--mention", "99").output
    wrong = typed("correct", "1", "not-negative", "--mention", "d1")
    assert wrong.exit_code == 2 and "d1 is no mention; write its number as" in wrong.output


def test_mistakes_say_what_to_write(typed: Type) -> None:
    assert "There is no escalation 9; `escalations list --all` lists them" in refused(typed("ack", "9"))
    assert 'No team has a member "ana"; did you mean "anna"? (--anyone' in refused(typed("assign", "1", "ana"))
    assert "zoe has it" in typed("assign", "1", "zoe", "--anyone").output
    assert refused(typed("handover", "1", "legall")) == 'There is no team "legall"; did you mean "legal"?'
    assert "this team has it already" in typed("handover", "1", "social").output


def test_the_guideline_is_read_once(typed: Type) -> None:
    first = typed("guideline", "1", "--by", "bob").output
    assert "# Angry" not in first and "Listen." in first and "Recorded: bob read playbooks/angry.md" in first
    assert "Recorded" not in typed("guideline", "1", "--by", "bob").output
    assert "Guideline read by bob" in typed("show", "1").output


def test_people_act_by_the_rules_in_force_whatever_is_wrong_with_the_folder(world: World, typed: Type) -> None:
    world.app.reload()
    (world.folder / "rules" / "thread.yaml").write_text("id: [", "utf-8")
    assert "handed over to team legal" in typed("handover", "1", "legal").output
    assert "lea has it" in typed("assign", "1", "lea").output
    assert "is resolved" in typed("correct", "1", "not-negative").output


def test_without_any_good_rules_all_goes_that_needs_none(world: World, typed: Type) -> None:
    with world.app.store.write() as connection:
        connection.execute("DELETE FROM facts WHERE name = 'rules_in_force'")
    (world.folder / "rules" / "thread.yaml").write_text("id: [", "utf-8")
    assert "thread.yaml" in refused(typed("handover", "1", "legal"))
    assert "is acknowledged" in typed("ack", "1").output
    assert "bob has it" in typed("assign", "1", "bob").output
    assert "3 mentions count as neutral" in typed("correct", "1", "not-negative").output
    assert world.states() == [State.ACKNOWLEDGED], "two are left, and nobody knows what the rule asked"


# -- the story ---------------------------------------------------------------------------------------------------


def test_show_tells_the_story_in_the_zone_of_the_reader(world: World, typed: Type) -> None:
    typed("ack", "1", "--by", "bob")
    told = typed("show", "1", "--zone", "Europe/Rome").output
    assert "Timeline (Europe/Rome)" in told
    story = [line.split("  ") for line in told.split("Timeline (Europe/Rome)\n")[1].split("\n\n")[0].splitlines()]
    lines = [line[-1].strip() for line in story]
    assert lines[0].startswith("rule thread fires: negative_mentions: 3")
    assert lines[1].startswith("open: the first wait is over") and "#social" in lines[2]
    assert lines[-1] == "bob (command line) acknowledges it"
    assert "12:00:0" in told and "Response\n  told " in told and ", acknowledged after " in told
    assert "m1  " in told, "a mention's number is what `correct --mention` takes"


def test_a_narrow_terminal_shows_all_of_it(world: World) -> None:
    options = ["--config", str(world.folder / "monitor.yaml"), "escalations", "show", "1"]
    told = CliRunner(env={"COLUMNS": "60"}).invoke(cli, options).output
    story = told.split("Timeline")[1].split("\n\n")[0]
    assert max(map(len, story.splitlines())) <= 60
    assert "the first wait is over and the condition still holds" in " ".join(story.split())


def test_show_tells_what_is_refused(world: World, typed: Type) -> None:
    typed("ack", "1")
    with world.app.store.write() as connection:
        connection.execute("UPDATE outbox SET state = 'blocked', error = 'is_archived' WHERE state = 'ready'")
    assert "the update of its message in #social is refused: is_archived" in typed("show", "1").output


def test_show_as_json_carries_the_same(typed: Type) -> None:
    typed("ack", "1", "--by", "bob")
    found = json.loads(typed("show", "1", "--json").output)
    steps = found["timeline"]["steps"]
    assert steps[-1] | {"at": ""} == {"at": "", "by": "person", "who": "bob (command line)", "text": "acknowledges it"}
    assert found["timeline"]["responses"]["told"] == pytest.approx(31, abs=10)
    assert found["timeline"]["responses"]["answered"] is None
    assert [event["what"] for event in found["events"]][:2] == ["pending", "open"]


def test_a_zone_that_does_not_exist_is_a_mistake(typed: Type) -> None:
    wrong = typed("show", "1", "--zone", "Rome")
    assert wrong.exit_code == 2 and 'Did you mean "Europe/Rome"?' in wrong.output


def test_the_zone_of_the_machine_is_named(typed: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert "Timeline (Asia/Tokyo)" in typed("show", "1").output


def test_what_people_said_of_its_alerts_stands_beside_the_rule(
    world: World, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The alert is of then, whenever this runs.
    monkeypatch.setattr("monitor.app.utc_now", lambda: world.now)
    typed("correct", "1", "not-negative")
    options = ["--config", str(world.folder / "monitor.yaml"), "rules", "list"]
    (rule,) = json.loads(CliRunner().invoke(cli, [*options, "--json"]).output)
    assert (rule["alerts"], rule["judged"], rule["dismissed"], rule["corrected"]) == (1, 1, 1, 3)
    head, line, *_ = CliRunner().invoke(cli, options).output.splitlines()
    assert "false alarms" in head and "1 of 1" in line
