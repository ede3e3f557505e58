"""Files of rule tests: the whole language is read, and what cannot be meant is told with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from monitor.errors import ConfigError
from monitor.model import Outcome, Severity
from monitor.rules.testing.testcase import Button, Click, Mute, RuleTest, Said
from monitor.rules.testing.testfile import surest
from tests.fakes.rules_folder import TESTS, load

WHOLE = """\
rules: [angry.yaml]
defaults: {brand: ACME, source: reddit, language: en, topics: [safety], author_reach: 900, discussion: t1,
  sentiment: -0.8, confidence: 0.9}
tests:
  - name: Anna takes it
    start: "2026-03-28T23:30:00+01:00"
    mentions:
      - {at: 1m, every: 5m, count: 3}
      - {at: 2h, discussion: t2, brand: globex, source: forum, topics: [], sentiment: -0.2, text: Hm, author: mario}
      - {at: "2026-03-29T10:00+02:00", answer: true}
    clicks:
      - {at: 40m, button: acknowledge, user: anna, discussion: t1}
      - {at: 41m, button: assign, user: anna, to: bruno}
      - {at: 42m, button: snooze, user: anna, for: 2h}
      - {at: 50m, button: resolve, user: anna, outcome: not about us, note: Another company}
      - {at: 51m, button: not negative, user: anna}
    mutes: [{at: 0m, rule: angry, until: 4h}]
    expect:
      - {at: 21m, posts: 1, state: open, replies: 0, team: social, discussion: t1}
      - at: +2h59m60s
        severity: high
        rule: angry
        called: [U0123456789]
        mention: true
        tier: 2
