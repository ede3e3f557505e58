"""Moments as short as they can be said on the day on which they are read. Pure."""

from __future__ import annotations

from datetime import datetime

from monitor.wording.words import Words

#: So far away a day of the week says which day is meant.
_A_WEEK = 6


def when(at: datetime, now: datetime, words: Words) -> str:
    """ "14:05", "Fri 14:05", "30 Mar, 14:05"."""
    away = _days_away(at, now, words)
    return words.at(at) if away > _A_WEEK else words.weekday(at) if away else words.clock(at)


def since(at: datetime, now: datetime, words: Words) -> str:
    """ "since 14:05"; a sentence of its own for each form, for there are languages that say each otherwise."""
    away = _days_away(at, now, words)
    if away > _A_WEEK:
        return words.say("since {date}", date=words.at(at))
    return words.say("since {day}", day=words.weekday(at)) if away else words.say("since {time}", time=words.clock(at))


def until(at: datetime, now: datetime, words: Words) -> str:
    """ "until 14:05"."""
    away = _days_away(at, now, words)
    if away > _A_WEEK:
        return words.say("until {date}", date=words.at(at))
    return words.say("until {day}", day=words.weekday(at)) if away else words.say("until {time}", time=words.clock(at))


def _days_away(at: datetime, now: datetime, words: Words) -> int:
    """By the reader's calendar."""
    return abs((at.astimezone(words.zone).date() - now.astimezone(words.zone).date()).days)
