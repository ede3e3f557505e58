"""Sets the stage for a drill: which script, which rules, which channel, which database; then plays it in real time.

What could go wrong is looked for before anything is played: a drill that breaks off in the middle teaches nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

from monitor.app import buttons, load_config, messenger, utc_now
from monitor.config import Config
from monitor.credentials import SLACK_BOT_TOKEN, secret
from monitor.deliver import Messenger
from monitor.drill import place
from monitor.drill.place import Setup
from monitor.drill.report import Report
from monitor.drill.run import Drill, brand_of, unheard
from monitor.drill.script import Script, moment
from monitor.drill.shelf import read_script
from monitor.errors import MonitorError
from monitor.rules.load import RuleSet
from monitor.sentiment import load_model
from monitor.slack.console import ConsoleMessenger
from monitor.store import Store
from monitor.store.lock import hold

#: How often (seconds) a drill looks whether somebody has done something.
TICK = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """What is about to be played. `left_out`: answers of ours in the script for which the brand has no account."""

    script: Script
    brand: str
    setup: Setup
    store: Store
    started: datetime
    left_out: int

    def clock(self) -> datetime:
        return moment(self.started, self.setup.speed, utc_now())

    def wait(self, until: datetime) -> None:
        ahead = (until - self.clock()).total_seconds() / self.setup.speed
        time.sleep(max(0.0, min(ahead, TICK)))


def play(
    path: Path | None,
    file: str,
    channel: str | None,
    setup: Setup,
    open_curtain: Callable[[Stage], Callable[[Drill], None]],
    terminal: TextIO,
) -> Report:
    """Play the script `file` with the configuration at `path`. `channel` is what somebody asked for by name; that of
    `setup` is decided here. `open_curtain` says what is to come and returns what is told while it plays; without a
    drill channel messages go to `terminal`. Raises `MonitorError` before anything is played."""
    config = load_config(path)
    script, brand = read_script(file), brand_of(config)
    rules = place.rules_in_force(config, utc_now().date(), time.perf_counter)
    setup, sender = _where(config, rules, channel, setup, terminal)
    if why := unheard(config, script.cast(brand, utc_now())):
        raise MonitorError(f"{file}: {why}.")
    model = load_model(config.sentiment.model, config.sentiment.threads, config.sentiment.batch)
    model.judge(["a first text"])
    store = place.renewed(place.database(config.store))
    try:
        with hold(store.path):
            started = utc_now()
            cast = script.cast(brand, started)
            left_out = len(script.lines) - len(cast.lines)
            stage = Stage(cast, brand.name, setup, store, started, left_out)
            place.begin(store, cast, brand.name, setup, started)
            if setup.keep_hours:
                place.take_mutes(store, config, started)
            look = open_curtain(stage)
            in_channel = place.in_channel(rules, setup)
            drill = Drill(
                config, cast, in_channel, store, model, sender, setup, clock=stage.clock, wait=stage.wait, look=look
            )
            return drill.run()
    finally:
        store.close()


def _where(
    config: Config, rules: RuleSet, channel: str | None, setup: Setup, terminal: TextIO
) -> tuple[Setup, Messenger]:
    """Slack where there are a drill channel and a token, else the terminal. A live channel must be asked for."""
    to = channel or config.slack.drill_channel
    if to is None or secret(SLACK_BOT_TOKEN) is None:
        return replace(setup, channel=place.TERMINAL), ConsoleMessenger(terminal)
    if channel is None and to in place.live_channels(config, rules):
        raise MonitorError(
            f"Real alerts go to {to}: among those of a drill one could be overlooked. Write a channel of its own at "
            f'`slack: drill_channel:`, or say --channel "{to}" if it must be there.'
        )
    install = f"{place.INSTALL}{secrets.token_hex(8)}"
    sender = messenger(config, install)
    if problems := sender.check([to]).problems:
        raise MonitorError("Slack would refuse the drill's messages: " + " ".join(problems))
    return replace(setup, channel=to, install=install if buttons() else ""), sender
