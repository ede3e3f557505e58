"""How long a backtest of a million mentions takes, and how much memory.

    python benchmarks/backtest.py [--mentions 1000000] [--words 35]

Makes a database of 30 days in some thousand discussions, as life is: most small, a few that explode, some over in
hours, some going on for days; then plays it through the four starter rules, alone, against themselves with one changed,
with all changed, and with other words in topics.yaml, where all texts are read and searched again: for the old rules
alone, and for both. Texts have `--words` words, in English or Italian. They are written without the full-text index.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.rulebook import rule_files
from monitor.rules.load import load_rules
from monitor.rules.topics import words_hash
from monitor.starter import write_starter
from monitor.store import Store
from monitor.store import topics as topics_in_use
from monitor.store.times import to_text

DAYS = 30
#: What people say, some of it with accents, so that folding it costs what it costs in life.
SAID = {
    "en": "the router of acme broke again and support keeps telling me to wait nobody answers for days now I am fed up"
    " with this! https://acme.example/help does not help either, @acme please reply; my line drops every evening",
    "it": "perché nessuno di acme risponde al telefono? Non è possibile che la linea sia sempre giù da giorni, così non"
    " si può lavorare più e l'assistenza dice solo di aspettare; ho già pagato la fattura del mese scorso",
}
CONFIG = """\
brands:
  - {name: Acme, terms: [acme]}
rules: rules/
store: b.db
"""


def times(random_: random.Random, mentions: int, end: datetime) -> list[tuple[datetime, int]]:
    """Moments and discussions: each begins somewhen, most die down within hours, some burn for days."""
    start = end - timedelta(days=DAYS)
    found: list[tuple[datetime, int]] = []
    discussion = 0
    while len(found) < mentions:
        discussion += 1
        size = min(int(random_.paretovariate(0.75) * 20), 40_000, mentions - len(found))
        began = start + timedelta(days=DAYS * random_.random())
        hours = random_.choice((2, 6, 12, 48, 200))
        for _ in range(size):
            at = began + timedelta(hours=min(random_.expovariate(1 / hours), 24 * DAYS))
            if at > end:
                at = began + (end - began) * random_.random()
            found.append((at, discussion))
    return sorted(found)


def fill(database: Path, mentions: int, words: int, end: datetime, rules: Path) -> int:
    Store(database).close()
    random_ = random.Random(1)
    made = times(random_, mentions, end)
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    for trigger in ("posts_fts_insert", "posts_fts_delete", "posts_fts_update"):
        connection.execute(f"DROP TRIGGER {trigger}")
    discussions = max(discussion for _, discussion in made)
    mood = [random_.betavariate(1.2, 4) for _ in range(discussions + 1)]
    said = {language: text.split() for language, text in SAID.items()}
    posts, rows = [], []
    spans: dict[int, list[str]] = {}
    for number, (at, about) in enumerate(made, 1):
        when, author = to_text(at), str(random_.randrange(200_000))
        reach = int(random_.paretovariate(0.9) * 50) % 300_000
        negative = random_.random() < mood[about]
        strength = random_.uniform(0.3, 0.98)
        score, confidence = (-strength, strength) if negative else (random_.uniform(-0.2, 0.9), random_.uniform(0.4, 1))
        topics = '["safety"]' if random_.random() < 0.002 else '["jobs"]' if random_.random() < 0.02 else "[]"
        language = "it" if about % 3 == 0 else "en"
        text = " ".join(random_.choices(said[language], k=random_.randint(1, 2 * words - 1)))
        # Another word than the rules know: what is stored must count as long as the words are the same.
        text += " smolder" if topics == '["safety"]' else ""
        posts.append((number, "forum", str(number), text, author, reach, when, when))
        label = "negative" if negative else "neutral"
        mention = (number, number, "Acme", about, when, '["acme"]', text[:200], topics, "forum", language)
        rows.append((*mention, f"forum:{author}", reach, score, confidence, label, "test"))
        spans.setdefault(about, [when, when])[1] = when
    connection.row_factory = sqlite3.Row
    with connection:
        stored = load_rules(rule_files(rules), ["Acme"]).topics
        topics_in_use.note(connection, {topic: words_hash(lists) for topic, lists in stored.items()}, end)
        connection.executemany(
            "INSERT INTO discussions (id, brand, key, source, title, started_at, last_at, mentions)"
            " VALUES (?, 'Acme', ?, 'forum', ?, ?, ?, 1)",
            [(about, str(about), f"Discussion {about}", *span) for about, span in spans.items()],
        )
        connection.executemany(
            "INSERT INTO posts (id, source, native_id, text, author_id, author_followers, published_at, seen_at)"
            " VALUES (?,?,?,?,?,?,?,?)",
            posts,
        )
        connection.executemany(
            "INSERT INTO mentions (id, post_id, brand, discussion_id, at, terms, snippet, topics, source, language,"
            " author, reach, score, confidence, label, model) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            rows,
        )
    connection.execute("ANALYZE")
    connection.close()
    return discussions


def play(folder: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Seconds, those of them on a processor, and peak memory; and the report."""
    command = [sys.executable, "-m", "monitor", "--config", str(folder / "monitor.yaml"), "rules", "backtest", "--json"]
    start = time.perf_counter()
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        printed = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 0, printed
    seconds, busy = time.perf_counter() - start, used.ru_utime + used.ru_stime
    return f"{seconds:.1f} s ({busy:.1f} s of a processor), {used.ru_maxrss / 1024:.0f} MB", json.loads(printed)


def write_changed(rules: Path, target: Path, edits: list[tuple[str, str]]) -> None:
    for path, text in rule_files(rules).items():
        for old, new in edits:
            text = text.replace(old, new)
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=35, help="words of a text, on the average")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_starter(folder)
        (folder / "monitor.yaml").write_text(CONFIG, "utf-8")
        start = time.perf_counter()
        # In a process of its own: a child's peak memory begins with what its parent holds.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            discussions = pool.apply(
                fill, (folder / "b.db", options.mentions, options.words, datetime.now(UTC), folder / "rules")
            )
        made = f"made in {time.perf_counter() - start:.0f} s"
        print(f"{options.mentions:,} mentions in {discussions:,} discussions, {made}", flush=True)
        changed = folder / "changed"
        for what, edits in CASES.items():
            if what == BOTH:
                # Those of the folder are others, too, and others than those to compare with.
                write_changed(folder / "rules", folder / "rules", [("hiring,", "hiring, trainee,")])
            if edits:
                write_changed(folder / "rules", changed, edits)
            arguments = ["--against", str(changed)] if edits else []
            took, report = play(folder, *arguments)
            told = ", ".join(
                f"{side} {report[side]['messages']} messages" for side in ("new", "old") if report.get(side)
            )
            texts = f"; {report['searched']['texts']:,} texts searched" if report["searched"] else ""
            print(f"{what}: {took}; {told}{texts}", flush=True)


BOTH = "other words in both"
CASES: dict[str, list[tuple[str, str]]] = {
    "four rules alone": [],
    "one of four changed": [("at_least: 4, within: 60m", "at_least: 6, within: 60m")],
    "all four changed": [
        ("at_least: 4, within: 60m", "at_least: 6, within: 60m"),
        ("at_least: 50000}", "at_least: 80000}"),
        ("at_least: 1, within: 60m", "at_least: 2, within: 60m"),
        ("minimum_now: 10", "minimum_now: 15"),
    ],
    "other words in the old rules": [("smoke,", "smoke, smolder,")],
    BOTH: [("smoke,", "smoke, smolder, smoldering,"), ("hiring,", "hiring, intern,")],
}


if __name__ == "__main__":
    main()
