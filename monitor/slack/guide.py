"""The guideline: its beginning in an alert, and the whole of it in the form that opens from there.

Its Markdown becomes typed rich text, in which Slack reads no markup of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from monitor.model import Guideline
from monitor.slack.blocks import Block, context, header, link, plain, rich, section
from monitor.slack.facts import name
from monitor.slack.text import clean, escape, one_line, shorten
from monitor.wording.words import Words

#: A form takes a hundred blocks; those above and below the text need some.
MOST_BLOCKS = 60
LONGEST_BLOCK = 2_500
MOST_READERS = 6
#: Of an excerpt.
LINES, LINES_WITH_BUTTON = 12, 5

_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_BULLET = re.compile(r"(\s*)([-*+])\s+(.*)")
_NUMBERED = re.compile(r"(\s*)(\d{1,3})[.)]\s+(.*)")
_SPAN = re.compile(
    r"\*\*(?P<bold>[^*\n]+)\*\*|`(?P<code>[^`\n]+)`|\[(?P<text>[^\]\n]+)\]\((?P<url>[^)\s]+)\)|(?P<bare>https?://[^\s<>)]+)"
)


# -- in an alert -------------------------------------------------------------------------------------------------


def excerpt(
    guideline: Guideline, read_by: tuple[str, ...], length: int, now: datetime, words: Words, *, button: bool
) -> list[Block]:
    """Its title and first lines, and in small print where it comes from and who has read it. Where a `button` opens the
    whole of it, few lines are enough, and of the small print that its review is overdue."""
    most_lines = LINES_WITH_BUTTON if button else LINES
    lines = clean(guideline.body).split("\n")
    shown = lines[:most_lines]
    while len(shown) < len(lines) and shown and _HEADING.fullmatch(shown[-1]):
        shown.pop()
    body = "\n".join([*map(_without_markdown, shown), *(["…"] if len(shown) < len(lines) else [])])
    head = words.say("What to do: {title}", title=one_line(guideline.title, 150))
    if button:
        small = _review(guideline.review_by, now, words) if _overdue(guideline.review_by, now, words) else ""
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
        yield _review(guideline.review_by, now, words)


def _review(review_by: str, now: datetime, words: Words) -> str:
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


def _without_markdown(line: str) -> str:
    line = re.sub(r"^#+\s*", "", line).replace("**", "")
    line = re.sub(r"\[([^\]]+)\]\((?:[^)\s]+)\)", r"\1", line)
    return re.sub(r"^[-*+]\s+", "• ", line)


# -- the whole ---------------------------------------------------------------------------------------------------


def whole_guideline(guideline: Guideline, read_by: tuple[str, ...], now: datetime, words: Words) -> list[Block]:
    """At most as many blocks as a form takes; what is longer ends with a word on where to read on."""
    parts = _packed(_parts(guideline.body))
    blocks = [header(guideline.title or guideline.path), *context(" · ".join(_origin(guideline, now, words)))]
    blocks += [rich(*part) for part in parts[:MOST_BLOCKS]]
    if len(parts) > MOST_BLOCKS:
        path = escape(one_line(guideline.path, 100), 120)
        blocks += context(words.say("It is longer than fits here; read on in {path}.", path=path))
    return [*blocks, *context(readers(read_by, words))]


def _parts(body: str) -> Iterator[Block]:
    """Sections and lists, one after the other; lines of one paragraph, or of one item of a list, stay together."""
    paragraph: list[str] = []
    item: list[str] = []

    def flush() -> Iterator[Block]:
        if paragraph:
            yield from _sections(" ".join(paragraph))
            paragraph.clear()
        if item and (listed := _listed(" ".join(item))):
            yield listed
        item.clear()

    for raw in re.split(r"\r\n|[\r\n\u2028\u2029]", body):
        line = clean(raw.expandtabs(4).rstrip())
        found = _HEADING.fullmatch(line)
        listed = None if found else _listed(raw.expandtabs(4))
        if not line or set(line) <= {"-", "*", "_", " "}:
            yield from flush()
        elif found:
            yield from flush()
            yield section(plain(f"\n{shorten(found[1], LONGEST_BLOCK - 100)}", bold=True))
        elif listed:
            yield from flush()
            item.append(raw.expandtabs(4).rstrip())
        elif item:
            item.append(line.strip())
        else:
            paragraph.append(line)
    yield from flush()


def _listed(line: str) -> Block | None:
    for pattern, style in ((_BULLET, "bullet"), (_NUMBERED, "ordered")):
        if found := pattern.fullmatch(line.rstrip()):
            text = clean(found[3])
            place = {"indent": 1} if len(found[1]) >= 2 else {}
            if style == "ordered" and int(found[2]) > 1:
                place["offset"] = int(found[2]) - 1
            item = section(*_inline(shorten(text, LONGEST_BLOCK - 100)))
            return {"type": "rich_text_list", "style": style, "elements": [item], **place} if text else None
    return None


def _sections(text: str) -> Iterator[Block]:
    """A paragraph, cut between words where it is longer than a block."""
    while text:
        cut = len(text)
        if cut > LONGEST_BLOCK - 100:
            cut = text.rfind(" ", 0, LONGEST_BLOCK - 100)
            cut = cut if cut > 0 else LONGEST_BLOCK - 100
        yield section(*_inline(f"{text[:cut].strip()}\n"))
        text = text[cut:].strip()


def _inline(text: str) -> Iterator[Block]:
    end = 0
    for found in _SPAN.finditer(text):
        if found.start() > end:
            yield plain(text[end : found.start()])
        if found["bold"]:
            yield plain(found["bold"], bold=True)
        elif found["code"]:
            yield {"type": "text", "text": found["code"], "style": {"code": True}}
        elif found["url"]:
            yield link(found["text"], found["url"])
        else:
            yield link(found["bare"], found["bare"])
        end = found.end()
    if end < len(text) or not text:
        yield plain(text[end:])


def _packed(parts: Iterator[Block]) -> list[list[Block]]:
    """The parts in as few blocks as hold them; items of one list become one list."""
    packed: list[list[Block]] = []
    length = 0
    for part in parts:
        size = len(json.dumps(part, ensure_ascii=False))
        if not packed or length + size > LONGEST_BLOCK:
            packed.append([])
            length = 0
        length += size
        last = packed[-1][-1] if packed[-1] else None
        if last is not None and _same_list(last, part):
            last["elements"] += part["elements"]
        else:
            packed[-1].append(part)
    return packed


def _same_list(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["type"] == "rich_text_list" and all(
        one.get(key) == other.get(key) for key in ("type", "style", "indent")
    )
