"""Mutes that end otherwise than was meant when they began: what they hold goes on at once, and no sooner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from monitor.rules.load import load_rules
from monitor.rules.testing.testcase import Expectation, Said
from monitor.simulate import Simulation
from monitor.store import mutes
from monitor.store.mutes import COMMAND, FILE, Mute

#: A Monday morning in Rome.
START = datetime(2026, 3, 30, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = load_rules(
    {
        "r.yaml": """\
id: r
title: Trouble
owner: ada@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any: [negative_mentions: {at_least: 1, within: 60m}]
timing: {wait_first: 0s}
escalate: [{after: 0m, team: social}, {after: 2h, team: social}]
""",
        "teams.yaml": 'social: {channel: "#s", zone: Europe/Rome, hours: {open: {mon-fri: "09:00-18:00"}}}\n',
    },
    ["Acme"],
)


@pytest.fixture
def world() -> Iterator[Simulation]:
    made = Simulation(RULES, ["Acme"], START)
    yield made
    made.close()


def mute(world: Simulation, until: datetime, origin: str = COMMAND, now: datetime = START) -> None:
    with world.store.write() as connection:
        mutes.add(connection, Mute("r", now, until, "ann", "", origin))


def angry(at: datetime) -> Said:
    return Said(at=at, every=timedelta(), count=1, brand="Acme", sentiment=-0.9, confidence=0.9)


def found(world: Simulation) -> tuple[object, object]:
    values = world.found(Expectation(START, {"state": "", "posts": 0}))
    assert isinstance(values, dict)
    return values["state"], values["posts"]


def test_unmuted_by_hand_it_speaks_at_once_though_the_mute_would_have_ended_at_night(world: Simulation) -> None:
    mute(world, START + 14 * HOUR)
    world.say(angry(START))
    world.until(START + HOUR)
    assert found(world) == ("held", 0)
    with world.store.write() as connection:
        mutes.end(connection, "r", START + HOUR)
    world.until(START + HOUR)
    assert found(world) == ("open", 1)


def test_a_mute_that_its_file_shortens_ends_when_the_file_says(world: Simulation) -> None:
    mute(world, START + 6 * HOUR, FILE)
    world.say(angry(START))
    world.until(START + HOUR)
    with world.store.write() as connection:
        shorter = Mute("r", START, START + 2 * HOUR, "ann", "", FILE)
        mutes.replace_those_of_files(connection, [shorter], START + HOUR)
    world.until(START + 2 * HOUR - timedelta(minutes=1))
    assert found(world) == ("held", 0)
    world.until(START + 2 * HOUR)
    assert found(world) == ("open", 1)


def test_a_tier_that_a_mute_put_off_comes_in_its_own_time_after_it(world: Simulation) -> None:
    world.say(angry(START))
    world.until(START)
    mute(world, START + 6 * HOUR)
    world.until(START + 3 * HOUR)
    assert found(world) == ("open", 1)
    with world.store.write() as connection:
        mutes.end(connection, "r", START + 3 * HOUR)
    world.until(START + 3 * HOUR)
    assert world.found(Expectation(START, {"tier": 0}))["tier"] == 2  # type: ignore[index]


@pytest.mark.parametrize("left", [FILE, COMMAND])
def test_what_waits_to_be_sent_stays_silent_as_long_as_any_mute_is_left(world: Simulation, left: str) -> None:
    """A message was in the outbox when two mutes began, and one of them is taken back."""
    world.say(angry(START))
    mute(world, START + 2 * HOUR, left)
    mute(world, START + 4 * HOUR, COMMAND if left == FILE else FILE)
    with world.store.write() as connection:
        if left == FILE:
            mutes.end(connection, "r", START)
        else:
            mutes.replace_those_of_files(connection, [], START)
    world.until(START + HOUR)
    assert world.posts == []
    world.until(START + 2 * HOUR)
    assert len(world.posts) == 1


def test_mutes_that_follow_on_one_another_are_one_silence(world: Simulation) -> None:
    world.say(angry(START))
    with world.store.write() as connection:
        for since, until in ((0, 1), (1, 3)):
            mutes.add(connection, Mute("r", START + since * HOUR, START + until * HOUR, "ann"))
    world.until(START + 2 * HOUR)
    assert world.posts == []
    world.until(START + 3 * HOUR)
    assert len(world.posts) == 1
