"""A text as the model was taught to read it: changing this changes every score."""

from __future__ import annotations

import html
import re

#: The model reads 128 pieces of words; what follows so many characters it never sees.
LENGTH = 4_000

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_USER = re.compile(r"(?<![\w@])@\w{1,50}")
_SPACE = re.compile(r"\s+")


def prepare(text: str) -> str:
    """`text` on one line, cut to `LENGTH`, with `http` for every link and `@user` for every account."""
    # Lone surrogates, which no tokenizer takes, are the only thing the training never saw.
    text = html.unescape(text[:LENGTH].encode("utf-8", "ignore").decode("utf-8"))
    text = _LINK.sub("http", text)
    text = _USER.sub("@user", text)
    return _SPACE.sub(" ", text).strip()