"""
TEAMS = "social: {channel: '#social', members: [U0123456789]}"


def read(text: str, **more: str) -> RuleTest:
    (file,) = load({"tests/angry.yaml": text, "teams.yaml": TEAMS, **more}).tests
    assert file.rules == ("angry.yaml",)
    return file.tests[0]


def test_the_whole_language_becomes_a_test() -> None:
    test = read(WHOLE)
    start = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)

    def after(**length: int) -> datetime:
        return start + timedelta(**length)

    assert (test.name, test.line, test.start) == ("Anna takes it", 5, start)
    assert test.start.tzinfo == timezone(timedelta(hours=1)), "people are told times as they wrote them"
    first = Said(after(minutes=1), timedelta(minutes=5), 3, "Acme", -0.8, 0.9, "reddit", "en", ("safety",), 900, "t1")
    second = Said(
        after(hours=2), timedelta(), 1, "Globex", -0.2, 0.9, "forum", "en", (), 900, "t2", text="Hm", author="mario"
    )
    answer = Said(
        datetime(2026, 3, 29, 8, tzinfo=UTC), timedelta(), 1, "Acme", -0.8, 0.9, "reddit", "en", ("safety",), 900, "t1",
        answer=True,
    )  # fmt: skip
    assert test.mentions == (first, second, answer)
    assert list(first.times()) == [after(minutes=1), after(minutes=6), after(minutes=11)]
    assert test.clicks == (
        Click(after(minutes=40), Button.ACKNOWLEDGE, "anna", discussion="t1"),
        Click(after(minutes=41), Button.ASSIGN, "anna", to="bruno"),
        Click(after(minutes=42), Button.SNOOZE, "anna", length=timedelta(hours=2)),
        Click(after(minutes=50), Button.RESOLVE, "anna", outcome=Outcome.NOT_ABOUT_US, note="Another company"),
        Click(after(minutes=51), Button.NOT_NEGATIVE, "anna"),
    )
    assert test.mutes == (Mute(start, "angry", after(hours=4)),)
    one, other = test.expect
    assert list(one.values.items()) == [("posts", 1), ("state", "open"), ("replies", 0), ("team", "social")]
    assert (one.at, one.discussion, one.line, one.column) == (after(minutes=21), "t1", 19, 9)
    assert (one.places["posts"], other.places["tier"]) == ((19, 19), (25, 9))
    assert (other.at, other.discussion) == (after(hours=3), None)
    called = {"called": ("U0123456789",), "mention": True, "tier": 2}
    assert other.values == {"severity": Severity.HIGH, "rule": "angry", **called}


def test_all_times_are_in_utc() -> None:
    test = read(WHOLE)
    times = [*(said.at for said in test.mentions), *(click.at for click in test.clicks), test.mutes[0].until]
    assert {time.tzinfo for time in (*times, *(asked.at for asked in test.expect))} == {UTC}


def test_what_is_left_out_has_its_default() -> None:
    (said,) = read(TESTS).mentions
    assert (said.at, said.confidence) == (datetime(2026, 3, 30, 8, tzinfo=UTC), surest(-0.8))
    assert (said.topics, said.author, said.answer) == (None, None, False)


@pytest.mark.parametrize(("sentiment", "expected"), [(-0.8, 0.9), (1, 1), (0, 1), (-0.5, 0.75), (-0.1, 0.9)])
def test_a_model_is_as_sure_as_it_can_be(sentiment: float, expected: float) -> None:
    assert surest(sentiment) == pytest.approx(expected)


def test_a_failure_names_its_place() -> None:
    (file,) = load({"tests/angry.yaml": TESTS}).tests
    failure = file.failure(file.tests[0].expect[1], "posts", 0)
    assert str(failure) == "rules/tests/angry.yaml:7:45: posts: expected 1, found 0"


# -- problems ----------------------------------------------------------------------------------------------------

MENTION = "{every: 5m, count: 5}"
EXPECT = "[{at: 19m, posts: 0}, {at: 21m, posts: 1}]"
FIRST = "{at: 19m, posts: 0}"


def with_click(click: str) -> tuple[str, str]:
    return "    expect:", f"    clicks: [{click}]\n    expect:"


PROBLEMS = {
    "no test": (TESTS[TESTS.index("tests:") :], "tests: []", "3:1: tests: must not be empty"),
    "expects nothing": (EXPECT, "[]", "7:5: tests[0].expect: must not be empty"),
    "expects nothing at a time": (FIRST, "{at: 19m}", "7:14: tests[0].expect[0]: nothing is expected here; write for"),
    "only a discussion": (FIRST, "{at: 19m, discussion: discussion}", "7:14: tests[0].expect[0]: nothing is expected"),
    "no expectation": (f"    expect: {EXPECT}\n", "", "4:5: tests[0].expect: this key is missing"),
    "nobody says anything": (MENTION, "", "6:5: tests[0].mentions: must not be empty"),
    "unknown rule": (
        "[angry.yaml]",
        "[angri]",
        '1:9: rules[0]: there is no rule file "angri" in the rules folder; kn',
    ),
    "no rules": ("[angry.yaml]", "[]", "1:1: rules: must not be empty"),
    "unknown brand": ("acme", "acmee", '2:12: defaults.brand: there is no brand "acmee" in the configuration; did you'),
    "unknown topic": ("acme,", "acme, topics: [fire],", '2:34: defaults.topics[0]: there is no topic "fire"'),
    "no brand": ("brand: acme, ", "", "6:16: tests[0].mentions[0]: `brand` is missing; write it here or under `def"),
    "no sentiment": (", sentiment: -0.8", "", "6:16: tests[0].mentions[0]: `sentiment` is missing; write it here or"),
    "same name": (
        TESTS[TESTS.index("  - name") :],
        2 * TESTS[TESTS.index("  - name") :],
        "8:5: tests[1].name: another test of this file has this name already",
    ),
    "start without offset": ("+02:00", "", "5:5: tests[0].start: its offset from UTC is missing; write 2026-03-30T10"),
    "start without time": ("T10:00:00+02:00", "", "5:5: tests[0].start: the time of day is missing; write for example"),
    "start as people say it": (
        "2026-03-30T10:00:00+02:00",
        "30.3.2026 10:00",
        '5:5: tests[0].start: "30.3.2026 10:00"',
    ),
    "start that never was": ("03-30T", "02-30T", '5:5: tests[0].start: "2026-02-30T10:00:00+02:00" does not exist'),
    "start long ago": ("2026-", "1026-", "5:5: tests[0].start: must be a year between 2000 and 2099"),
    "no start": ('    start: "2026-03-30T10:00:00+02:00"\n', "", "4:5: tests[0].start: this key is missing"),
    "before the start": ("at: 19m", "at: -5m", "7:15: tests[0].expect[0].at: lies before the start"),
    "moment before the start": ("at: 19m", "at: 2026-03-30T07:00Z", "7:15: tests[0].expect[0].at: lies before the st"),
    "moment without offset": ("at: 19m", 'at: "2026-03-31 10:00"', "7:15: tests[0].expect[0].at: its offset from UTC"),
    "clock time": ("at: 19m", 'at: "10:19"', '7:15: tests[0].expect[0].at: "10:19" lacks its day'),
    "no unit": ("at: 19m", "at: 19", "7:15: tests[0].expect[0].at: a duration needs its unit; write 19m"),
    "too late": ("at: 19m", "at: 401d", "7:15: tests[0].expect[0].at: lies more than 400 days after the start"),
    "goes on too long": ("every: 5m", "every: 101d", "6:30: tests[0].mentions[0].count: lies more than 400 days"),
    "count alone": ("every: 5m, ", "", "6:17: tests[0].mentions[0].count: `every` is missing"),
    "every alone": (", count: 5", "", "6:17: tests[0].mentions[0].every: `count` is missing"),
    "too many": ("count: 5", "count: 10001", "6:28: tests[0].mentions[0].count: must be at most 10,000"),
    "too many in all": (
        MENTION,
        ", ".join(3 * ["{every: 1s, count: 9999}"]),
        "6:5: tests[0].mentions: are more than 20,000 in all",
    ),
    "state": (
        FIRST,
        "{at: 19m, state: opened}",
        "7:24: tests[0].expect[0].state: must be none, pending, held, open, ack",
    ),
    "posts below nothing": (FIRST, "{at: 19m, posts: -1}", "7:24: tests[0].expect[0].posts: must be at least 0"),
    "unknown team": (FIRST, "{at: 19m, team: socila}", '7:24: tests[0].expect[0].team: there is no team "socila"'),
    "unknown rule id": (
        FIRST,
        "{at: 19m, rule: angri}",
        '7:24: tests[0].expect[0].rule: no file under `rules` has the id "angri"; did you mean "angry"?',
    ),
    "unknown discussion": (
        FIRST,
        "{at: 19m, posts: 0, discussion: t1}",
        '7:34: tests[0].expect[0].discussion: no mention of this test is in a discussion "t1"',
    ),
    "called by a wrong name": (
        FIRST,
        "{at: 19m, called: [U0123456798]}",
        '7:33: tests[0].expect[0].called[0]: there is no member "U0123456798" in teams.yaml; did you mean',
    ),
    "typo": (FIRST, "{at: 19m, post: 0}", '7:24: tests[0].expect[0].post: unknown key; did you mean "posts"?'),
    "nobody clicks": (
        *with_click("{at: 1m, button: acknowledge}"),
        "7:14: tests[0].clicks[0].user: this key is missing",
    ),
    "no such button": (
        *with_click("{at: 1m, button: ack, user: anna}"),
        "7:23: tests[0].clicks[0].button: must be acknowledge, assign, snooze, hand over, resolve, not negative or",
    ),
    "assigned to nobody": (
        *with_click("{at: 1m, button: assign, user: anna}"),
        "7:23: tests[0].clicks[0].button: assign needs `to`; write for example to: anna",
    ),
    "handed over to nobody": (
        *with_click("{at: 1m, button: hand over, user: anna}"),
        "7:23: tests[0].clicks[0].button: hand over needs `to`; write for example to: legal",
    ),
    "handed over to a team that is none": (
        *with_click("{at: 1m, button: hand over, user: anna, to: sociall}"),
        '7:54: tests[0].clicks[0].to: there is no team "sociall" in teams.yaml; did you mean "social"?',
    ),
    "snoozed for ever": (
        *with_click("{at: 1m, button: snooze, user: anna}"),
        "7:23: tests[0].clicks[0].button: snooze needs `for`; write for example for: 2h",
    ),
    "resolved how": (
        *with_click("{at: 1m, button: resolve, user: anna}"),
        "7:23: tests[0].clicks[0].button: resolve needs `outcome`; write for example outcome: answered",
    ),
    "acknowledged for two hours": (
        *with_click("{at: 1m, button: acknowledge, user: anna, for: 2h}"),
        "7:56: tests[0].clicks[0].for: goes with `button: snooze` alone",
    ),
    "mute without an end": (
        "    expect:",
        "    mutes: [{at: 0m, rule: angry}]\n    expect:",
        "7:13: tests[0].mutes[0].until: this key is missing",
    ),
    "mute that ends before": (
        "    expect:",
        "    mutes: [{at: 5m, rule: angry, until: 5m}]\n    expect:",
        "7:35: tests[0].mutes[0].until: must be later than `at`",
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_mistake_says_where_it_is_and_what_to_write(old: str, new: str, expected: str) -> None:
    assert old in TESTS
    with pytest.raises(ConfigError) as raised:
        read(TESTS.replace(old, new, 1))
    (found,) = str(raised.value).splitlines()
    assert found.startswith(f"rules/tests/angry.yaml:{expected}")


def test_a_broken_rule_or_team_hides_nothing_of_its_tests() -> None:
    with pytest.raises(ConfigError) as raised:
        text = TESTS.replace(FIRST, "{at: 1m, post: 1, team: nobody, rule: any, called: [anna]}")
        load({"tests/angry.yaml": text, "angry.yaml": "id: [", "teams.yaml": "social: {"})
    found = [problem for problem in raised.value.problems if problem.file == "rules/tests/angry.yaml"]
    assert [problem.key for problem in found] == ["tests[0].expect[0].post"]
