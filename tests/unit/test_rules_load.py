"""A rules folder with its teams, topics and playbooks: what is read, warnings, all problems of all files at once."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from monitor.rules.language import rules_schema
from monitor.rules.load import load_rules
from monitor.rules.people.teams import teams_schema
from monitor.rules.topics import topics_schema
from tests.fakes.rules_folder import FOLDER, PLAYBOOK, RULE, TESTS, load, problems, rule

STARTER = Path(__file__).parents[2] / "rules"


def test_a_rule_set_keeps_the_texts_it_was_read_from() -> None:
    read = load({"tests/angry.yaml": TESTS})
    assert read.files == {**FOLDER, "tests/angry.yaml": TESTS}
    assert [(file.file, file.name) for file in read.tests] == [("rules/tests/angry.yaml", "tests/angry.yaml")]


def test_a_playbook_is_known_by_its_path_and_its_content() -> None:
    guideline = load().guidelines["playbooks/angry.md"]
    assert (guideline.title, guideline.body) == ("Stay calm", "Breathe.")
    assert (guideline.owner, guideline.approved_by, guideline.review_by) == ("ada@example.com", "board", "2027-05-31")
    assert guideline.version == hashlib.sha256(PLAYBOOK.encode()).hexdigest()[:8]
    untitled = load({"playbooks/angry.md": PLAYBOOK.replace("# Stay calm", "## 1").replace("\n", "\r\n")})
    assert untitled.guidelines["playbooks/angry.md"].title == "Angry"


def test_teams_and_topics_are_needed_only_where_a_rule_names_them() -> None:
    assert load({"topics.yaml": None}).topics == {}
    assert problems({"teams.yaml": None}) == [
        'rules/angry.yaml:10:17: escalate[0].team: there is no team "social" in teams.yaml'
    ]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"angry.yaml": RULE + "\n"}, False, id="a rule"),
        pytest.param({"tests/angry.yaml": TESTS}, False, id="a test"),
        pytest.param({"angry.yaml": None, "other.yaml": RULE}, False, id="a name"),
    ],
)
def test_the_hash_changes_with_any_file(changed: dict[str, str | None], same: bool) -> None:
    assert (load(changed).hash == load().hash) is same


def test_the_starter_rules_are_good_and_warn_of_nothing() -> None:
    paths = [path for path in STARTER.rglob("*") if path.is_file()]
    files = {path.relative_to(STARTER).as_posix(): path.read_text("utf-8") for path in paths}
    read = load_rules(files, ["Acme"], today=date(2027, 5, 31))
    assert len(read.rules) == 4 and read.warnings == ()
    assert {language for lists in read.topics.values() for language in lists} >= {"en", "it"}


# -- warnings ----------------------------------------------------------------------------------------------------


WARNINGS = {
    "no rule": ({"angry.yaml": None}, "rules: there is no rule here"),
    "no playbook": (
        {"angry.yaml": rule(("playbook: playbooks/angry.md\n", ""))},
        "rules/angry.yaml: playbook: a live rule without a playbook",
    ),
    "review overdue": (
        {"playbooks/angry.md": PLAYBOOK.replace("2027-05-31", "2026-12-31")},
        "rules/playbooks/angry.md: review_by: its review was due on 2026-12-31; ada@example.com should",
    ),
    "nobody to call": (
        {"angry.yaml": rule(("team: social}", "team: social, mention: true}"))},
        "rules/angry.yaml:10:31: escalate[0].mention: social has neither a user group nor members in teams.yaml",
    ),
    "an answer to a brand": (
        {
            "angry.yaml": rule(
                ("status: live", "status: live\nscope: brand"),
                (
                    "team: social}",
                    "team: social}\n  - {after: 5m, team: social, unless: [acknowledged, answered]}",
                ),
            )
        },
        "rules/angry.yaml:12:31: escalate[1].unless: with `scope: brand` there is no discussion in which to answer",
    ),
    "mute that has ended": (
        {"angry.yaml": RULE + 'mutes: [{until: "2026-12-27T08:00+01:00", because: works}]\n'},
        "rules/angry.yaml:12:9: mutes[0]: this mute has ended; delete it",
    ),
}


@pytest.mark.parametrize(("changed", "expected"), WARNINGS.values(), ids=list(WARNINGS))
def test_what_is_worth_a_look_is_a_warning(changed: dict[str, str | None], expected: str) -> None:
    (warning,) = load(changed, today=date(2027, 1, 1)).warnings
    assert warning.warning and str(warning).startswith(expected)


# -- problems ----------------------------------------------------------------------------------------------------

ELSEWHERE = {
    "same id": ("copy.yaml", RULE, "copy.yaml:1:1: id: angry.yaml has this id already"),
    ".yml": ("other.yml", RULE, "other.yml: a file with the ending .yml is not read; rename it to other.yaml"),
    "rule in a folder": ("old/other.yaml", RULE, "old/other.yaml: rules are not looked for here; move the file"),
    "broken": ("broken.yaml", "id: [", "broken.yaml:1:6: "),
    "half-written": ("half.yaml", "", "half.yaml: the file is empty"),
    "channel without #": (
        "teams.yaml",
        "social: {channel: social}",
        'teams.yaml:1:10: social.channel: "social" is no Slack channel',
    ),
    "channel is null": (
        "teams.yaml",
        "social:\n  channel: #social",
        'teams.yaml:2:11: social.channel: YAML reads nothing here, because # begins a comment; write "#s',
    ),
    "team typo": (
        "teams.yaml",
        "social: {channel: '#s', member: [U0123456789]}",
        'teams.yaml:1:25: social.member: unknown key; did you mean "members"?',
    ),
    "team is a channel": ("teams.yaml", "social: '#s'", "teams.yaml:1:1: social: must hold `key: value` lines"),
    "user group by name": (
        "teams.yaml",
        "social: {channel: '#s', user_group: '@social'}",
        'teams.yaml:1:25: social.user_group: "@social" is no id of a Slack user group',
    ),
    "team name": (
        "teams.yaml",
        "social: {channel: '#s'}\nOur Legal: {channel: '#l'}",
        'teams.yaml:2:1: Our Legal: "Our Legal" cannot be a name',
    ),
    "topic without languages": (
        "topics.yaml",
        "safety: [fire]",
        "topics.yaml:1:1: safety: must hold `key: value` lines",
    ),
    "words are no list": ("topics.yaml", "safety: {en: fire}", "topics.yaml:1:10: safety.en: must be a list"),
    "language in full": (
        "topics.yaml",
        "safety: {english: [fire]}",
        'topics.yaml:1:10: safety.english: "english" is no language code',
    ),
    "star at the start": (
        "topics.yaml",
        "safety: {en: ['*fire']}",
        "topics.yaml:1:15: safety.en[0]: a * may only stand at the end",
    ),
    "number as a word": (
        "topics.yaml",
        "safety: {en: [112]}",
        "topics.yaml:1:15: safety.en[0]: must be one text; put it in quotes",
    ),
    "Norwegian words": (
        "topics.yaml",
        "safety: {no: [brann]}",
        'topics.yaml:1:10: safety.no: YAML reads no as false; write "no"',
    ),
    "curly word": ("topics.yaml", "safety: {en: [“fire”]}", "topics.yaml:1:15: safety.en[0]: curly quotes are part"),
    "no front matter": ("playbooks/angry.md", "# Stay calm\n", "playbooks/angry.md:1: a playbook begins with owner:"),
    "nobody's playbook": (
        "playbooks/angry.md",
        PLAYBOOK.replace("owner: ada@example.com\n", ""),
        "playbooks/angry.md: owner: this key is missing",
    ),
    "date": (
        "playbooks/angry.md",
        PLAYBOOK.replace("2027-05-31", "31.5.2027"),
        "playbooks/angry.md:4:1: review_by: is no date; write year-month-day",
    ),
    "no such day": (
        "playbooks/angry.md",
        PLAYBOOK.replace("2027-05-31", "2027-02-30"),
        "playbooks/angry.md:4:1: review_by: is no date",
    ),
    "empty playbook": ("playbooks/angry.md", PLAYBOOK.partition("# ")[0], "playbooks/angry.md: the playbook is empty"),
    "secret in a playbook": (
        "playbooks/angry.md",
        PLAYBOOK + "xoxb-12-ab",
        "playbooks/angry.md:9:1: a secret must not stand in this file",
    ),
}


@pytest.mark.parametrize(("name", "text", "expected"), ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_a_mistake_in_another_file_hides_nothing(name: str, text: str, expected: str) -> None:
    assert [line.startswith(f"rules/{expected}") for line in problems({name: text})] == [True]


def test_a_rule_with_a_wrong_ending_is_one_mistake_though_its_tests_name_it() -> None:
    (told,) = problems({"angry.yaml": None, "angry.yml": RULE})
    assert told == "rules/angry.yml: a file with the ending .yml is not read; rename it to angry.yaml"


def test_all_problems_of_all_files_are_told_at_once() -> None:
    found = problems(
        {
            "angry.yaml": rule(
                ("severity: high", "severity: hihg"), ("team: social", "team: sociall"), ("id: angry", "id: b")
            ),
            "second.yaml": "id: b\nstatus: no\n",
            "teams.yaml": "social: {channel: s}\n",
            "playbooks/angry.md": PLAYBOOK.replace("approved_by", "aproved_by"),
        }
    )
    assert [line.split(": ")[0] for line in found] == [
        "rules/angry.yaml:5:1",
        "rules/angry.yaml:10:17",
        "rules/playbooks/angry.md:3:1",
        *["rules/second.yaml"] * 6,
        "rules/second.yaml:1:1",
        "rules/second.yaml:2:1",
        "rules/teams.yaml:1:10",
    ]  # fmt: skip


def test_the_schemas_say_what_the_loader_takes() -> None:
    schema = rules_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {
        "id",
        "title",
        "owner",
        "status",
        "severity",
        "match",
        "alert_when_any",
        "escalate",
    }
    assert schema["properties"]["title"]["description"].startswith("The headline")
    conditions = schema["properties"]["alert_when_any"]["items"]
    assert (conditions["minProperties"], conditions["maxProperties"]) == (1, 1)
    assert schema["$defs"]["Status"]["enum"] == ["test", "live", "off"]
    assert (
        "default" not in schema["properties"]["timing"]
        and schema["$defs"]["Timing"]["properties"]["wait_first"]["default"] == "30s"
    )
    (team,) = teams_schema()["patternProperties"].values()
    assert team["$ref"] == "#/$defs/_Entry" and "patternProperties" in topics_schema()
