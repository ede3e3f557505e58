"""How rule tests went, and how people and machines are told: a timeline, a summary, what no test reaches, JUnit XML.

Pure: the simulation fills these values, the command line prints the lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, ClassVar, NamedTuple
from xml.etree import ElementTree

from monitor.amounts import number
from monitor.errors import Problem
from monitor.rules.testing.testcase import Expectation, RuleTest, plain
from monitor.yamlfile import shortened


class MomentKind(StrEnum):
    """`post`: a message in a channel; `reply`: one in a thread; `called`: people called by name; `silence`: something
    that was not said, and why (a mute, closed doors)."""

    MENTIONS = "mentions"
    STATE = "state"
    POST = "post"
    REPLY = "reply"
    CALLED = "called"
    CLICK = "click"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened in the simulated world, in words: "open: the first wait is over", "in #leads (leads)".

    Of mentions there may be one moment each, or one for `count` at once; those that follow one another are told as
    one. `discussion` is told where the test has several.
    """

    at: datetime
    kind: MomentKind
    text: str = ""
    discussion: str = ""
    count: int = 1
    negative: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """How `test` of `file` went; without `failures` it passed.

    `timeline` is in the order in which things happened. `fired` and `silent` are ids of the rules under test that
    fired, and that did not. `seconds` is how long the playing took.
    """

    #: No test for pytest.
    __test__: ClassVar[bool] = False

    file: str
    test: RuleTest
    failures: tuple[Problem, ...]
    timeline: tuple[Moment, ...]
    fired: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Untested:
    """Something of a rule that no test reaches, at its place: `what` is "negative_share", "tier 3"."""

    rule_id: str
    file: str
    line: int
    what: str


