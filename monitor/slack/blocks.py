"""Block Kit's elements, as far as messages use them, within the limits of https://docs.slack.dev/reference/block-kit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from monitor.slack.text import one_line, safe_link

Block = dict[str, Any]

LONGEST_HEADER = 150
LONGEST_SECTION = 3_000
MOST_IN_CONTEXT = 10
#: Slack refuses a message whose blocks, as JSON, are longer than about 13,000 characters; a mark needs room, too.
LONGEST_BLOCKS = 9_500


def fitting(blocks: Callable[[int], list[Block]], quote_lengths: Iterable[int]) -> tuple[Block, ...]:
    """The blocks made with the first of the lengths, longest first, that makes the message short enough."""
    made: list[Block] = []
    for length in quote_lengths:
        made = blocks(length)
        if len(json.dumps(made, ensure_ascii=False)) < LONGEST_BLOCKS:
            break
    return tuple(made)


def header(text: str) -> Block:
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": one_line(text, LONGEST_HEADER) or "–", "emoji": True},
    }


def mrkdwn(*lines: str) -> Block:
    """A section of our own words; what the lines quote has been escaped and shortened. Lines that do not fit are left
    out: to cut one might cut its markup."""
    text = ""
    for line in lines:
        if len(text) + len(line) + 3 > LONGEST_SECTION:
            text += "\n…"
            break
        text += f"\n{line}" if text else line
    return {"type": "section", "text": {"type": "mrkdwn", "text": text or "–"}}


def context(*texts: str) -> list[Block]:
    """One block in small print, or none where there is nothing to say."""
    shown = [{"type": "mrkdwn", "text": text} for text in texts if text][:MOST_IN_CONTEXT]
    return [{"type": "context", "elements": shown}] if shown else []


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def quote(text: str) -> Block:
    return {"type": "rich_text_quote", "elements": [plain(text)]}


def plain(text: str, *, bold: bool = False) -> Block:
    """Literal text: Slack reads neither mentions nor markup in it."""
    return {"type": "text", "text": text or "–", **_style(bold)}


def link(text: str, url: str | None, *, bold: bool = False) -> Block:
    """`text` as a link if `url` is an ordinary web address, else as mere text."""
    safe = safe_link(url)
    return {"type": "link", "url": safe, "text": text, **_style(bold)} if safe else plain(text, bold=bold)


def _style(bold: bool) -> Block:
    return {"style": {"bold": True}} if bold else {}
