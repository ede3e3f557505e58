"""What a backtest comes to, in sentences for people who write rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from monitor.amounts import number
from monitor.rules.backtesting.hindsight import MANY_STRONG, STRONG_SCORE, WEEK, Backtest, Missed, Searched, Tally, Told
from monitor.rules.backtesting.opinions import Opinion
from monitor.slack.text import one_line

#: So many discussions are named in a sentence.
NAMED = 3
#: A title in a sentence is not longer.
TITLE = 60

Named = Callable[[Told | Missed], str]


def verdict(report: Backtest, named: Named | None = None) -> list[str]:
    """The most important first: how often, what is new and gone, what people had said of that, what to look at; `named`
    is how a discussion is called."""
    named = named or about
    said = [_how_often(report), *_gone(report, named), *_added(report)]
    tally = report.new.tally
    if report.old is None and tally.judged == 1:
        said.append(f"People have judged one of them, and {'confirmed' if tally.confirmed else 'dismissed'} it.")
    elif report.old is None and tally.judged:
        said.append(
            f"Of the {tally.judged:,} that people have judged they confirmed {tally.confirmed:,} and dismissed"
            f" {tally.dismissed:,}."
        )
    said += _missed(report, named)
    if report.new.tests:
        said.append(
            f"Rules in test would have fired {times(len(report.new.tests))} without telling anybody; that is not"
            " counted here."
        )
    return said


def times(count: int) -> str:
    """ "never", "once", "12 times"."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def stretch(length: timedelta) -> str:
    """ "30 days", "12 hours"."""
    hours = round(length / timedelta(hours=1))
    return number(hours // 24, "day") if hours >= 48 or hours == 24 else number(hours, "hour")


def per_week(count: int, report: Backtest) -> str:
    """ "2.8"; of less than a week nobody knows."""
    return f"{count / report.weeks:.1f}" if report.until - report.since >= WEEK else ""


def right(tally: Tally) -> str:
    """How many of those that people have judged they confirmed: "7 of 9"."""
    return f"{tally.confirmed:,} of {tally.judged:,}" if tally.judged else "–"


def about(told: Told | Missed) -> str:
    """ "d12", or the brand's name where it is about the brand as a whole."""
    if told.talk is not None:
        return f"d{told.talk.id}"
    if isinstance(told, Told):
        first = told.message.first
        return f"d{first.discussion_id}" if first.discussion_id else first.brand
    return told.brand


def by_title(told: Told | Missed) -> str:
    """ "“Router update 4.2” (d12)", for readers to whom numbers say nothing."""
    name = about(told)
    return f"“{one_line(told.talk.title, TITLE)}” ({name})" if told.talk else name


def opinion(told: Told) -> str:
    """ "confirmed (e4)"."""
    if told.opinion is Opinion.UNKNOWN:
        return ""
    return told.opinion.value + (f" (e{told.escalation_id})" if told.escalation_id else " (corrections)")


def why_missed(missed: Missed) -> str:
    if missed.escalation_id is not None:
        return f"people confirmed it (e{missed.escalation_id})"
    return number(missed.talk.negative if missed.talk else 0, "strongly negative mention")


def notes(report: Backtest) -> list[str]:
    """What the reader would else wonder about."""
    return [*report.notes, *([_searched(report.searched)] if report.searched else [])]


def assumptions(report: Backtest) -> list[str]:
    """How all this was reckoned."""
    if report.searched is None:
        topics = (
            "Mentions are judged by the sentiment and the topics that are stored with them: the topics that these rules"
            " ask for have had the same words all the time."
        )
    else:
        topics = (
            f"Mentions are judged by the sentiment that is stored with them. {_searched(report.searched)} There were"
            f" {report.searched.texts:,}, those from before the time in question that still matter included."
        )
    return [*_BEFORE, topics, *_AFTER]


def _searched(searched: Searched) -> str:
    topics = "topic" if len(searched.topics) == 1 else "topics"
    have = "has" if len(searched.topics) == 1 else "have"
    return (
        f"The {topics} {_and(searched.topics)} {have} other words in topics.yaml than when mentions were stored: their"
        " texts were searched again, for each set of rules with its own words."
    )


_BEFORE = (
    "Each mention counts as seen when it was made; in life it is seen when its source is read.",
    "An alert lasts as long as its rule fires again within `reopen_within`; what fires after that is a new alert. In"
    " life it lasts until somebody resolves it, so that there may be fewer.",
    "Several rules that fire on one discussion at a time make one message. Rules about a whole brand make their own.",
    "Mutes are not regarded. Alerts that would have come outside the hours of their team are marked as held.",
)
_AFTER = (
    "Confirmed: an escalation on that discussion, within a day, ended as answered or with no action needed. Dismissed:"
    " it ended as not about us or not negative. Where it did not end so, what people corrected in its mentions counts.",
    f"Missed: what people had confirmed and no message reaches, and discussions with at least {MANY_STRONG} mentions of"
    f" a score of {STRONG_SCORE:g} or less (or called negative by people) in which nothing would have alerted.",
    "Times and days are UTC.",
)


def _how_often(report: Backtest) -> str:
    count, long = report.new.tally.number, stretch(report.until - report.since)
    weekly = per_week(count, report)
    often = f"would have alerted {times(count)} in {long}" + (f" ({weekly} a week)" if weekly else "")
    if not count:
        often = f"would not have alerted at all in {long}"
    if report.old is None:
        return f"These rules {often}."
    if not report.added and not report.gone:
        return f"The new rules {often}, just as the old ones: nothing is new, nothing is gone."
    changes = f"{_are(report.added)} new, {_are(report.gone)} gone"
    return f"The new rules {often}, the old ones {times(report.old.tally.number)}; {changes}."


def _are(told: Sequence[Told]) -> str:
    return f"{len(told):,} are" if len(told) > 1 else "1 is" if told else "none is"


def _gone(report: Backtest, named: Named) -> list[str]:
    confirmed, dismissed = _split(report.gone)
    if not confirmed and not dismissed:
        return []
    said = f"Gone: {_judged([(dismissed, 'dismissed'), (confirmed, 'confirmed')])}"
    return [f"{said}: look at {_names(confirmed, named)}." if confirmed else f"{said}."]


def _added(report: Backtest) -> list[str]:
    confirmed, dismissed = _split(report.added)
    if not confirmed and not dismissed:
        return []
    return [f"New: {_judged([(confirmed, 'confirmed'), (dismissed, 'dismissed')])}."]


def _judged(parts: Sequence[tuple[Sequence[Told], str]]) -> str:
    """ "2 that people had dismissed, and 1 that they had confirmed"."""
    first, *others = [(len(told), word) for told, word in parts if told]
    return f"{first[0]:,} that people had {first[1]}" + "".join(
        f", and {count:,} that they had {word}" for count, word in others
    )


def _missed(report: Backtest, named: Named) -> list[str]:
    gone = {(told.message.first.brand, told.message.first.discussion_id) for told in report.gone}
    confirmed = [
        missed
        for missed in report.missed
        if missed.escalation_id and (missed.brand, missed.talk.id if missed.talk else None) not in gone
    ]
    said = []
    if confirmed:
        said.append(
            f"{number(len(confirmed), 'escalation')} that people had confirmed would have been missed:"
            f" look at {_names(confirmed, named)}."
        )
    loud = [missed for missed in report.missed if not missed.escalation_id]
    if loud:
        many = f"{number(len(loud), 'discussion')} with many strongly negative mentions"
        said.append(f"{many} would have stayed unseen: look at {_names(loud, named)}.")
    return said


def _split(told: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    return (
        [one for one in told if one.opinion is Opinion.CONFIRMED],
        [one for one in told if one.opinion is Opinion.DISMISSED],
    )


def _names(things: Sequence[Told | Missed], named: Named) -> str:
    names = list(dict.fromkeys(named(thing) for thing in things))
    more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return _and([*names[:NAMED], *more])


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
