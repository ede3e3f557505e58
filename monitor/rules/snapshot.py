"""What an escalation keeps of the rule that made it: with it, it lives on when the file has been changed or deleted.

The rule stays as it was when it fired; the people are those of today: `with_teams` brings hours, rota, deputies and
channels up to date after a reload.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.escalation.clockwork import FIRST, Clockwork, Tier
from monitor.model import Guideline
from monitor.rules.people.rota import Team, called, on_duty
from monitor.rules.people.teams import team_from_json, team_to_json
from monitor.rules.rule import OutsideHours, Rule, TierSpec


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`channel` is where tiers go whose team is gone; `times` are those of `timing` and `acknowledged`. `tiers` are
    those of now, `written` those that the rule had, where it has been handed over since."""

    file: str
    text: str
    channel: str
    tiers: tuple[TierSpec, ...]
    teams: Mapping[str, Team]
    times: Mapping[str, timedelta]
    repeat_at_most: int
    hold: bool
    guideline: Guideline | None = None
    written: tuple[TierSpec, ...] = ()

    @property
    def first_channel(self) -> str:
        return self.channel_of(1)

    def team(self, number: int) -> Team | None:
        """The team of tier `number`, counted from 1; of the last tier where there are not so many."""
        tier = self.tier(number)
        return self.teams.get(tier.team) if tier else None

    def tier(self, number: int) -> TierSpec | None:
        return self.tiers[min(max(number, 1), len(self.tiers)) - 1] if self.tiers else None

    def channel_of(self, number: int) -> str:
        team = self.team(number)
        return team.channel if team else self.channel

    def called(self, number: int, at: datetime) -> tuple[str, ...]:
        """The Slack ids that tier `number` calls by name at this moment."""
        tier, team = self.tier(number), self.team(number)
        return called(team, at) if tier and team and tier.mention else ()

    def called_names(self, number: int, at: datetime) -> tuple[str, ...]:
        """The same for people to read."""
        tier, team = self.tier(number), self.team(number)
        return on_duty(team, at) if tier and team and tier.mention else ()

    def person(self, name: str | None) -> tuple[str, ...]:
        """The Slack id of somebody in one of its teams, by name or by that id."""
        for team in self.teams.values():
            for known, slack_id in team.members.items():
                if name in (known, slack_id):
                    return (slack_id,)
        return ()

    def clockwork(self, muted_until: datetime | None = None) -> Clockwork:
        tiers = tuple(
            Tier(
                tier.after,
                tier.unless_acknowledged,
                team.hours if (team := self.teams.get(tier.team)) else None,
                tier.unless_answered,
            )
            for tier in self.tiers
        )
        return Clockwork(
            **self.times,
            repeat_at_most=self.repeat_at_most,
            tiers=tiers or (FIRST,),
            hold=self.hold,
            muted_until=muted_until,
        )

    def with_teams(self, teams: Mapping[str, Team]) -> Snapshot:
        """With the teams as they are now; one that is gone stays as it was."""
        return replace(self, teams={name: teams.get(name, team) for name, team in self.teams.items()})

    def handed_to(self, team: Team) -> Snapshot:
        """With `team` as the first to be told, by name; the later tiers of the rule stay, but for one of that same
        team. All teams stay known."""
        written = self.written or self.tiers
        later = tuple(tier for tier in written[1:] if tier.team != team.id)
        first = TierSpec(timedelta(), team.id, mention=True)
        return replace(self, tiers=(first, *later), teams={**self.teams, team.id: team}, written=written)

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "text": self.text,
            "channel": self.channel,
            "tiers": _tiers_to_json(self.tiers),
            "written": _tiers_to_json(self.written),
            "teams": {name: team_to_json(team) for name, team in self.teams.items()},
            "times": {name: time.total_seconds() for name, time in self.times.items()},
            "repeat_at_most": self.repeat_at_most,
            "hold": self.hold,
            "guideline": asdict(self.guideline) if self.guideline else None,
        }


def snapshot_of(rule: Rule, teams: Mapping[str, Team], guideline: Guideline | None, channel: str) -> Snapshot:
    timing, taken = rule.timing, rule.acknowledged
    times = {
        "wait_first": timing.wait_first,
        "update_every": timing.update_every,
        "reopen_within": timing.reopen_within,
        "repeat_after": timing.repeat_after,
        "remind_after": taken.remind_after if taken else None,
        "reopen_after": taken.reopen_after if taken else None,
    }
    return Snapshot(
        file=rule.file,
        text=rule.source_text,
        channel=channel,
        tiers=rule.escalate,
        teams={tier.team: teams[tier.team] for tier in rule.escalate if tier.team in teams},
        times={name: time for name, time in times.items() if time is not None},
        repeat_at_most=timing.repeat_at_most,
        hold=rule.outside_hours is OutsideHours.HOLD,
        guideline=guideline,
    )


def snapshot_from_json(kept: Mapping[str, Any]) -> Snapshot:
    """What `to_json` made; what an older version did not keep has its default."""
    guideline = kept.get("guideline")
    return Snapshot(
        file=kept.get("file", ""),
        text=kept.get("text", ""),
        channel=kept.get("channel", ""),
        tiers=_tiers_from_json(kept.get("tiers", ())),
        written=_tiers_from_json(kept.get("written", ())),
        teams={name: team_from_json(team) for name, team in kept.get("teams", {}).items()},
        times={name: timedelta(seconds=seconds) for name, seconds in kept.get("times", {}).items()},
        repeat_at_most=kept.get("repeat_at_most", 0),
        hold=kept.get("hold", False),
        guideline=Guideline(**guideline) if guideline else None,
    )


def _tiers_to_json(tiers: Iterable[TierSpec]) -> list[dict[str, Any]]:
    return [{**asdict(tier), "after": tier.after.total_seconds()} for tier in tiers]


def _tiers_from_json(kept: Iterable[Mapping[str, Any]]) -> tuple[TierSpec, ...]:
    return tuple(TierSpec(**{**tier, "after": timedelta(seconds=tier["after"])}) for tier in kept)
