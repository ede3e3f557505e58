#!/usr/bin/env python3
"""The daemon through hard times: does it lose nothing, say nothing twice, and stay within its bounds?

    benchmarks/soak.py [MINUTES] [SEED]

The real daemon (judging by plain words, its clock runs fast) and a Slack on loopback. All at once, and at random: posts
come in, people click, Slack drops the socket, falls silent, answers 429, 500 and half of what it should; rules are
edited, broken and deleted, the language changes, tokens go and come back, and every minute the daemon is killed.
Then all is calm, and what it prints must hold. Ends with status 1 where something does not.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fakes.feed_server import FeedServer  # noqa: E402
from tests.fakes.hard_times import LIFE, METHODS, PEOPLE, RULE, SPEED, HardTimes  # noqa: E402
from tests.fakes.slack_server import TOKEN  # noqa: E402
from tests.fakes.slack_socket import SocketSlack, member  # noqa: E402
from tests.fakes.slack_workspace import APP_TOKEN  # noqa: E402
from tests.system.daemon_under_test import fast_clock  # noqa: E402

TASKS_MAX = 64
SECRETS = (TOKEN, APP_TOKEN, "ticket=", "/respond/", "trigger-", "a-secret")


def repeat(soak: HardTimes, every: float, act: Callable[[], None], failed: list[str]) -> None:
    while not soak.ended.wait(soak.chance.uniform(0, 2 * every)):
        try:
            act()
        except Exception as error:
            failed.append(f"{act.__name__}: {error!r}")


def calm(soak: HardTimes) -> bool:
    """Mend everything; whether all that was asked for and is to be told then comes to its end in time."""
    soak.slack.silent = False
    for method in METHODS:
        soak.slack.mend(method)
    soak.tokens(True)
    soak.config("en")
    soak.rule(RULE.replace("SEVERITY", "high"))
    if soak.daemon.poll() is not None:
        soak.start()
    deadline = time.monotonic() + 300
    while not soak.running() and time.monotonic() < deadline:
        time.sleep(0.5)
    soak.hup()
    waiting = "SELECT (SELECT count(*) FROM inbox WHERE applied_at IS NULL) + (SELECT count(*) FROM outbox WHERE state"
    waiting += " NOT IN ('sent', 'folded')) + (SELECT count(*) FROM escalations WHERE state = 'pending')"
    while time.monotonic() < deadline:
        time.sleep(1)
        read = soak.query("SELECT count(*) FROM posts") == [(len(soak.items),)]
        if read and soak.query(waiting) == [(0,)] and soak.slack.connections:
            return True
    print("still waiting:", soak.query("SELECT kind, state, count(*), max(error) FROM outbox GROUP BY 1, 2"))
    return False


def told(soak: HardTimes) -> dict[str, Any]:
    """What `status` tells."""
    command = [sys.executable, "-m", "monitor", "status", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=soak.folder, env=environment, capture_output=True, check=False)
    return dict(json.loads(done.stdout))


def judge(soak: HardTimes) -> dict[str, Any]:
    """What is wrong, by what should be; nothing of it should hold anything."""
    query, published = soak.query, len(soak.items)
    posts = [post for name in ("brand-alerts", "fallback") for post in soak.slack.posts(name)]
    said = Counter(post["metadata"]["event_payload"]["outbox_id"] for post in posts)
    sent = query(
        "SELECT id FROM outbox WHERE kind <> 'update' AND state = 'sent' AND sent_channel NOT IN ('console', '')"
    )
    # Where Slack could not be asked for minutes whether a message stands there, it is posted again, and says so.
    marked = {number for (number,) in query("SELECT id FROM outbox WHERE repeated")}
    # What was first printed on the terminal, for want of a token, gets a message in Slack when something happens to it.
    in_slack = "coalesce(sum(sent_channel <> 'console'), 0)"
    roots = dict(query(f"SELECT escalation_id, {in_slack} FROM outbox WHERE kind = 'root' GROUP BY 1"))
    opened = query("SELECT id, told_at FROM escalations WHERE state NOT IN ('pending', 'dropped')")
    inbox = {row[0]: row[1:] for row in query("SELECT envelope_id, applied_at, result FROM inbox")}
    changed = sum(result.startswith("True") for _, result in inbox.values())
    acts = "SELECT DISTINCT at, who, escalation_id FROM events WHERE who LIKE '%(Slack%'"
    [(logged,)] = query(f"SELECT count(*) FROM ({acts})")
    [(stored,)], [(counted,)] = query("SELECT count(*) FROM posts"), query("SELECT sum(mentions) FROM discussions")
    [(mentions,)] = query("SELECT count(*) FROM mentions WHERE NOT answer AND NOT dismissed")
    states, status = dict(query("SELECT state, count(*) FROM escalations GROUP BY 1")), told(soak)
    shown = {state: count for state, count in status["escalations"].items() if count}
    true = status["running"], status["socket"]["state"], status["posts"], status["problems"], shown
    threads, files, resident = (max(sample[n] for sample in soak.samples) for n in (1, 2, 3))
    print(f"{published} posts, {len(opened)} escalations, {len(posts)} messages; {len(soak.clicks)} clicks kept,")
    print(
        f"{changed} of them changed something; {soak.unheard} were never acknowledged; {soak.slack.opened} connections"
    )
    print(
        f"{soak.lives} lives; at most {threads} threads, {files} open files, {resident:.0f} MB; in the mean of lives:"
    )
    for begin in range(0, int(LIFE), 15):
        of = [sample[1:] for sample in soak.samples if begin <= sample[0] < begin + 15]
        mean = [sum(column) / len(of) for column in zip(*of, strict=True)] or [0.0] * 3
        print(f"  seconds {begin:2}-{begin + 15}: {mean[0]:4.1f} threads, {mean[1]:4.1f} files, {mean[2]:5.1f} MB")
    return {
        "messages said twice": [number for number, count in said.items() if count > 1 and number not in marked],
        "messages noted as sent that nobody sees": {number for (number,) in sent} - set(said),
        "escalations with several messages": [id for id, count in roots.items() if count > 1],
        "escalations that nobody was told of": [id for id, told_at in opened if id not in roots or not told_at],
        "clicks acknowledged and not carried out": [one for one in soak.clicks if not inbox.get(one, (None,))[0]],
        "acts in the audit log that are not the clicks'": logged - changed,
        "posts lost or counted twice": (published, stored, counted) if {stored, published} != {published} else None,
        "mentions lost or counted twice": (counted, mentions) if counted != mentions else None,
        "status that is not true": true if true != (True, "connected", published, [], states) else None,
        "secrets in the log": [secret for secret in SECRETS if secret in soak.log()],
        "errors in the log that nobody foresaw": soak.log().count("Traceback"),
        "threads near what the unit allows": threads if threads > TASKS_MAX / 2 else None,
    }


def main(minutes: float, seed: int) -> int:
    print(f"{minutes:g} minutes, seed {seed}", flush=True)
    began, failed = time.time(), list[str]()
    with (
        tempfile.TemporaryDirectory() as name,
        FeedServer() as feeds,
        SocketSlack(now=lambda: fast_clock(began, SPEED)) as slack,
    ):
        slack.page = 200
        slack.workspace.members = {id: member(id, shown) for id, shown in PEOPLE.items()}
        soak = HardTimes(Path(name), feeds, slack, began, random.Random(seed))
        for _ in range(12):
            soak.publish()
        acts = {soak.publish: 0.7, soak.click: 1.0, soak.trouble: 1.5, soak.edit: 9.0, soak.live: 0.1}
        threads = [threading.Thread(target=repeat, args=(soak, every, act, failed)) for act, every in acts.items()]
        for thread in threads:
            thread.start()
        time.sleep(minutes * 60)
        soak.ended.set()
        for thread in threads:
            thread.join()
        try:
            settled = calm(soak)
            wrong = {"what failed here": failed, "it did not come to rest": not settled, **judge(soak)}
            soak.daemon.send_signal(signal.SIGTERM)
            wrong["it did not stop well"] = soak.daemon.wait(12)
        finally:
            soak.daemon.kill()
            if kept := os.environ.get("KEEP"):
                subprocess.run(["cp", "-r", name, kept], check=False)
    found = {what: which for what, which in wrong.items() if which}
    print(*(f"WRONG: {what}: {which}" for what, which in found.items()), sep="\n") if found else print("all is well")
    return 1 if found else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(float(arguments[0]) if arguments else 1.5, int((arguments[1:] or [random.randrange(10**6)])[0])))
