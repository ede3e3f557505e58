"""How many of what, in words: the one place that knows thousands and plurals."""

from __future__ import annotations


def number(count: int, noun: str = "", nouns: str = "") -> str:
    """ "1 rule", "2,000 posts", "3,000"; `nouns` is the plural where it is not made with an "s"."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}" if noun else f"{count:,}"
