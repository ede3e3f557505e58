"""Markdown as typed rich text, in which Slack reads no markup of its own; and as plain text, where there is no room."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from monitor.slack.blocks import Block, link, plain, rich, section
from monitor.slack.text import clean, shorten

LONGEST_BLOCK = 2_500

_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_BULLET = re.compile(r"(\s*)([-*+])\s+(.*)")
_NUMBERED = re.compile(r"(\s*)(\d{1,3})[.)]\s+(.*)")
_SPAN = re.compile(
    r"\*\*(?P<bold>[^*\n]+)\*\*|`(?P<code>[^`\n]+)`|\[(?P<text>[^\]\n]+)\]\((?P<url>[^)\s]+)\)|(?P<bare>https?://[^\s<>)]+)"
)


def rich_texts(body: str) -> list[Block]:
    """As few blocks as hold it."""
    return [rich(*part) for part in _packed(_parts(body))]


def beginning(body: str, most_lines: int) -> str:
    """Its first lines without markup, never ending in a heading; "…" where it goes on."""
    lines = clean(body).split("\n")
    shown = lines[:most_lines]
    while len(shown) < len(lines) and shown and _HEADING.fullmatch(shown[-1]):
        shown.pop()
    return "\n".join([*map(_unmarked, shown), *(["…"] if len(shown) < len(lines) else [])])


def _unmarked(line: str) -> str:
    line = re.sub(r"^#+\s*", "", line).replace("**", "")
    line = re.sub(r"\[([^\]]+)\]\((?:[^)\s]+)\)", r"\1", line)
    return re.sub(r"^[-*+]\s+", "• ", line)


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
