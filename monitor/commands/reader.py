"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo

from monitor.wording.catalogs import words
from monitor.wording.words import Words


@dataclass(frozen=True, slots=True)
class Reader:
    """A person in Slack: `name` is the one that they are known by (in `teams.yaml`, else in Slack), `language` and
    `zone` are theirs, `teams` are the ids of those that they belong to."""

    slack_id: str
    name: str
    language: str = "en"
    zone: tzinfo = UTC
    teams: tuple[str, ...] = ()

    @property
    def words(self) -> Words:
        return words(self.language, self.zone)
