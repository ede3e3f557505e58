"""What the parser's process hands over: plain texts and numbers, as JSON. Nothing is decided here.

Texts are plain and bounded; links are absolute as far as the document allows, and not yet checked.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """`published` in seconds since 1970. `reply_to` and `parent` name the entry that this one answers."""

    id: str | None = None
    link: str | None = None
    title: str = ""
    text: str = ""
    author: str | None = None
    published: int | None = None
    language: str | None = None
    comments: str | None = None
    reply_to: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """`ttl` in minutes. `flaw` says why some of it may be missing, as a part of a sentence: "it is ill-formed"."""

    entries: tuple[ParsedEntry, ...]
    language: str | None = None
    ttl: int | None = None
    flaw: str = ""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "replace")

    @staticmethod
    def from_json(data: bytes) -> ParsedFeed:
        found = json.loads(data)
        entries = tuple(ParsedEntry(**entry) for entry in found.pop("entries"))
        return ParsedFeed(entries, **found)


class Unreadable(Exception):
    """The document is no feed; the message goes on after its address: "is a web page, not a feed"."""
