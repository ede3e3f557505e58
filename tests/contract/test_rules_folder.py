"""The rules folder as it is found on disk: what is read of it, what is not, what is told when it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.config import parse_config
from monitor.errors import ConfigError
from monitor.model import State
from monitor.rulebook import Watch, read_rules, rule_files
from monitor.rules.load import MOST_FILES
from monitor.wording.text import english, text_from_json
from tests.fakes.world import THREAD, World, angry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules" / "playbooks").mkdir(parents=True)
    (tmp_path / "rules" / "a.yaml").write_text("id: a\n")
    (tmp_path / "rules" / "playbooks" / "a.md").write_text("# A\n")
    return tmp_path / "rules"


def test_reads_rules_and_playbooks_and_nothing_else(folder: Path) -> None:
    for name in ("notes.txt", ".a.yaml.swp", ".hidden.yaml", "picture.png"):
        (folder / name).write_bytes(b"\xff")
    (folder / "b.YAML.txt").write_text("saved by an editor that means well")
    assert list(rule_files(folder)) == ["a.yaml", "b.YAML.txt", "playbooks/a.md"]


def test_a_history_of_thousands_of_files_beside_the_rules_hides_none(folder: Path) -> None:
    """A rules folder that is a git repository of its own."""
    (folder / ".git").mkdir()
    for number in range(MOST_FILES + 1):
        (folder / ".git" / f"{number}.yaml").touch()
    for number in range(MOST_FILES + 1):
        (folder / f"{number}.json").touch()
    watch = Watch(folder)
    assert list(rule_files(folder)) == ["a.yaml", "playbooks/a.md"]
    (folder / "a.yaml").write_text("id: another\n")
    assert (watch.changed(), watch.changed(), watch.changed()) == (False, True, False)


def test_a_folder_with_too_many_rules_is_refused_not_read_in_part(folder: Path) -> None:
    for number in range(MOST_FILES):
        (folder / f"{number}.yaml").touch()
    with pytest.raises(ConfigError, match=f"holds more than {MOST_FILES:,} files"):
        rule_files(folder)


def test_what_cannot_be_a_rule_is_named_with_the_mend(folder: Path) -> None:
    (folder / "b.yaml").write_bytes(b"\xff")
    (folder / "c.yaml").write_text("x" * 1_000_001)
    with pytest.raises(ConfigError) as caught:
        rule_files(folder)
    assert [(Path(one.file).name, one.message) for one in caught.value.problems] == [
        ("b.yaml", "is not UTF-8 text; save it again with the encoding UTF-8"),
        ("c.yaml", "is larger than 1 MB; no rule needs that"),
    ]


# -- what is told of a reload that failed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "told"),
    [
        pytest.param("rules/thread.yaml", "The rules in rules/ have changed and are not taken over", id="a rule"),
        pytest.param("monitor.yaml", "monitor.yaml has changed and is not taken over", id="the configuration"),
    ],
)
def test_whoever_broke_something_is_told_what(world: World, file: str, told: str) -> None:
    (world.folder / file).write_text("id: [", "utf-8")
    for _ in range(2):
        with pytest.raises(ConfigError):
            world.app.reload()
    with world.app.store.read() as connection:
        (notice,) = connection.execute("SELECT payload FROM outbox WHERE kind = 'notice'").fetchall()
    said = [english(text_from_json(line)) for line in json.loads(notice["payload"])["text"]]
    assert told in said[0] and any(f"{Path(file).name}:1" in line for line in said)
    angry(world)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]


@pytest.mark.parametrize("accounts", ["", ", own_accounts: {x: [acme_help]}"], ids=["none", "some"])
def test_a_tier_that_waits_for_an_answer_needs_to_know_our_accounts(tmp_path: Path, accounts: str) -> None:
    tiers = "escalate: [{after: 0m, team: social}, {after: 15m, unless: answered, team: social}]"
    World(tmp_path, thread=THREAD.replace("escalate: [{after: 0m, team: social}]", tiers)).app.close()
    text = f"brands: [{{name: Acme, terms: [acme]{accounts}}}]\nrules: rules/\n"
    warnings = read_rules(parse_config(text, tmp_path / "monitor.yaml")).warnings
    told = [str(one) for one in warnings if one.key == "escalate[1].unless"]
    assert [line.partition("unless: ")[2] for line in told] == (
        [] if accounts else ["no own_accounts of Acme stand in the configuration, so no answer is noticed"]
    )
