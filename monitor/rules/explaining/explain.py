"""Why a rule did (not) alert: every condition with threshold and actual value, the first that failed, one sentence.

`brand-monitor rules explain` shows all of it, in English; an answer in Slack the sentences, in the language of whoever
asks. It reads no store: its caller does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import NamedTuple

from monitor.model import Scope
from monitor.rules import alerts
from monitor.rules.counted import Counted, Totals, either, growing
from monitor.rules.explaining import aftermath, nearmiss, steps
from monitor.rules.explaining.aftermath import Firing
from monitor.rules.explaining.inquiry import Case, Explanation, Fate, Kind, Result, Step
from monitor.rules.rule import Rule, Status
from monitor.rules.windows import Windows
from monitor.wording.text import Text, joined, many, say

LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: Of a brand-wide rule there are no totals.
NO_TOTALS = Totals(0, 0)
#: An answer in Slack says so much of rules that did not alert.
MOST_SILENT = 5


def explain(rule: Rule, case: Case) -> Explanation:
    """What the rule made of the case. `case.judged` must reach back as far as the rule looks (`windows.horizon`)."""
    return _Explaining(rule, case).explanation()


def in_order(explanations: Iterable[Explanation]) -> list[Explanation]:
    """Those that people noticed first, then those that came nearest; those that do not apply last."""
    places = {result: place for place, result in enumerate(Result)}
    return sorted(explanations, key=lambda e: (places[e.result], -e.nearness, -e.severity.rank, e.rule_id))


def in_short(explanations: Iterable[Explanation], most: int = MOST_SILENT) -> tuple[Text, ...]:
    """A sentence for each rule that fired, for the `most` that came nearest, and one for all others together."""
    ordered = in_order(explanations)
    apart = [e for e in ordered if e.result is Result.APART]
    silent = [e for e in ordered if e.result is Result.SILENT]
    told = [e.sentence for e in ordered if e.result not in (Result.APART, Result.SILENT)]
    told += [e.sentence for e in silent[:most]]
    if further := [e.rule_id for e in silent[most:]]:
        told.append(say("Further from alerting: {rules}.", rules=", ".join(further)))
    if apart:
        told.append(do_not_apply(apart))
    return tuple(told)


def do_not_apply(apart: Sequence[Explanation]) -> Text:
    """ "Does not apply: acme-old (it is off)." """
    rules = joined((Text("{rule} ({why})", {"rule": e.rule_id, "why": e.apart or ""}) for e in apart), ", ")
    return many("Does not apply: {rules}.", "Do not apply: {rules}.", len(apart), rules=rules)


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
    said = [mention.at for mention in case.said]
    judged: Iterable[tuple[Counted, Totals]] = _with_totals(rule, case)
    if case.kind is Kind.MENTION or rule.scope is Scope.BRAND:
        longest = _longest(rule)
        judged = (one for one in judged if _last_before(said, one[0].at) > one[0].at - longest)
    for mention, totals in judged:
        if rule.discussion or windows.counts(mention):
            yield mention.at, totals


def _last_before(said: Sequence[datetime], at: datetime) -> datetime:
    """The last of these until then; long ago for none."""
    place = bisect_right(said, at)
    return said[place - 1] if place else LONG_AGO


def _with_totals(rule: Rule, case: Case) -> Iterator[tuple[Counted, Totals]]:
    totals = growing(case.judged) if rule.discussion else repeat(NO_TOTALS)
    return zip(case.judged, totals, strict=False)


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


class _Explaining:
    """One rule on one case."""

    def __init__(self, rule: Rule, case: Case) -> None:
        self.rule, self.case = rule, case
        self.lines = steps.Lines(rule)
        self.place = f"{case.folder}/{rule.file}"
        self.windows = Windows.of(rule, case.judged)
        self.then = _then(rule, self.windows, case)
        verdict = self.windows.verdict(self.then.at, self.then.totals, case.covered)
        self.applying = steps.applying(rule, case, self.lines)
        self.apart = _first_failing(self.applying)
        self.count = steps.count(rule, case, self.lines)
        self.floor = steps.floor(verdict, self.lines)
        self.asked = steps.alerting(rule, verdict)
        self.alerts = steps.alerts(self.asked, self.lines)
        self.fires = verdict.fires and not self.apart

    def explanation(self) -> Explanation:
        rule, case, then = self.rule, self.case, self.then
        fate = self._fate()
        failed, text = self._sentence(fate)
        if fate:
            result = fate.result
        else:
            result = Result.APART if self.apart else Result.SILENT
        return Explanation(
            rule_id=rule.id,
            title=rule.title.replace("{brand}", case.brand),
            status=rule.status,
            severity=rule.severity,
            scope=rule.scope,
            file=self.place,
            result=result,
            sentence=joined((rule.id, text)),
            steps=(*self.applying, *self.count.steps, *self.floor, *self.alerts, *(fate.steps if fate else ())),
            failed=failed,
            at=then.at,
            why_then=then.why,
            nearness=0.0 if self.apart else self.windows.progress(then.at, then.totals, case.covered),
            escalation_id=fate.escalation_id if fate else None,
            apart=_reason(rule, self.apart) if self.apart else None,
        )

    def _fate(self) -> Fate | None:
        """What followed: now that it fires, or when it once did."""
        if self.fires:
            firing = _firing(self.windows, self.then.at, self.case)
            return aftermath.after(self.rule, firing, self.case, self.lines)
        since = until = None
        if self.case.said and (self.case.kind is Kind.MENTION or self._brand_wide()):
            since = self.case.said[0].at
            until = self.case.said[-1].at + _longest(self.rule)
        return aftermath.recorded(self.rule, self.case, self.lines, since, until)

    def _brand_wide(self) -> bool:
        """Whether a discussion is asked about, and the rule looks at more: most of what it did is then not about it."""
        return self.case.kind is Kind.DISCUSSION and self.rule.scope is Scope.BRAND

    def _sentence(self, fate: Fate | None) -> tuple[Step | None, Text]:
        """The first step that failed, and the sentence without the rule's name."""
        if not self.fires:
            failed, text = self._silent()
            return failed, joined((text, fate.text)) if fate else text
        assert fate is not None
        if self.case.kind is Kind.MENTION and not (self.count.counts and self.count.negative):
            failed, text = self._silent()
            return failed, joined((text, say("All the same it {did}", did=fate.text)))
        return _first_failing(fate.steps), fate.text

    def _silent(self) -> tuple[Step, Text]:
        count, case, at = self.count, self.case, self.then.at
        if self.apart:
            where = nearmiss.line(self.apart.line, self.place)
            return self.apart, say("does not apply: {why} ({line}).", why=_reason(self.rule, self.apart), line=where)
        if not count.counts or not count.negative:
            failed = _first_failing(count.steps)
            assert failed is not None
            why = nearmiss.not_negative if count.counts else nearmiss.not_counted
            return failed, why(count, case, self.place)
        if (under := _first_failing(self.floor)) is not None and self.rule.discussion:
            totals = self.then.totals
            return under, nearmiss.under_floor(under, self.rule.discussion, totals, at, case, self.place)
        parts = self.windows.parts(at, case.covered)
        nearest = parts.index(max(parts))
        negative = sorted(mention.at for mention in case.judged if self.windows.negative(mention))
        asked, step = self.rule.alert_when_any[nearest], self.alerts[nearest]
        where = nearmiss.line(step.line, self.place)
        return step, nearmiss.no_alert(asked, self.asked[nearest], where, negative, at, case)


def _first_failing(found: Iterable[Step]) -> Step | None:
    return next((step for step in found if not step.holds), None)


def _reason(rule: Rule, failed: Step) -> Text:
    """Why a rule does not apply."""
    if rule.status is Status.OFF:
        return say("it is off")
    if failed.name == "scope":
        return say("it looks at single discussions")
    if not rule.match.brands:
        return say("competitors are watched only by rules that name them")
    return say("it watches {brands} only", brands=either(rule.match.brands))
