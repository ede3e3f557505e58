"""Which entries of a feed are new or edited, and what posts they are. Pure: the memory of what was seen is an argument.

The memory maps an entry's identity to marks: first the entry's twin mark, then up to four content marks, the last one
newest. It keeps its order: those not seen for longest come first, and are forgotten first.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from monitor.errors import SourceRefused
from monitor.model import Author, Post
from monitor.sources.address import parse_address, web_url
from monitor.sources.parsed import ParsedEntry, ParsedFeed

#: Entries that are remembered: this many, or three times as many as the feed holds.
REMEMBERED = 1000
#: Contents of one entry that are remembered, so that one that goes back and forth is not emitted for ever.
CONTENTS = 4

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?![A-Za-z])")

Memory = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """`entries`: identity and entry, in the document's order. `gap`: none of the entries known before is left in the
    document, so that others may have come and gone."""

    entries: tuple[tuple[str, ParsedEntry], ...]
    memory: dict[str, list[str]]
    gap: bool


def fresh(feed: ParsedFeed, memory: Memory) -> Fresh:
    """The entries that were not seen before with this content."""
    named = identified(feed.entries)
    # Some feeds give an entry a new id with every fetch (Google News): its twin has then left the document.
    twins = {marks[0] for identity, marks in memory.items() if identity not in named}
    contents = {mark for marks in memory.values() for mark in marks[1:]}
    found: list[tuple[str, ParsedEntry]] = []
    present: dict[str, list[str]] = {}
    overlap = False
    for identity, entry in named.items():
        content, twin = _mark(entry.title, entry.text), _twin(entry)
        known = memory.get(identity)
        overlap |= known is not None or content in contents
        before = list(known[1:]) if known else []
        if content not in before and not (known is None and twin in twins):
            found.append((identity, entry))
        if content not in before:
            before.append(content)
        present[identity] = [twin, *before[-CONTENTS:]]
    kept = {identity: list(marks) for identity, marks in memory.items() if identity not in present} | present
    too_many = len(kept) - max(REMEMBERED, 3 * len(named))
    for identity in list(kept)[: max(0, too_many)]:
        del kept[identity]
    return Fresh(tuple(found), kept, gap=bool(memory) and bool(named) and not overlap)


def identified(entries: Sequence[ParsedEntry]) -> dict[str, ParsedEntry]:
    """The entries by what names them in their feed: the id; with the link where ids repeat; else the link; with, or
    else, the content. Entries that are the same in all of it are one, and those without any content are none."""
    spellings: tuple[Callable[[ParsedEntry], tuple[str, ...]], ...] = (
        lambda entry: (entry.id,) if entry.id else (entry.link or "",),
        lambda entry: (entry.id or "", entry.link or ""),
        lambda entry: (entry.id or "", entry.link or "", entry.title, entry.text),
    )
    named: dict[str, ParsedEntry] = {}
    rest = [entry for entry in entries if entry.title or entry.text]
    for spelling in spellings[:-1]:
        counted = Counter(map(spelling, rest))
        for entry in rest:
            if counted[spelling(entry)] == 1 and any(spelling(entry)):
                named[_identity(*spelling(entry))] = entry
        rest = [entry for entry in rest if counted[spelling(entry)] > 1 or not any(spelling(entry))]
    for entry in rest:
        named.setdefault(_identity(*spellings[-1](entry)), entry)
    # The document's order.
    order = {id(entry): place for place, entry in enumerate(entries)}
    return dict(sorted(named.items(), key=lambda item: order[id(item[1])]))


def posts(
    found: Sequence[tuple[str, ParsedEntry]],
    *,
    source: str,
    feed_key: str,
    language: str | None,
    now: datetime,
    conversation_id: str | None = None,
    parent_id: str | None = None,
) -> tuple[Post, ...]:
    """The entries as posts, oldest first. `conversation_id` and `parent_id` hold for all of them where they are given:
    the feed is the comments on one post."""
    # Part of the id, so that no feed can name, and overwrite, another feed's posts.
    prefix = _identity(feed_key)
    made = [
        Post(
            source=source,
            native_id=f"{prefix}:{identity}",
            text=entry.text,
            title=entry.title or None,
            published_at=published_at(entry.published, now),
            url=web_url(entry.link) or web_url(entry.id),
            author=Author(name=entry.author),
            conversation_id=conversation_id or entry.reply_to,
            parent_id=parent_id if conversation_id else entry.parent,
            language=_language(entry.language) or _language(language),
            comments_url=_feed_url(entry.comments),
        )
        for identity, entry in found
    ]
    # Feeds put the newest first; sorting keeps the order of those that are equally old.
    return tuple(sorted(reversed(made), key=lambda post: post.published_at))


def published_at(seconds: int | None, now: datetime) -> datetime:
    """What the feed says, unless it is in the future, impossible or missing: then `now`."""
    if seconds is None:
        return now
    try:
        return min(datetime.fromtimestamp(seconds, UTC), now)
    except (ValueError, OverflowError, OSError):
        return now


def _twin(entry: ParsedEntry) -> str:
    """Equal for an entry that has only changed its id."""
    when = entry.link or "" if entry.published is None else str(entry.published)
    return _mark(entry.title, entry.text, entry.author or "", when)


def _mark(*parts: str) -> str:
    return _hash(6, parts)


def _identity(*parts: str) -> str:
    return _hash(9, parts)


def _hash(size: int, parts: Sequence[str]) -> str:
    joined = "\0".join(parts).encode("utf-8", "replace")
    return urlsafe_b64encode(blake2b(joined, digest_size=size).digest()).decode()


def _language(tag: str | None) -> str | None:
    """`it-IT` and `IT` as `it`."""
    found = _LANGUAGE.match((tag or "").strip())
    return found[1].lower() if found else None


def _feed_url(url: str | None) -> str | None:
    """In the spelling that a source's key has."""
    try:
        return parse_address(url).url if url else None
    except SourceRefused:
        return None
