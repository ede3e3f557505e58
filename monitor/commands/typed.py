"""What somebody typed after `/brand`: which command, in English or Italian, and what it is about. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from monitor.durations import duration, mended_duration
from monitor.fields import closest
from monitor.slack.text import one_line

#: Nobody types more; what stands beyond is cut.
LONGEST = 500


class Command(StrEnum):
    HELP = "help"
    STATUS = "status"
    OPEN = "open"
    SEARCH = "search"
    WHY = "why"
    MUTE = "mute"
    UNMUTE = "unmute"
    REPORT = "report"
    GUIDELINES = "guidelines"


#: Further words for each.
_ALSO = {
    Command.HELP: ("aiuto", "?"),
    Command.STATUS: ("stato",),
    Command.OPEN: ("aperte", "aperti", "list"),
    Command.SEARCH: ("cerca", "find"),
    Command.WHY: ("perché", "perche", "perchè", "explain"),
    Command.MUTE: ("silenzia", "mutes"),
    Command.UNMUTE: ("riattiva",),
    Command.REPORT: ("rapporto", "figures"),
    Command.GUIDELINES: ("guideline", "linee-guida", "lineeguida", "linee"),
}
_COMMANDS = {word: command for command in Command for word in (command, *_ALSO[command])}


@dataclass(frozen=True, slots=True)
class Typed:
    """`command` is None for a word that is none, which `word` is; `close` is the command that may have been meant."""

    command: Command | None
    rest: str = ""
    word: str = ""
    close: str | None = None


def typed(text: str) -> Typed:
    """Without anything it is a question for help."""
    word, _, rest = one_line(text, LONGEST).partition(" ")
    if not word:
        return Typed(Command.HELP)
    command = _COMMANDS.get(word.casefold())
    if command is None:
        close = closest(word, _COMMANDS)
        return Typed(None, rest, word, _COMMANDS[close] if close else None)
    if command is Command.GUIDELINES and word.casefold() == "linee":
        rest = rest.removeprefix("guida").strip()
    return Typed(command, rest.strip(), word)


# -- mute --------------------------------------------------------------------------------------------------------

_MUTE = re.compile(
    r"(?P<rule>\S+)(?:\s+(?:for|per))?\s+(?P<length>\d.*?)(?:\s+(?:because|perch[éeè])\b:?\s*(?P<why>.+))?",
    re.IGNORECASE,
)
_ITALIAN = {"minuti": "minutes", "minuto": "minute", "ore": "hours", "ora": "hour", "giorni": "days", "giorno": "day",
            "settimane": "weeks", "settimana": "week"}  # fmt: skip
_UNITS = re.compile(r"\b(" + "|".join(_ITALIAN) + r")\b")


@dataclass(frozen=True, slots=True)
class Muting:
    """`mute RULE for 4h because WHY`; `length` is None where it is no length of time, `why` "" where none is given."""

    rule: str
    length: timedelta | None
    why: str


def muting(rest: str) -> Muting | None:
    """None where not even rule and length can be told apart."""
    found = _MUTE.fullmatch(rest)
    return Muting(found["rule"], _length(found["length"]), (found["why"] or "").strip()) if found else None


def _length(text: str) -> timedelta | None:
    text = _UNITS.sub(lambda found: _ITALIAN[found[1]], text.casefold().strip())
    try:
        return duration(mended_duration(text) or text)
    except (ValueError, OverflowError):
        return None


# -- report ------------------------------------------------------------------------------------------------------

LONGEST_REPORT = timedelta(days=366)


def stretch(rest: str) -> timedelta | None:
    """How far back a report goes: "30d"; a week where nothing is said, None where it is no length of whole hours."""
    if not rest:
        return timedelta(days=7)
    length = _length(rest)
    return length if length and timedelta(hours=1) <= length <= LONGEST_REPORT else None
