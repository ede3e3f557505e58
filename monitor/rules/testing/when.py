"""Times in a file of rule tests: day and time with an offset from UTC, or a duration after the start of the test."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from monitor.durations import DURATION, duration
from monitor.fields import fault
from monitor.yamlfile import shortened

_MOMENT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?"
_OFFSET = r"(Z|[+-]\d\d:\d\d)"
_EXAMPLE = '"2026-03-30T10:00:00+02:00"'


def _moment(text: str) -> datetime:
    """Day and time with an offset; raises the fault that says what to write."""
    if re.fullmatch(_MOMENT, text, re.ASCII):
        far = "its offset from UTC is missing"
        raise fault(f"{far}; write {text}+02:00 for summer time in Rome or Berlin, {text}Z for UTC")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise fault(f"the time of day is missing; write for example {_EXAMPLE}")
    if not re.fullmatch(_MOMENT + _OFFSET, text, re.ASCII):
        raise fault(f'"{shortened(text)}" is no day and time; write for example {_EXAMPLE}')
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise fault(f'"{text}" does not exist: no such day, or no such time') from None
    if not 2000 <= moment.year < 2100:
        raise fault("must be a year between 2000 and 2099")
    return moment


def _start(value: object) -> object:
    if isinstance(value, str):
        return _moment(value)
    raise fault(f"must be day and time with an offset, for example {_EXAMPLE}")


def _at(value: object) -> object:
    """A duration after the start, or a moment in UTC."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise fault("must be how long after the start, for example 10m")
    text = str(value)
    if re.match(r"\d{4}-\d", text):
        return _moment(text).astimezone(UTC)
    try:
        # The timeline of a failed test says +2h30m; here one may, too.
        return duration(text.removeprefix("+"))
    except ValueError as error:
        if text.startswith("-"):
            raise fault("lies before the start; give the test an earlier start") from error
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", text):
            what = f"write how long after the start, for example 10m, or day and time, for example {_EXAMPLE}"
            raise fault(f'"{text}" lacks its day; {what}') from error
        raise fault(str(error)) from error


_ISO = f"^{_MOMENT}{_OFFSET}$"
Start = Annotated[
    datetime, PlainValidator(_start), WithJsonSchema({"type": "string", "pattern": _ISO, "examples": [_EXAMPLE[1:-1]]})
]
At = Annotated[
    timedelta | datetime,
    PlainValidator(_at),
    WithJsonSchema({"type": "string", "pattern": rf"^{DURATION}$|{_ISO}", "examples": ["0m", "35m", "2h30m"]}),
]
