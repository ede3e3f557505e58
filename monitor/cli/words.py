"""How the command line says times, numbers, mentions, tables and what to type; no decisions, no colour."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.model import Mention, Post
    from monitor.rules.readership import Readership
    from monitor.store.mutes import Mute

PROGRAM = "brand-monitor"


# -- what to type ------------------------------------------------------------------------------------------------


def program(config: Path | None = None) -> str:
    """How this program was called, with its `config`: a command that we print must work as it stands."""
    called = sys.argv[0]
    if Path(called).name != PROGRAM or shutil.which(PROGRAM) == called:
        called = PROGRAM
    return shlex.quote(called) + (f" --config {shlex.quote(str(config))}" if config else "")


def near(path: Path | str) -> str:
    """The path as seen from the current folder, where that is shorter."""
    path = str(path)
    return min(path, os.path.relpath(path), key=len) if os.path.isabs(path) else path


# -- times and numbers -------------------------------------------------------------------------------------------


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


# -- mentions ----------------------------------------------------------------------------------------------------


def score(mention: Mention) -> str:
    """ "-0.87", "answer" for one of ours, "not us" for what a person said is not about us, or nothing."""
    if mention.answer:
        return "answer"
    if mention.dismissed:
        return "not us"
    return f"{mention.sentiment.score:+z.2f}" if mention.sentiment else ""


def author(post: Post, width: int) -> str:
    return clean(post.author.handle or post.author.name or "unknown", width)


# -- rules -------------------------------------------------------------------------------------------------------


def silence(mute: Mute, now: datetime) -> str:
    """ "acme-spike is muted until 2026-03-30 14:05 UTC: works on the line (ada)"."""
    when = "is muted" if mute.since <= now else f"will be muted {ago(mute.since, now)},"
    head = f"{mute.rule_id} {when} until {mute.until:%Y-%m-%d %H:%M} UTC: "
    return rest(head, mute.why, f" ({clean(mute.who, 30)})")


def unread(guidelines: Iterable[Readership]) -> Iterator[str]:
    """ "playbooks/angry-thread.md (version 1a2b3c4d) has not been read by anna, bruno", one a guideline."""
    for one in guidelines:
        if one.unread:
            yield f"{one.path} (version {one.version}) has not been read by {', '.join(one.unread)}"


# -- lines -------------------------------------------------------------------------------------------------------


def columns(otherwise: int = 160) -> int:
    """How long a line may be: as the terminal is wide, or `otherwise` where the output goes elsewhere."""
    return shutil.get_terminal_size((otherwise, 24)).columns


def clean(text: str | None, width: int) -> str:
    """Text from outside on one line, without anything a terminal would obey, at most `width` columns wide."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    ends = list(accumulate(map(_width, line)))
    return line if not ends or ends[-1] <= width else line[: bisect_right(ends, width - 1)] + "…"


def rest(head: str, text: str | None, tail: str = "") -> str:
    """`head`, as much of `text` as fits into the line, and `tail`."""
    return head + clean(text, columns() - width(head) - width(tail)) + tail


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """A line a row, in aligned columns, those numbered in `right` to the right; the last gets the rest of the line."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        head = ""
        for index, cell in enumerate(row[:-1]):
            blanks = " " * (widths[index] - width(cell))
            head += (blanks + cell if index in right else cell + blanks) + "  "
        yield rest(head, row[-1]).rstrip()


def width(line: str) -> int:
    """How many columns of a terminal it takes: an accent none, an emoji or a Chinese character two."""
    return sum(map(_width, line))


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
