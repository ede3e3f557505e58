"""What to write instead of a number or a length of time that people understand and a file does not."""

from __future__ import annotations

import re
from datetime import timedelta

_PERCENTAGE = re.compile(r"([-+]?[0-9]{1,9}([.,][0-9]{1,9})?) ?%")
_THOUSANDS = re.compile(r"([0-9]{1,6}) ?k", re.IGNORECASE)
#: Hyphens and dashes that word processors make of a minus.
MINUS = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))

_LENGTH = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,3})?) ?([a-z]+)\.?(?: ?(?:,|and|\+)? ?)")
_UNITS = {
    "seconds": ("s", "sec", "secs", "second", "seconds"),
    "minutes": ("m", "min", "mins", "minute", "minutes"),
    "hours": ("h", "hr", "hrs", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "wk", "week", "weeks"),
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words}


def mended_number(text: str) -> str:
    """What to write for 0,5 or 10,000 or 50% or 10k; empty if `text` is no such number."""
    if percentage := _PERCENTAGE.fullmatch(text):
        return f"write {float(percentage[1].replace(',', '.')) / 100:g} for {text}"
    if thousands := _THOUSANDS.fullmatch(text):
        return f"write {thousands[1]}000"
    plain = text.translate(MINUS).replace(" ", "")
    if re.fullmatch(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3}){1,3}", plain):
        return f"write {plain.replace(',', '')}, without a comma"
    if re.fullmatch(r"[-+]?[0-9]{1,9},[0-9]{1,9}", plain):
        return f"write {plain.replace(',', '.')}, with a point"
    if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", plain):
        return f"write {plain}" + (", with a plain hyphen and no space" if plain != text else ", without quotes")
    return ""


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
