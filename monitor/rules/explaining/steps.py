"""Every condition of a rule on one case, with what was asked and found and where the rule file asks for it.

The numbers come from the code that judges (counted.py, windows.py); here they are only put in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.model import Condition, Scope, Verdict
from monitor.rules.counted import Counted, mention_conditions
from monitor.rules.explaining.inquiry import Case, Kind, Stage, Step
from monitor.rules.rule import Rule, Status
from monitor.wording.text import Text, text_from_json
from monitor.yamlfile import KeyPath, parse_yaml

BRANDS = "match.brands"
#: So many different values of mentions that fail are named.
NAMED = 3


class Lines:
    """Where a rule file asks for what."""

    def __init__(self, rule: Rule) -> None:
        self._document = parse_yaml(rule.source_text, rule.file) if rule.source_text.strip() else None

    def of(self, *path: str | int) -> int:
        return self._document.where(path)[0] if self._document else 0

    def of_condition(self, condition: Condition) -> int:
        """Of one on mentions or on a discussion; those of `alert_when_any` are asked for by their number."""
        path: KeyPath = tuple(condition.name.split("."))
        if condition.name == "match.topics":
            path = (*path, "none_of" if condition.asked.startswith("none of") else "any_of")
        return self.of(*path)


# -- the rule itself ---------------------------------------------------------------------------------------------


def applying(rule: Rule, case: Case, lines: Lines) -> tuple[Step, ...]:
    """Whether it is in use, watches the brand, and looks at such things at all."""
    status = Step(Stage.RULE, "status", "live or test", rule.status, rule.status is not Status.OFF, lines.of("status"))
    return status, _watched(rule, case, lines), _scope(rule, case, lines)


def _watched(rule: Rule, case: Case, lines: Lines) -> Step:
    if brands := rule.match.brands:
        asked, holds = " or ".join(brands), case.brand in brands
        return Step(Stage.RULE, BRANDS, asked, case.brand, holds, lines.of("match", "brands"))
    found = f"{case.brand}, a competitor" if case.competitor else case.brand
    return Step(Stage.RULE, BRANDS, "any that is no competitor", found, not case.competitor, lines.of("match"))


def _scope(rule: Rule, case: Case, lines: Lines) -> Step:
    line = lines.of("scope")
    if rule.scope is Scope.BRAND:
        return Step(Stage.RULE, "scope", "brand", f"all that is said of {case.brand}", True, line)
    found = "the brand as a whole" if case.kind is Kind.BRAND else "this discussion"
    return Step(Stage.RULE, "scope", "discussion", found, case.kind is not Kind.BRAND, line)


# -- its mentions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Mentions that the same condition keeps out; `example` is what is found of one of them, the nearest where that
    can be said."""

    name: str
    asked: Text | str
    line: int
    count: int
    example: Text | str
    among: int


@dataclass(frozen=True, slots=True)
class Count:
    """Which of the mentions asked about a rule counts, and which as negative, with what keeps the others out."""

    asked: int
    counts: int
    negative: int
    kept_out: tuple[Group, ...]
    not_negative: tuple[Group, ...]
    steps: tuple[Step, ...]


def count(rule: Rule, case: Case, lines: Lines) -> Count:
    said = [mention for mention in case.said if mention.at <= case.until]
    conditions = [_conditions(rule, mention) for mention in said]
    matching = [[c for c in each if c.name.startswith("match.")] for each in conditions]
    counting = [n for n, each in enumerate(matching) if all(c.holds for c in each)]
    judging = [[c for c in conditions[n] if c.name.startswith("negative_if.")] for n in counting]
    kept_out = _groups(said, matching, lines)
    not_negative = _groups([said[n] for n in counting], judging, lines)
    negative = sum(all(c.holds for c in each) for each in judging)
    if case.kind is Kind.MENTION:
        steps = [_step(c, lines) for each in conditions for c in each]
    else:
        steps = [*_together(matching, lines), _sum("counted", "all of match", len(counting), len(said), kept_out)]
        steps += [*_together(judging, lines)]
        steps.append(_sum("negative", "all of negative_if", negative, len(counting), not_negative))
    return Count(len(said), len(counting), negative, kept_out, not_negative, tuple(steps))


def _conditions(rule: Rule, mention: Counted) -> list[Condition]:
    """All but the brand: that is the same for all of them."""
    return [condition for condition in mention_conditions(rule, mention) if condition.name != BRANDS]


