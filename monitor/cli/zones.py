"""In which time zone the command line shows times: a named one, or that of this machine."""

from __future__ import annotations

import os
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

_LOCALTIME = Path("/etc/localtime")


class Zone(click.ParamType[tzinfo]):
    """Europe/Rome."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        if isinstance(value, tzinfo):
            return value
        if (zone := _named(str(value))) is None:
            from zoneinfo import available_timezones

            from monitor.fields import closest

            names = available_timezones()
            short = {name.rsplit("/", 1)[-1]: name for name in names}
            close = closest(str(value), names) or short.get(closest(str(value), short) or "")
            hint = f' Did you mean "{close}"?' if close else ""
            self.fail(f"There is no time zone {value}; write it as Europe/Rome.{hint}", param, ctx)
        return zone


def here() -> tzinfo:
    """That of this machine, by its name where it has one."""
    names = [os.environ.get("TZ", "").removeprefix(":")]
    if not names[0]:
        _, _, link = str(_LOCALTIME.resolve()).partition("zoneinfo/")
        names.append(link)
    named = next((zone for name in names if name and (zone := _named(name)) is not None), None)
    fixed = datetime.now().astimezone().tzinfo
    assert fixed is not None
    return named or fixed


def name_of(zone: tzinfo, at: datetime) -> str:
    """ "Europe/Rome", or what its clocks are called at that time, "CEST"."""
    name = str(getattr(zone, "key", "") or at.astimezone(zone).tzname() or zone)
    return name.removeprefix("Etc/")


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
