"""An entry of the audit log, as whoever tells the story of an escalation, or explains it, reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of `events`: who or what did what, when and why."""

    at: datetime
    who: str
    what: str
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
