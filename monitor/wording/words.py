"""One language at work for one reader: texts, and numbers, lengths of time and moments as its speakers write them.

Texts in the code are English and are looked up in a gettext catalog as they stand there; dates and numbers are Babel's
(CLDR). Places are named, `{who}`, so that a translation may exchange them. What no catalog has is said in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from gettext import NullTranslations
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_timezone_name
from babel.numbers import format_decimal, format_percent

from monitor.wording.text import Text

#: From so many units on the smaller one says no more that matters: "90 min", but "3 h".
_UNITS: tuple[tuple[Literal["day", "hour", "minute"], int], ...] = (("day", 86_400), ("hour", 3_600), ("minute", 60))


@dataclass(frozen=True, slots=True)
class Words:
    """`language` is that of the catalog; `zone` that of the reader. `moment` is how a moment stands in a sentence: in
    Slack's own markup a token that shows every reader their own time, else the time of `zone`."""

    language: str = "en"
    zone: tzinfo = UTC
    catalog: NullTranslations = field(default_factory=NullTranslations)
    moment: Callable[[datetime], str] | None = None

    # -- texts -----------------------------------------------------------------------------------------------

    def say(self, text: str, **values: Any) -> str:
        """The text in this language, with its values in place."""
        return self._filled(self.catalog.gettext(text) if text else "", values)

    def many(self, one: str, several: str, count: int, **values: Any) -> str:
        """The text for so many; `count` is one of its values."""
        return self._filled(self.catalog.ngettext(one, several, count), {"count": count, **values})

    def text(self, text: Text | str) -> str:
        """A text that was put together earlier; a mere string is said as it is."""
        if isinstance(text, str):
            return text
        if text.many is not None:
            return self.many(text.id, text.many, **text.values)
        return self.say(text.id, **text.values)

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        return text.format_map({name: self.value(value) for name, value in values.items()}) if values else text

    def value(self, value: Any) -> str:
        """How a value stands in a sentence."""
        match value:
            case Text():
                return self.text(value)
            case bool() | str():
                return str(value)
            case int() | float():
                return self.number(value)
            case timedelta():
                return self.span(value)
            case datetime():
                return self.moment(value) if self.moment else self.at(value)
            case date():
                return self.date(value)
        return str(value)

    # -- numbers ---------------------------------------------------------------------------------------------

    @property
    def _locale(self) -> Locale:
        return Locale.parse(self.language)

    def number(self, value: float, decimals: int | None = None) -> str:
        """ "12,500", "12.500"; with so many decimals, or as many as it has, at most two."""
        places = "#,##0.##" if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, format=places, locale=self._locale)

    def share(self, value: float) -> str:
        """ "41%", "41 %"."""
        return format_percent(value, locale=self._locale)

    # -- times -----------------------------------------------------------------------------------------------

    def span(self, length: timedelta) -> str:
        """A length of time as it stands in a sentence: "90 minutes", "3 hours", "2 days"."""
        seconds = abs(length.total_seconds())
        for unit, size in _UNITS:
            if seconds >= 2 * size or seconds == size:
                whole = timedelta(seconds=size * int(seconds // size))
                return format_timedelta(whole, granularity=unit, threshold=1e9, locale=self._locale)
        if seconds >= 100:
            return self.span(timedelta(minutes=seconds // 60))
        whole = timedelta(seconds=int(seconds))
        return format_timedelta(whole, granularity="second", threshold=1e9, locale=self._locale)

    def ago(self, then: datetime, now: datetime) -> str:
        """ "5 minutes ago", "in 3 hours"."""
        return format_timedelta(then - now, add_direction=True, locale=self._locale)

    def clock(self, at: datetime) -> str:
        """ "14:05", by the reader's clock."""
        return format_time(at, "HH:mm", tzinfo=self.zone, locale=self._locale)

    def date(self, day: date) -> str:
        """ "30 Mar 2026"."""
        return format_date(day, "d MMM y", locale=self._locale)

    def at(self, at: datetime) -> str:
        """ "30 Mar, 14:05", by the reader's clock."""
        return format_datetime(at, "d MMM, HH:mm", tzinfo=self.zone, locale=self._locale)

    def weekday(self, at: datetime) -> str:
        """ "Mon 14:05", by the reader's clock."""
        return format_datetime(at, "EEE HH:mm", tzinfo=self.zone, locale=self._locale)

    def day(self, at: datetime) -> str:
        """ "Mon 30 Mar, 14:05", by the reader's clock."""
        return format_datetime(at, "EEE d MMM, HH:mm", tzinfo=self.zone, locale=self._locale)

    def zone_name(self, at: datetime) -> str:
        """What the reader's zone is called: "CEST", "UTC"; where it has no name, "+03"."""
        name = at.astimezone(self.zone).tzname()
        return (
            name
            if name and len(name) < 6
            else get_timezone_name(at.astimezone(self.zone), width="short", locale=self._locale)
        )
