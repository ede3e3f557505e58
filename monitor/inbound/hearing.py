"""How the connection stands over which Slack tells what people do, as the daemon noted it, and what is to be mended."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from monitor.store import facts
from monitor.store.times import from_text
from monitor.wording.words import Words

FACT = "socket"
#: A connection that cannot be opened for longer than this is worth a word.
CONNECTING_LONG = timedelta(minutes=2)


def hearing(connection: sqlite3.Connection) -> Mapping[str, Any]:
    """Its times as times, `at` when it was noted; empty where no daemon ever did."""
    found = facts.recall(connection, FACT)
    if not found or not isinstance(found[0], dict):
        return {}
    times = {name: from_text(found[0][name]) for name in ("since", "seen") if found[0].get(name)}
    return {**found[0], **times, "at": found[1]}


def hearing_problems(socket: Mapping[str, Any], now: datetime, words: Words) -> list[str]:
    """Sentences that say what to mend. That there is no app token is none: nobody need act in Slack."""
    if not socket:
        return []
    if socket["state"] == "off":
        if socket.get("app_token") and not socket.get("bot_token"):
            return [words.say("SLACK_APP_TOKEN is given without SLACK_BOT_TOKEN: give both, or neither")]
        return []
    if problem := socket["problem"]:
        connected = socket["state"] == "connected"
        return [problem if connected else words.say("people cannot act in Slack: {problem}", problem=problem)]
    if socket["state"] != "connected" and now - socket["since"] > CONNECTING_LONG:
        return [
            words.say("people cannot act in Slack: there has been no connection since {time}", time=socket["since"])
        ]
    return []