def _step(condition: Condition, lines: Lines) -> Step:
    line = lines.of_condition(condition)
    return Step(Stage.MENTIONS, condition.name, condition.asked, condition.found, condition.holds, line)


def _together(each: Sequence[Sequence[Condition]], lines: Lines) -> Iterable[Step]:
    """A step a condition, for many mentions at once."""
    for same in zip(*each, strict=True):
        passed = sum(condition.holds for condition in same)
        found = f"{passed:,} of {len(same):,}"
        if passed < len(same) and same[0].name.startswith("match."):
            others = Counter(condition.found for condition in same if not condition.holds).most_common()
            named = ", ".join(f"{value} ({number:,})" for value, number in others[:NAMED])
            found += f"; the others: {named}" + (", …" if len(others) > NAMED else "")
        yield Step(
            Stage.MENTIONS, same[0].name, same[0].asked, found, passed > 0, lines.of_condition(same[0])
        )  # fmt: skip


def _sum(name: str, asked: str, counts: int, of: int, others: Sequence[Group]) -> Step:
    found = f"{counts:,} of {of:,}"
    if others:
        found += f"; {of - counts:,} {'does' if of - counts == 1 else 'do'} not: {grouped(others)}"
    return Step(Stage.MENTIONS, name, asked, found, counts > 0)


def grouped(groups: Iterable[Group]) -> str:
    """ "match.topics (12), match.languages (2)"."""
    return ", ".join(f"{group.name} ({group.count:,})" for group in groups)


def _groups(mentions: Sequence[Counted], each: Sequence[Sequence[Condition]], lines: Lines) -> tuple[Group, ...]:
    """Those that fail, by the first condition at which they do, the largest group first."""
    failing: dict[tuple[str, str], list[tuple[Counted, Condition]]] = {}
    for mention, conditions in zip(mentions, each, strict=True):
        first = next((condition for condition in conditions if not condition.holds), None)
        if first:
            failing.setdefault((first.name, first.asked), []).append((mention, first))
    groups = []
    for (name, _), found in failing.items():
        first, (example, among) = found[0][1], _example(name, found)
        line = lines.of_condition(first)
        groups.append(Group(name, said(first, "asked"), line, len(found), said(example, "found"), among))
    return tuple(sorted(groups, key=lambda group: -group.count))


def _example(name: str, found: Sequence[tuple[Counted, Condition]]) -> tuple[Condition, int]:
    """One of which that is found which is most often, and how often; of numbers the nearest to what is asked."""
    judged = [(mention, condition) for mention, condition in found if mention.score is not None]
    if name == "negative_if.sentiment" and judged:
        return min(judged, key=lambda pair: pair[0].score or 0.0)[1], 1
    if name == "negative_if.confidence" and judged:
        return max(judged, key=lambda pair: pair[0].confidence or 0.0)[1], 1
    if name == "match.author_reach":
        return max(found, key=lambda pair: pair[0].reach)[1], 1
    [(most, among)] = Counter(condition.found for _, condition in found).most_common(1)
    return next(condition for _, condition in found if condition.found == most), among


def said(condition: Condition, part: Literal["asked", "found"]) -> Text | str:
    """What it asks, or what was found, for any language; in English where the rule did not say it so."""
    return text_from_json(condition.said[part]) if condition.said else getattr(condition, part)


# -- its discussion ----------------------------------------------------------------------------------------------


def floor(verdict: Verdict, lines: Lines) -> tuple[Step, ...]:
    """What the discussion as a whole must reach."""
    return tuple(
        Step(Stage.DISCUSSION, c.name, c.asked, c.found, c.holds, lines.of_condition(c))
        for c in verdict.conditions
        if c.name.startswith("discussion.")
    )


def alerting(rule: Rule, verdict: Verdict) -> tuple[Condition, ...]:
    """The conditions of `alert_when_any`, in the order of the file."""
    return verdict.conditions[len(verdict.conditions) - len(rule.alert_when_any) :]


def alerts(asked: Iterable[Condition], lines: Lines) -> tuple[Step, ...]:
    return tuple(
        Step(Stage.ALERT, c.name, c.asked, c.found, c.holds, lines.of("alert_when_any", n)) for n, c in enumerate(asked)
    )
