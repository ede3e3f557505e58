"""How `teams.yaml` writes times: clock times, spans, days of the week, time zones and regions with public holidays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from monitor.checking import OneOrMore
from monitor.fields import Text, did_you_mean, fault, faults
from monitor.rules.people.calendars import country_codes, regions
from monitor.rules.people.hours import Span
from monitor.yamlfile import KeyPath, shortened

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = tuple(name[:3] for name in _NAMES)
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = f"{_CLOCK}-({_CLOCK}|24:00)"
_DAYS = f"({'|'.join(WEEKDAYS)})(-({'|'.join(WEEKDAYS)}))?"
#: What people write for a time, to tell them how it is written here.
_LOOSE = r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?\s*(?:(am|a\.m\.)|(pm|p\.m\.)|h|uhr|o'clock)?"
_TO = r"\s*(?:-|–|—|\.\.|to|till|until|bis)\s*"


# -- times of a day ----------------------------------------------------------------------------------------------


def _time(value: object) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and re.fullmatch(_CLOCK, value, re.ASCII):
        return time.fromisoformat(value)
    found = re.fullmatch(_LOOSE, str(value).strip(), re.IGNORECASE | re.ASCII)
    meant = _meant(found.groups()) if found and not isinstance(value, float) else ""
    raise fault(f'is no time here; write "{meant or "09:00"}", in quotes' + ("" if meant else ", for nine o'clock"))


def _span(value: object) -> Span:
    if isinstance(value, Span):
        return value
    if not isinstance(value, str) or not re.fullmatch(_SPAN, value, re.ASCII):
        raise fault(_mended_span(str(value).strip()))
    start, end = (int(hour) * 60 + int(minute) for hour, minute in (part.split(":") for part in value.split("-")))
    if start == end:
        raise fault('begins when it ends; write "00:00-24:00" for the whole day')
    if end < start:
        end += 24 * 60
    return Span(start, end)


def _mended_span(text: str) -> str:
    if text.casefold() in ("closed", "none", "no", "off", "-", "false"):
        return "delete this line; a day that does not stand here is closed"
    if text.casefold() in ("24h", "24/7", "always", "open", "true"):
        return 'write "00:00-24:00" for the whole day'
    found = re.fullmatch(_LOOSE + _TO + _LOOSE, text, re.IGNORECASE | re.ASCII)
    start, end = (_meant(found.groups()[:4]), _meant(found.groups()[4:], end=True)) if found else ("", "")
    if start and end:
        return f'"{shortened(text)}" is no span here; write "{start}-{end}"'
    return f'"{shortened(text)}" is no span; write from when until when, for example "09:00-18:00"'


def _meant(parts: tuple[str | None, ...], *, end: bool = False) -> str:
    """The time that hour, minutes, am and pm may mean, as it is written here; empty if there is none."""
    hour, minutes, before_noon, after_noon = int(parts[0] or 0), parts[1] or "00", parts[2], parts[3]
    if before_noon or after_noon:
        hour = hour % 12 + (12 if after_noon else 0) if 1 <= hour <= 12 else 99
    text = f"{hour:02}:{minutes}"
    return text if re.fullmatch(_CLOCK, text) or (end and text == "24:00") else ""


def _apart(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    found: list[tuple[KeyPath, str]] = []
    for index, span in enumerate(spans):
        for other in spans[:index]:
            if span.start < other.end and other.start < span.end:
                found.append(((index,), f'overlaps with "{span_text(other)}"; make one span of the two'))
                break
    if found:
        raise faults(found)
    return tuple(sorted(spans, key=lambda span: span.start))


def span_text(span: Span) -> str:
    """As it is written in the file."""
    end = span.end if span.end <= 24 * 60 else span.end - 24 * 60
    return f"{span.start // 60:02}:{span.start % 60:02}-{end // 60:02}:{end % 60:02}"


# -- days, zones, regions ----------------------------------------------------------------------------------------


def _days(value: str) -> str:
    if re.fullmatch(_DAYS, value):
        return value
    parts = re.split(r"\s*(?:-|–|—|to|\.\.)\s*", value.strip().casefold())
    if len(parts) <= 2 and all(any(name.startswith(part) for name in _NAMES) and len(part) > 2 for part in parts):
        raise fault(f'is no day here; did you mean "{"-".join(part[:3] for part in parts)}"?')
    raise fault("is no day; write mon, tue, wed, thu, fri, sat or sun, or from one to another such as mon-fri")


def days_of(key: str) -> list[int]:
    """Monday is 0; `fri-mon` goes over the weekend."""
    first, last = WEEKDAYS.index(key[:3]), WEEKDAYS.index(key[-3:])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def each_day_once(said: Mapping[str, tuple[Span, ...]]) -> Mapping[str, tuple[Span, ...]]:
    """For a validator: no day may stand in two keys."""
    by: dict[int, str] = {}
    found: list[tuple[KeyPath, str]] = []
    for key in said:
        if twice := [day for day in days_of(key) if by.setdefault(day, key) != key]:
            found.append(
                ((key,), f"{WEEKDAYS[twice[0]]} stands in {by[twice[0]]} already; take it out of one of the two")
            )
    if found:
        raise faults(found)
    return said


def week_of(said: Mapping[str, tuple[Span, ...]]) -> tuple[tuple[Span, ...], ...]:
    """The spans of Monday to Sunday."""
    week = {day: spans for key, spans in said.items() for day in days_of(key)}
    return tuple(week.get(day, ()) for day in range(7))


@cache
def _zones() -> Mapping[str, str]:
    """The names of all zones, and each by its city alone; what is written in small letters as well."""
    names = sorted(name for name in available_timezones() if name not in ("localtime", "Factory"))
    cities = {name.rsplit("/", 1)[-1]: name for name in names if "/" in name and not name.startswith("Etc/")}
    return {**cities, **{name: name for name in names}}


#: Valid zones of the database that stay on winter time, which nobody who writes them means.
_WITHOUT_SUMMER = {"EST": "America/New_York", "MST": "America/Denver"}


def _zone(value: str) -> str:
    zones = _zones()
    if city := _WITHOUT_SUMMER.get(value):
        raise fault(f'"{value}" knows no summer time; write that of a city, for example {city}')
    if zones.get(value) == value:
        return value
    what = f'there is no time zone "{shortened(value)}"'
    if re.fullmatch(r"(UTC|GMT|Z)?\s*[-+]\s*[0-9:]{1,5}", value, re.IGNORECASE):
        raise fault(f"{what}; write that of a city, such as Europe/Rome, which knows when the clocks change")
    same = {name.casefold(): meant for name, meant in zones.items()}.get(value.casefold().replace(" ", "_"))
    close = did_you_mean(value, [name for name in zones.values() if "/" in name])
    mend = f'; did you mean "{same}"?' if same else close if "did you mean" in close else ""
    raise fault(what + (mend or "; write continent and city, for example Europe/Rome"))


def _region(value: str) -> str:
    known = regions()
    country, _, part = value.partition("-")
    if country in known and (value == country or part in known[country]):
        return value
    what = f'no holidays are known of "{shortened(value)}"'
    same = {code.casefold(): code for code in (*known, *(f"{one}-{two}" for one in known for two in known[one]))}
    same |= {name.casefold(): code for name, code in country_codes().items()}
    if meant := same.get(value.casefold()) or same.get(value.casefold().replace(" ", "")):
        raise fault(f'{what}; did you mean "{meant}"?')
    if country not in known:
        raise fault(f"{what}; write the two letters of a country, for example IT, or of a part of one, DE-BE")
    if not known[country]:
        raise fault(f"{what}; write {country}, for it has the same holidays everywhere")
    parts = shortened(", ".join(known[country]), 300)
    raise fault(f"{what}; write {country}, or {country}- and one of {parts}")


Clock = Annotated[
    time, PlainValidator(_time), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["09:00"]})
]
_OneSpan = Annotated[
    Span,
    PlainValidator(_span),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPAN}$", "examples": ["09:00-18:00", "22:00-06:00"]}),
]
#: One span, or a list of spans that do not overlap.
Spans = Annotated[tuple[_OneSpan, ...], Field(min_length=1), AfterValidator(_apart), OneOrMore()]
#: `mon` or `mon-fri`.
Days = Annotated[Text, AfterValidator(_days), WithJsonSchema({"type": "string", "pattern": f"^{_DAYS}$"})]
Zone = Annotated[
    Text, AfterValidator(_zone), WithJsonSchema({"type": "string", "minLength": 1, "examples": ["Europe/Rome"]})
]
Region = Annotated[
    Text,
    AfterValidator(_region),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}(-.+)?$", "examples": ["IT", "DE-BY"]}),
]