class Tone(StrEnum):
    """How a line is meant, for a terminal that has colours."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    FAINT = "faint"


class Line(NamedTuple):
    text: str
    tone: Tone = Tone.PLAIN


# -- for people --------------------------------------------------------------------------------------------------


def told(result: TestResult, *, timeline: bool = False) -> Iterator[Line]:
    """A line for a test that passed; for one that failed, or if asked for, the `timeline` with what was expected."""
    name = shortened(result.test.name, 100)
    if result.passed:
        yield Line(f"ok    {name}", Tone.GOOD)
        if timeline:
            yield from _timeline(result)
        return
    yield Line(f"FAIL  {name}", Tone.BAD)
    yield Line(f"      {result.file}:{result.test.line}", Tone.FAINT)
    yield from _timeline(result)
    known = {place for expectation in result.test.expect for place in expectation.places.values()}
    for failure in result.failures:
        if (failure.line, failure.column) not in known:
            yield Line(f"      {': '.join(part for part in (failure.key, failure.message) if part)}", Tone.BAD)


def _timeline(result: TestResult) -> Iterator[Line]:
    start = result.test.start
    rows: list[tuple[datetime, int, Iterable[Line]]] = []
    several = len({said.discussion for said in result.test.mentions}) > 1
    for moment in _bundled(result.timeline):
        text = _in_words(moment, start)
        subject = f"{shortened(moment.discussion)}: " if several and moment.discussion else ""
        tone = Tone.FAINT if moment.kind is MomentKind.SILENCE else Tone.PLAIN
        rows.append((moment.at, 0, [Line(subject + text, tone)]))
    # What is expected at a moment is asked after all that happens then.
    rows += [(asked.at, 1, _asked(asked, result.failures)) for asked in result.test.expect]
    rows.sort(key=lambda row: row[:2])
    day = None
    for at, _, lines in rows:
        local = at.astimezone(start.tzinfo)
        if local.date() != day:
            day = local.date()
            yield Line(f"      {local:%a} {local.day} {local:%b %Y}", Tone.FAINT)
        for line in lines:
            yield Line(f"      {local:%H:%M:%S}  {offset_text(at - start):<9}  {line.text}", line.tone)


def _asked(asked: Expectation, failures: Collection[Problem]) -> Iterator[Line]:
    """What was expected: what holds on one line, and each thing that does not on its own."""
    about = f" of {shortened(asked.discussion)}" if asked.discussion else ""
    failed = {(failure.line, failure.column): failure for failure in failures}
    wrong = {key: failed[place] for key, place in asked.places.items() if place in failed}
    if kept := [f"{key}: {plain(value)}" for key, value in asked.values.items() if key not in wrong]:
        yield Line(f"✓ as expected{about}: {', '.join(kept)}", Tone.GOOD)
    for key, failure in wrong.items():
        yield Line(f"✗ {key + about + ': ' if key else ''}{failure.message} (line {failure.line})", Tone.BAD)


def _bundled(timeline: Iterable[Moment]) -> Iterator[Moment]:
    """The moments, mentions that follow one another joined into one moment."""
    for (kind, _), group in groupby(timeline, key=lambda moment: (moment.kind, moment.discussion)):
        moments = list(group)
        if kind is not MomentKind.MENTIONS:
            yield from moments
            continue
        last = max(moment.until or moment.at for moment in moments)
        count, negative = sum(m.count for m in moments), sum(m.negative for m in moments)
        yield replace(moments[0], count=count, negative=negative, until=last)


def _in_words(moment: Moment, start: datetime) -> str:
    if moment.kind is MomentKind.MENTIONS:
        until = f", until {offset_text(moment.until - start)}" if moment.until and moment.until > moment.at else ""
        return f"{number(moment.count, 'mention')}, {moment.negative:,} negative{until}"
    # A state and a silence say themselves what they are.
    lead = {MomentKind.POST: "posted", MomentKind.REPLY: "replied", MomentKind.CALLED: "called"}.get(moment.kind, "")
    return f"{lead} {moment.text}".strip()


def offset_text(length: timedelta) -> str:
    """`+35m30s`, `+2d3h`, `+0m`: how long after the start."""
    seconds = round(length.total_seconds())
    sign, seconds = ("-" if seconds < 0 else "+"), abs(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return sign + ("".join(parts) or "0m")


def summary(results: Sequence[TestResult]) -> Line:
    """ "7 tests in 3 files: 6 passed, 1 failed (0.2 s)." """
    failed = sum(not result.passed for result in results)
    files = len({result.file for result in results})
    counted = f"{number(len(results), 'test')} in {number(files, 'file')}"
    seconds = sum(result.seconds for result in results)
    went = f"{len(results) - failed} passed, {failed} failed" if failed else "all passed"
    if not results:
        return Line("There are no tests.", Tone.DOUBT)
    return Line(f"{counted}: {went} ({seconds:.1f} s).", Tone.BAD if failed else Tone.GOOD)


def unreached(untested: Sequence[Untested], *, chosen: bool = False) -> Iterator[Line]:
    """What no test reaches, a line a thing; `chosen`: not all tests were played."""
    if untested:
        yield Line("None of these tests reaches:" if chosen else "No test reaches:", Tone.DOUBT)
    for one in untested:
        yield Line(f"  {one.file}:{one.line}: {one.what} ({one.rule_id})", Tone.DOUBT)


def unproven(rules: Iterable[str], results: Iterable[TestResult]) -> Iterator[tuple[str, str]]:
    """Of the ids of `rules` each that no test shows firing, or none staying silent, and which of the two it lacks."""
    fired: set[str] = set()
    silent: set[str] = set()
    for result in results:
        fired |= result.fired
        silent |= result.silent
    for rule in rules:
        if rule not in fired:
            yield rule, "no test lets it fire"
        if rule not in silent:
            yield rule, "no test shows it staying silent"


# -- for machines ------------------------------------------------------------------------------------------------


def junit(results: Sequence[TestResult]) -> str:
    """The results as JUnit XML, as CI systems read it: a suite a file, a case a test."""
    root = ElementTree.Element("testsuites", {"name": "brand-monitor rules test", **_counts(results)})
    for file in dict.fromkeys(result.file for result in results):
        here = [result for result in results if result.file == file]
        suite = ElementTree.SubElement(root, "testsuite", {"name": file, "skipped": "0", **_counts(here)})
        for result in here:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=file,
                name=shortened(result.test.name, 500),
                file=file,
                line=str(result.test.line),
                time=f"{result.seconds:.3f}",
            )
            if result.failures:
                message = "; ".join(_failure(failure) for failure in result.failures)
                failure = ElementTree.SubElement(case, "failure", message=message, type="expectation")
                failure.text = "\n".join(line.text for line in told(result))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _counts(results: Sequence[TestResult]) -> dict[str, str]:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "time": f"{seconds:.3f}"}


def _failure(failure: Problem) -> str:
    place = f"line {failure.line}" if failure.line else ""
    return shortened(": ".join(part for part in (place, failure.key, failure.message) if part), 500)


def as_json(result: TestResult) -> dict[str, Any]:
    """One result for `--json`."""
    return {
        "file": result.file,
        "line": result.test.line,
        "name": result.test.name,
        "passed": result.passed,
        "seconds": round(result.seconds, 3),
        "fired": sorted(result.fired),
        "silent": sorted(result.silent),
        "failures": [
            {"line": failure.line, "column": failure.column, "key": failure.key, "message": failure.message}
            for failure in result.failures
        ],
        "timeline": [
            {"at": moment.at.isoformat(), "kind": moment.kind, "text": _in_words(moment, result.test.start)}
            for moment in _bundled(result.timeline)
        ],
    }
