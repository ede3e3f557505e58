"""Reads a YAML file as people mean it: plain values with their places, and every known trap as a problem with its mend.

It knows nothing of what the keys mean (that is `fields`) and opens no file. Scalars follow the core schema of YAML 1.2;
anchors, aliases, merge keys and tags are refused, so that what stands in a file is all there is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from monitor.durations import mended_duration
from monitor.errors import ConfigError, Problem
from monitor.mends import mended_number
from monitor.yamlsyntax import syntax_problem

MAX_CHARACTERS = 500_000
MAX_DEPTH = 30

KeyPath = tuple[str | int, ...]
"""Keys and indexes from the top: `("brands", 0, "terms")`."""

_TEXT, _LIST, _MAP = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 20
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_BOOLEAN_WORDS = {"y": "true", "yes": "true", "n": "false", "no": "false"}
_COMMA_NUMBER = re.compile(r"[-+–−]?[0-9]+(,[0-9]+)+( ?(%|[A-Za-z]{1,7}))?(?=\s*[,}])")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: A no-break space or the like where the structure of the file is made, and what nobody sees anywhere.
_ODD_SPACE = re.compile("(^[\\s-]*|[:,\\[{] *)[\xa0\u2000-\u200a\u202f\u3000]|(?<!^)[\u200b\u2060\ufeff]")
_COMMENT = re.compile("(^|[ \t])#")
_SLACK_TOKEN = re.compile(r"(xox[a-z]|\bxapp)-[A-Za-z0-9]")
_SECRET_ADDRESS = re.compile(r"//[^/\s]*@|hooks\.slack\.com/services/", re.IGNORECASE)
_SECRET_ENTRY = re.compile(r"""(token|secret|password|passwd|api[_-]?key|client_id)s?["']?\s*[:=]""", re.IGNORECASE)

