"""How people name what is stored: m12 a mention, d3 a discussion, e7 an escalation; a plain number where one fits."""

from __future__ import annotations

import re

#: As far as the database can count.
LARGEST = 2**63 - 1
_ID = re.compile(r"(mention|discussion|escalation|[mde])?[\s#:-]*([0-9]{1,19})", re.ASCII)
_WORDS = {"mention": "m", "discussion": "d", "escalation": "e"}


def split(text: str) -> tuple[str, int] | None:
    """("d", 3) for d3, D3, #3 without a letter, "discussion 3"; None for anything else."""
    found = _ID.fullmatch(text.strip().casefold())
    if found is None:
        return None
    letter = found[1] or ""
    return _WORDS.get(letter, letter), int(found[2])
