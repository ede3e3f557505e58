"""What must hold whatever is said, clicked and muted: silence is kept, nothing is lost, nothing is doubled.

Random days are played through the production services in simulated time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Outcome
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.testing.results import Moment, MomentKind
from monitor.rules.testing.testcase import Button, Click, Expectation, Mute, Said
from monitor.simulate import Simulation

#: The night before the clocks of Rome go forward; the doors are closed.
START = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULE = """\
id: {id}
title: Trouble
owner: ada@example.com
status: live
severity: {severity}
match: {{brands: [acme]}}
negative_if: {{sentiment: {{at_most: -0.5}}}}
alert_when_any: [{alert}]
timing: {{wait_first: {wait}, update_every: 60s, repeat_after: 2h, repeat_at_most: 2, reopen_within: 3h}}
escalate:
  - {{after: 0m, team: {team}, mention: true}}
  - {{after: 20m, unless: acknowledged, team: leads, mention: true}}
  - {{after: 50m, unless: answered, team: social}}
  - {{after: 2h, team: social}}
acknowledged: {{remind_after: 1h, reopen_after: 5h}}
outside_hours: {outside}
"""
TWO, LOUD = "negative_mentions: {at_least: 2, within: 60m}", "author_reach: {at_least: 1000}"
FILES = {
    "quiet.yaml": RULE.format(id="quiet", severity="medium", alert=TWO, wait="30s", team="social", outside="hold"),
    "grave.yaml": RULE.format(id="grave", severity="critical", alert=LOUD, wait="0s", team="leads", outside="hold"),
    "eager.yaml": RULE.format(id="eager", severity="low", alert=TWO, wait="5m", team="social", outside="notify"),
    "teams.yaml": """\
social: {channel: "#social", members: {anna: U0000000001}, zone: Europe/Rome, hours: {open: {mon-fri: "09:00-18:00"}}}
leads: {channel: "#leads", members: {dora: U0000000002}, zone: Europe/Rome, hours: {open: {mon-sun: "07:00-23:00"}}}
""",
}


def rules(*names: str) -> RuleSet:
    return load_rules({name: FILES[name] for name in (*names, "teams.yaml")}, ["Acme"])


@dataclass(frozen=True)
class Step:
    after: timedelta
    what: Said | Click | None


AFTER = st.integers(0, 48 * 60).map(lambda minutes: timedelta(minutes=minutes))
SAID = st.builds(
    Said,
    at=st.just(START), every=st.just(timedelta()), count=st.just(1), brand=st.just("Acme"),
    sentiment=st.sampled_from([-0.9, -0.9, -0.9, 0.5]), confidence=st.just(0.95), topics=st.just(()),
    author_reach=st.sampled_from([10, 10, 5000]), discussion=st.sampled_from(["a", "b"]),
    answer=st.sampled_from([False, False, False, True]),
)  # fmt: skip
CLICKS = st.builds(
    Click,
    at=st.just(START), button=st.sampled_from([*Button]), user=st.just("anna"), to=st.sampled_from(["dora", "leads"]),
    length=st.just(HOUR), outcome=st.just(Outcome.ANSWERED), discussion=st.sampled_from(["a", "b"]),
)  # fmt: skip
STEPS = st.lists(st.builds(Step, AFTER, st.one_of(SAID, SAID, CLICKS)), min_size=1, max_size=25)
ALL = pytest.param(("quiet.yaml", "grave.yaml", "eager.yaml"), id="several rules")
EACH = [pytest.param((name,), id=name) for name in ("quiet.yaml", "grave.yaml", "eager.yaml")]
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(world: Simulation, steps: list[Step], mutes: list[Mute] = []) -> list[Moment]:  # noqa: B006 (never changed)
    """All that happened, until forty days after the last step."""
    timed: list[tuple[timedelta, int, Said | Click | Mute | None]] = [(step.after, 1, step.what) for step in steps]
    timed += [(mute.at - START, 0, mute) for mute in mutes]
    for after, _, what in sorted(timed, key=lambda one: one[:2]):
        world.until(START + after)
        match what:
            case Said():
                world.say(what)
            case Click():
                world.click(what)
            case Mute():
                world.mute(what)
    world.until(START + timedelta(days=42))
    return world.timeline


@pytest.mark.parametrize("names", EACH)
@given(steps=STEPS, begins=AFTER, lasts=st.integers(1, 30))
@SLOW
def test_a_muted_rule_never_posts(names: tuple[str, ...], steps: list[Step], begins: timedelta, lasts: int) -> None:
    mute = Mute(START + begins, names[0].removesuffix(".yaml"), START + begins + lasts * HOUR)
    world = Simulation(rules(*names), ["Acme"], START)
    try:
        timeline = play(world, steps, [mute])
    finally:
        world.close()
    # What is due at the very moment of the mute went before it. Whoever is handed something meanwhile is called by the
    # message that comes when the mute ends.
    posted = [one for one in timeline if one.kind in (MomentKind.POST, MomentKind.REPLY)]
    assert [one for one in posted if mute.at < one.at < mute.until] == []


@pytest.mark.parametrize("names", [*EACH, ALL])
@given(steps=STEPS, begins=AFTER, lasts=st.integers(1, 30))
@SLOW
def test_what_was_held_is_told_in_the_end(
    names: tuple[str, ...], steps: list[Step], begins: timedelta, lasts: int
) -> None:
    """Whatever fired is told, unless somebody has resolved it before."""
    mute = Mute(START + begins, names[0].removesuffix(".yaml"), START + begins + lasts * HOUR)
    world = Simulation(rules(*names), ["Acme"], START)
    try:
        play(world, steps, [mute])
        for name in ("a", "b"):
            found = world.found(Expectation(START, {"state": "", "posts": 0}, discussion=name))
            assert isinstance(found, dict)
            assert found["state"] not in ("pending", "held")
            assert found["posts"] or found["state"] in ("none", "resolved"), world.timeline
    finally:
        world.close()


@given(steps=STEPS)
@SLOW
def test_the_team_is_called_while_it_is_there(steps: list[Step]) -> None:
    """By a rule that holds its alerts; what people do at night is their own affair."""
    world = Simulation(rules("quiet.yaml"), ["Acme"], START)
    try:
        timeline = play(world, [step for step in steps if isinstance(step.what, Said)])
    finally:
        world.close()
    for one in timeline:
        if one.kind is MomentKind.CALLED:
            local = one.at.astimezone(ZoneInfo("Europe/Rome"))
            hours = range(9, 18) if "(social)" in one.text else range(7, 23)
            assert local.hour in hours and (local.weekday() < 5 or "(leads)" in one.text), one


@pytest.mark.parametrize("names", [*EACH, ALL])
@given(steps=STEPS)
@SLOW
def test_a_discussion_has_one_first_message_at_a_time(names: tuple[str, ...], steps: list[Step]) -> None:
    world = Simulation(rules(*names), ["Acme"], START)
    try:
        play(world, steps)
        with world.store.read() as connection:
            roots = connection.execute(
                "SELECT escalation_id, count(*) FROM outbox WHERE kind = 'root' GROUP BY escalation_id"
            ).fetchall()
            unsent = connection.execute("SELECT count(*) FROM outbox WHERE state <> 'sent'").fetchone()[0]
    finally:
        world.close()
    assert all(count == 1 for _, count in roots)
    assert unsent == 0
