"""Why a rule did not fire, as a sentence goes on after the rule's name: found, asked, missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.model import Condition
from monitor.rules.alerts import exactly, span
from monitor.rules.counted import NONE, UNJUDGED, Totals
from monitor.rules.explaining.inquiry import Case, Kind, Step
from monitor.rules.explaining.steps import Count, Group, said
from monitor.rules.rule import AlertCondition, AuthorReach, DiscussionFloor, NegativeMentions, NegativeShare, Spike
from monitor.wording.text import Text, joined, many, say


def not_counted(count: Count, case: Case, place: str) -> Text:
    """None of the mentions counts."""
    if case.kind is Kind.MENTION:
        return say("does not count {mention}: {why}.", mention=case.name, why=_one(count.kept_out[0], place))
    if not count.asked:
        return say("had no mention to count {then}.", then=case.spoken.at(case.until))
    if count.asked == 1:
        return say("does not count its only mention: {why}.", why=_one(count.kept_out[0], place))
    return say("counts none of the {count} mentions: {why}.", count=count.asked, why=_all(count.kept_out, place))


def not_negative(count: Count, case: Case, place: str) -> Text:
    """Some count, but none as negative."""
    if case.kind is Kind.MENTION:
        why = _one(count.not_negative[0], place)
        return say("counts {mention}, but not as negative: {why}.", mention=case.name, why=why)
    if count.counts == 1:
        return say("counts the one mention, but not as negative: {why}.", why=_one(count.not_negative[0], place))
    return say(
        "did not alert: none of the {count} mentions that it counts is negative; {why}.",
        count=count.counts, why=_all(count.not_negative, place),
    )  # fmt: skip


def _one(group: Group, place: str) -> Text:
    asked = {"name": group.name, "asked": group.asked, "line": line(group.line, place)}
    if group.example == UNJUDGED:
        return say("{name} asks for {asked}, it is not judged yet ({line})", **asked)
    if group.example == NONE:
        return say("{name} asks for {asked}, it has none ({line})", **asked)
    return say("{name} asks for {asked}, it has {found} ({line})", found=group.example, **asked)


def _all(groups: Sequence[Group], place: str) -> Text:
    each = (
        say(
            "{name} asks for {asked}, {have} ({line})",
            name=group.name, asked=group.asked, have=_have(group), line=line(group.line, place),
        )
        for group in groups
    )  # fmt: skip
    return joined(each, "; ")


def _have(group: Group) -> Text:
    count, found = group.count, group.example
    if found == UNJUDGED:
        return many("{count} is not judged yet", "{count} are not judged yet", count)
    if group.name == "negative_if.sentiment":
        return say("the most negative of {count} has {found}", count=count, found=found)
    if group.name == "negative_if.confidence":
        return say("the surest of {count} has {found}", count=count, found=found)
    if group.name == "match.author_reach":
        return say("the most followed of {count} has {found}", count=count, found=found)
    among, of = group.among, {"total": count}
    if found == NONE:
        if among == count:
            return many("{count} has none", "{count} have none", among)
        return many("{count} of {total} has none", "{count} of {total} have none", among, **of)
    if among == count:
        return many("{count} has {found}", "{count} have {found}", among, found=found)
    return many("{count} of {total} has {found}", "{count} of {total} have {found}", among, found=found, **of)


def line(number: int, place: str) -> str:
    """ "rules/acme.yaml:12"; 0 for no line."""
    return f"{place}:{number}" if number else place


def under_floor(step: Step, floor: DiscussionFloor, totals: Totals, at: datetime, case: Case, place: str) -> Text:
    """The discussion as a whole is too small."""
    then, where = case.spoken.at(at), line(step.line, place)
    if step.name == "discussion.mentions":
        return many(
            "did not alert: the discussion had {count} mention {then}, it asks for at least {least} ({line}).",
            "did not alert: the discussion had {count} mentions {then}, it asks for at least {least} ({line}).",
            totals.mentions, then=then, least=floor.mentions, line=where,
        )  # fmt: skip
    return say(
        "did not alert: the authors of the discussion had {reach} followers together {then}, it asks for at least"
        " {least} ({line}).",
        reach=totals.reach, then=then, least=floor.reach, line=where,
    )  # fmt: skip


def no_alert(
    asked: AlertCondition, found: Condition, where: str, negative: Sequence[datetime], at: datetime, case: Case
) -> Text:
    """The nearest of its conditions does not hold; `negative`: when its negative mentions were, in order."""
    then: dict[str, Text | str] = {"then": case.spoken.at(at), "line": where}
    match asked:
        case NegativeMentions():
            inside = [time for time in negative if at - asked.within < time <= at]
            counted = many(
                "did not alert: {count} negative mention within {time} {then}, it asks for at least {least} ({line}).",
                "did not alert: {count} negative mentions within {time} {then}, it asks for at least {least} ({line}).",
                len(inside), time=span(asked.within), least=asked.at_least, **then,
            )  # fmt: skip
            return joined((counted, _missing(asked, inside, case))) if inside else counted
        case NegativeShare():
            return _share(asked, said(found, "found"), then)
        case Spike():
            return say(
                "did not alert: negative mentions within {time} {then}: {found}. It asks for {asked} ({line}).",
                time=span(asked.within), found=said(found, "found"), asked=said(found, "asked"), **then,
            )  # fmt: skip
        case AuthorReach():
            loudest = said(found, "found")
            if isinstance(loudest, Text) and "largest" in loudest.values:
                return say(
                    "did not alert: the loudest negative voice had {largest} followers {then}, it asks for at least"
                    " {least} ({line}).",
                    largest=loudest.values["largest"], least=asked.at_least, **then,
                )  # fmt: skip
            return say(
                "did not alert: no negative mention {then}, it asks for at least {least} ({line}).",
                least=asked.at_least, **then,
            )  # fmt: skip


def _share(asked: NegativeShare, found: Text | str, then: dict[str, Text | str]) -> Text:
    values = {
        "time": span(asked.within),
        "least": exactly(float(f"{100 * asked.at_least:.6g}")),
        "fewest": asked.minimum_total,
        **then,
    }
    if isinstance(found, str) or "negative" not in found.values:
        return say(
            "did not alert: no mention within {time} {then}, it asks for at least {least} % of at least {fewest}"
            " ({line}).",
            **values,
        )
    return say(
        "did not alert: {negative} of {total} = {share} % negative within {time} {then}, it asks for at least"
        " {least} % of at least {fewest} ({line}).",
        **found.values, **values,
    )  # fmt: skip


def _missing(asked: NegativeMentions, inside: Sequence[datetime], case: Case) -> Text:
    """ "One more before 14:40 would have been enough." """
    more, end = asked.at_least - len(inside), inside[0] + asked.within
    before = case.spoken.before(end)
    if end > case.now:
        return many("One more {before} is enough.", "{count} more {before} are enough.", more, before=before)
    return many(
        "One more {before} would have been enough.", "{count} more {before} would have been enough.",
        more, before=before,
    )  # fmt: skip
