"""`teams.yaml`: the whole language is read, every trap is told with its place, and a team survives in a snapshot."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.rules.people.hours import Hours, Span
from monitor.rules.people.rota import Deputy, Rota, Team
from monitor.rules.people.teams import parse_teams, team_from_json, team_to_json, teams_schema
from monitor.yamlfile import parse_yaml

STARTER = Path(__file__).parents[2] / "rules" / "teams.yaml"
WHOLE = """\
social:
  channel: "#brand-alerts"
  user_group: S0123456789
  members: {anna: U0123456789, Bruno B.: U0234567890}
  zone: Europe/Rome
  hours:
    open: {mon-thu: ["14:00-18:00", "09:00-13:00"], fri: 09:00-13:00, sat: "22:00-06:00", sun: "00:00-24:00"}
    holidays: [IT, DE-BY, IT]
    closed: ["2026-12-24", 2026-12-31]
  rota: {order: [anna, Bruno B., anna], since: "2026-01-05", change_at: "08:30", turn: 14d}
  deputies: [{for: anna, by: Bruno B., from: "2026-08-10", until: 2026-08-21}]
"""
WEEKDAY = (Span(540, 780), Span(840, 1080))
SOCIAL = Team(
    id="social",
    channel="#brand-alerts",
    user_group="S0123456789",
    members={"anna": "U0123456789", "Bruno B.": "U0234567890"},
    zone="Europe/Rome",
    hours=Hours(
        zone="Europe/Rome",
        week=(*[WEEKDAY] * 4, (Span(540, 780),), (Span(1320, 1800),), (Span(0, 1440),)),
        holidays=("IT", "DE-BY"),
        closed=frozenset({date(2026, 12, 24), date(2026, 12, 31)}),
    ),
    rota=Rota("Europe/Rome", ("anna", "Bruno B.", "anna"), date(2026, 1, 5), time(8, 30), timedelta(days=14)),
    deputies=(Deputy("anna", "Bruno B.", date(2026, 8, 10), date(2026, 8, 21)),),
)


def teams(text: str) -> dict[str, Team]:
    return parse_teams(parse_yaml(text, "teams.yaml"))


def test_the_whole_language_becomes_a_team() -> None:
    assert teams(WHOLE) == {"social": SOCIAL}


def test_what_is_left_out_has_its_default() -> None:
    assert teams("social: {channel: '#s'}") == {"social": Team("social", "#s")}
    people = "members: {anna: U0123456789}, zone: UTC, rota: {order: [anna], since: 2026-01-05}"
    assert teams(f"social: {{channel: '#s', {people}}}")["social"].rota == Rota(
        "UTC", ("anna",), date(2026, 1, 5), time(9), timedelta(days=7)
    )


def test_members_may_be_a_list_and_one_holiday_or_closed_day_may_stand_alone() -> None:
    hours = "hours: {open: {mon: 09:00-18:00}, holidays: IT, closed: 2026-12-24}"
    team = teams(f"social: {{channel: '#s', members: [U0123456789, U0234567890], zone: UTC, {hours}}}")["social"]
    assert team.members == {"U0123456789": "U0123456789", "U0234567890": "U0234567890"}
    assert team.hours and (team.hours.holidays, team.hours.closed) == (("IT",), {date(2026, 12, 24)})


# -- the starter -------------------------------------------------------------------------------------------------


def test_the_starter_holds_no_alert_and_calls_nobody() -> None:
    for name, team in teams(STARTER.read_text("utf-8")).items():
        assert team == Team(name, team.channel)


def test_the_examples_of_the_starter_work_once_their_marks_are_taken_away() -> None:
    text = STARTER.read_text("utf-8")
    lines = [re.sub("^  # (?=[ a-z])", "  ", line) for line in text.splitlines() if not re.match("  # [A-Z]", line)]
    team = teams("\n".join(lines))["social"]
    assert team.hours and team.rota and team.deputies and len(team.members) == 2 and team.user_group


# -- problems ----------------------------------------------------------------------------------------------------

IN_A_SPAN = {
    "no end": ("09:00", '"09:00" is no span; write from when until when'),
    "hours alone": ("9-18", '"9-18" is no span here; write "09:00-18:00"'),
    "one digit": ("9:00-18:00", '"9:00-18:00" is no span here; write "09:00-18:00"'),
    "points and spaces": ("9.00 - 18.30", '"9.00 - 18.30" is no span here; write "09:00-18:30"'),
    "am and pm": ("9am to 6pm", '"9am to 6pm" is no span here; write "09:00-18:00"'),
    "noon and midnight": ("12pm-12am", '"12pm-12am" is no span here; write "12:00-00:00"'),
    "a dash": ("09:00–18:00", '"09:00–18:00" is no span here; write "09:00-18:00"'),
    "until 24": ("8-24", '"8-24" is no span here; write "08:00-24:00"'),
    "no such time": ("08:00-25:00", '"08:00-25:00" is no span; write from when until when'),
    "from 24:00": ("24:00-06:00", '"24:00-06:00" is no span; write from when until when'),
    "nothing between": ("09:00-09:00", 'begins when it ends; write "00:00-24:00" for the whole day'),
    "closed": ("closed", "delete this line; a day that does not stand here is closed"),
    "no": ("no", "delete this line; a day that does not stand here is closed"),
    "always": ("24h", 'write "00:00-24:00" for the whole day'),
    "a number": ("9", '"9" is no span; write from when until when'),
    "no spans": ("[]", "must not be empty; write at least one, or delete the key"),
    "curly quotes": ("“09:00-18:00”", '"“09:00-18:00”" is no span; write from when'),
}


@pytest.mark.parametrize(("span", "expected"), IN_A_SPAN.values(), ids=list(IN_A_SPAN))
def test_a_mistake_in_a_span_says_what_to_write(span: str, expected: str) -> None:
    (found,) = problems(TEAM + f"  hours:\n    open:\n      mon: {span}\n")
    assert found.startswith(f"teams.yaml:6:7: social.hours.open.mon: {expected}")


TEAM = "social:\n  channel: '#s'\n  zone: Europe/Rome\n"
PEOPLE = TEAM + "  members: {anna: U0123456789, bruno: U0234567890}\n"
OPEN = TEAM + "  hours: {open: {mon: 09:00-18:00}, "

MISTAKES = {
    "zone in small letters": (
        "social: {channel: '#s', zone: europe/rome}",
        ':1:25: social.zone: there is no time zone "europe/rome"; did you mean "Europe/Rome"?',
    ),
    "zone typo": (
        "social: {channel: '#s', zone: Europe/Rom}",
        ':1:25: social.zone: there is no time zone "Europe/Rom"; did you mean "Europe/Rome"?',
    ),
    "city alone": (
        "social: {channel: '#s', zone: new york}",
        ':1:25: social.zone: there is no time zone "new york"; did you mean "America/New_York"?',
    ),
    "zone by its difference": (
        "social: {channel: '#s', zone: UTC+1}",
        ':1:25: social.zone: there is no time zone "UTC+1"; write that of a city, such as Europe/Rome',
    ),
    "a zone without summer time": (
        "social: {channel: '#s', zone: EST}",
        ':1:25: social.zone: "EST" knows no summer time; write that of a city, for example America/New_York',
    ),
    "summer time": (
        "social: {channel: '#s', zone: CEST}",
        ':1:25: social.zone: there is no time zone "CEST"; write continent and city, for example Europe/Rome',
    ),
    "timezone": ("social: {channel: '#s', timezone: UTC}", ':1:25: social.timezone: unknown key; did you mean "zone"?'),
    "hours without a zone": (
        "social: {channel: '#s', hours: {open: {mon: 09:00-18:00}}}",
        ":1:25: social.hours: needs the team's time zone; add a line to the team, for example zone: Europe/Rome",
    ),
    "rota without a zone": (
        "social: {channel: '#s', members: {anna: U0123456789}, rota: {order: [anna], since: 2026-01-05}}",
        ":1:55: social.rota: needs the team's time zone",
    ),
    "hours in one line": (
        TEAM + "  hours: 9-18",
        ':4:3: social.hours: must hold `key: value` lines, for example {open: {"mon-fri": "09:00-18:00"}}',
    ),
    "hours without days": (
        TEAM + "  hours: {open: 09:00-18:00}",
        ':4:11: social.hours.open: must hold `key: value` lines, for example {"mon-fri": "09:00-18:00"',
    ),
    "never open": (TEAM + "  hours: {open: {}}", ":4:11: social.hours.open: must not be empty"),
    "no opening times": (
        TEAM + "  hours: {holidays: IT}",
        ":4:3: social.hours.open: this key is missing; add it (Open",
    ),
    "day with a capital": (
        TEAM + "  hours: {open: {Mon-Fri: 09:00-18:00}}",
        ':4:18: social.hours.open.Mon-Fri: is no day here; did you mean "mon-fri"?',
    ),
    "day in full": (
        TEAM + "  hours: {open: {wednesday: 09:00-18:00}}",
        ':4:18: social.hours.open.wednesday: is no day here; did you mean "wed"?',
    ),
    "day in another language": (
        TEAM + "  hours: {open: {Mo-Fr: 09:00-18:00}}",
        ":4:18: social.hours.open.Mo-Fr: is no day; write mon, tue, wed, thu, fri, sat or sun, or from one to another",
    ),
    "two days": (
        TEAM + "  hours: {open: {'mon, tue': 09:00-18:00}}",
        ":4:18: social.hours.open.mon, tue: is no day; write mon, tue",
    ),
    "day twice": (
        TEAM + "  hours: {open: {mon-fri: 09:00-18:00, wed: 09:00-12:00}}",
        ":4:40: social.hours.open.wed: wed stands in mon-fri already; take it out of one of the two",
    ),
    "spans overlap": (
        TEAM + "  hours: {open: {mon: [09:00-13:00, 12:00-18:00]}}",
        ':4:37: social.hours.open.mon[1]: overlaps with "09:00-13:00"; make one span of the two',
    ),
    "overlaps a night": (
        TEAM + "  hours: {open: {mon: [22:00-06:00, 23:00-23:30]}}",
        ':4:37: social.hours.open.mon[1]: overlaps with "22:00-06:00"',
    ),
    "one bad span of two": (
        TEAM + "  hours: {open: {mon: [09:00-13:00, 14-18]}}",
        ':4:37: social.hours.open.mon[1]: "14-18" is no span here; write "14:00-18:00"',
    ),
    "Norway": (OPEN + "holidays: NO}", ':4:47: social.hours.holidays: YAML reads NO as false; write "NO" in quotes'),
    "country in small letters": (
        OPEN + "holidays: it}",
        ':4:37: social.hours.holidays: no holidays are known of "it"; did you mean "IT"?',
    ),
    "country by its name": (
        OPEN + "holidays: United Kingdom}",
        ':4:37: social.hours.holidays: no holidays are known of "United Kingdom"; did you mean "GB"?',
    ),
    "unknown country": (
        OPEN + "holidays: [IT, XX]}",
        ':4:52: social.hours.holidays[1]: no holidays are known of "XX"; write the two letters of a country',
    ),
    "unknown part": (
        OPEN + "holidays: DE-XX}",
        ':4:37: social.hours.holidays: no holidays are known of "DE-XX"; write DE, or DE- and one of BB, BE, BW',
    ),
    "part of a country without parts": (
        OPEN + "holidays: BY-DE}",
        ':4:37: social.hours.holidays: no holidays are known of "BY-DE"; write BY, for it has the same',
    ),
    "holidays beside hours": (
        TEAM + "  holidays: IT",
        ":4:3: social.holidays: unknown key; known here: channel, deputies, hours",
    ),
    "closed in another order": (
        OPEN + "closed: [24.12.2026]}",
        ":4:46: social.hours.closed[0]: is no date; write year-month-day",
    ),
    "no such day": (OPEN + "closed: 2026-02-30}", ":4:37: social.hours.closed: is no date; write year-month-day"),
    "unquoted time": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, change_at: 22:00}",
        ':5:55: social.rota.change_at: YAML reads 22:00 as a number; write "22:00" in quotes',
    ),
    "unquoted short time": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, change_at: 9:00}",
        ':5:44: social.rota.change_at: is no time here; write "09:00", in quotes',
    ),
    "time as a number": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, change_at: 8}",
        ':5:44: social.rota.change_at: is no time here; write "08:00", in quotes',
    ),
    "time in words": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, change_at: noon}",
        ':5:44: social.rota.change_at: is no time here; write "09:00", in quotes, for nine o\'clock',
    ),
    "half a turn": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, turn: 12h}",
        ":5:44: social.rota.turn: must be between 1d and 366d",
    ),
    "a day and a half": (
        PEOPLE + "  rota: {order: [anna], since: 2026-01-05, turn: 36h}",
        ":5:44: social.rota.turn: a turn lasts whole days; write 1d, or 7d for a week",
    ),
    "nobody's rota": (PEOPLE + "  rota: {order: [], since: 2026-01-05}", ":5:10: social.rota.order: must not be empty"),
    "rota from nowhere": (PEOPLE + "  rota: {order: [anna]}", ":5:3: social.rota.since: this key is missing; add it"),
    "no member in the rota": (
        PEOPLE + "  rota: {order: [anna, Bruno], since: 2026-01-05}",
        ':5:24: social.rota.order[1]: the team has no member "Bruno"; did you mean "bruno"?',
    ),
    "rota of a team without members": (
        TEAM + "  rota: {order: [anna], since: 2026-01-05}",
        ':4:18: social.rota.order[0]: the team has no member "anna"; add its members, for example members: {anna: U',
    ),
    "deputies are no list": (
        PEOPLE + "  deputies: {for: anna, by: bruno, from: 2026-08-10, until: 2026-08-21}",
        ":5:3: social.deputies: must be a list",
    ),
    "deputy is no member": (
        PEOPLE + "  deputies: [{for: anna, by: carla, from: 2026-08-10, until: 2026-08-21}]",
        ':5:26: social.deputies[0].by: the team has no member "carla"; known here: anna, bruno',
    ),
    "no member is away": (
        PEOPLE + "  deputies: [{for: ana, by: bruno, from: 2026-08-10, until: 2026-08-21}]",
        ':5:15: social.deputies[0].for: the team has no member "ana"; did you mean "anna"?',
    ),
    "deputy of oneself": (
        PEOPLE + "  deputies: [{for: anna, by: anna, from: 2026-08-10, until: 2026-08-21}]",
        ":5:26: social.deputies[0].by: nobody stands in for themselves; name another member",
    ),
    "until before from": (
        PEOPLE + "  deputies: [{for: anna, by: bruno, from: 2026-08-10, until: 2026-08-09}]",
        ":5:55: social.deputies[0].until: lies before `from`; exchange the two, or mend the year",
    ),
    "deputy for ever": (
        PEOPLE + "  deputies: [{for: anna, by: bruno, from: 2026-08-10}]",
        ":5:14: social.deputies[0].until: this key is missing; add it (The last day)",
    ),
    "member by name": (
        "social: {channel: '#s', members: [anna]}",
        ':1:35: social.members[0]: "anna" is no id of a Slack member; it looks like U0123456789',
    ),
    "members are no list": (
        "social: {channel: '#s', members: U0123456789}",
        ":1:25: social.members: must hold `key: value` lines, for example {anna: U0123456789}",
    ),
    "same id twice": (
        "social: {channel: '#s', members: {anna: U0123456789, bruno: U0123456789}}",
        ":1:54: social.members.bruno: anna has this id already; give everybody their own",
    ),
    "unquoted No": (
        "social: {channel: '#s', members: {no: U0123456789}}",
        ':1:35: social.members.no: YAML reads no as false; write "no" in quotes',
    ),
}


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        teams(text)
    return str(raised.value).splitlines()


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_in_a_team_says_where_it_is_and_what_to_write(text: str, expected: str) -> None:
    (found,) = problems(text)
    assert found.startswith(f"teams.yaml{expected}")


def test_all_mistakes_of_a_team_are_told_at_once() -> None:
    text = (
        TEAM.replace("Rome", "Rom")
        + "  hours: {open: {mo: 9-18}, holidays: Italy}\n  rota: {order: anna, since: monday}\n"
    )
    assert [line.split(": ")[1] for line in problems(text)] == [
        "social.zone",
        "social.hours.open.mo",
        "social.hours.open.mo",
        "social.hours.holidays",
        "social.rota.order",
        "social.rota.since",
    ]


# -- schema and snapshot -----------------------------------------------------------------------------------------


def test_the_schema_knows_days_spans_and_defaults() -> None:
    schema = teams_schema()
    open_ = schema["$defs"]["_Hours"]["properties"]["open"]
    ((days, spans),) = open_["patternProperties"].items()
    assert re.search(days, "mon-fri") and not re.search(days, "Mon") and open_["additionalProperties"] is False
    one, many = spans["anyOf"]
    assert many["items"] == one and many["type"] == "array"
    assert re.search(one["pattern"], "22:00-24:00") and not re.search(one["pattern"], "9-18")
    rota = schema["$defs"]["_Rota"]["properties"]
    assert (rota["change_at"]["default"], rota["turn"]["default"]) == ("09:00", "7d")
    assert rota["since"]["format"] == "date"
    assert set(schema["$defs"]["_Deputy"]["required"]) == {"for", "by", "from", "until"}
    assert all("description" in key for part in schema["$defs"].values() for key in part["properties"].values())


@pytest.mark.parametrize("team", [SOCIAL, Team("social", "#s")], ids=["all", "little"])
def test_a_team_survives_in_a_snapshot(team: Team) -> None:
    kept = json.dumps(team_to_json(team))
    assert team_from_json(json.loads(kept)) == team
    assert json.dumps(team_to_json(team_from_json(json.loads(kept)))) == kept


def test_a_snapshot_of_another_version_has_defaults_for_what_it_lacks() -> None:
    kept = {"id": "social", "channel": "#s", "of_a_newer_version": 1}
    assert team_from_json(kept) == Team("social", "#s")


def test_holidays_are_imported_only_where_they_are_used() -> None:
    code = "import monitor.rules.load, sys; assert 'holidays' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
