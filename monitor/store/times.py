"""Times as they stand in the database: UTC ISO 8601 with six decimals, so that they sort as text."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(time: datetime) -> str:
    """`time` is aware."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)
