"""The same messages on the terminal, for an installation without Slack: nothing else changes.

In a terminal they are drawn as coloured cards, elsewhere (a file, the journal) as plain lines. Hostile text stays text:
it was cleaned before and is cleaned again, and is never read as markup.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TextIO

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from monitor.errors import DeliveryFailed
from monitor.slack.blocks import Block
from monitor.slack.messages import CONSOLE, Delivered, Message
from monitor.slack.text import clean, one_line, visible

WIDEST = 96
COLOURS = {
    "low": "blue", "medium": "yellow", "high": "dark_orange", "critical": "red", "settled": "green", "notice": "cyan",
}  # fmt: skip

_MRKDWN = re.compile(
    r"\*(?P<bold>[^*\n]+)\*|`(?P<code>[^`\n]+)`|<!date\^\d+\^[^|>]*\|(?P<date>[^>]*)>|<(?:!subteam\^|@)(?P<who>\w+)>"
)


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: Text
    quoted: bool = False


class ConsoleMessenger:
    """`width` and `terminal` are found out where they are not given."""

    def __init__(self, stream: TextIO | None = None, *, width: int | None = None, terminal: bool | None = None) -> None:
        self._stream = stream or sys.stdout
        unicode = (self._stream.encoding or "utf-8").lower().replace("-", "").startswith("utf")
        force = terminal if unicode else False
        self._console = Console(
            file=self._stream, width=width, force_terminal=force, highlight=False, markup=False, emoji=False
        )

    @property
    def server_time(self) -> datetime | None:
        return None

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        draw = self._card if self._console.is_terminal else _lines
        self._write(draw(message, channel, reply=thread_ts is not None))
        return Delivered(CONSOLE, str(outbox_id))

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        """One line: on a terminal nothing that was printed can be changed."""
        line = Text("↻ ").append(_mrkdwn(message.text))
        line.stylize(COLOURS[message.tone])
        self._write(line if self._console.is_terminal else line.plain)
        return Delivered(CONSOLE, ts)

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        """A terminal cannot be asked; printing something twice does no harm."""
        return None

    def _card(self, message: Message, channel: str, *, reply: bool) -> RenderableType:
        colour = COLOURS[message.tone]
        indent = 4 if reply else 0
        width = min(self._console.width, WIDEST) - indent
        title = Text(one_line(_heading(message, reply), width - 8), style=f"bold {colour}")
        if reply:
            return Padding(Group(title, *self._drawn(message, width - 2)), (0, 0, 1, indent))
        return Panel(
            Group(*self._drawn(message, width - 6)),
            box=ROUNDED,
            title=title,
            title_align="left",
            subtitle=Text(one_line(channel, 40), style="dim"),
            subtitle_align="right",
            border_style=colour,
            width=width,
            padding=(1, 2),
        )

    def _drawn(self, message: Message, width: int) -> Iterator[RenderableType]:
        for paragraph in _paragraphs(message):
            if not paragraph.quoted:
                yield paragraph.text
                continue
            for line in paragraph.text.wrap(self._console, width - 2):
                line.rstrip()
                yield Text.assemble(("▎ ", "dim"), line)

    def _write(self, drawn: RenderableType) -> None:
        try:
            if isinstance(drawn, str):
                encoding = self._stream.encoding or "utf-8"
                self._stream.write(drawn.encode(encoding, "replace").decode(encoding) + "\n")
            else:
                self._console.print(drawn)
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise DeliveryFailed(f"The terminal cannot be written: {error}.") from error


def _lines(message: Message, channel: str, *, reply: bool) -> str:
    lines = [_heading(message, reply) if reply else f"{_heading(message, reply)}  [{clean(channel)}]"]
    for paragraph in _paragraphs(message):
        mark = "  > " if paragraph.quoted else "  "
        lines += [(mark + line).rstrip() for line in paragraph.text.plain.split("\n")]
    return "\n".join(lines) + "\n"


def _heading(message: Message, reply: bool) -> str:
    return ("↳ " if reply else "") + one_line(message.subject, WIDEST)


# -- reading blocks ----------------------------------------------------------------------------------------------


def _paragraphs(message: Message) -> list[_Paragraph]:
    """What its blocks say; an empty paragraph between two blocks."""
    paragraphs: list[_Paragraph] = []
    for block in message.blocks:
        match block["type"]:
            case "header" | "actions":
                # The header is the subject, and on a terminal there is nothing to press.
                continue
            case "section":
                paragraphs.append(_Paragraph(_mrkdwn(block["text"]["text"])))
            case "context":
                for element in block["elements"]:
                    text = _mrkdwn(element["text"])
                    text.stylize("dim")
                    paragraphs.append(_Paragraph(text))
            case "rich_text":
                for part in block["elements"]:
                    if paragraphs and paragraphs[-1].quoted:
                        paragraphs.append(_Paragraph(Text("")))
                    paragraphs.append(_Paragraph(_rich(part), part["type"] == "rich_text_quote"))
        paragraphs.append(_Paragraph(Text("")))
    return paragraphs[:-1]


def _mrkdwn(source: str) -> Text:
    text, end = Text(), 0
    for found in _MRKDWN.finditer(source):
        text.append(_literal(source[end : found.start()]))
        style = {"bold": "bold", "code": "cyan", "date": "", "who": "bold"}[found.lastgroup or "bold"]
        words = found[found.lastgroup or "bold"]
        text.append(_literal(f"@{words}" if found.lastgroup == "who" else words), style=style)
        end = found.end()
    return text.append(_literal(source[end:]))


def _rich(part: Block) -> Text:
    text = Text()
    for element in part["elements"]:
        style = "bold" if element.get("style", {}).get("bold") else ""
        words = _printable(element["text"])
        if element["type"] == "link":
            address = _printable(element["url"])
            if words not in address:
                text.append(words, style=style).append("\n")
            text.append(address, style=f"dim underline link {address}")
        else:
            text.append(words, style=style)
    return text


def _literal(source: str) -> str:
    return _printable(unescape(source))


def _printable(source: str) -> str:
    """Without anything that a terminal would obey; blanks stay, for this may be a piece of a line."""
    return "\n".join(visible(line) for line in source.split("\n"))
