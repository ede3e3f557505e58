"""How the command line says times, spans and sizes; no decisions, no colour."""

from __future__ import annotations

from datetime import datetime, timedelta


def ago(then: datetime | None, now: datetime) -> str:
    """ "3 min ago", "in 2 h", "never"."""
    if then is None:
        return "never"
    return f"{span(now - then)} ago" if then <= now else f"in {span(then - now)}"


def span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size_ in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size_ or (seconds >= size_ and unit == "d"):
            return f"{seconds // size_} {unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Bytes as "3.1 MB"."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def clean(text: str | None, width: int) -> str:
    """Text from outside on one line, without anything a terminal would obey, at most `width` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"
