"""What an answer's headers say about time and identity. Pure; a value that cannot be read says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime

#: No wait that a server asks for is longer.
LONGEST = timedelta(days=31)
#: Name in the cursor → the header that comes, and the one that goes back.
VALIDATORS = {"etag": ("ETag", "If-None-Match"), "last_modified": ("Last-Modified", "If-Modified-Since")}

_SENDABLE = re.compile(r"[^\r\n\0]{1,4096}")
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """`Retry-After`, seconds or a date, at least 0 and at most 31 days; None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return _bounded(value.strip())
    date = _date(value)
    return None if date is None else min(max(date - now, timedelta(0)), LONGEST)


def fresh_for(headers: Message, now: datetime) -> timedelta:
    """How long the answer need not be asked for again: `max-age`, else `Expires` less `Date`; 0 where neither says."""
    control = ",".join(headers.get_all("Cache-Control", []))
    if age := _MAX_AGE.search(control):
        return _bounded(age[1])
    expires = _date(headers.get("Expires"))
    if expires is None:
        return timedelta(0)
    return min(max(expires - (_date(headers.get("Date")) or now), timedelta(0)), LONGEST)


def validators(headers: Message) -> dict[str, str]:
    """What `VALIDATORS` names, verbatim, as far as the answer has it and it can be sent back."""
    found = {name: headers.get(header, "") for name, (header, _) in VALIDATORS.items()}
    return {name: value for name, value in found.items() if value and _SENDABLE.fullmatch(value)}


def conditions(cursor: Mapping[str, str]) -> dict[str, str]:
    """The request headers that send `validators` back."""
    return {header: cursor[name] for name, (_, header) in VALIDATORS.items() if name in cursor}


def _bounded(seconds: str) -> timedelta:
    # A number too long for `int` or `timedelta` is long enough.
    return LONGEST if len(seconds) > 9 else min(timedelta(seconds=int(seconds)), LONGEST)


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
