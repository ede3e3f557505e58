"""What a command is answered with, within Slack's limits. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.slack.blocks import Block, context, header
from monitor.slack.lines import Line, text
from monitor.slack.text import escape

LONGEST_TEXT = 2_000
#: As for the messages of escalations (see `slack.blocks`), title and small print included.
MOST_BLOCKS, LONGEST_MESSAGE, LONGEST_CUT = 50, 9_900, 4_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person is told: `text` (escaped) where blocks cannot be shown, and the blocks."""

    text: str
    blocks: tuple[Block, ...] = ()


def answer(title: str, *blocks: Block, small: Iterable[str] = ()) -> Answer:
    """Under a title, with notes in small print; the text where no blocks are shown is all that they say. What is too
    long for a message is cut at its end, and its links with it."""
    made = (header(title), *blocks, *context(*(escape(line, 1_000) for line in small)))
    said = "\n".join(texts_of(made))
    if len(made) > MOST_BLOCKS or len(json.dumps(made, ensure_ascii=False)) > LONGEST_MESSAGE:
        body = "\n".join(texts_of(blocks))[:LONGEST_CUT].rpartition("\n")[0]
        made = (header(title), text(f"{body}\n…"))
    return Answer(escape(said, LONGEST_TEXT), made)


def sentence(*lines: Line) -> Answer:
    """A few sentences and nothing else."""
    blocks = (text(*lines),)
    return Answer(escape("\n".join(texts_of(blocks)), LONGEST_TEXT), blocks)


def texts_of(blocks: Iterable[Block]) -> list[str]:
    """What a reader of the blocks sees, a line each."""
    lines: list[str] = []
    for block in blocks:
        match block["type"]:
            case "rich_text":
                for part in block["elements"]:
                    joined = "".join(one.get("text", "") for one in part["elements"])
                    lines += joined.split("\n")
            case "header":
                lines.append(block["text"]["text"])
    return lines
