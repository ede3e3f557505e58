"""The texts of a new rule and of its tests, written as the starter rules are: short, with comments that say why. Pure.

The tests fit the numbers of the rule: one lets it fire, one shows it staying silent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.durations import duration_text
from monitor.model import Severity
from monitor.rules.people.rota import Team
from monitor.rules.testing.results import offset_text
from monitor.rules.writing.wizard import Answers, Kind

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
#: A spike's `minimum_baseline`, and how many mentions of its baseline a test makes.
_KNOWN, _USUAL = 20, 24
#: Steps between mentions that read well.
_STEPS = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600))
#: The kinds whose first message waits.
_WAITING = (Kind.DISCUSSION, Kind.SPIKE)
#: What some readers of YAML take for a truth or for nothing.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_FOR_CHECKING = "brand-monitor rules test"


# -- the rule ----------------------------------------------------------------------------------------------------


def text_of_rule(answers: Answers) -> str:
    """The content of `ID.yaml`."""
    brand, severity = quoted(answers.brand), answers.severity
    lines = [
        "# yaml-language-server: $schema=.schema/rules.json",
        *_about(answers),
        f"# Its tests stand in tests/{answers.id}.yaml; after every edit: {_FOR_CHECKING}",
        _noted(f"id: {quoted(answers.id)}", "never rename it: running escalations know the rule by its id"),
        f"title: {_text(answers.title)}",
        _noted(f"owner: {quoted(answers.owner)}", "who answers for this rule"),
        _noted(f"status: {answers.status}", "test: recorded, never posted; live when you trust it; or off"),
        _noted(f"severity: {severity}", "low, medium, high, critical"),
        *([_noted("scope: brand", "all that is said of the brand, not one discussion")]
          if answers.kind is Kind.SPIKE else []),
        "",
        _noted("match:", "which mentions count at all"),
        f"  brands: [{brand}]",
        *([_noted(f"  topics: {{any_of: [{quoted(answers.topic)}]}}", "the words stand in topics.yaml")]
          if answers.kind is Kind.TOPIC else []),
        "",
        _noted("negative_if:", "which of those count as negative"),
        *_negative(answers.kind),
        "",
        _noted("alert_when_any:", "one of these is enough; each begins with a dash"),
        *_condition(answers),
        "",
        *_timing(answers),
        "escalate:",
        _noted(f"  - {{after: 0m, team: {quoted(answers.team)}}}", "its channel stands in teams.yaml"),
        *_acknowledged(severity),
        *([f"playbook: {quoted(answers.playbook)}"] if answers.playbook else []),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _about(answers: Answers) -> list[str]:
    return {
        Kind.DISCUSSION: ["# One discussion turns negative: several unhappy posts in a short time."],
        Kind.SPIKE: ["# Many small discussions at once, none of them large: far more negative posts than usual."],
        Kind.VOICE: [
            "# One angry post by somebody whom very many people follow. There is no time to wait for a second one.",
            "# It needs sources that tell how many followers an author has; most feeds do not.",
        ],
        Kind.TOPIC: ["# Complaints about one matter. The words that make it up stand in topics.yaml; add yours."],
    }[answers.kind]


def _negative(kind: Kind) -> list[str]:
    sentiment = -0.3 if kind is Kind.TOPIC else -0.5
    lines = [_noted(f"  sentiment: {{at_most: {sentiment}}}", "towards the brand, from -1 (furious) to 1 (delighted)")]
    if kind is Kind.VOICE:
        lines.append(_noted("  confidence: {at_least: 0.7}", "one post alone decides: the model must be sure"))
    elif kind is not Kind.TOPIC:
        lines.append(_noted("  confidence: {at_least: 0.6}", "a model that is unsure wakes nobody"))
    return lines


def _condition(answers: Answers) -> list[str]:
    number, within = answers.at_least, duration_text(answers.within)
    if answers.kind is Kind.VOICE:
        return [_noted(f"  - author_reach: {{at_least: {number}}}", "followers")]
    if answers.kind is Kind.SPIKE:
        now = f"minimum_now: {number}, minimum_baseline: {_KNOWN}"
        spike = f"times: {answers.times}, within: {within}, baseline: {duration_text(answers.baseline)}, {now}"
        return [
            "  # Both minimums keep a quiet brand quiet: after a silent week, three complaints are no crisis.",
            f"  - spike: {{{spike}}}",
        ]
    return [f"  - negative_mentions: {{at_least: {number}, within: {within}}}"]


def _timing(answers: Answers) -> list[str]:
    if answers.kind in _WAITING:
        return [_noted("timing: {wait_first: 30s}", "a burst makes one message")]
    return [_noted("timing: {wait_first: 0s}", "told at once")]


def _acknowledged(severity: Severity) -> list[str]:
    after = {Severity.CRITICAL: "2h", Severity.HIGH: "8h"}.get(severity)
    what = "taken, but not resolved in that time: told again"
    return [_noted(f"acknowledged: {{reopen_after: {after}}}", what)] if after else []


def _noted(line: str, comment: str) -> str:
    return f"{line:<35} # {comment}"


# -- its tests ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Story:
    """What is said, as lines of `mentions`; nothing may have happened by `quiet`, all is said at `over`, both counted
    from the start."""

    name: str
    mentions: Sequence[str]
    over: timedelta
    quiet: timedelta | None = None


def text_of_tests(answers: Answers, team: Team, now: datetime) -> str:
    """The content of `tests/ID.yaml`: they play around `now`, when the team is there."""
    fires, silent = _STORIES[answers.kind](answers)
    wait = timedelta(seconds=30) if answers.kind in _WAITING else timedelta()
    start = _text(_start(team, now, fires.over))
    told = f"state: open, posts: 1, tier: 1, team: {quoted(answers.team)}, severity: {answers.severity}"
    topic = f", topics: [{quoted(answers.topic)}]" if answers.topic else ""
    lines = [
        "# yaml-language-server: $schema=../.schema/tests.json",
        "# What the rule must do and must not do, in simulated time; `at` counts from the start of each test.",
        f"# To see it: {_FOR_CHECKING}",
        f"rules: [{quoted(answers.id + '.yaml')}]",
        f"defaults: {{brand: {quoted(answers.brand)}, sentiment: -0.8, confidence: 0.9{topic}}}",
        "",
        "tests:",
        f"  - name: {_text(fires.name)}",
        f"    start: {start}",
        "    mentions:",
        *(f"      - {line}" for line in fires.mentions),
        "    expect:",
        *([f"      - {{at: {_after(fires.quiet)}, state: none, posts: 0}}"] if fires.quiet is not None else []),
        f"      - {{at: {_after(fires.over + wait + MINUTE)}, {told}}}",
        "",
        f"  - name: {_text(silent.name)}",
        f"    start: {start}",
        "    mentions:",
        *(f"      - {line}" for line in silent.mentions),
        "    expect:",
        f"      - {{at: {_after(silent.over + answers.within)}, state: none, posts: 0}}",
    ]
    return "\n".join(lines) + "\n"


def _of_a_discussion(answers: Answers) -> tuple[_Story, _Story]:
    number, step = answers.at_least, _pace(answers.within, answers.at_least)
    over = step * (number - 1)
    if number == 1:
        unsure = _said(timedelta(), MINUTE, 9, "confidence: 0.5")
        return _Story("One angry post is enough", [_said()], over), _Story(
            "An unsure model stays silent", [unsure], over
        )
    name = f"{number} angry posts within {duration_text(answers.within)} make one message"
    fires = _Story(name, [_said(timedelta(), step, number)], over, over - SECOND)
    return fires, _Story("One angry post fewer is not enough", [_said(timedelta(), step, number - 1)], over)


def _of_a_topic(answers: Answers) -> tuple[_Story, _Story]:
    number, step = answers.at_least, _pace(answers.within, answers.at_least)
    over = step * (number - 1)
    what = "One complaint about it is" if number == 1 else f"{number} complaints about it are"
    fires = _Story(f"{what} told at once", [_said(timedelta(), step, number)], over, over - SECOND if over else None)
    other = _said(timedelta(), MINUTE, number + 5, "topics: []")
    return fires, _Story("Anger about anything else is no matter for this rule", [other], MINUTE * (number + 5))


def _of_a_voice(answers: Answers) -> tuple[_Story, _Story]:
    loud = f"One angry post by somebody with {answers.at_least:,} followers is told at once"
    fires = _Story(loud, [_said(MINUTE, more=f"author_reach: {answers.at_least}")], MINUTE, MINUTE - SECOND)
    quieter = _said(timedelta(), MINUTE, 20, f"author_reach: {answers.at_least - 1}")
    return fires, _Story("Somebody with fewer followers is not loud", [quieter], 20 * MINUTE)


def _of_a_spike(answers: Answers) -> tuple[_Story, _Story]:
    # Regular mentions, which go on until the burst begins, so that nothing but the burst is unusual.
    every = timedelta(seconds=answers.baseline // SECOND // _USUAL)
    begins = answers.baseline + answers.within
    # So many more than usual that it is a spike in any case.
    usual = _USUAL * (answers.within / answers.baseline)
    number = max(answers.at_least, int(1.2 * answers.times * usual) + 1) + 1
    step = _pace(answers.within, number)
    burst, over = _said(begins, step, number), begins + step * (number - 1)
    known = [f"{_said(timedelta(), every, begins // every)}   # as usual", burst]
    fires = _Story(f"{number} complaints where very few are usual", known, over, begins - SECOND)
    return fires, _Story("Where nothing was said before, nobody knows what is usual", [burst], over)


_STORIES = {
    Kind.DISCUSSION: _of_a_discussion,
    Kind.SPIKE: _of_a_spike,
    Kind.VOICE: _of_a_voice,
    Kind.TOPIC: _of_a_topic,
}


def _said(at: timedelta = timedelta(), every: timedelta = MINUTE, count: int = 1, more: str = "") -> str:
    series = f"every: {duration_text(every)}, count: {count}" if count > 1 else ""
    first = f"at: {_after(at)}" if at or not series else ""
    return f"{{{', '.join(part for part in (first, series, more) if part)}}}"


def _pace(within: timedelta, number: int) -> timedelta:
    """The step at which so many mentions are surely within that time."""
    longest = 0.9 * within / number
    return max(step for step in _STEPS if step <= max(longest, SECOND))


def _start(team: Team, now: datetime, over: timedelta) -> str:
    """A start such that the team is there when all is said."""
    zone = ZoneInfo(team.zone) if team.zone else UTC
    told = now.replace(minute=0, second=0, microsecond=0) + over
    if team.hours:
        told = team.hours.next_open(told) + 5 * MINUTE
    return (told - over).astimezone(zone).isoformat(timespec="seconds")


def _after(length: timedelta) -> str:
    return offset_text(length).removeprefix("+")


# -- how values are written --------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text as YAML takes it anywhere, in quotes where it must be."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_@./-]*", text) and text.casefold() not in _WORDS
    return text if plain else _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
