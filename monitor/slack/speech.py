"""How `Words` and `Text`s become what Slack reads: moments as tokens, so that each reader sees their own time, and
everything that stands in the places of a text harmless."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from monitor.slack.text import escape, one_line
from monitor.wording.catalogs import words as words_in
from monitor.wording.text import Text
from monitor.wording.words import Words

LONGEST_VALUE = 300
_ID = re.compile(r"[SUW][A-Z0-9]{2,30}")


def speaking(language: str, zone: tzinfo) -> Words:
    """For mrkdwn: moments are Slack's tokens, with the time of `zone` where Slack cannot tell the reader's."""
    plain = words_in(language, zone)
    return replace(plain, moment=lambda at: _token(at, plain))


def unmarked(words: Words) -> Words:
    """For texts without markup (headers, buttons, notifications): moments by the clock of the words' zone."""
    return replace(words, moment=None)


def mrkdwn_of(text: Text | str, words: Words, limit: int = 1000) -> str:
    """For a block: our own words may have markup, what stands in their places is escaped."""
    if isinstance(text, str):
        return escape(text, limit)
    return words.text(_harmless(text))


def plain_of(text: Text | str, words: Words) -> str:
    """On one line, without markup, not escaped yet."""
    if isinstance(text, Text):
        text = unmarked(words).text(text).replace("*", "").replace("`", "")
    return one_line(text, 1000)


def calls(notify: Sequence[str]) -> list[str]:
    """One line that calls these user groups and members, or none; what is no id of either is left out."""
    ids = [id for id in notify if _ID.fullmatch(id)]
    return [" ".join(f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>" for id in ids)] if ids else []


def _harmless(text: Text) -> Text:
    return replace(text, values={name: _escaped(value) for name, value in text.values.items()})


def _escaped(value: Any) -> Any:
    if isinstance(value, Text):
        return _harmless(value)
    return escape(one_line(value, LONGEST_VALUE), LONGEST_VALUE) if isinstance(value, str) else value


def _token(at: datetime, words: Words) -> str:
    clock = f"{words.at(at)} {words.zone_name(at)}".replace("|", " ").replace(">", " ")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{clock}>"
