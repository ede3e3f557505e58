"""Why a rule did (not) alert: every condition with threshold and actual value, the first that failed, one sentence.

`brand-monitor rules explain` shows all of it, an answer in Slack the sentences. It reads no store: its caller does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model import Scope
from monitor.rules import alerts, nearmiss, steps
from monitor.rules.aftermath import Firing, aftermath
from monitor.rules.counted import Counted, Totals
from monitor.rules.inquiry import Case, Explanation, Fate, Kind, Result, Step
from monitor.rules.rule import Rule, Status
from monitor.rules.windows import Windows

#: Of a brand-wide rule there are no totals.
NO_TOTALS = Totals(0, 0)
#: An answer in Slack says so much of rules that did not alert.
MOST_SILENT = 5


def explain(rule: Rule, case: Case) -> Explanation:
    """What the rule made of the case. `case.judged` must reach back as far as the rule looks (`windows.horizon`)."""
    lines = steps.Lines(rule)
    applying = steps.applying(rule, case, lines)
    count = steps.count(rule, case, lines)
    windows = Windows.of(rule, case.judged)
    then = _then(rule, windows, case)
    verdict = windows.verdict(then.at, then.totals, case.covered)
    floor, asked = steps.floor(verdict, lines), steps.alerts(rule, verdict, lines)
    apart = next((step for step in applying if not step.holds), None)
    fate = aftermath(rule, _firing(windows, then.at, case), case, lines) if verdict.fires and not apart else None
    place = f"{case.folder}/{rule.file}"
    failed: Step | None
    if apart:
        result, failed, text = Result.APART, apart, _apart(apart, rule, case, place)
    else:
        result, failed, text = _judged(rule, case, count, fate, windows, then.at, floor, asked, place)
    return Explanation(
        rule_id=rule.id,
        title=rule.title.replace("{brand}", case.brand),
        status=rule.status,
        severity=rule.severity,
        scope=rule.scope,
        file=place,
        result=result,
        sentence=f"{rule.id} {text}",
        steps=(*applying, *count.steps, *floor, *asked, *(fate.steps if fate else ())),
        failed=failed,
        at=then.at,
        why_then=then.why,
        nearness=0.0 if apart else windows.progress(then.at, then.totals, case.covered),
        escalation_id=fate.escalation_id if fate else None,
    )


def in_order(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Those that people noticed first, then those that came nearest; those that do not apply last."""
    places = {result: place for place, result in enumerate(Result)}
    return sorted(explanations, key=lambda e: (places[e.result], -e.nearness, -e.severity.rank, e.rule_id))


def in_short(explanations: Iterable[Explanation], most: int = MOST_SILENT) -> tuple[str, ...]:
    """A sentence for each rule that fired, for the `most` that came nearest, and one for all others together."""
    ordered = in_order(explanations)
    apart = [e for e in ordered if e.result is Result.APART]
    silent = [e for e in ordered if e.result is Result.SILENT]
    told = [e.sentence for e in ordered if e.result not in (Result.APART, Result.SILENT)]
    told += [e.sentence for e in silent[:most]]
    if further := [e.rule_id for e in silent[most:]]:
        told.append(f"Further from alerting: {', '.join(further)}.")
    if apart:
        told.append(do_not_apply(apart))
    return tuple(told)


def do_not_apply(apart: Sequence[Explanation]) -> str:
    """ "Does not apply: acme-old (it is off)." """
    named = ", ".join(f"{e.rule_id} ({_because(e)})" for e in apart)
    return f"{'Does' if len(apart) == 1 else 'Do'} not apply: {named}."


# -- as of when --------------------------------------------------------------------------------------------------


class _Then(NamedTuple):
    at: datetime
    totals: Totals
    why: str


def _then(rule: Rule, windows: Windows, case: Case) -> _Then:
    """The moment as of which the rule is explained, what the discussion had reached by then, and why that moment."""
    if case.at:
        return _Then(case.at, _totals_at(rule, case, case.at), "the moment that was asked about")
    if recorded := case.recorded.get(rule.id):
        return _Then(recorded, _totals_at(rule, case, recorded), f"the moment that {case.name} has recorded")
    best = max(
        _moments(rule, windows, case),
        key=lambda then: (windows.progress(then[0], then[1], case.covered), then[0]),
        default=None,
    )
    if best is None:
        at = case.said[-1].at if case.said else case.now
        return _Then(at, _totals_at(rule, case, at), "the time of the latest mention" if case.said else "now")
    fires = windows.fires(best[0], best[1], case.covered)
    return _Then(*best, "the latest moment as of which it fires" if fires else "the moment at which it came nearest")


