"""How rule tests are told to people and to CI, from results made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from monitor.errors import Problem
from monitor.rules.testing.results import (
    Moment,
    MomentKind,
    TestResult,
    Tone,
    Untested,
    as_json,
    junit,
    offset_text,
    summary,
    told,
    unproven,
    unreached,
)
from monitor.rules.testing.testcase import Expectation, RuleTest, Said, TestFile

START = datetime(2026, 3, 28, 23, 30, tzinfo=timezone(timedelta(hours=1)))
FILE = "rules/tests/angry.yaml"


def after(**length: int) -> datetime:
    return START.astimezone(UTC) + timedelta(**length)


SAID = Said(START.astimezone(UTC), timedelta(minutes=5), 5, "Acme", -0.8, 0.9)
ASKED = (
    Expectation(after(minutes=21), {"state": "open", "posts": 1}, {"": (8, 9), "state": (8, 19), "posts": (8, 32)}),
    Expectation(after(minutes=36), {"tier": 2, "mention": True}, {"": (9, 9), "tier": (9, 19), "mention": (9, 28)}),
)
TEST = RuleTest("Leads are called", START, (SAID,), ASKED, line=5, column=5)
TIMELINE = (
    *(Moment(after(minutes=5 * n), MomentKind.MENTIONS, negative=1) for n in range(5)),
    Moment(after(minutes=20), MomentKind.STATE, "pending: negative_mentions found 5, at least 5 within 60m"),
    Moment(after(minutes=20, seconds=30), MomentKind.STATE, "open: the first wait is over"),
    Moment(after(minutes=20, seconds=30), MomentKind.POST, "in #social (social)"),
    Moment(after(minutes=35), MomentKind.SILENCE, "leads is not told: the rule is muted until 03:30"),
    Moment(after(minutes=50), MomentKind.CLICK, "anna presses acknowledge"),
    Moment(after(minutes=50), MomentKind.CALLED, "anna, bruno"),
)
PASSED = TestResult(FILE, replace(TEST, name="An unsure model stays silent"), (), TIMELINE, seconds=0.04)
FAILED = TestResult(
    FILE,
    TEST,
    (TestFile(FILE, "", (), ()).failure(ASKED[1], "tier", 1),),
    TIMELINE,
    frozenset({"angry"}),
    seconds=0.07,
)


def texts(result: TestResult) -> list[str]:
    return [line.text for line in told(result)]


def test_a_test_that_passed_is_one_line() -> None:
    assert texts(PASSED) == ["ok    An unsure model stays silent"]


def test_a_failure_is_a_timeline_with_what_was_expected() -> None:
    assert texts(FAILED) == [
        "FAIL  Leads are called",
        "      rules/tests/angry.yaml:5",
        "      Sat 28 Mar 2026",
        "      23:30:00  +0m        5 mentions, 5 negative, until +20m",
        "      23:50:00  +20m       pending: negative_mentions found 5, at least 5 within 60m",
        "      23:50:30  +20m30s    open: the first wait is over",
        "      23:50:30  +20m30s    posted in #social (social)",
        "      23:51:00  +21m       ✓ as expected: state: open, posts: 1",
        "      Sun 29 Mar 2026",
        "      00:05:00  +35m       leads is not told: the rule is muted until 03:30",
        "      00:06:00  +36m       ✓ as expected: mention: true",
        "      00:06:00  +36m       ✗ tier: expected 2, found 1 (line 9)",
        "      00:20:00  +50m       anna presses acknowledge",
        "      00:20:00  +50m       called anna, bruno",
    ]
    assert [line.tone for line in told(FAILED) if "✗" in line.text] == [Tone.BAD]


def test_mentions_are_bundled_until_something_happens_and_by_discussion() -> None:
    other = replace(SAID, discussion="t2")
    moments = [
        Moment(after(minutes=minute), MomentKind.MENTIONS, discussion=name, negative=0, count=2)
        for minute, name in [(0, "t1"), (1, "t1"), (2, "t2"), (3, "t1")]
    ]
    moments.insert(1, Moment(after(seconds=30), MomentKind.REPLY, "2 new mentions", "t1"))
    result = replace(FAILED, test=replace(TEST, mentions=(SAID, other), expect=()), timeline=tuple(moments))
    assert [text[27:] for text in texts(result) if "mention" in text] == [
        "t1: 2 mentions, 0 negative",
        "t1: replied 2 new mentions",
        "t1: 2 mentions, 0 negative",
        "t2: 2 mentions, 0 negative",
        "t1: 2 mentions, 0 negative",
    ]


def test_what_failed_without_an_expectation_is_told_at_the_end() -> None:
    result = replace(FAILED, failures=(Problem(FILE, 5, 5, "", "is too long to be played"),))
    assert texts(result)[-1] == "      is too long to be played"


def test_a_line_is_told_for_an_expectation_of_a_discussion() -> None:
    asked = replace(ASKED[0], discussion="t2")
    result = replace(FAILED, test=replace(TEST, expect=(asked,)), failures=(Problem(FILE, 8, 32, "posts", "no"),))
    assert "      23:51:00  +21m       ✓ as expected of t2: state: open" in texts(result)
    assert "      23:51:00  +21m       ✗ posts of t2: no (line 8)" in texts(result)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "+0m"),
        (timedelta(minutes=35, seconds=30), "+35m30s"),
        (timedelta(days=2, hours=3), "+2d3h"),
        (timedelta(seconds=-5), "-5s"),
    ],
)
def test_offsets(length: timedelta, text: str) -> None:
    assert offset_text(length) == text


def test_the_summary_counts() -> None:
    assert summary([PASSED, FAILED]).text == "2 tests in 1 file: 1 passed, 1 failed (0.1 s)."
    assert summary([PASSED]).text == "1 test in 1 file: all passed (0.0 s)."
    assert summary([]).text == "There are no tests."


def test_what_no_test_reaches() -> None:
    untested = [Untested("acme-negative-thread", "rules/acme-negative-thread.yaml", 18, "negative_share")]
    assert [line.text for line in unreached(untested)] == [
        "No test reaches:",
        "  rules/acme-negative-thread.yaml:18: negative_share (acme-negative-thread)",
    ]
    assert next(unreached(untested, chosen=True)).text == "None of these tests reaches:"
    assert list(unreached([])) == []


def test_a_rule_needs_a_test_that_fires_and_one_that_stays_silent() -> None:
    results = [replace(PASSED, silent=frozenset({"angry", "spike"})), FAILED]
    assert list(unproven(["angry", "spike", "loud"], results)) == [
        ("spike", "no test lets it fire"),
        ("loud", "no test lets it fire"),
        ("loud", "no test shows it staying silent"),
    ]


def test_junit_has_a_suite_a_file_and_a_case_a_test() -> None:
    other = replace(PASSED, file="rules/tests/other.yaml", test=replace(TEST, name='<&"> ]]> \x1b'))
    root = ElementTree.fromstring(junit([PASSED, FAILED, other]))
    assert root.attrib == {
        "name": "brand-monitor rules test", "tests": "3", "failures": "1", "errors": "0", "time": "0.150",
    }  # fmt: skip
    suites = root.findall("testsuite")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [
        (FILE, "2", "1"),
        ("rules/tests/other.yaml", "1", "0"),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "line 9: tier: expected 2, found 1"
    assert "✗ tier: expected 2" in (failure.text or "")
    cases = list(root.iter("testcase"))
    assert [(case.get("file"), case.get("line"), case.get("time")) for case in cases[:2]] == [
        (FILE, "5", "0.040"),
        (FILE, "5", "0.070"),
    ]
    assert cases[2].get("name") == '<&"> ]]> ?'


def test_a_result_as_json() -> None:
    told = as_json(FAILED)
    assert (told["file"], told["line"], told["passed"], told["fired"]) == (FILE, 5, False, ["angry"])
    assert told["failures"] == [{"line": 9, "column": 19, "key": "tier", "message": "expected 2, found 1"}]
    assert told["timeline"][0] == {
        "at": "2026-03-28T22:30:00+00:00",
        "kind": "mentions",
        "text": "5 mentions, 5 negative, until +20m",
    }
