"""What a command is answered with, and what answers and App Home have in common. Pure.

Everything stands in `rich_text`, where Slack parses nothing: texts from outside need no escaping there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.slack.blocks import Block, context, header, link, plain, rich, section
from monitor.slack.text import escape, one_line, safe_link
from monitor.wording.words import Words

#: A line: a text, or elements of `rich_text`.
Line = str | Sequence[Block]

LONGEST_TEXT = 2_000
#: As for the messages of escalations (see `slack.blocks`), title and small print included.
MOST_BLOCKS, LONGEST_MESSAGE, LONGEST_CUT = 50, 9_900, 4_000
_CHANNEL = re.compile("[CGD][A-Z0-9]{5,30}")
_TS = re.compile(r"\d{6,12}\.\d{6}")
#: So far away a day of the week says which day is meant.
_A_WEEK = 6


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


# -- lines -------------------------------------------------------------------------------------------------------


def text(*lines: Line) -> Block:
    """A block of these lines."""
    elements: list[Block] = []
    for index, line in enumerate(lines):
        if index:
            elements.append(plain("\n"))
        elements += [plain(line)] if isinstance(line, str) else line
    return rich(section(*elements))


def bold(text: str) -> Block:
    return plain(text, bold=True)


def code(text: str) -> Block:
    """What is to be typed."""
    return {"type": "text", "text": text or "–", "style": {"code": True}}


def to_type(said: str, command: str, after: str = "") -> list[Block]:
    """A sentence that ends with what is to be typed."""
    return [plain(f"{said} "), code(command), *([plain(after)] if after else [])]


def named(text: str, url: str | None, longest: int = 150) -> Block:
    """A text from outside in bold, as a link where there is one."""
    return link(one_line(text, longest) or "–", url, bold=True)


def tied(parts: Iterable[str | Block]) -> list[Block]:
    """What stands on one line, with dots between."""
    made: list[Block] = []
    for part in parts:
        if part:
            made += [plain(" · ")] if made else []
            made.append(plain(part) if isinstance(part, str) else part)
    return made


def message_link(channel: str | None, ts: str | None, workspace: str | None = None) -> str | None:
    """Where a message of ours stands. Without the address of the workspace Slack leads everybody to the one in which
    they are signed in."""
    if channel is None or ts is None or not _CHANNEL.fullmatch(channel) or not _TS.fullmatch(ts):
        return None
    if workspace and safe_link(workspace):
        return f"{workspace.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return f"https://slack.com/app_redirect?channel={channel}&message_ts={ts}"


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


# -- times -------------------------------------------------------------------------------------------------------


def when(at: datetime, now: datetime, words: Words) -> str:
    """As short as it can be said on the day on which it is read: "14:05", "Fri 14:05", "30 Mar, 14:05"."""
    away = _days_away(at, now, words)
    return words.at(at) if away > _A_WEEK else words.weekday(at) if away else words.clock(at)


def since(at: datetime, now: datetime, words: Words) -> str:
    """ "since 14:05"; a sentence of its own for each form, for there are languages that say each otherwise."""
    away = _days_away(at, now, words)
    if away > _A_WEEK:
        return words.say("since {date}", date=words.at(at))
    return words.say("since {day}", day=words.weekday(at)) if away else words.say("since {time}", time=words.clock(at))


def until(at: datetime, now: datetime, words: Words) -> str:
    """ "until 14:05"."""
    away = _days_away(at, now, words)
    if away > _A_WEEK:
        return words.say("until {date}", date=words.at(at))
    return words.say("until {day}", day=words.weekday(at)) if away else words.say("until {time}", time=words.clock(at))


def _days_away(at: datetime, now: datetime, words: Words) -> int:
    """By the reader's calendar."""
    return abs((at.astimezone(words.zone).date() - now.astimezone(words.zone).date()).days)
