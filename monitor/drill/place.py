"""Where a drill plays: a database of its own beside the store, so that nothing of it is ever counted, learned from or
reported; and the rules it plays by, which are those in force. The store itself is looked at, never opened for writing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.config import Config
from monitor.drill.report import Course, Logged, Report, report
from monitor.drill.script import Script, Targets, moment
from monitor.errors import MonitorError, StoreError
from monitor.inforce import followed, to_act
from monitor.model import State
from monitor.rules.load import RuleSet
from monitor.store import Store, escalations, facts, mentions, mutes
from monitor.store.lock import held
from monitor.store.peek import Peek
from monitor.store.times import from_text

#: Where messages go without a channel.
TERMINAL = "this terminal"
#: No script has so many posts.
MOST_MENTIONS = 100_000
#: How the names of drills begin that messages and buttons carry.
INSTALL = "drill-"
NONE_YET = "No drill has been played here yet: `brand-monitor drill` lists those that there are."


@dataclass(frozen=True, slots=True)
class Setup:
    """How a drill is played. `calls_people`: those whom the rules call are called by name; `keep_hours`: teams' hours
    and mutes hold alerts back, as in life; `speed`: how many times as fast as the clock on the wall. `install`: what
    its buttons carry, so that a click on one is carried out here; without it there are none."""

    channel: str
    calls_people: bool = True
    keep_hours: bool = False
    speed: float = 1.0
    install: str = ""


# -- its database ------------------------------------------------------------------------------------------------


def database(store: Path) -> Path:
    """The drill's database, beside the store: brand-monitor.drill.db."""
    return store.with_name(f"{store.stem}.drill{store.suffix}")


def renewed(path: Path) -> Store:
    """An empty database for a new drill; the last one is kept under the time at which it began. Raises `StoreError`."""
    if held(path):
        raise StoreError(f"A drill plays on {path} already; wait for its end, or stop it with Ctrl-C.")
    if path.exists():
        last = Store(path)
        try:
            with last.read() as connection:
                known = facts.recall(connection, "drill")
        finally:
            # The last one out puts the write-ahead log into the file.
            last.close()
        began = known[1] if known else datetime.fromtimestamp(path.stat().st_mtime)
        try:
            target = path.with_name(f"{path.stem}-{began:%Y-%m-%d-%H%M%S}{path.suffix}")
            # Whoever still has the last drill open has its log, which must not be taken for that of the new one.
            for suffix in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError) if suffix else nullcontext():
                    path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
        except OSError as error:
            raise StoreError(f"{path} cannot be renamed: {error.strerror}.") from error
    return Store(path)


def reopened(store: Path) -> Store:
    """The database of the drill that plays, or was played last. Raises `MonitorError` where there is none."""
    path = database(store)
    if not path.exists():
        raise MonitorError(NONE_YET)
    return Store(path, create=False)


def begin(store: Store, script: Script, brand: str, setup: Setup, now: datetime) -> None:
    """Note what is played, for whoever acts in it and for its report."""
    targets = {name: time.total_seconds() if time is not None else None for name, time in _times(script.targets)}
    fact = {"title": script.title, "brand": brand, "targets": targets, "posts": len(script.lines), **asdict(setup)}
    with store.write() as connection:
        facts.remember(connection, "drill", fact, now)


def end(store: Store, now: datetime, *, early: bool, nearest: str) -> None:
    with store.write() as connection:
        facts.remember(connection, "drill_ended", {"early": early, "nearest": nearest}, now)


def _times(targets: Targets) -> list[tuple[str, timedelta | None]]:
    return [(one.name, getattr(targets, one.name)) for one in fields(targets)]


def over(store: Store) -> bool:
    with store.read() as connection:
        return facts.recall(connection, "drill_ended") is not None


def now_in(store: Store, wall: datetime) -> datetime:
    """What the clock of the drill shows when the clock on the wall shows `wall`."""
    with store.read() as connection:
        known = facts.recall(connection, "drill")
    if known is None or not isinstance(known[0], Mapping):
        return wall
    return moment(known[1], float(known[0]["speed"]), wall)