def _moments(rule: Rule, windows: Windows, case: Case) -> Iterator[tuple[datetime, Totals]]:
    """When the rule is judged because of the mentions asked about, with the totals as of then."""
    judged: Iterable[tuple[Counted, Totals]]
    if case.kind is Kind.MENTION:
        [mention] = case.said
        first, last = mention.at, mention.at + _longest(rule)
        judged = (then for then in _with_totals(rule, case) if first <= then[0].at < last or then[0].at == first)
    elif rule.scope is Scope.BRAND:
        judged = ((mention, NO_TOTALS) for mention in case.said)
    else:
        judged = _with_totals(rule, case)
    for mention, totals in judged:
        if rule.discussion or windows.counts(mention):
            yield mention.at, totals


def _with_totals(rule: Rule, case: Case) -> Iterator[tuple[Counted, Totals]]:
    if rule.discussion is None:
        yield from ((mention, NO_TOTALS) for mention in case.judged)
        return
    reach: dict[str, int] = {}
    summed = 0
    for number, mention in enumerate(case.judged, 1):
        known = reach.get(mention.author, 0)
        reach[mention.author] = max(known, mention.reach)
        summed += reach[mention.author] - known
        yield mention, Totals(number, summed)


def _totals_at(rule: Rule, case: Case, at: datetime) -> Totals:
    return Totals.of(mention for mention in case.judged if mention.at <= at) if rule.discussion else NO_TOTALS


def _longest(rule: Rule) -> timedelta:
    """How long a mention can make the rule fire."""
    return max(map(alerts.window, rule.alert_when_any), default=timedelta())


def _firing(windows: Windows, at: datetime, case: Case) -> Firing:
    """What made the rule fire as of a moment."""
    since = at - _longest(windows.rule)
    inside = [mention for mention in case.judged if since < mention.at <= at]
    counts = [mention for mention in inside if windows.rule.discussion or windows.counts(mention)]
    cause = max((mention.at for mention in counts), default=at)
    negative = any(windows.negative(mention) for mention in counts if mention.at == cause)
    read = max((case.seen.get(mention.id, mention.at) for mention in counts), default=at)
    return Firing(at, cause, negative, max(read, at))


# -- what it comes to --------------------------------------------------------------------------------------------


def _judged(
    rule: Rule,
    case: Case,
    count: steps.Count,
    fate: Fate | None,
    windows: Windows,
    at: datetime,
    floor: Sequence[Step],
    asked: Sequence[Step],
    place: str,
) -> tuple[Result, Step | None, str]:
    """Result, first step that failed, and the sentence without the rule's name."""
    one = case.kind is Kind.MENTION
    if not count.counts and (one or not fate):
        text, step = nearmiss.not_counted(count, case, place), _first_failing(count.steps)
        return (fate.result if fate else Result.SILENT), step, text + _all_the_same(fate)
    if not count.negative and (one or not fate):
        text, step = nearmiss.not_negative(count, case, place), _first_failing(count.steps)
        return (fate.result if fate else Result.SILENT), step, text + _all_the_same(fate)
    if fate:
        return fate.result, _first_failing(fate.steps), fate.text
    if (under := _first_failing(floor)) is not None:
        return Result.SILENT, under, nearmiss.under_floor(under, at, case, place)
    parts = windows.parts(at, case.covered)
    nearest = parts.index(max(parts))
    negative = sorted(mention.at for mention in case.judged if windows.negative(mention))
    text = nearmiss.no_alert(rule.alert_when_any[nearest], asked[nearest], negative, at, case, place)
    return Result.SILENT, asked[nearest], text


def _all_the_same(fate: Fate | None) -> str:
    return f" All the same it {fate.text}" if fate else ""


def _first_failing(found: Iterable[Step]) -> Step | None:
    return next((step for step in found if not step.holds), None)


def _apart(step: Step, rule: Rule, case: Case, place: str) -> str:
    line = f"{place}:{step.line}" if step.line else place
    return f"does not apply: {_reason(rule.status, step)} ({line})."


def _because(explanation: Explanation) -> str:
    return _reason(explanation.status, explanation.failed) if explanation.failed else ""


def _reason(status: Status, step: Step) -> str:
    if status is Status.OFF:
        return "it is off"
    if step.name == "scope":
        return "it looks at single discussions"
    if step.found.endswith("a competitor"):
        return "competitors are watched only by rules that name them"
    return f"it watches {step.asked} only"
