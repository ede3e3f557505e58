"""`brand-monitor demo`: the real daemon on a small scripted world, served on loopback, its messages on the terminal.

A forum and a news site publish feeds; within half a minute a broken router update turns a forum thread, in English and
Italian, from a question into anger. Everything is real but the world: HTTP, parsing, judging, rules, escalation.
"""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from pathlib import Path

import click

from monitor.cli.words import author, clean, columns, near, program, score, width
from monitor.demo_world import World
from monitor.errors import MonitorError
from monitor.model import Label, Mention, State
from monitor.starter import starter_files
from monitor.store import Store, escalations, mentions
from monitor.store.lock import held

DATABASE = "brand-monitor.db"
#: Written first; a folder without it is somebody else's and left alone.
MARK = "demo.txt"
#: How long a line is where no terminal says it.
COLUMNS = 100
COLOURS = {Label.NEGATIVE: "red", Label.POSITIVE: "green", Label.NEUTRAL: "white"}

CONFIG = """\
# What `brand-monitor demo` runs on: as your own monitor.yaml, but with feeds from this machine.
brands:
  - name: Acme
    terms: [acme, "#acmefail"]
    own_accounts: {{forum: [acme_support]}}
  - {{name: Globex, terms: [globex], competitor: true}}
sources:
  - {{feed: "http://127.0.0.1:{port}/forum.xml", name: forum, every: 2s}}
  - {{feed: "http://127.0.0.1:{port}/news.xml", name: news, every: 3s}}
network: {{allow_hosts: ["127.0.0.1"]}}
slack: {{channel: "#brand-alerts"}}
rules: rules/
store: brand-monitor.db
"""

RULE = """\
# The starter's rule about angry threads with shorter waits: a demo has no half hour.
id: demo-angry-thread
title: Negative discussion about {brand}
owner: community@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if:
  sentiment: {at_most: -0.4}
alert_when_any:
  - negative_mentions: {at_least: 4, within: 60m}
timing: {wait_first: 2s, update_every: 5s}
escalate:
  - {after: 0m, team: social}
playbook: playbooks/angry-thread.md
"""

RULE_TESTS = """\
# What the rule does, played in simulated time by `brand-monitor rules test`; a live rule is not taken over without.
rules: [demo-angry-thread.yaml]
defaults: {brand: acme, sentiment: -0.8}
tests:
  - name: Four angry posts within an hour alert, once
    start: "2026-03-30T10:00:00+02:00"
    mentions: [{at: 0m, every: 10m, count: 5}]
    expect: [{at: 29m, posts: 0}, {at: 31m, state: open, posts: 1, team: social}, {at: 1h, posts: 1}]
  - name: Grumbling does not
    start: "2026-03-30T10:00:00+02:00"
    mentions: [{at: 0m, every: 1m, count: 9, sentiment: -0.2}]
    expect: [{at: 1h, posts: 0}]
"""


def play(folder: Path, seconds: int) -> None:
    """Run the world and the daemon for `seconds`, then say where to look. Raises `MonitorError`."""
    # What loads the model is imported here, so that `--help` stays fast.
    from monitor.app import App, load_config
    from monitor.daemon import Daemon

    world = World()
    _make_folder(folder, world.port)
    click.echo("Loading the sentiment model …")
    app = App(load_config(folder / "monitor.yaml"))
    try:
        daemon = Daemon(app)
        click.echo("A forum and a news site open here; the daemon reads them every few seconds.")
        click.echo("-1 bad … +1 good; 4 negative mentions in one discussion within an hour alert.\n")
        ended = threading.Event()

        def narrate() -> None:
            try:
                _narrate(app.store, ended)
            except BrokenPipeError:
                # The reader (`| head`) has seen enough.
                daemon.stop()

        narrator = threading.Thread(target=narrate, name="narrator")
        timer = threading.Timer(seconds, daemon.stop)
        with world:
            for thread in (narrator, timer):
                thread.start()
            try:
                daemon.run()
            finally:
                timer.cancel()
                ended.set()
                narrator.join()
        alert = _alert(app.store)
    finally:
        app.close()
    _farewell(folder, alert)


def _make_folder(folder: Path, port: int) -> None:
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
            raise MonitorError(f"{folder} holds other files; name a new folder: {program()} demo FOLDER")
        if held(folder / DATABASE):
            raise MonitorError(f"A demo plays in {folder} already; name a new folder: {program()} demo FOLDER")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / MARK).write_text("Made by `brand-monitor demo`; delete the folder when you like.\n", "utf-8")
        (folder / "monitor.yaml").write_text(CONFIG.format(port=port), "utf-8")
        for name, content in starter_files().items():
            # The starter's own rules would alert on the same thread; its teams, topics and guidelines are used.
            if name.startswith("rules/playbooks/") or name in ("rules/teams.yaml", "rules/topics.yaml"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        (folder / "rules" / "tests").mkdir()
        (folder / "rules" / "demo-angry-thread.yaml").write_text(RULE, "utf-8")
        (folder / "rules" / "tests" / "demo-angry-thread.yaml").write_text(RULE_TESTS, "utf-8")
    except OSError as error:
        raise MonitorError(
            f"{folder} cannot be written: {error.strerror}. Name another: {program()} demo FOLDER"
        ) from error


def _narrate(store: Store, ended: threading.Event) -> None:
    """Print every mention as it is stored, by looking at the database as any reader could."""
    told = 0
    said, negative = Counter[int](), Counter[int]()
    while True:
        last_look = ended.is_set()
        with store.read() as connection:
            new = mentions.after(connection, told, 100)
        told = max((mention.id for mention in new), default=told)
        for mention in sorted(new, key=lambda mention: mention.at):
            thread = mention.discussion_id
            said[thread] += not mention.answer
            negative[thread] += mention.sentiment is not None and mention.sentiment.label is Label.NEGATIVE
            click.echo(_line(mention, f"  [{negative[thread]}/{said[thread]} neg]" if said[thread] > 1 else ""))
        if last_look:
            return
        ended.wait(0.3)


def _line(mention: Mention, count: str) -> str:
    """One line of the terminal: of a long text the beginning."""
    said = f"{mention.at.astimezone():%H:%M:%S}  {mention.post.source:<5} {author(mention.post, 13):<13} "
    label = mention.sentiment.label if mention.sentiment else None
    judged = f"{score(mention)} {label[:3] if label else ''}".ljust(9)
    brand = f"  {clean(mention.brand, 8):<7} "
    text = clean(mention.post.text, columns(COLUMNS) - width(said + judged + brand + count))
    judged = click.style(judged, fg=COLOURS[label] if label else "blue")
    return said + judged + brand + text + click.style(count, dim=True)


def _alert(store: Store) -> int | None:
    """The number of the escalation that people were told of."""
    with store.read() as connection:
        found = escalations.having_state(connection, State)
    return next((escalation.id for escalation in found if escalation.opened_at), None)


def _farewell(folder: Path, alert: int | None) -> None:
    command = program(folder / "monitor.yaml")
    if alert:
        told = "It was the real daemon: one alert for one discussion."
        act = [f"escalations show {alert}", f"escalations resolve {alert} --outcome answered"]
    else:
        told, act = "It ended before anything could alert: let it play to its end.", []
    commands = "\n".join(f"  {command} {words}" for words in (*act, "search router", "status"))
    click.echo(
        f"""
That was the demo. {told}
The forum and the news site are closed now: links to them lead nowhere.
The database is {near(folder / "brand-monitor.db")} (SQLite; any tool reads it). Try next:

{commands}

Then `{program()} init` for a configuration of your own."""
    )
