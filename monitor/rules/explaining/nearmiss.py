"""Why a rule did not fire, as a sentence goes on after the rule's name: found, asked, missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.amounts import number
from monitor.durations import duration_text
from monitor.rules.alerts import TOO_FEW
from monitor.rules.explaining.inquiry import Case, Kind, Step
from monitor.rules.explaining.steps import Count, Group
from monitor.rules.rule import AlertCondition, AuthorReach, NegativeMentions, NegativeShare, Spike

#: As counted.py says it.
UNJUDGED = "not judged yet"


def not_counted(count: Count, case: Case, place: str) -> str:
    """None of the mentions counts."""
    if case.kind is Kind.MENTION:
        group = count.kept_out[0]
        return f"does not count {case.name}: {_one(group, case, place)}."
    if not count.asked:
        return f"had no mention to count {case.spoken.at(case.until)}."
    if count.asked == 1:
        return f"does not count its only mention: {_one(count.kept_out[0], case, place)}."
    return f"counts none of the {count.asked:,} mentions: {_all(count.kept_out, case, place)}."


def not_negative(count: Count, case: Case, place: str) -> str:
    """Some count, but none as negative."""
    if case.kind is Kind.MENTION:
        return f"counts {case.name}, but not as negative: {_one(count.not_negative[0], case, place)}."
    counts = "the one mention" if count.counts == 1 else f"none of the {count.counts:,} mentions"
    if count.counts == 1:
        return f"counts {counts}, but not as negative: {_one(count.not_negative[0], case, place)}."
    return f"did not alert: {counts} that it counts is negative; {_all(count.not_negative, case, place)}."


def _one(group: Group, case: Case, place: str) -> str:
    found = "it is not judged yet" if group.example == UNJUDGED else f"it has {group.example}"
    return f"{group.name} asks for {group.asked}, {found} ({_line(group, place)})"


def _all(groups: Sequence[Group], case: Case, place: str) -> str:
    return "; ".join(f"{group.name} asks for {group.asked}, {_have(group)} ({_line(group, place)})" for group in groups)


def _have(group: Group) -> str:
    if group.example == UNJUDGED:
        return f"{group.count:,} {'is' if group.count == 1 else 'are'} not judged yet"
    if group.name.startswith("negative_if."):
        nearest = {"negative_if.sentiment": "the most negative", "negative_if.confidence": "the surest"}[group.name]
        return f"{nearest} of {group.count:,} has {group.example}"
    if group.name == "match.author_reach":
        return f"the most followed of {group.count:,} has {group.example}"
    have = "has" if group.among == 1 else "have"
    of = f"{group.among:,}" if group.among == group.count else f"{group.among:,} of {group.count:,}"
    return f"{of} {have} {group.example}"


def _line(asking: Group | Step, place: str) -> str:
    return f"{place}:{asking.line}" if asking.line else place


def under_floor(step: Step, at: datetime, case: Case, place: str) -> str:
    """The discussion as a whole is too small."""
    then, asked = case.spoken.at(at), f"it asks for {step.asked} ({_line(step, place)})"
    if step.name == "discussion.mentions":
        return f"did not alert: the discussion had {_counted(step, 'mention')} {then}, {asked}."
    return f"did not alert: the authors of the discussion had {step.found} followers together {then}, {asked}."


def _counted(step: Step, noun: str) -> str:
    return number(int(step.found.replace(",", "")), noun)


def no_alert(
    condition: AlertCondition, step: Step, negative: Sequence[datetime], at: datetime, case: Case, place: str
) -> str:
    """The nearest of its conditions does not hold; `negative`: when its negative mentions were, in order."""
    line = _line(step, place)
    then = case.spoken.at(at)
    match condition:
        case NegativeMentions():
            within = duration_text(condition.within)
            found = f"{_counted(step, 'negative mention')} within {within} {then}"
            asked = f"it asks for at least {condition.at_least:,} ({line}).{_missing(condition, negative, at, case)}"
            return f"did not alert: {found}, {asked}"
        case NegativeShare():
            within = duration_text(condition.within)
            found = "no mention" if step.found == "no mention" else f"{step.found.removesuffix(TOO_FEW)} negative"
            share = f"{100 * condition.at_least:.6g} % of at least {condition.minimum_total:,}"
            return f"did not alert: {found} within {within} {then}, it asks for at least {share} ({line})."
        case Spike():
            found = f"negative mentions within {duration_text(condition.within)} {then}: {step.found}"
            return f"did not alert: {found}. It asks for {step.asked} ({line})."
        case AuthorReach():
            least = f"it asks for at least {condition.at_least:,} ({line})"
            if step.found.startswith("the loudest has "):
                loudest = step.found.removeprefix("the loudest has ")
                return f"did not alert: the loudest negative voice had {loudest} followers {then}, {least}."
            return f"did not alert: no negative mention {then}, {least}."


def _missing(condition: NegativeMentions, negative: Sequence[datetime], at: datetime, case: Case) -> str:
    """ " One more before 14:40 would have been enough." """
    inside = [time for time in negative if at - condition.within < time <= at]
    if not inside:
        return ""
    more, before = condition.at_least - len(inside), inside[0] + condition.within
    number = "One" if more == 1 else f"{more:,}"
    if before > case.now:
        enough = "is enough" if more == 1 else "are enough"
    else:
        enough = "would have been enough"
    return f" {number} more before {case.spoken.time(before)} {enough}."
