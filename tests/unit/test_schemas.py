"""The schemas for editors: what the code says, where the files look for it; they tell wrong from right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monitor.app import SCHEMAS, schema_text
from monitor.rules.load import load_rules
from monitor.starter import starter_files, write_starter
from monitor.yamlfile import parse_yaml
from tests.fakes.rules_folder import RULE, TESTS

STARTER = {name: content.decode() for name, content in starter_files().items()}
YAML = sorted(name for name in STARTER if name.endswith(".yaml"))
RULES = {name.removeprefix("rules/"): text for name, text in STARTER.items() if name.startswith("rules/")}


def mistakes(what: str, text: str) -> list[str]:
    value: Any = parse_yaml(text, "f").value
    return [error.message for error in Draft202012Validator(json.loads(schema_text(what))).iter_errors(value)]


@pytest.mark.parametrize("what", SCHEMAS)
def test_the_starter_has_what_the_code_says(what: str) -> None:
    """If not: brand-monitor schema --write rules"""
    assert STARTER[f"rules/.schema/{what}.json"] == schema_text(what)
    Draft202012Validator.check_schema(json.loads(schema_text(what)))


@pytest.mark.parametrize("name", YAML)
def test_every_starter_file_names_its_schema_and_fits_it(name: str) -> None:
    first = STARTER[name].partition("\n")[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, first
    schema = (Path("/") / name).parent / found[1]
    assert schema.resolve().relative_to("/").as_posix() in STARTER
    kinds = {"monitor.yaml": "config", "rules/teams.yaml": "teams", "rules/topics.yaml": "topics"}
    what = kinds.get(name, "tests" if "/tests/" in name else "rules")
    assert schema.stem == what and mistakes(what, STARTER[name]) == []


def test_init_renews_the_schemas_and_nothing_else(tmp_path: Path) -> None:
    write_starter(tmp_path)
    old = [tmp_path / "rules" / ".schema" / "rules.json", tmp_path / "rules" / "teams.yaml"]
    for path in old:
        path.write_text("{}")
    written = [path for path, done in write_starter(tmp_path) if done]
    assert written == old[:1] and old[0].read_text("utf-8") == schema_text("rules") and old[1].read_text() == "{}"


def test_every_starter_rule_has_its_tests() -> None:
    read = load_rules(RULES, ["Acme"])
    assert {rule for file in read.tests for rule in file.rules} == {rule.file for rule in read.rules}
    assert all(len(file.tests) > 1 for file in read.tests)


BROKEN = {
    "unknown key": ("rules", RULE + "mute: 1\n"),
    "severity in capitals": ("rules", RULE.replace("high", "High")),
    "no unit": ("rules", RULE.replace("60m", "60")),
    "two conditions in one": ("rules", RULE.replace("60m}", "60m}\n    author_reach: {at_least: 5}")),
    "no tiers": ("rules", RULE.replace("\n  - {after: 0m, team: social}", " []")),
    "id with capitals": ("rules", RULE.replace("id: angry", "id: Angry")),
    "no id": ("rules", RULE.replace("id: angry\n", "")),
    "channel without #": ("teams", "social: {channel: social}"),
    "team name": ("teams", "Our Legal: {channel: '#legal'}"),
    "no channel": ("teams", "social: {members: []}"),
    "words are no list": ("topics", "safety: {en: fire}"),
    "language in full": ("topics", "safety: {english: [fire]}"),
    "expects nothing": ("tests", TESTS[: TESTS.index("expect:")] + "expect: []"),
    "expects nothing at a time": ("tests", TESTS.replace("{at: 19m, posts: 0}", "{at: 19m}")),
    "no offset": ("tests", TESTS.replace("+02:00", "")),
    "clock time": ("tests", TESTS.replace("at: 19m", 'at: "10:19"')),
    "no such state": ("tests", TESTS.replace("posts: 0", "state: opened")),
    "no such button": ("tests", TESTS + "    clicks: [{at: 1m, button: ack, user: anna}]\n"),
    "mute without an end": ("tests", TESTS + "    mutes: [{at: 1m, rule: angry}]\n"),
    "mistyped terms": ("config", "brands: [{name: Acme, termz: [acme]}]"),
    "no brands": ("config", "rules: rules/"),
}


@pytest.mark.parametrize(("what", "text"), BROKEN.values(), ids=list(BROKEN))
def test_an_editor_marks_what_is_wrong(what: str, text: str) -> None:
    assert mistakes(what, text)


@pytest.mark.parametrize(("what", "text"), [("rules", RULE), ("tests", TESTS)])
def test_an_editor_marks_nothing_that_is_right(what: str, text: str) -> None:
    assert mistakes(what, text) == []
