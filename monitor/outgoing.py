"""The vocabulary of what is sent: messages on their way to Slack or the terminal, as frozen values.

All times are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.model import Severity


class MessageKind(StrEnum):
    """`root`: the one message of an escalation; `update`: bring it up to date; `reply`: news in its thread; `call`: a
    further team is told, in its own channel; `notice`: a word about where that message stands; `summary`: one for
    many, in a storm."""

    ROOT = "root"
    UPDATE = "update"
    REPLY = "reply"
    CALL = "call"
    NOTICE = "notice"
    SUMMARY = "summary"


class MessageState(StrEnum):
    """`folded`: a summary stands for it, and it is posted by itself only if somebody, or what becomes of it, asks."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message that must reach Slack (or the terminal), as stored.

    `op_key` is unique: escalation:tier:kind:repeat. `not_before`: earliest next step. `floor_at`: nothing before it
    need be searched when asking whether it arrived. `unknown_at`: since when nobody knows; `absent_reads`: complete
    reads since that did not find it. `sent_channel` and `sent_ts`: its name in Slack. `plain`: without blocks.
    """

    id: int
    op_key: str
    kind: MessageKind
    state: MessageState
    channel: str
    severity: Severity
    created_at: datetime
    not_before: datetime
    escalation_id: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    floor_at: datetime | None = None
    absent_reads: int = 0
    plain: bool = False
    repeated: bool = False
    error: str = ""
    sent_at: datetime | None = None
    sent_channel: str | None = None
    sent_ts: str | None = None
    unknown_at: datetime | None = None
    folded_into: int | None = None
