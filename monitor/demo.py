"""`brand-monitor demo`: the real daemon on a small scripted world, served on loopback, its messages on the terminal.

A forum and a news site publish feeds; within half a minute a broken router update turns a forum thread, in English and
Italian, from a question into anger. Everything is real but the world: HTTP, parsing, judging, rules, escalation.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import click

from monitor.cli.words import clean
from monitor.demo_world import World
from monitor.errors import MonitorError
from monitor.model import Label, Mention
from monitor.starter import starter_files
from monitor.store import Store, mentions

#: Written first; a folder without it is somebody else's and left alone.
MARK = "demo.txt"

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
        click.echo("A forum and a news site open on this machine; the daemon reads them every few seconds.\n")
        ended = threading.Event()
        narrator = threading.Thread(target=_narrate, args=(app.store, ended), name="narrator")
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
    finally:
        app.close()
    _farewell(folder)


def _make_folder(folder: Path, port: int) -> None:
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
            raise MonitorError(f"{folder} holds other files; name a new folder: brand-monitor demo FOLDER")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / MARK).write_text("Made by `brand-monitor demo`; delete the folder when you like.\n", "utf-8")
        (folder / "monitor.yaml").write_text(CONFIG.format(port=port), "utf-8")
        for name, content in starter_files().items():
            # The starter's own rules would alert on the same thread; its teams, topics and guidelines are used.
            if name.startswith("rules/") and (name.count("/") > 1 or name in ("rules/teams.yaml", "rules/topics.yaml")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        (folder / "rules" / "demo-angry-thread.yaml").write_text(RULE, "utf-8")
    except OSError as error:
        raise MonitorError(
            f"{folder} cannot be written: {error.strerror}. Name another: brand-monitor demo FOLDER"
        ) from error


def _narrate(store: Store, ended: threading.Event) -> None:
    """Print every mention as it is stored, by looking at the database as any reader could."""
    told = 0
    while True:
        last_look = ended.is_set()
        with store.read() as connection:
            new = [row[0] for row in connection.execute("SELECT id FROM mentions WHERE id > ? ORDER BY id", [told])]
            for mention in mentions.by_ids(connection, new):
                click.echo(_line(mention) + _thread(connection, mention))
        told = max(new, default=told)
        if last_look:
            return
        ended.wait(0.3)


def _line(mention: Mention) -> str:
    author = mention.post.author.handle or mention.post.author.name or "somebody"
    said = f"{mention.at.astimezone():%H:%M:%S}  {mention.post.source:<5} {clean(author, 13):<13} "
    if mention.sentiment is None:
        judged = click.style("answer  ", fg="blue")
    else:
        label = mention.sentiment.label
        colour = {Label.NEGATIVE: "red", Label.POSITIVE: "green", Label.NEUTRAL: "white"}[label]
        judged = click.style(f"{mention.sentiment.score:+.2f} {label[:3]}", fg=colour)
    return f"{said}{judged}  {clean(mention.brand, 8):<7} {clean(mention.post.text, 68)}"


def _thread(connection: sqlite3.Connection, mention: Mention) -> str:
    query = "SELECT mentions, negative FROM discussions WHERE id = ?"
    row = connection.execute(query, [mention.discussion_id]).fetchone()
    return click.style(f"  [{row['negative']} of {row['mentions']} negative]", dim=True) if row["mentions"] > 1 else ""


def _farewell(folder: Path) -> None:
    config = f"brand-monitor --config {folder / 'monitor.yaml'}"
    click.echo(
        f"""
That was the demo. It was played to the real daemon: feeds polled, posts judged, one alert for one discussion.
The database is {folder / "brand-monitor.db"} (SQLite; any tool reads it). Try next:

  {config} escalations show 1
  {config} escalations resolve 1 --outcome answered
  {config} search router
  {config} status

Then `brand-monitor init` for a configuration of your own."""
    )
