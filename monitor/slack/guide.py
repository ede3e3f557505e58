"""One guideline: its beginning in an alert, and the whole of it in the form where people say that they have read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import accumulate

from monitor.model import Guideline
from monitor.slack.blocks import Block, context, header, plain, rich, section
from monitor.slack.elements import modal
from monitor.slack.facts import name
from monitor.slack.markdown import beginning, rich_texts
from monitor.slack.tags import Tag
from monitor.slack.text import escape, one_line, shorten
from monitor.slack.times import when
from monitor.wording.words import Words

#: A form takes a hundred blocks and 250 kB; those above and below the text need some.
MOST_BLOCKS, LONGEST_FORM = 60, 200_000
MOST_READERS = 6
#: Of an excerpt.
LINES, LINES_WITH_BUTTON = 12, 5


# -- in an alert -------------------------------------------------------------------------------------------------


def excerpt(
    guideline: Guideline, read_by: tuple[str, ...], length: int, now: datetime, words: Words, *, button: bool
) -> list[Block]:
    """Its title and first lines, and in small print where it comes from and who has read it. Where a `button` opens the
    whole of it, few lines are enough, and of the small print that its review is overdue."""
    body = beginning(guideline.body, LINES_WITH_BUTTON if button else LINES)
    head = words.say("What to do: {title}", title=one_line(guideline.title, 150))
    if button:
        small = review(guideline.review_by, now, words) if _overdue(guideline.review_by, now, words) else ""
    else:
        small = " · ".join(_origin(guideline, now, words))
    return [
        rich(section(plain(f"{head}\n", bold=True), *([plain(shorten(body, length))] if length else []))),
        *context(small, readers(read_by, words)),
    ]


def readers(read_by: tuple[str, ...], words: Words) -> str:
    if not read_by:
        return ""
    who = ", ".join(name(one) for one in read_by[:MOST_READERS])
    if (more := len(read_by) - MOST_READERS) > 0:
        return words.many("📖 Read by {who} and {count} more", "📖 Read by {who} and {count} more", more, who=who)
    return words.say("📖 Read by {who}", who=who)


def _origin(guideline: Guideline, now: datetime, words: Words) -> Iterator[str]:
    """Escaped, for small print."""
    path, version = (escape(one_line(text, 100), 120) for text in (guideline.path, guideline.version))
    yield words.say("Guideline {path}, version {version}", path=path, version=version)
    if guideline.owner:
        yield words.say("owner {who}", who=name(guideline.owner))
    if guideline.approved_by:
        yield words.say("approved by {who}", who=name(guideline.approved_by))
    if guideline.review_by:
        yield review(guideline.review_by, now, words)


def review(review_by: str, now: datetime, words: Words) -> str:
    day = _day(review_by)
    if day is None:
        return words.say("review by {day}", day=name(review_by))
    if _overdue(review_by, now, words):
        return words.say("⚠️ review by {day} – overdue", day=day)
    return words.say("review by {day}", day=day)


def _overdue(review_by: str, now: datetime, words: Words) -> bool:
    day = _day(review_by)
    return day is not None and day < now.astimezone(words.zone).date()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# -- the whole ---------------------------------------------------------------------------------------------------


def guideline_form(
    guideline: Guideline,
    tag: Tag,
    now: datetime,
    words: Words,
    *,
    read_by: tuple[str, ...] = (),
    read_at: datetime | None = None,
) -> Block:
    """The whole of it, as far as a form has room, with a button to say that one has read it. `read_at`: when whoever
    asks has read this very version; then there is none."""
    parts = rich_texts(guideline.body)
    shown = _fitting(parts)
    blocks = [header(guideline.title or guideline.path), *context(" · ".join(_origin(guideline, now, words)))]
    blocks += shown
    if len(shown) < len(parts):
        path = escape(one_line(guideline.path, 100), 120)
        blocks += context(words.say("It is longer than fits here; read on in {path}.", path=path))
    blocks += context(readers(read_by, words))
    if read_at:
        blocks += context("✅ " + words.say("You have read this version ({time}).", time=when(read_at, now, words)))
    submit = None if read_at else words.say("I have read it")
    close = words.say("Close") if read_at else words.say("Not yet")
    return modal(
        words.say("Guideline"), blocks, tag=replace(tag, version=guideline.version), submit=submit, close=close
    )


def _fitting(parts: Sequence[Block]) -> list[Block]:
    """As many of them, from the first on, as a form takes."""
    lengths = accumulate(len(json.dumps(part)) for part in parts[:MOST_BLOCKS])
    return [part for part, length in zip(parts, lengths, strict=False) if length < LONGEST_FORM]