#: For all who find one.
SECRET_MEND = (
    "a secret must not stand in this file; delete it here and give it as an environment variable (for Slack "
    "SLACK_BOT_TOKEN and SLACK_APP_TOKEN) or a systemd credential (slack_bot_token, slack_app_token); replace it if "
    "others could read it"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's mapping as dict, list, str, int, float, bool and None, with the place of every entry.

    A document with `problems` must not be used; its value is there so that its other mistakes can be told as well.
    Nor must one with `misread` words, which other readers of YAML take for numbers or truths; of these only those need
    be told of which the meaning of their key says no more.
    """

    file: str
    value: dict[str, Any]
    places: Mapping[KeyPath, tuple[int, int]]
    problems: tuple[Problem, ...] = ()
    misread: tuple[Problem, ...] = ()

    def where(self, path: KeyPath) -> tuple[int, int]:
        """Line and column (from 1) of the key or list entry at `path`, or of its nearest parent."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (0, 0))

    def problem(self, path: KeyPath, message: str, *, warning: bool = False) -> Problem:
        line, column = self.where(path)
        return Problem(self.file, line, column, dotted(path), message, warning)


def dotted(path: KeyPath) -> str:
    """`brands[0].terms`, as a problem names it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shortened(part)}" if text else shortened(part)
    return text


def shortened(text: str, limit: int = 60) -> str:
    """A text from a file as a message may show it: on one line, without control characters."""
    clean = _UNPRINTABLE.sub("?", " ".join(text.split()))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def holds_secret(line: str) -> bool:
    """Whether a line of a file must not be repeated: it has a token in it, an address with a user or a password, or a
    key whose value should be no one's business."""
    return any(pattern.search(line) for pattern in (_SLACK_TOKEN, _SECRET_ADDRESS, _SECRET_ENTRY))


def refuse_secrets(text: str, file: str) -> None:
    """Raises `ConfigError` where a Slack token stands in the text, comments included; the token is not repeated."""
    lines = enumerate(text.splitlines(), 1)
    found = [(number, token.start() + 1) for number, line in lines for token in _SLACK_TOKEN.finditer(line)]
    if found:
        raise ConfigError([Problem(file, line, column, "", SECRET_MEND) for line, column in found])


def parse_yaml(text: str, file: str, may_be_empty: Collection[KeyPath] = ()) -> Document:
    """The mapping that stands in `text`, with a problem for every trap. Raises `ConfigError` for what is no YAML.

    A key without a value is a trap, but for those that `may_be_empty`: they become None.
    """
    node = _composed(text, file)
    if not isinstance(node, yaml.MappingNode):
        if node is None or node.value == "":
            raise ConfigError([Problem(file, 0, 0, "", "the file is empty")])
        what = "the file must hold `key: value` lines"
        if isinstance(node, yaml.SequenceNode):
            what += ", and no dash before the first; one thing a file"
        elif found := re.fullmatch(r"\s*([\w-]+):(\S.*)", node.value):
            what += f"; a space is missing after the colon: write {shortened(f'{found[1]}: {found[2]}')}"
        raise ConfigError([Problem(file, *_place(node), "", what)])
    builder = _Builder(text, file, may_be_empty)
    value = builder.mapping(node, ())
    return Document(file, value, builder.places, tuple(builder.problems), tuple(builder.misread))


def _composed(text: str, file: str) -> yaml.Node | None:
    """The tree of nodes; raises `ConfigError` with the one problem at which the parser gave up."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError([Problem(file, 0, 0, "", f"the file is longer than {MAX_CHARACTERS:,} characters")])
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        what = f"there is a control character (U+{ord(bad.group()):04X}) in this line; delete it"
        raise ConfigError([Problem(file, line, 0, "", what)])
    refuse_secrets(text, file)
    for number, content in enumerate(text.splitlines(), 1):
        odd = _ODD_SPACE.search(content)
        if odd and not _COMMENT.search(content, 0, odd.start()):
            which = f"U+{ord(odd.group()[-1]):04X}, often copied from a web page"
            what = f"a space that is none to YAML stands here ({which}); delete it and type a plain one"
            raise ConfigError([Problem(file, number, odd.end(), "", what)])
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        if isinstance(error, _Refused):
            mark = error.problem_mark
            what, line, column = error.problem or "", mark.line + 1 if mark else 0, mark.column + 1 if mark else 0
        else:
            what, line, column = syntax_problem(error, text)
        raise ConfigError([Problem(file, line, column, "", what)]) from error
    finally:
        loader.dispose()
    return node


class _Loader(yaml.BaseLoader):
    """Composes nodes as BaseLoader does (every plain scalar is text), but neither aliases nor a bottomless depth."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused("a value that begins with * needs quotes; aliases are not read here", event)
        if getattr(event, "anchor", None) is not None:
            raise _refused("a value that begins with & needs quotes; anchors are not read here", event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refused(f"lists and mappings stand deeper than {MAX_DEPTH} levels in each other", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Refused(yaml.MarkedYAMLError):
    """Its problem is a sentence already."""


def _refused(message: str, event: yaml.Event) -> _Refused:
    mark = event.start_mark
    return _Refused(problem=message, problem_mark=mark if isinstance(mark, yaml.Mark) else None)


class _Builder:
    """Turns nodes into plain values; notes the place of every entry and every trap on the way."""

    def __init__(self, text: str, file: str, may_be_empty: Collection[KeyPath]) -> None:
        self.text = text
        self.file = file
        self.may_be_empty = may_be_empty
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.misread: list[Problem] = []

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self.tagged(node, path)
        value: dict[str, Any] = {}
        cut, again = 0, list[KeyPath]()
        for key_node, value_node in node.value:
            if key_node.start_mark.index < cut:
                continue  # the rest of a number that its comma cut in two
            key = self.key(key_node, path)
            here = (*path, key)
            if key in value:
                again.append(here)
                line = self.places[here][0]
                self.problem(key_node, here, f"this key stands twice, first in line {line}; keep one of the two")
            else:
                self.places[here] = _place(key_node)
            if node.flow_style and (number := _COMMA_NUMBER.match(self.text, value_node.start_mark.index)):
                cut = number.end()
                mend = mended_number(number[0])
                if duration := mended_duration(number[0]):
                    mend = f"a comma ends a value here; write {duration}"
                self.problem(value_node, here, mend or "a comma ends a value here; put the value in quotes")
            elif node.flow_style and _lone(key_node, value_node):
                self.problem(key_node, here, _colon_missing(key))
                value[key] = None
                continue
            value[key] = self.value(value_node, here)
        if len(again) > 2:
            self.second_file(again, value)
        return value

    def second_file(self, again: list[KeyPath], value: Mapping[str, Any]) -> None:
        """Where many keys come again, it is not each of them that stands twice, but a second file in this one."""
        keys = set(map(dotted, again))
        first = next(problem for problem in self.problems if problem.key in keys)
        self.problems = [problem for problem in self.problems if problem.key not in keys]
        what = "from here on the same keys come again; give what begins here a file of its own"
        self.problems.append(replace(first, message=what))

    def key(self, node: yaml.Node, path: KeyPath) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.problem(node, path, "a key must be one word; put a text that begins with { or [ in quotes")
            return ""
        if node.value == "<<" and node.style is None:
            self.problem(node, path, "merge keys (<<) are not read here; write the lines out")
        key = self.scalar(node, (*path, node.value))
        return key if isinstance(key, str) else node.value

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        self.tagged(node, path)
        values = []
        for index, item in enumerate(node.value):
            self.places[*path, index] = _place(item)
            values.append(self.value(item, (*path, index)))
        return values

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> str | int | float | bool | None:
        text: str = node.value
        if self.tagged(node, path):
            return text
        if node.style is not None:
            if bad := _UNPRINTABLE.search(text):
                self.problem(node, path, f"there is a control character (U+{ord(bad.group()):04X}) here; delete it")
            return text
        if text == "":
            self.nothing(node, path)
            return None
        if text.casefold() in _BOOLEAN_WORDS:
            meant = _BOOLEAN_WORDS[text.casefold()]
            self.misread.append(self.found(node, path, f'YAML reads {text} as {meant}; write "{text}" in quotes'))
        elif _SEXAGESIMAL.fullmatch(text):
            what = f'YAML reads {shortened(text)} as a number; write "{shortened(text)}" in quotes'
            self.misread.append(self.found(node, path, what))
        elif text in _CONSTANTS:
            return _CONSTANTS[text]
        elif _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
            if len(text) <= _LONGEST_NUMBER and math.isfinite(number := _number(text)):
                return number
            self.problem(node, path, "this number is too large; if it is a name, put it in quotes")
        return text

    def nothing(self, node: yaml.Node, path: KeyPath) -> None:
        rest = self.text[node.start_mark.index :].split("\n", 1)[0].strip()
        if rest.startswith("#") and len(rest) > 1 and not rest[1].isspace():
            word = shortened(rest.split()[0].rstrip(","))
            while word[-1] in "]}" and word.count("[{"["]}".index(word[-1])]) < word.count(word[-1]):
                word = word[:-1].rstrip(",")
            self.problem(node, path, f'YAML reads nothing here, because # begins a comment; write "{word}" in quotes')
        elif path not in self.may_be_empty:
            self.problem(node, path, "nothing is written here; write a value, or delete the line")

    def tagged(self, node: yaml.Node, path: KeyPath) -> bool:
        if node.tag in (_TEXT, _MAP, _LIST):
            return False
        self.problem(node, path, "a value that begins with ! needs quotes; tags are not read here")
        return True

    def problem(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.problems.append(self.found(node, path, message))

    def found(self, node: yaml.Node, path: KeyPath, message: str) -> Problem:
        line, column = _place(node)
        return Problem(self.file, line, column, dotted(path), message)


def _lone(key: yaml.Node, value: yaml.Node) -> bool:
    """Whether a word between commas is a key without even a colon."""
    return isinstance(value, yaml.ScalarNode) and value.style is None and value.end_mark.index <= key.end_mark.index


def _colon_missing(key: str) -> str:
    word, _, rest = key.partition(" ")
    if rest:
        return f"a colon is missing; write {shortened(f'{word}: {rest}')}"
    return "this is neither `key: value` nor part of a list; a list needs [ before its first entry and ] after its last"


def _number(text: str) -> int | float:
    for prefix, base in (("0o", 8), ("0x", 16)):
        if text.startswith(prefix):
            return int(text, base)
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
