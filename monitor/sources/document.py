"""A document's bytes → ParsedFeed, whatever it is. Runs in the parser's process alone: it may take long, or never end.

feedparser reads RSS and Atom. Its sanitising and its resolving of links inside texts stay off: they take most of its
time, and plain text is all that is kept.
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

import feedparser

from monitor.errors import SourceRefused
from monitor.sources import jsonfeed
from monitor.sources.address import parse_address
from monitor.sources.html_text import MOST_TITLE, clean, feed_link, one_line, to_text
from monitor.sources.parsed import ParsedEntry, ParsedFeed, Unreadable

#: Entries of one document that are read.
MOST_ENTRIES = 5000
#: Characters of an author's name.
MOST_NAME = 200

HTML = frozenset({"text/html", "application/xhtml+xml"})
FEED_TYPES = frozenset({"application/atom+xml", "application/rss+xml", "application/xml", "text/xml"})

_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)


def read(body: bytes, content_type: str, url: str) -> ParsedFeed:
    """The feed in `body`, fetched from `url`; Unreadable where it is none."""
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body:
        raise Unreadable("is empty")
    if body.startswith(b"{"):
        return jsonfeed.read(body, MOST_ENTRIES)
    body, charset = _decodable(body, content_type)
    headers = {"content-type": f"application/xml{charset}", "content-location": url}
    found = feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    entries = found.entries
    if not entries and not found.version:
        raise _no_feed(body, url)
    flaw = ""
    if found.bozo and hasattr(found.bozo_exception, "getLineNumber"):
        entries = entries[: len(entries) - _ends_inside_an_entry(body)]
        flaw = f"it is ill-formed at line {found.bozo_exception.getLineNumber()}"
    if len(entries) > MOST_ENTRIES:
        entries, flaw = entries[:MOST_ENTRIES], f"only its first {MOST_ENTRIES:,} entries were read"
    return ParsedFeed(tuple(map(_entry, entries)), found.feed.get("language"), _number(found.feed.get("ttl")), flaw)


def _decodable(body: bytes, content_type: str) -> tuple[bytes, str]:
    """The body and what to say of its charset, as a part of a content type.

    What is valid UTF-8 beyond ASCII is UTF-8, whatever is declared; a few broken bytes do not make it something else.
    """
    if body.startswith((b"\xfe\xff", b"\xff\xfe", b"\x00<", b"<\x00")):
        return body, ""
    announced = _CHARSET.search(content_type)
    declared = _DECLARED.search(body)
    charset = announced[1] if announced else declared[1].decode() if declared else "utf-8"
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken == 0:
        return body, "; charset=utf-8" if not body.isascii() else ""
    if charset.lower() in ("utf-8", "utf8", "us-ascii") and broken * 10 < sum(byte > 127 for byte in body):
        return text.encode(), "; charset=utf-8"
    return body, f"; charset={charset}"


def _ends_inside_an_entry(body: bytes) -> bool:
    """Whether a cut document's last entry is not all there; it is read when the rest of it comes."""
    start = max(body.rfind(b"<item"), body.rfind(b"<entry"))
    return start > max(body.rfind(b"</item"), body.rfind(b"</entry"))


def _no_feed(body: bytes, url: str) -> Unreadable:
    start = body[:2048].lower()
    if b"<html" not in start and b"<!doctype html" not in start:
        return Unreadable("is no feed that can be read")
    link = feed_link(body.decode("utf-8", "replace"))
    try:
        named = parse_address(link, parse_address(url)).url if link else None
    except SourceRefused:
        named = None
    if named is None:
        return Unreadable("is a web page, not a feed; look for the address of its feed")
    return Unreadable(f"is a web page, not a feed; it names this feed, write its address instead: {named}")


def _entry(found: Mapping[str, Any]) -> ParsedEntry:
    reply = found.get("thr_in-reply-to")
    reply = reply if isinstance(reply, Mapping) else {}
    title, texts = found.get("title_detail") or {}, [*found.get("content", ()), found.get("summary_detail") or {}]
    return ParsedEntry(
        id=found.get("id") or None,
        link=found.get("link") or None,
        title=one_line(_plain(title)[: 2 * MOST_TITLE]),
        # The first of the longest: content stands before the summary.
        text=max((_plain(text) for text in texts), key=len),
        author=one_line((found.get("author_detail") or {}).get("name") or found.get("author") or "", MOST_NAME) or None,
        published=_time(found.get("published_parsed")) or _time(found.get("updated_parsed")),
        language=next((text["language"] for text in (*texts, title) if text.get("language")), None),
        comments=found.get("wfw_commentrss") or _replies(found.get("links", ())),
        reply_to=reply.get("href") or reply.get("ref"),
        parent=reply.get("ref") or reply.get("href"),
    )


def _plain(text: Mapping[str, Any]) -> str:
    value = text.get("value") or ""
    return to_text(value) if text.get("type") in HTML else clean(value)


def _replies(links: Iterable[Mapping[str, str]]) -> str | None:
    """The feed of the comments: RFC 4685's `replies`."""
    found = (link.get("href") for link in links if link.get("rel") == "replies" and link.get("type") in FEED_TYPES)
    return next(found, None)


def _time(value: Any) -> int | None:
    try:
        return calendar.timegm(value) if value else None
    except (ValueError, OverflowError, TypeError):
        return None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()) else None
