"""With which words of topics.yaml the topics of stored mentions were found, and since when."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from monitor.rules.topics import InUse
from monitor.store import facts
from monitor.store.times import from_text, to_text

_FACT = "topics"


def note(connection: sqlite3.Connection, words: Mapping[str, str], now: datetime) -> None:
    """Say with which words, by topic, mentions are stored from now on. It writes only where they are others than
    before."""
    known = in_use(connection)
    if known is not None and {topic: one.words for topic, one in known.items()} == words:
        return
    # What a backtest needs to know is which mentions were stored with other words: of the first ones there are none.
    first = connection.execute("SELECT max(id) FROM mentions").fetchone()[0] is None
    since = None if first else to_text(now)
    value = {}
    for topic, its in words.items():
        old = known.get(topic) if known else None
        if old is not None and old.words == its:
            value[topic] = {"words": its, "since": to_text(old.since) if old.since else None}
        else:
            value[topic] = {"words": its, "since": since}
    facts.remember(connection, _FACT, value, now)


def in_use(connection: sqlite3.Connection) -> dict[str, InUse] | None:
    """By topic; None where nothing has been noted yet."""
    stored = facts.recall(connection, _FACT)
    if stored is None or not isinstance(stored[0], dict):
        return None
    return {
        topic: InUse(one["words"], from_text(one["since"]) if one["since"] else None)
        for topic, one in stored[0].items()
    }
