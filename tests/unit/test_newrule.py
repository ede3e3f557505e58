"""New rules: every combination of answers makes files without problems, and tests that hold for its numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.model import Severity
from monitor.prove import prove
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.rule import Status
from monitor.rules.writing.newrule import quoted, text_of_rule, text_of_tests
from monitor.rules.writing.wizard import NO_PLAYBOOK, Answers, Folder, Kind, Question, id_of, interview
from tests.fakes.rules_folder import FOLDER

BRANDS = ["Acme", "O'Neill & “Söhne”: no. 1", "yes"]
HOURS = """\
night:
  channel: "#night"
  zone: Europe/Rome
  hours: {open: {fri: "22:00-06:00"}, holidays: IT}
"""
FILES = {
    **FOLDER,
    "teams.yaml": FOLDER["teams.yaml"] + HOURS,
    "topics.yaml": "safety: {en: [fire]}\nno-1: {en: [one]}\n",
}
NOW = datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC)


def folder(**changed: Any) -> Folder:
    read = load_rules(FILES, BRANDS)
    known = {"brands": BRANDS, "teams": read.teams, "topics": list(read.topics), "playbooks": list(read.guidelines)}
    return Folder(**{**known, "rules": {"angry"}, "owner": "ada@example.com", **changed})


def answers(**given: str) -> Answers:
    """What comes of some answers, and of the defaults of all else."""

    def ask(question: Question) -> Any:
        return question.read(given.pop(question.key, question.default))

    read = interview(folder(), ask)
    assert not given, "all that was answered was asked"
    return read


def with_new(new: Answers) -> RuleSet:
    made = {
        f"{new.id}.yaml": text_of_rule(new),
        f"tests/{new.id}.yaml": text_of_tests(new, load_rules(FILES, BRANDS).teams[new.team], NOW),
    }
    read = load_rules({**FILES, **made}, BRANDS)
    assert read.warnings == ()
    return read


WAYS: dict[str, dict[str, str]] = {
    "an angry discussion": {},
    "one post": {"at_least": "1"},
    "two posts in a week": {"at_least": "2", "within": "7d"},
    "very many posts in a short time": {"at_least": "300", "within": "10m"},
    "a spike": {"kind": "spike"},
    "a small spike": {"kind": "spike", "at_least": "5", "within": "10m", "times": "2", "baseline": "20m"},
    "a steep spike": {"kind": "spike", "times": "20", "within": "1d", "baseline": "2d"},
    "a slow spike": {"kind": "spike", "within": "7d", "baseline": "60d", "at_least": "40"},
    "an odd baseline": {"kind": "spike", "within": "1h", "baseline": "50h"},
    "a loud voice": {"kind": "voice"},
    "a voice that is not so loud": {"kind": "voice", "at_least": "100", "severity": "low"},
    "a topic": {"kind": "topic"},
    "three posts about another topic": {"kind": "topic", "topic": "no-1", "at_least": "3", "severity": "critical"},
    "another brand": {"brand": BRANDS[1], "title": '"{brand}": what \\ “now”?', "owner": "Ada: boss #1"},
    "a brand called yes": {"brand": "yes", "kind": "voice"},
    "no guideline": {"playbook": NO_PLAYBOOK, "owner": "no"},
    "a team that is there on Friday night": {"team": "night", "severity": "medium"},
    "a spike for that team": {"kind": "spike", "team": "night"},
    "one post for that team": {"kind": "topic", "team": "night"},
}


@pytest.mark.parametrize("given", WAYS.values(), ids=list(WAYS))
def test_every_new_rule_is_good_and_its_tests_hold(given: dict[str, str]) -> None:
    new = answers(**given)
    read = with_new(new)
    (rule,) = (rule for rule in read.rules if rule.id == new.id)
    assert (rule.title, rule.owner, rule.severity, rule.playbook) == (new.title, new.owner, new.severity, new.playbook)
    assert (rule.match.brands, rule.escalate[0].team, rule.status) == ((new.brand,), new.team, Status.TEST)
    (file,) = read.tests
    proof = prove(read, BRANDS, "rules", lambda: 0.0, files=[file.name])
    assert proof.problems == ()
    fires, silent = proof.results
    assert (fires.fired, silent.silent) == ({new.id}, {new.id})


def test_the_team_is_there_when_the_test_ends() -> None:
    text = text_of_tests(answers(team="night", at_least="3"), folder().teams["night"], NOW)
    # Three posts within an hour take 30 minutes; the doors open on Friday at 22:00, in summer time.
    assert text.count('start: "2026-04-03T21:35:00+02:00"') == 2


def test_a_rule_is_commented_as_the_starter_rules_are() -> None:
    text = text_of_rule(answers(kind="spike"))
    assert text.startswith("# yaml-language-server: $schema=.schema/rules.json\n# Many small discussions at once")
    assert "id: acme-spike                      # never rename it" in text
    assert "scope: brand                        # all that is said of the brand" in text


# -- the questions -----------------------------------------------------------------------------------------------


def questions(**given: str) -> dict[str, Question]:
    asked: dict[str, Question] = {}

    def ask(question: Question) -> Any:
        asked[question.key] = question
        return question.read(given.get(question.key, question.default))

    interview(folder(), ask)
    return asked


def test_each_kind_asks_only_what_it_needs() -> None:
    common = ["kind", "brand", "at_least", "title", "id", "severity", "team", "playbook", "owner"]
    extra = {
        Kind.DISCUSSION: {"within"},
        Kind.SPIKE: {"within", "times", "baseline"},
        Kind.VOICE: set(),
        Kind.TOPIC: {"within", "topic"},
    }
    for kind in Kind:
        assert set(questions(kind=kind)) - set(common) == extra[kind]


def test_a_choice_may_be_answered_by_its_number_and_in_any_case() -> None:
    severity = questions()["severity"]
    assert (severity.read("3"), severity.read("HIGH"), Severity(severity.read("low"))) == ("high", "high", Severity.LOW)
    assert questions()["team"].choices == {"social": "#social", "night": "#night"}


@pytest.mark.parametrize(
    ("key", "answer", "complaint"),
    [
        pytest.param("kind", "spikes", '"spikes" is none of them; did you mean "spike"?', id="typo"),
        pytest.param("severity", "5", '"5" is none of them; known here: critical, high, low, medium', id="no number"),
        pytest.param("at_least", "some", '"some" is no whole number; answer for example 4', id="number in words"),
        pytest.param("at_least", "501", "must be between 1 and 500", id="too many"),
        pytest.param("within", "2 hours", '"2 hours" is no duration; write 2h', id="length in words"),
        pytest.param("within", "5m", "must be between 10m and 7d", id="too short"),
        pytest.param("title", "{author}", "the only thing that can stand in { } is {brand}", id="other braces"),
        pytest.param("title", " ", "must not be empty", id="empty"),
        pytest.param("title", "a\x1b[2J", "holds a character that cannot be printed", id="control character"),
        pytest.param("id", "My rule", '"My rule" cannot be an id; write small letters', id="no id"),
        pytest.param("id", "angry", 'there is a "angry" already; choose another name', id="taken"),
        pytest.param("id", "teams", 'there is a "teams" already', id="name of another file"),
        pytest.param("owner", "ada@", '"ada@" is neither a name nor an address', id="half an address"),
    ],
)
def test_a_bad_answer_is_refused_in_words(key: str, answer: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:
        questions()[key].read(answer)
    assert str(raised.value).startswith(complaint)


@pytest.mark.parametrize("answer", ["50000", "50,000", "50.000", "50 000"])
def test_a_number_may_be_written_as_people_do(answer: str) -> None:
    assert questions(kind="voice")["at_least"].read(answer) == 50_000


def test_a_baseline_is_longer_than_what_is_compared_with_it() -> None:
    baseline = questions(kind="spike", within="7d")["baseline"]
    assert baseline.default == "30d"
    with pytest.raises(ValueError, match="must be between 14d and 60d"):
        baseline.read("7d")


def test_without_topics_nobody_is_asked_for_one() -> None:
    seen: list[Question] = []
    interview(folder(topics=[]), lambda question: seen.append(question) or question.read(question.default))
    assert list(seen[0].choices) == ["discussion", "spike", "voice"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Ärger über Acme!", "arger-uber-acme"), ("  ", "rule"), ("ö" * 99, "o" * 60), ("日本", "rule")],
)
def test_names_of_files(title: str, expected: str) -> None:
    assert id_of(title) == expected


def test_a_name_that_is_taken_gets_a_number() -> None:
    taken = folder(rules={"acme-spike", "acme-spike-2"})
    new = interview(taken, lambda question: question.read("spike" if question.key == "kind" else question.default))
    assert new.id == "acme-spike-3"


@pytest.mark.parametrize("text", ["yes", "No", "a b", "1", "#x", "a: b", "{a}", "é", "null", "-"])
def test_what_yaml_would_misread_is_quoted(text: str) -> None:
    assert quoted(text) == f'"{text}"'
