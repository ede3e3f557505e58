"""What to do about a file that is no YAML: where the parser gave up, in words and with the mend.

The parser's own words name its states; people are told what is wrong with the line that they wrote.
"""

from __future__ import annotations

import re

import yaml

_EMPTY_BRACKETS = re.compile(r":\s+(\[\]|\{\})\s*(#.*)?$")
_NO_SPACE = re.compile(r"^\s*(?:-\s+)?(?P<key>[A-Za-z_][\w-]*):(?P<value>[^\s:/].*)$")
_EQUALS = re.compile(r"^\s*(?:-\s+)?(?P<key>[A-Za-z_][\w-]*)\s*=\s*(?P<value>\S.*)$")
#: A # that begins a comment where a value should stand.
_COMMENT = re.compile(r"[:,\[{]\s*(?<=[\s\[{])(#[^\s,}\]]+)")

#: What the parser says it was doing or what it met → the mend; where it began is told for the former.
_BEGUN = (
    ("while parsing a flow", "the [ or { that begins here is not closed, a comma is missing, or a value in it that "
     "contains # : [ or { needs quotes"),
    ("while scanning a quoted", "the quote that begins here is not closed"),
    ("while scanning a simple key", "this line is no `key: value`; add the colon, or indent it below the line above"),
    *((f"while scanning {what}", "a value that begins with *, &, !, | or > needs quotes")
      for what in ("an alias", "an anchor", "a tag", "a block scalar")),
)  # fmt: skip
_MET = (
    ("found character '\\t'", "a tab stands where YAML wants spaces; indent with spaces only"),
    ("found character '", "a value that begins with @, ` or % needs quotes"),
    ("mapping values are not allowed", "a value with a colon in it needs quotes, or this line is indented too far"),
    ("found '-'", "a value that begins with - and a space needs quotes; a number has no space after its minus"),
    ("sequence entries are not allowed", 'a list begins on its own line; a value that begins with "- " needs quotes'),
    ("expected <block end>", "this line is not indented like those it belongs to, or a value that begins with a quote, "
     "[ or { goes on after it; put the whole value in quotes"),
    ("expected '<document start>'", "this line is not indented like those it belongs to"),
    ("found unknown escape character", "a backslash in double quotes must be doubled; or use single quotes"),
    ("but found another document", "a second document begins here with ---; give what follows a file of its own"),
)  # fmt: skip


def syntax_problem(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int, int]:
    """What to do about the error, and where: line and column from 1, or 0 and 0."""
    lines = text.splitlines()
    if "flow" in (error.context or "") and error.context_mark and error.problem_mark:
        start = error.context_mark.index
        if start == error.problem_mark.index:
            start = max(0, start - 1000)
        end = text.find("\n", error.problem_mark.index)
        if comment := _COMMENT.search(text, start, len(text) if end < 0 else end):
            line = text.count("\n", 0, comment.start(1))
            what = f'YAML reads nothing from this # on, because it begins a comment; write "{comment[1]}" in quotes'
            return what, line + 1, comment.start(1) - text.rfind("\n", 0, comment.start(1))
    for mark in (error.context_mark, error.problem_mark):
        if mark and (found := _half_a_key(lines, mark.line)):
            return found
    what, at = _mend(error, lines)
    return (what, at.line + 1, at.column + 1) if at else (what, 0, 0)


def _half_a_key(lines: list[str], number: int) -> tuple[str, int, int] | None:
    """A line `key:value` or `key = value` at the error, or just before it: one that did not make a key."""
    for line in (number, number - 1):
        for pattern, what in ((_NO_SPACE, "a space is missing after the colon"), (_EQUALS, "a colon is missing")):
            if 0 <= line < len(lines) and (found := pattern.match(lines[line])):
                whole = f"{found['key']}: {found['value']}"
                mend = f"; write {whole}" if len(whole) <= 60 else ""
                return what + mend, line + 1, found.start("key") + 1
    return None


def _mend(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[str, yaml.Mark | None]:
    before = lines[: error.problem_mark.line] if error.problem_mark else []
    if "expected <block end>" in (error.problem or "") and (mend := _left_brackets(before)):
        return mend, error.problem_mark
    for met, mend in _MET:
        if met in (error.problem or ""):
            return mend, error.problem_mark
    for begun, mend in _BEGUN:
        if (error.context or "").startswith(begun):
            return mend, error.context_mark
    return "this is not YAML; is a quote or a colon missing?", error.problem_mark or error.context_mark


def _left_brackets(before: list[str]) -> str:
    """The mend where the last of the lines with anything on it is a `key: []` whose entries were then written below."""
    for number in range(len(before), 0, -1):
        line = before[number - 1].strip()
        if line and not line.startswith("#"):
            found = _EMPTY_BRACKETS.search(line)
            return f"to write entries here, delete the {found[1]} in line {number}" if found else ""
    return ""
