"""What a button carries, so that a click on it can be understood years later: one short line of text.

ack:7:12:9f86d081884c7d65           what is asked, escalation, outbox id, installation
not_negative:7:12:9f86…:101,102     and the mentions that stood beside it
read_guideline:0:0:9f86…@1a2b3c4d   and the version of a guideline, which names its very words
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

#: A button may carry 2,000 characters, an option of a menu 150.
LONGEST = 150
_TAG = re.compile(
    r"([a-z_]{2,20}):(\d{1,12}):(\d{1,12}):([A-Za-z0-9-]{1,40})"
    r"(?:@([0-9a-f]{8}))?(?::(\d{1,12}(?:,\d{1,12})*))?"
)


class Deed(StrEnum):
    """What a click asks for; also the `action_id` of its button. With `…` in the label it opens a form first."""

    ACKNOWLEDGE = "ack"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    HAND_OVER = "hand_over"
    NOT_NEGATIVE = "not_negative"
    NOT_ABOUT_US = "not_about_us"
    RESOLVE = "resolve"
    GUIDELINE = "guideline"
    #: A guideline by itself, of no escalation: `Tag.version` says which.
    READ_GUIDELINE = "read_guideline"
    #: Of a summary: its escalation gets a message of its own; all that it stands for are acknowledged, or resolved.
    SHOW = "show"
    ACKNOWLEDGE_ALL = "ack_all"
    RESOLVE_ALL = "resolve_all"


@dataclass(frozen=True, slots=True)
class Tag:
    """`outbox_id` is the message that the button stands in, 0 where that is none of ours (App Home, an answer to a
    command); `escalation_id` is 0 where it stands for many, or for none; `version` is that of a guideline to read."""

    deed: Deed
    escalation_id: int
    outbox_id: int
    install: str
    mention_ids: tuple[int, ...] = ()
    version: str = ""

    def __str__(self) -> str:
        head = f"{self.deed}:{self.escalation_id}:{self.outbox_id}:{self.install}"
        head += f"@{self.version}" if self.version else ""
        ids = list(self.mention_ids)
        while ids and len(text := f"{head}:{','.join(map(str, ids))}") > LONGEST:
            ids.pop()
        return text if ids else head


def tag(text: str) -> Tag | None:
    """What a button carried; None for what is not ours."""
    found = _TAG.fullmatch(text)
    if found is None or found[1] not in set(Deed):
        return None
    ids = tuple(int(id) for id in found[6].split(",")) if found[6] else ()
    return Tag(Deed(found[1]), int(found[2]), int(found[3]), found[4], ids, found[5] or "")
