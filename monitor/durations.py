"""Lengths of time as files write them: 30s, 10m, 4h, 7d, 1h30m; and what to write for how people say them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
#: The lookahead: at least one of them.
DURATION = "(?=[0-9])([0-9]{1,7}d)?([0-9]{1,7}h)?([0-9]{1,7}m)?([0-9]{1,7}s)?"


def duration(text: str) -> timedelta:
    """`30s`, `10m`, `4h`, `7d` or `1h30m`; raises ValueError with the mend."""
    if re.fullmatch(DURATION, text, re.ASCII):
        return timedelta(**{_UNITS[unit]: int(number) for number, unit in re.findall("([0-9]+)([smhd])", text)})
    if re.fullmatch("[0-9]{1,7}", text, re.ASCII):
        raise ValueError(f"a duration needs its unit; write {text}m for {text} minutes, or {text}s, {text}h, {text}d")
    mend = mended_duration(text) or "a whole number and s, m, h or d, for example 30s, 10m, 4h or 7d"
    said = " ".join(text.split())[:60]
    raise ValueError(f'"{said}" is no duration; write {mend}')


_LENGTH = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,3})?) ?([a-z]+)\.?(?: ?(?:,|and|\+)? ?)")
_WORDS = {
    "seconds": ("s", "sec", "secs", "second", "seconds"),
    "minutes": ("m", "min", "mins", "minute", "minutes"),
    "hours": ("h", "hr", "hrs", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "wk", "week", "weeks"),
}
_UNIT = {word: unit for unit, words in _WORDS.items() for word in words}


def mended_duration(text: str) -> str:
    """90m for "1h30m", "1,5 h", "90 minutes"; empty if `text` is no length of time."""
    rest, length = " ".join(text.casefold().split()), timedelta()
    while rest:
        part = _LENGTH.match(rest)
        if part is None or part[2] not in _UNIT:
            return ""
        length += timedelta(**{_UNIT[part[2]]: float(part[1].replace(",", "."))})
        rest = rest[part.end() :]
    return duration_text(length) if length else ""


def duration_text(length: timedelta) -> str:
    """The shortest form in which a file says it: 30s, 10m, 4h, 7d."""
    seconds = round(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
