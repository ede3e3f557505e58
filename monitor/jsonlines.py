"""Posts as JSON lines, the form in which `ingest`, the demo, drills and rule tests take them. One object a line.

Lines come from outside: every field is checked and bounded, and a line that is no post says what to mend. Keys that it
does not know are ignored; of a key that stands twice the last counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, BinaryIO, NoReturn

from monitor.errors import BadPost
from monitor.model import Author, Engagement, Post

#: Bytes of a line with its end; a longer one is never read into memory as a whole.
MAX_LINE = 1_000_000
#: Characters of a text; of a title or a link; of a name or an id.
MAX_TEXT, MAX_TITLE, MAX_NAME = 100_000, 4_096, 1_000
MAX_COUNT = 10**12
REQUIRED = ("source", "native_id", "text", "published_at")

_BREAKS = re.compile("\r\n?|[\v\f\x85]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.DOTALL)
#: Codes for no or no known language; qaa to qtz are for private use (ISO 639-2), X has several.
_NO_LANGUAGE = re.compile(r"und|mis|mul|zxx|q[a-t][a-z]")


def read_posts(file: BinaryIO) -> Iterator[tuple[int, bytes, Post | BadPost]]:
    """Each line of a binary file: its number from 1, itself, and its post or what is wrong. Empty ones are skipped.

    Lines end with a line feed and nothing else: texts may hold other separators, such as U+2028. Of a line that is too
    long only the beginning is given.
    """
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if not line.isspace():
            try:
                yield number, line, post_from_line(line)
            except BadPost as error:
                yield number, line, error
        while len(line) >= MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)


def post_from_line(line: bytes | str) -> Post:
    """The post on a line. Raises BadPost, which names the field and says what is wrong with it and what to write."""
    return post_from_object(object_from_line(line))


def post_from_object(found: Mapping[str, Any]) -> Post:
    """The post that an object from a line describes; raises BadPost as `post_from_line` does."""
    post = _Fields(found)
    for key in REQUIRED:
        if post.found.get(key) is None:
            raise BadPost(f"{key} is missing: every post needs source, native_id, text and published_at.")
    author, engagement = post.part("author"), post.part("engagement")
    return Post(
        source=post.name("source") or post.refuse("source", "is empty: write where the post stands, for example forum"),
        native_id=post.name("native_id") or post.refuse("native_id", "is empty: write the post's id in its source"),
        text=post.text("text", MAX_TEXT) or "",
        published_at=post.time("published_at"),
        url=post.text("url", MAX_TITLE),
        title=post.text("title", MAX_TITLE),
        author=Author(author.name("id"), author.name("handle"), author.name("name"), author.count("followers")),
        conversation_id=post.name("conversation_id"),
        parent_id=post.name("parent_id"),
        language=post.language("language"),
        engagement=Engagement(
            engagement.count("likes") or 0, engagement.count("reposts") or 0, engagement.count("replies") or 0
        ),
    )


def post_to_line(post: Post) -> str:
    """The post as one line, without its line feed; `post_from_line` reads it back.

    The feed of its comments is left out: a line from outside must not make us fetch anything.
    """
    fields = asdict(post)
    del fields["comments_url"]
    fields["published_at"] = post.published_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


_JSON = json.JSONDecoder(parse_constant=_no_number)


def object_from_line(line: bytes | str) -> Mapping[str, Any]:
    """The one JSON object on a line, its fields unchecked. Raises BadPost."""
    if len(line) > MAX_LINE:
        raise BadPost(f"The line is longer than {MAX_LINE:,} bytes: shorten its text.")
    try:
        # Left to itself, json guesses UTF-16 and UTF-32 from the first bytes.
        text = line.decode("utf-8-sig") if isinstance(line, bytes) else line.removeprefix("\ufeff")
        text = text.rstrip(" \t\r\n")
        found = _JSON.decode(text)
    except UnicodeDecodeError as error:
        raise BadPost(f"Byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(text) or error.msg.startswith("Unterminated"):
            raise BadPost(f"The line ends too early, at column {len(text) + 1}: write all of it.") from None
        raise BadPost(f"The line is no JSON at column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise BadPost("The line is nested too deeply: write one flat object as the documentation shows.") from None
    except ValueError:
        raise BadPost("The line holds NaN, Infinity or thousands of digits: write a usual number.") from None
    if not isinstance(found, dict):
        raise BadPost(f"The line holds {_shown(found)}: write one JSON object a line, from {{ to }}.")
    return found


def _shown(value: object) -> str:
    """The value as it stands in the line, shortened, in characters that harm no terminal."""
    try:
        shown = json.dumps(value)
    except RecursionError:
        return "something deeply nested"
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _clean(text: str) -> str:
    """Without control characters and halves of surrogate pairs; every line break is a line feed."""
    if text.isprintable():
        return text
    return _CONTROLS.sub("", _BREAKS.sub("\n", text))


class _Fields:
    """The fields of an object, each read as what it must be; null and absent are the same."""

    __slots__ = ("found", "path")

    def __init__(self, found: Mapping[str, Any], path: str = "") -> None:
        self.found = found
        self.path = path

    def refuse(self, key: str, why: str) -> NoReturn:
        raise BadPost(f"{self.path}{key} {why}.")

    def part(self, key: str) -> _Fields:
        found = self.found.get(key)
        if found is not None and not isinstance(found, dict):
            self.refuse(key, f"is {_shown(found)}: write an object, from {{ to }}")
        return _Fields(found or {}, f"{key}.")

    def text(self, key: str, longest: int) -> str | None:
        found = self.found.get(key)
        if found is None:
            return None
        if not isinstance(found, str):
            self.refuse(key, f'is {_shown(found)}: write a text in "quotes"')
        if len(found) > longest:
            self.refuse(key, f"has {len(found):,} characters: shorten it to {longest:,}")
        return _clean(found) or None

    def name(self, key: str) -> str | None:
        """A name or an id; numbers are common as ids."""
        found = self.found.get(key)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        text = self.text(key, MAX_NAME)
        return text and (" ".join(text.split()) or None)

    def count(self, key: str) -> int | None:
        found = self.found.get(key)
        if found is None:
            return None
        if isinstance(found, float) and found.is_integer():
            # Tables with gaps are often exported so.
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= MAX_COUNT:
            self.refuse(key, f"is {_shown(found)}: write a whole number from 0 to {MAX_COUNT:,}")
        return found

    def time(self, key: str) -> datetime:
        found = self.found[key]
        example = "2026-03-30T10:00:00Z"
        try:
            time = datetime.fromisoformat(found)
            if time.tzinfo is not None:
                return time.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            self.refuse(key, f'is {_shown(found)}: write a date and time such as "{example}"')
        self.refuse(key, f'is {_shown(found)}, without a time zone: add Z for UTC, or an offset, as in "{example}"')

    def language(self, key: str) -> str | None:
        found = self.name(key)
        if found is None:
            return None
        code = _LANGUAGE.fullmatch(found.lower())
        if code is None:
            self.refuse(key, f"is {_shown(found)}: write a code such as en, or null")
        return None if _NO_LANGUAGE.fullmatch(code[1]) else code[1]
