"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/). Runs in the parser's process."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from monitor.sources.html_text import clean, one_line, to_text
from monitor.sources.parsed import ParsedEntry, ParsedFeed, Unreadable


def read(body: bytes, most_entries: int) -> ParsedFeed:
    """The feed in `body`; Unreadable where it is no JSON Feed."""
    try:
        found = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Unreadable("is JSON that cannot be read; it may have been cut") from error
    if not isinstance(found, dict) or not isinstance(items := found.get("items"), list):
        raise Unreadable("is JSON, but no JSON Feed")
    entries = tuple(_entry(item) for item in items[:most_entries] if isinstance(item, dict))
    flaw = f"only its first {most_entries:,} entries were read" if len(items) > most_entries else ""
    return ParsedFeed(entries, language=_text(found.get("language")), flaw=flaw)


def _entry(item: dict[str, Any]) -> ParsedEntry:
    text = max(
        clean(_text(item.get("content_text")) or ""),
        to_text(_text(item.get("content_html")) or ""),
        clean(_text(item.get("summary")) or ""),
        key=len,
    )
    return ParsedEntry(
        id=_text(item.get("id")),
        link=_text(item.get("url")) or _text(item.get("external_url")),
        title=one_line(_text(item.get("title")) or ""),
        text=text,
        author=_author(item),
        published=_time(item.get("date_published")) or _time(item.get("date_modified")),
        language=_text(item.get("language")),
    )


def _author(item: dict[str, Any]) -> str | None:
    authors = item.get("authors") or [item.get("author")]
    first = authors[0] if isinstance(authors, list) else None
    return _text(first.get("name")) if isinstance(first, dict) else None


def _time(value: object) -> int | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if time is None:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


def _text(value: object) -> str | None:
    """Ids are numbers in some feeds, against the specification."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value) or None
