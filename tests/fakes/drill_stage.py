"""A drill on stage: a configuration with real files, an injected clock, people who act at given moments."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.config import Config, parse_config
from monitor.deliver import Messenger
from monitor.desk import Desk
from monitor.drill import place
from monitor.drill.place import Setup
from monitor.drill.report import Report
from monitor.drill.run import Drill, brand_of, unheard
from monitor.drill.script import Script, parse_script
from monitor.escalation.events import Acknowledge, Resolve
from monitor.model import Outcome
from monitor.sentiment import SentimentModel
from monitor.simulate import Tape
from monitor.store import Store
from tests.fakes.proofs import prove_all
from tests.fakes.sentiment import PlainWords

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)  # a Sunday
CONFIG = """\
brands:
  - {name: Globex, terms: [globex], competitor: true}
  - {name: Acme, terms: [acme], own_accounts: {"*": [acme_help]}}
slack: {channel: "#alerts"}
rules: rules/
store: live.db
"""
TEAMS = """\
social:
  channel: "#social"
  members: {anna: U0123456789, bruno: U0234567890}
  zone: Europe/Rome
  hours: {open: {mon-fri: "09:00-18:00"}}
  rota: {order: [anna, bruno], since: "2026-03-23"}
leads:
  channel: "#leads"
  members: {carla: U0345678901}
"""
RULE = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any:
  - negative_mentions: {at_least: 3, within: 60m}
timing: {wait_first: 30s, update_every: 60s}
escalate:
  - {after: 0m, team: social, mention: true}
  - {after: 10m, unless: acknowledged, team: leads, mention: true}
playbook: playbooks/calm.md
"""
PLAYBOOK = "---\nowner: a@example.com\napproved_by: board\nreview_by: 2027-05-31\n---\n# Stay calm\n\nBreathe.\n"
HEADER = {
    "drill": "{brand} is down",
    "language": "en",
    "targets": {"called": "5m", "acknowledged": "5m", "guideline": "10m", "answered": "20m", "resolved": "30m"},
}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def script(*lines: dict[str, Any], bad: int = 4) -> Script:
    """One word of doubt, then a bad post a minute in one thread."""
    doubt = {"at": "10s", "source": "forum", "native_id": "p1", "title": "Is it me?", "text": "Is {brand} down?"}
    angry = [
        {"at": f"{n}m", "source": "forum", "text": "so bad", "conversation_id": "p1", "author": {"handle": f"a{n}"}}
        for n in range(1, bad + 1)
    ]
    text = "\n".join(json.dumps(line) for line in (HEADER, {**doubt, "conversation_id": "p1"}, *angry, *lines))
    return parse_script(text.encode(), "down", "down.jsonl")


class Stage:
    """A folder with a configuration, rules and a live database; a clock that `acts` move people by."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, NOON
        self.acts: list[tuple[timedelta, Callable[[Desk], object]]] = []
        (folder / "rules" / "playbooks").mkdir(parents=True)
        for name, text in {"teams.yaml": TEAMS, "thread.yaml": RULE, "playbooks/calm.md": PLAYBOOK}.items():
            (folder / "rules" / name).write_text(text, "utf-8")
        prove_all(folder / "rules")
        self.store: Store | None = None

    @property
    def config(self) -> Config:
        return parse_config(CONFIG, self.folder / "monitor.yaml")

    def at(self, count: float, act: Callable[[Desk], object]) -> None:
        """Somebody does something so many minutes after the start."""
        self.acts.append((minutes(count), act))

    def play(
        self,
        crisis: Script | None = None,
        messenger: Messenger | None = None,
        setup: Setup | None = None,
        *,
        config: Config | None = None,
        model: SentimentModel | None = None,
    ) -> Report:
        config, setup, started = config or self.config, setup or Setup("#drill"), self.now
        self.store = store = place.renewed(place.database(config.store))
        cast = (crisis or script()).cast(brand_of(config), started)
        assert unheard(config, cast) == ""
        place.begin(store, cast, brand_of(config).name, setup, started)
        if setup.keep_hours:
            place.take_mutes(store, config, started)
        rules = place.in_channel(place.rules_in_force(config, started.date(), lambda: 0.0), setup)
        desk = Desk(config, store, drill=True, clock=lambda: self.now)
        waiting = sorted(self.acts, key=lambda act: act[0])

        def wait(until: datetime) -> None:
            if waiting and started + waiting[0][0] <= until:
                after, act = waiting.pop(0)
                self.now = max(self.now, started + after)
                act(desk)
            else:
                self.now = max(self.now, until)

        return Drill(
            config, cast, rules, store, model or PlainWords(), messenger or Tape(), setup,
            clock=lambda: self.now, wait=wait,
        ).run()  # fmt: skip


def ack(desk: Desk) -> None:
    desk.act(1, Acknowledge("Anna"), "Anna")


def resolve(desk: Desk) -> None:
    desk.act(1, Resolve("Anna", Outcome.ANSWERED, "all mended"), "Anna")


def well_faced(stage: Stage) -> None:
    stage.at(5.5, ack)
    stage.at(6, lambda desk: desk.guideline(1, "anna"))
    stage.at(9, lambda desk: desk.answer(1, "We are sorry: it is mended by noon.", "anna"))
    stage.at(12, resolve)


def measures(report: Report) -> dict[str, tuple[str, timedelta | None]]:
    return {one.name: (one.verdict.value, one.took) for one in report.measures}
