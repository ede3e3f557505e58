"""HTML as plain text, and plain text made safe to store and show. It judges no markup and keeps no links.

lxml's parser calls back as it reads and builds no tree: time and memory stay linear at any depth of nesting, where the
builders of trees take seconds or crash (benchmarks/html_to_text.py).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from lxml import etree

#: Characters of an entry that are read, and that are kept.
MOST_HTML = 1_000_000
MOST_TEXT = 100_000
MOST_TITLE = 1_000

BREAKS = frozenset({"br", "hr"})
# fmt: off
BLOCKS = BREAKS | {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li",
    "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr", "ul",
}
# fmt: on
CELLS = frozenset({"td", "th"})
DROPPED = frozenset({"iframe", "noscript", "object", "script", "style", "svg", "template"})
FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})

# Control characters, and those that turn the direction of the text after them or mark bytes, not words.
_STRIPPED = dict.fromkeys(
    character
    for first, last in ((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069))
    for character in range(first, last + 1)
) | dict.fromkeys((0xFEFF, 0xFFFE, 0xFFFF))
_BLANK_LINES = re.compile(r"\n{3,}")


def to_text(markup: str) -> str:
    """The text a reader sees: a line a paragraph or `br`, the alternative texts of images, no scripts."""
    markup = markup[:MOST_HTML]
    if "<" not in markup:
        # Many a plain text calls itself HTML; its lines are then the only paragraphs it has.
        return clean(html.unescape(markup))
    return clean(str(_parse(markup, _Text())))


def clean(text: str, limit: int = MOST_TEXT) -> str:
    """`text` without control characters and needless white space, at most `limit` characters."""
    text = text.encode("utf-8", "replace").decode().replace("\x85", "\n").translate(_STRIPPED)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()[:limit].rstrip()


def one_line(text: str, limit: int = MOST_TITLE) -> str:
    return " ".join(clean(text).split())[:limit].rstrip()


def feed_link(page: str) -> str | None:
    """The feed that a web page names in its head, as it is written there."""
    return _parse(page[:MOST_HTML], _FeedLink())


def _parse(markup: str, target: _Text | _FeedLink) -> str | None:
    parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)
    parser.feed(markup.encode("utf-8", "replace").replace(b"\0", b""))
    found: str | None = parser.close()
    return found


class _Text:
    """A target of lxml's parser that collects what a reader sees."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._dropped = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in DROPPED:
            self._dropped += 1
        elif tag in BLOCKS:
            self._pieces.append("\n")
        elif tag in CELLS:
            self._pieces.append(" ")
        elif tag == "img" and not self._dropped and (alternative := attributes.get("alt")):
            self._pieces.append(f" {alternative} ".replace("\n", " "))

    def end(self, tag: str) -> None:
        if tag in DROPPED:
            self._dropped -= 1
        elif tag in BLOCKS and tag not in BREAKS:
            self._pieces.append("\n")

    def data(self, data: str) -> None:
        if not self._dropped:
            self._pieces.append(data.replace("\n", " ").replace("\r", " "))

    def close(self) -> str:
        return "".join(self._pieces)


class _FeedLink:
    """A target of lxml's parser that finds the first `link` to a feed."""

    def __init__(self) -> None:
        self._found: str | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag != "link" or self._found:
            return
        relations = (attributes.get("rel") or "").lower().split()
        if "alternate" in relations and (attributes.get("type") or "").strip().lower() in FEED_TYPES:
            self._found = attributes.get("href")

    def end(self, tag: str) -> None:
        pass

    def data(self, data: str) -> None:
        pass

    def close(self) -> str | None:
        return self._found
