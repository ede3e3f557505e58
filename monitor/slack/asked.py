"""What somebody asked for in a form, as it is kept until it is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.model import Outcome
from monitor.slack.tags import Tag, tag


@dataclass(frozen=True, slots=True)
class Asked:
    """The tag says which deed, on what; of the rest only what belongs to the deed is there.

    `assignee` is a Slack id; `team` is handed over to.
    """

    tag: Tag
    assignee: str | None = None
    until: datetime | None = None
    team: str | None = None
    outcome: Outcome | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        kept = {
            "assignee": self.assignee,
            "until": self.until.isoformat() if self.until else None,
            "team": self.team,
            "outcome": str(self.outcome) if self.outcome else None,
            "note": self.note,
        }
        return {"tag": str(self.tag), **{name: value for name, value in kept.items() if value}}


def asked_from_json(kept: Mapping[str, Any]) -> Asked:
    """What `to_json` made; raises ValueError for anything else."""
    what = tag(str(kept.get("tag", "")))
    if what is None:
        raise ValueError(f"{kept.get('tag')!r} is no tag")
    until, outcome = kept.get("until"), kept.get("outcome")
    return Asked(
        what,
        assignee=kept.get("assignee"),
        until=datetime.fromisoformat(until) if until else None,
        team=kept.get("team"),
        outcome=Outcome(outcome) if outcome else None,
        note=kept.get("note", ""),
    )