def setup_of(store: Store) -> Setup | None:
    """How the drill on this database is played."""
    with store.read() as connection:
        known = facts.recall(connection, "drill")
    if known is None or not isinstance(known[0], Mapping):
        return None
    names = {one.name for one in fields(Setup)}
    return Setup(**{name: value for name, value in known[0].items() if name in names})


def read_report(store: Store, now: datetime) -> Report:
    """The figures of the drill on this database, as of `now` if it still plays. Raises `MonitorError`."""
    with store.read() as connection:
        known, ended = facts.recall(connection, "drill"), facts.recall(connection, "drill_ended")
        if known is None or not isinstance(known[0], Mapping):
            raise MonitorError(NONE_YET)
        every = escalations.having_state(connection, State)
        said = mentions.after(connection, 0, MOST_MENTIONS)
        events = [logged(row) for row in escalations.events_after(connection, 0)]
        guidelines = {
            one.id: (kept["path"], kept["version"])
            for one in every
            if (kept := escalations.snapshot(connection, one, one.rule_id).get("guideline"))
        }
    course = _course(known[0], known[1], ended)
    if course.ended is None:
        # It plays still, or it was killed: then nobody was there after the last event.
        last = max((event.at for event in events), default=course.started)
        course = replace(course, ended=now if held(store.path) else last)
    return report(course, sorted(said, key=lambda one: (one.at, one.id)), every, events, guidelines)


def _course(fact: Mapping[str, Any], started: datetime, ended: tuple[object, datetime] | None) -> Course:
    how = ended[0] if ended and isinstance(ended[0], Mapping) else {}
    targets = {
        name: timedelta(seconds=seconds) if seconds is not None else None for name, seconds in fact["targets"].items()
    }
    return Course(
        title=fact["title"],
        brand=fact["brand"],
        targets=Targets(**targets),
        started=started,
        ended=ended[1] if ended else None,
        early=bool(how.get("early", True)),
        posts=fact["posts"],
        nearest=str(how.get("nearest", "")),
    )


def logged(row: sqlite3.Row) -> Logged:
    at, data = from_text(row["at"]), json.loads(row["data"])
    return Logged(at, row["who"], row["what"], row["why"], row["escalation_id"], data)


# -- the rules it plays by ---------------------------------------------------------------------------------------


def rules_in_force(config: Config, today: date, stopwatch: Callable[[], float]) -> RuleSet:
    """Raises `ConfigError` where there are no good ones."""
    return followed(config, Peek(config.store), held(config.store), today, stopwatch)


def rules_to_act(config: Config, store: Store) -> RuleSet:
    """The rules by which people act in the drill on `store`: as it plays them, every team in its channel."""
    with store.read() as connection:
        known = facts.recall(connection, "drill")
    rules = to_act(config, Peek(config.store))
    if known is None or not isinstance(known[0], Mapping):
        return rules
    return in_channel(rules, Setup(**{one.name: known[0][one.name] for one in fields(Setup) if one.name in known[0]}))


def in_channel(rules: RuleSet, setup: Setup) -> RuleSet:
    """With every team in the drill channel and, unless hours are kept, there at any time."""
    teams = {
        name: replace(team, channel=setup.channel, hours=team.hours if setup.keep_hours else None)
        for name, team in rules.teams.items()
    }
    return replace(rules, teams=teams)


def live_channels(config: Config, rules: RuleSet) -> set[str]:
    """Where real alerts go."""
    channels = {config.slack.channel, *(team.channel for team in rules.teams.values())}
    return channels | ({config.slack.fallback_channel} if config.slack.fallback_channel else set())


def take_mutes(store: Store, config: Config, now: datetime) -> None:
    """The mutes in force, for a drill that keeps hours."""
    with Peek(config.store).read() as live:
        found = mutes.in_force(live, now)
    with store.write() as connection:
        for mute in found:
            mutes.add(connection, mute)
