"""The language of `teams.yaml`: who is called, where in Slack, and when. What follows from it is said by `rota`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidateAs, WithJsonSchema, WrapValidator, with_config

from monitor.checking import OneOrMore, checked, read_inside
from monitor.fields import (
    EACH_ONCE,
    FILE,
    Channel,
    Date,
    Duration,
    Matching,
    Name,
    Speech,
    Text,
    between,
    did_you_mean,
    fault,
    faults,
)
from monitor.rules.people.hours import Hours
from monitor.rules.people.rota import Deputy, Rota, Team
from monitor.rules.people.timewords import Clock, Days, Region, Spans, Zone, each_day_once, week_of
from monitor.schemas import json_schema
from monitor.yamlfile import Document, KeyPath, shortened

_MEMBER = "[UW][A-Z0-9]{7,20}"
UserGroup = Annotated[Text, Matching("S[A-Z0-9]{7,20}", "is no id of a Slack user group; it looks like S0123456789")]
Member = Annotated[Text, Matching(_MEMBER, "is no id of a Slack member; it looks like U0123456789")]
Person = Annotated[Text, Field(max_length=80)]
Day = Annotated[date, ValidateAs(Date, date.fromisoformat)]


@cache
def _ids() -> TypeAdapter[tuple[Member, ...]]:
    return TypeAdapter(tuple[Member, ...])


def _named(value: object, handler: Callable[[object], Mapping[str, str]]) -> Mapping[str, str]:
    """In a plain list of ids the ids are the names."""
    if isinstance(value, list):
        return {member: member for member in read_inside(_ids(), value)}
    by_id: dict[str, str] = {}
    named = handler(value)
    for name, member in named.items():
        if by_id.setdefault(member, name) != name:
            raise fault(f"{by_id[member]} has this id already; give everybody their own", name)
    return named


_ID_SCHEMA = {"type": "string", "pattern": f"^{_MEMBER}$"}
Members = Annotated[
    Mapping[Person, Member],
    WrapValidator(_named),
    WithJsonSchema(
        {
            "anyOf": [{"type": "object", "additionalProperties": _ID_SCHEMA}, {"type": "array", "items": _ID_SCHEMA}],
            "examples": [{"anna": "U0123456789"}],
        }
    ),
]


# -- a team ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hours:
    open: Annotated[
        Mapping[Days, Spans],
        Field(
            min_length=1,
            examples=[{"mon-fri": "09:00-18:00", "sat": ["09:00-12:00", "13:00-16:00"]}],
            json_schema_extra={"additionalProperties": False},
        ),
        AfterValidator(each_day_once),
    ]
    """Opening times by days; a day that does not stand here is closed. A span such as 22:00-06:00 goes overnight."""
    holidays: Annotated[tuple[Region, ...], EACH_ONCE, OneOrMore()] = ()
    """Closed on the public holidays of these countries or parts of them, such as IT or DE-BY."""
    closed: Annotated[tuple[Day, ...], OneOrMore()] = ()
    """Further days without opening times."""


def _whole_days(turn: timedelta) -> timedelta:
    if turn % timedelta(days=1):
        raise fault("a turn lasts whole days; write 1d, or 7d for a week")
    return turn


@dataclass(frozen=True, slots=True)
class _Rota:
    order: Annotated[tuple[Text, ...], Field(min_length=1, examples=[["anna", "bruno"]])]
    """Names of members; whoever stands here twice has two turns."""
    since: Day
    """The day on which the first turn begins; before it nobody is on duty by the rota."""
    change_at: Clock = time(9)
    """When the turns change, by the clock on the wall."""
    turn: Annotated[Duration, between("1d", "366d"), AfterValidator(_whole_days)] = timedelta(days=7)
    """How long each is on duty: whole days."""


@dataclass(frozen=True, slots=True)
class _Deputy:
    absent: Annotated[Text, Field(alias="for")]
    """The name of the member who is away."""
    by: Text
    """The name of the member who stands in."""
    since: Annotated[Day, Field(alias="from")]
    """The first day."""
    until: Day
    """The last day."""


def _in_order(deputy: _Deputy) -> _Deputy:
    if deputy.until < deputy.since:
        raise fault("lies before `from`; exchange the two, or mend the year", "until")
    if deputy.by == deputy.absent:
        raise fault("nobody stands in for themselves; name another member", "by")
    return deputy


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _Entry:
    channel: Channel
    """Where its alerts go."""
    language: Speech | None = None
    """The language in which it is told; that of the configuration if not given."""
    user_group: UserGroup | None = None
    """The id of its Slack user group, called by tiers with `mention` where no rota says who is on duty."""
    members: Members = field(default_factory=dict)
    """Its people: a name and the id in Slack of each; or only the ids as a list."""
    zone: Zone | None = None
    """The time zone of its hours, rota and deputies."""
    hours: Annotated[_Hours | None, Field(examples=[{"open": {"mon-fri": "09:00-18:00"}}])] = None
    """When it is there; without this, at any time. Alerts that come at other times are held until then."""
    rota: Annotated[_Rota | None, Field(examples=[{"order": ["anna", "bruno"], "since": "2027-01-04"}])] = None
    """Who is on duty when: the members take turns."""
    deputies: tuple[
        Annotated[
            _Deputy,
            AfterValidator(_in_order),
            Field(examples=[{"for": "anna", "by": "bruno", "from": "2027-08-09", "until": "2027-08-20"}]),
        ],
        ...,
    ] = ()
    """Who stands in for members that are away. A deputy who is away as well is replaced by their own deputy."""


def _coherent(entry: _Entry) -> _Entry:
    found: list[tuple[KeyPath, str]] = []
    if entry.zone is None:
        said = {"hours": entry.hours, "rota": entry.rota, "deputies": entry.deputies}
        what = "needs the team's time zone; add a line to the team, for example zone: Europe/Rome"
        found += [((key,), what) for key, value in said.items() if value]
    for path, name in _people(entry):
        if name not in entry.members:
            mend = did_you_mean(name, entry.members) or "; add its members, for example members: {anna: U0123456789}"
            found.append((path, f'the team has no member "{shortened(name)}"{mend}'))
    if found:
        raise faults(found)
    return entry


def _people(entry: _Entry) -> Iterator[tuple[KeyPath, str]]:
    """Everybody who is named, and where."""
    for index, name in enumerate(entry.rota.order if entry.rota else ()):
        yield ("rota", "order", index), name
    for index, deputy in enumerate(entry.deputies):
        yield ("deputies", index, "for"), deputy.absent
        yield ("deputies", index, "by"), deputy.by


_File = Mapping[Name, Annotated[_Entry, AfterValidator(_coherent), Field(examples=[{"channel": "#brand-alerts"}])]]


@cache
def _file() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def parse_teams(document: Document) -> dict[str, Team]:
    """The teams by name; raises `ConfigError` with all problems."""
    return {name: _team(name, entry) for name, entry in checked(_file(), document).items()}


def _team(name: str, entry: _Entry) -> Team:
    zone, hours, rota = entry.zone or "", entry.hours, entry.rota
    return Team(
        id=name,
        channel=entry.channel,
        language=entry.language,
        user_group=entry.user_group,
        members=entry.members,
        zone=entry.zone,
        hours=Hours(zone, week_of(hours.open), hours.holidays, frozenset(hours.closed)) if hours else None,
        rota=Rota(zone, rota.order, rota.since, rota.change_at, rota.turn) if rota else None,
        deputies=tuple(Deputy(one.absent, one.by, one.since, one.until) for one in entry.deputies),
    )


def teams_schema() -> dict[str, Any]:
    """The JSON Schema of `teams.yaml`."""
    return json_schema(_file(), "The teams of brand-monitor")


# -- what an escalation keeps of a team --------------------------------------------------------------------------


@cache
def _kept() -> TypeAdapter[Team]:
    return TypeAdapter(Team)


def team_to_json(team: Team) -> dict[str, Any]:
    """The team as plain values, for `team_from_json`."""
    kept: dict[str, Any] = _kept().dump_python(team, mode="json")
    return kept


def team_from_json(kept: Mapping[str, Any]) -> Team:
    """The team that `team_to_json` was given; what an older version did not keep has its default."""
    return _kept().validate_python(kept)
