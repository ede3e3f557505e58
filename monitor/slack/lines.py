"""Lines of `rich_text`, where Slack parses nothing: texts from outside need no escaping there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.slack.blocks import Block, link, plain, rich, section
from monitor.slack.text import one_line

#: A line: a text, or elements of `rich_text`.
Line = str | Sequence[Block]


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
