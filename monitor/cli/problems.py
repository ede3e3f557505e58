"""How mistakes in files are shown: what to write, then the line itself with a caret under the place.

The line comes from the file as it stands now. A line that holds a secret is never repeated, and nothing that a terminal
would obey reaches it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.amounts import number
from monitor.cli.words import columns, near, width

if TYPE_CHECKING:
    from monitor.errors import Problem

#: No file of ours is longer.
_LARGEST = 1_000_000
#: Where YAML ends a line.
_LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
#: What carets underline from a place on: a text in quotes, else a word; behind a key its value, if it is a simple one.
_WORD = re.compile(r"""("[^"]*"|'[^']*'|[^\s:,\[\]{}"']+)""")
_VALUE = re.compile(r""":[ ]+("[^"]*"|'[^']*'|[^\s,\[\]{}"'#&*!|>%@`]([^\s,\]}]|[ ](?![ #]))*)""")
_URL_QUERY = re.compile(r"https?://[^\s\"'?]*\?([^\s\"']+)", re.IGNORECASE)
_TAB, _ODD_SPACE, _HARMLESS = "→   ", "␣", "�"
_LONGEST_WORD = 40
#: So many places of one line are shown, for a line may be as long as a file.
_MOST_PLACES = 20


def mistake(problem: Problem) -> str:
    """On one line, the file as seen from here."""
    return str(replace(problem, file=near(problem.file)))


@dataclass(frozen=True, slots=True)
class Block:
    """Problems of one line of a file, what to write first, and below it the line with carets, if it can be shown."""

    problems: tuple[Problem, ...]
    excerpt: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return (*map(mistake, self.problems), *self.excerpt)


def shown(
    problems: Iterable[Problem], lines: Callable[[str], Sequence[str]] | None = None, *, indent: int = 0
) -> Iterator[Block]:
    """All problems; `lines` gives those of a file, if not those that stand in it now. The blocks are going to be
    indented by `indent` columns."""
    read = lines or lru_cache(maxsize=None)(_lines)
    for (file, line), group in groupby(problems, key=lambda problem: (problem.file, problem.line)):
        here = tuple(group)
        excerpt: list[str] = []
        for text in read(file)[line - 1 : line] if line else ():
            excerpt += _excerpt(text, line, [problem.column for problem in here], columns() - indent)
        yield Block(here, tuple(excerpt))


def counted(problems: Sequence[Problem]) -> str:
    """ "3 mistakes in 2 files." """
    files = len({problem.file for problem in problems})
    return f"{number(len(problems), 'mistake')} in {number(files, 'file')}."


def coloured(block: Block) -> Iterator[str]:
    """The lines of a block for a terminal; `click.echo` takes the colours out where none is."""
    for problem in block.problems:
        place, _, rest = mistake(problem).partition(": ")
        yield f"{styled(place, bold=True)}: {rest}"
    for line in block.excerpt:
        gutter, bar, text = line.partition("|")
        carets = not text.strip(" ^")
        yield styled(gutter + bar, fg="blue") + (styled(text, fg="red", bold=True) if carets else text)


def styled(text: str, **style: Any) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


def as_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": near(problem.file),
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "message": problem.message,
        "warning": problem.warning,
    }


# -- the line ----------------------------------------------------------------------------------------------------


def _lines(file: str) -> list[str]:
    """What stands in the file; nothing if that cannot be told, for the problem may be just that."""
    path = Path(file)
    try:
        if not file or not path.is_file() or path.stat().st_size > _LARGEST:
            return []
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return []
    return _LINE_ENDS.split(text.removeprefix("\ufeff"))


def _excerpt(text: str, line: int, places: Sequence[int], room: int) -> Iterator[str]:
    """The line and, below it, carets under `places`: columns from 1, 0 for none."""
    from monitor.yamlfile import holds_secret

    gutter = f"{line:>5} | "
    below = " " * (len(gutter) - 2) + "| "
    if holds_secret(text):
        yield f"{gutter}(this line holds a secret and is not shown)"
        return
    cells = _cells(text)
    spans = sorted({_span(text, place - 1) for place in places if 0 < place <= len(text) + 1})[:_MOST_PLACES]
    room = max(room, 40) - len(gutter)
    windows = _windows(cells, spans, room) if spans else [(_cut(cells, 0, room), ())]
    for window, marked in windows:
        yield (gutter + window.text(cells)).rstrip()
        if marked:
            yield below + _carets(cells, window, marked)


_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a line that is shown, from the character `start` to before `end`."""

    start: int
    end: int
    length: int

    @property
    def lead(self) -> str:
        return "…" if self.start else ""

    def text(self, cells: Sequence[str]) -> str:
        return self.lead + "".join(cells[self.start : self.end]) + ("…" if self.end < self.length else "")

    def holds(self, span: _Span) -> bool:
        whole_start, whole_end = not self.start, self.end == self.length
        return (whole_start or span[0] > self.start) and (whole_end or span[1] < self.end)


def _cells(text: str) -> list[str]:
    """What is shown for each character: tabs and strange spaces seen, control characters harmless, queries hidden."""
    cells = [_cell(character) for character in text]
    for query in _URL_QUERY.finditer(text):
        start, end = query.span(1)
        cells[start:end] = ["…", *[""] * (end - start - 1)]
    return cells


def _cell(character: str) -> str:
    if character == "\t":
        return _TAB
    if character.isspace() and character != " ":
        return _ODD_SPACE
    category = unicodedata.category(character)
    return _HARMLESS if category[0] == "C" else character


def _span(text: str, start: int) -> _Span:
    """What is underlined from a place on."""
    end = start + 1
    if word := _WORD.match(text, start):
        ends = [word.end()]
        if value := _VALUE.match(text, word.end()):
            ends.append(len(text[: value.end()].rstrip()))
        end = max((end for end in ends if end - start <= _LONGEST_WORD), default=end)
    return start, end


def _windows(cells: list[str], spans: Sequence[_Span], room: int) -> list[tuple[_Window, Sequence[_Span]]]:
    """As few parts of the line as hold all spans."""
    found: list[tuple[_Window, list[_Span]]] = []
    for span in spans:
        if found and found[-1][0].holds(span):
            found[-1][1].append(span)
        else:
            found.append((_cut(cells, span[0], room), [span]))
    return [(window, marked) for window, marked in found]


def _cut(cells: list[str], place: int, room: int) -> _Window:
    """The line, or so much of it around `place` that it fits into `room` columns."""
    widths = [width(cell) for cell in cells]
    if sum(widths) <= room:
        return _Window(0, len(cells), len(cells))
    start = min(place, len(cells))
    before = room // 3
    while start and before >= widths[start - 1]:
        start -= 1
        before -= widths[start]
    end, after = start, room - 2
    while end < len(cells) and after >= widths[end]:
        after -= widths[end]
        end += 1
    # What is left over at the end of the line goes before it.
    while start and after >= widths[start - 1]:
        start -= 1
        after -= widths[start]
    return _Window(start, end, len(cells))


def _carets(cells: list[str], window: _Window, spans: Sequence[_Span]) -> str:
    line = ""
    for start, end in spans:
        here = len(window.lead) + width("".join(cells[window.start : start]))
        there = len(window.lead) + width("".join(cells[window.start : min(end, window.end)]))
        line = line.ljust(here) + "^" * max(1, there - max(here, len(line)))
    return line
