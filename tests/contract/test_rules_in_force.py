"""Which rules are in force: taken over as a whole or not at all, with their author, across restarts, told to people."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.app import App
from monitor.config import parse_config
from monitor.errors import ConfigError
from monitor.model import State
from monitor.wording.text import english, text_from_json
from tests.fakes.proofs import prove_all
from tests.fakes.sentiment import PlainWords
from tests.fakes.world import CONFIG, LOUD, TEAMS, THREAD, World, angry


def write(world: World, name: str, text: str) -> None:
    (world.folder / "rules" / name).write_text(text, "utf-8")
    prove_all(world.folder / "rules")


def events(world: World) -> list[tuple[str, str]]:
    with world.app.store.read() as connection:
        found = connection.execute("SELECT what, why FROM events WHERE who = 'rules' ORDER BY id").fetchall()
    return [(row["what"], row["why"]) for row in found]


def notices(world: World) -> list[str]:
    with world.app.store.read() as connection:
        rows = connection.execute("SELECT payload FROM outbox WHERE kind = 'notice' ORDER BY id").fetchall()
    kept = [json.loads(row["payload"])["text"] for row in rows]
    return ["\n".join(english(text_from_json(one)) for one in said) for said in kept]


def restarted(world: World) -> World:
    world.app.close()
    world.app = world.opened()
    world.app.note_rules()
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, thread=THREAD)
    made.app.note_rules()
    return made


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        pytest.param("thread.yaml", THREAD.replace("severity: high", "severity: hihg"), "thread.yaml:5:", id="a rule"),
        pytest.param("thread.yaml", "id: thr", "thread.yaml: severity: this key is missing", id="half written"),
        pytest.param("teams.yaml", "social: {}\n", "teams.yaml:1:", id="teams that the rules need"),
        pytest.param(
            "tests/thread.yaml",
            'rules: [thread.yaml]\ntests: [{name: t, start: "2026-03-02T10:00Z", mentions: [{at: 0m, brand: acme,'
            " sentiment: 0}], expect: [{at: 1h, posts: 1}]}]\n",
            "posts: expected 1, found 0",
            id="a test that fails",
        ),
    ],
)
def test_what_is_no_good_changes_nothing_and_is_told_once(world: World, name: str, text: str, told: str) -> None:
    before = world.app.rules.hash
    good = (world.folder / "rules" / name).read_text("utf-8")
    (world.folder / "rules" / name).write_text(text, "utf-8")
    for _ in range(2):
        with pytest.raises(ConfigError):
            world.app.reload()
    assert world.app.rules.hash == before
    (notice,) = notices(world)
    assert told in notice and "what was last good stays in force" in notice
    assert ("refused" in dict(events(world))) is True

    restarted(world)
    assert world.app.rules.hash == before and len(notices(world)) == 1, "and is not told again after a restart"
    angry(world)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN], "monitoring goes on"

    (world.folder / "rules" / name).write_text(good, "utf-8")
    world.app.reload()
    assert notices(world)[-1] == "The rules in rules/ are good again and in force."
    world.app.close()


def test_there_is_nothing_to_fall_back_on_at_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        World(tmp_path, thread=THREAD.replace("severity: high", "severity: hihg"))


def test_a_brand_that_is_gone_takes_no_other_rule_with_it(tmp_path: Path) -> None:
    other = THREAD.replace("id: thread", "id: other").replace("[acme]", "[globex]")
    world = World(tmp_path, thread=THREAD, other=other)
    world.app.note_rules()
    world.app.close()
    text = CONFIG.replace("  - {name: Globex, terms: [globex], competitor: true}\n", "")
    world.app = App(parse_config(text, tmp_path / "monitor.yaml"), model=PlainWords(), clock=lambda: world.now)
    assert "no brand" in world.app.rules_problem
    angry(world)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]
    world.app.close()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_who_changed_the_rules_is_recorded(world: World) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", "-C", str(world.folder), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", "rules")
    git("commit", "-qm", "Rules")
    write(world, "thread.yaml", THREAD.replace("severity: high", "severity: low"))
    git("commit", "-qam", "Lower")
    world.app.reload()
    what, why = events(world)[-1]
    assert what == "loaded" and "by Ada <ada@example.com>, commit " in why and "with changes since" not in why
    write(world, "thread.yaml", THREAD)
    world.app.reload()
    assert events(world)[-1][1].endswith(", with changes since")
    world.app.close()


def test_a_mute_in_a_file_holds_and_its_removal_lets_go(world: World) -> None:
    until = world.now + timedelta(days=2)
    mute = f'mutes: [{{until: "{until:%Y-%m-%dT%H:%M}Z", because: works}}]\n'
    write(world, "thread.yaml", THREAD + mute)
    world.app.reload()
    angry(world)
    world.wait(hours=5)
    assert world.states() == [State.HELD]
    write(world, "thread.yaml", THREAD)
    world.app.reload()
    world.wait(seconds=1)
    assert world.states() == [State.OPEN]
    world.app.close()


@pytest.mark.parametrize("take_over", [lambda w: w.app.reload(), restarted], ids=["reload", "restart"])
def test_what_is_alive_is_handled_by_the_people_of_now(world: World, take_over: Callable[[World], object]) -> None:
    rule = THREAD.replace(
        "{after: 0m, team: social}", "{after: 0m, team: social}, {after: 1h, team: leads, mention: true}"
    )
    write(world, "teams.yaml", TEAMS + 'leads: {channel: "#old", members: {dora: U0000000001}}\n')
    write(world, "thread.yaml", rule)
    write(world, "loud.yaml", LOUD)
    world.app.reload()
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    write(world, "teams.yaml", TEAMS + 'leads: {channel: "#new", members: {emil: U0000000002}}\n')
    (world.folder / "rules" / "thread.yaml").unlink()
    (world.folder / "rules" / "tests" / "thread.yaml").unlink()
    take_over(world)
    world.wait(hours=1, minutes=1)
    with world.app.store.read() as connection:
        call = connection.execute("SELECT channel, payload FROM outbox WHERE kind = 'call'").fetchone()
    assert call["channel"] == "#new" and json.loads(call["payload"])["notify"] == ["U0000000002"]
    world.app.close()
