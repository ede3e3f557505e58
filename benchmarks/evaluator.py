"""What one more mention costs to judge, by how many are held or stored, and how fast stored ones can be replayed.

    python benchmarks/evaluator.py [--sizes 10000,1000000,10000000] [--replay 1000000] [--folder /var/tmp]

Three tables. Windows alone: one rule with all four conditions, so many mentions inside its windows. The database:
storing mentions and judging them by the starter rules, in a store that holds so many, made by direct SQL in `--folder`
and deleted afterwards (10 million take 6 GB). The replay: mentions of a month in 20,000 discussions through the starter
rules, judged at every one. Microseconds are medians.
"""

from __future__ import annotations

import argparse
import gc
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from monitor.judge import Judge
from monitor.model import Author, Coverage, Finding, Post, Scope, Sentiment, Severity
from monitor.rules.counted import Counted, Totals
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.rule import (
    AuthorReach,
    MatchSpec,
    NegativeIf,
    NegativeMentions,
    NegativeShare,
    Rule,
    Spike,
    Status,
)
from monitor.rules.times import Covered
from monitor.rules.windows import Windows
from monitor.starter import starter_files
from monitor.store import Store, mentions, sources
from monitor.store.evidence import Subject

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY
TOTALS = Totals(10**6, 10**9)
COVERED = Covered([Coverage(NOW - 2 * MONTH, NOW + 2 * MONTH)])
NONE, JOBS, LEGAL = frozenset[str](), frozenset({"jobs"}), frozenset({"legal"})
#: Discussions that are going on in the store.
ALIVE = 200
TIMES = 500


def starter_rules() -> RuleSet:
    files = {
        name.removeprefix("rules/"): content.decode()
        for name, content in starter_files().items()
        if name.startswith("rules/")
    }
    return load_rules(files, ["acme"])


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def median(measure: Callable[[], object], times: int = TIMES) -> float:
    """Microseconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        measure()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent) * 1e6


# -- windows alone -----------------------------------------------------------------------------------------------


def windows_alone(size: int) -> None:
    rule = Rule(
        id="all", title="All", owner="o", status=Status.LIVE, severity=Severity.HIGH, match=MatchSpec(brands=("acme",)),
        negative_if=NegativeIf(-0.5, 0.6), escalate=(), file="", source_text="",
        alert_when_any=(
            NegativeMentions(10**9, 6 * HOUR), NegativeShare(0.9, 6 * HOUR, 10), AuthorReach(10**9),
            Spike(3, 6 * HOUR, 7 * DAY, 10, 20),
        ),
    )  # fmt: skip
    windows, step = Windows(rule), 6 * HOUR / size
    for number in range(1, size + 1):
        windows.add(mention(number, NOW - 6 * HOUR + number * step))
    held = 8 * len(windows) / 1e6
    chance = random.Random(5)
    clock = NOW

    def one_more(late: timedelta) -> None:
        nonlocal clock
        clock += timedelta(microseconds=1)
        new = mention(chance.randrange(10**6), clock - late)
        windows.add(new)
        found = windows.latest([new], TOTALS, clock, COVERED)
        assert found is not None and not found.fires

    in_order, *late = (median(partial(one_more, late)) for late in (timedelta(), timedelta(minutes=5), 3 * HOUR))
    words = median(lambda: windows.verdict(clock, TOTALS, COVERED))
    print(f"{size:>10,} {in_order:>10.1f} {late[0]:>13.1f} {late[1]:>9.1f} {words:>12.1f} {held:>9.0f}", flush=True)


def mention(number: int, at: datetime) -> Counted:
    """A third is negative."""
    score = -0.8 if number % 3 == 0 else 0.3
    return Counted(number, at, "acme", "forum", "en", NONE, "forum:a", 100, score, 0.9)


# -- with the database -------------------------------------------------------------------------------------------


def with_a_database(size: int, folder: Path) -> None:
    path = folder / f"{size}.db"
    started = time.perf_counter()
    discussions = make_store(path, size)
    made = time.perf_counter() - started
    store, rules = Store(path), starter_rules()
    judge = Judge(rules)
    number = 0

    def posts(count: int) -> Iterator[tuple[Post, list[Finding]]]:
        nonlocal number
        for _ in range(count):
            number += 1
            bad = number % 3 == 0
            feels = Sentiment(0.85, 0.1, 0.05, "m") if bad else Sentiment(0.1, 0.5, 0.4, "m")
            post = Post(
                source="forum", native_id=f"new{number}", text=f"I have to say that Acme was awful again ({number})",
                published_at=NOW + timedelta(milliseconds=number), author=Author(id=f"a{number % 5000}", followers=50),
                conversation_id=f"t{discussions - number % ALIVE}",
            )  # fmt: skip
            yield post, [Finding("acme", ("acme",), post.text, sentiment=feels)]

    def one_batch(count: int) -> None:
        added = [one for post, found in posts(count) for one in mentions.save(connection, post, found, NOW).added]
        by_discussion: dict[int, list[int]] = {}
        for one in added:
            by_discussion.setdefault(one.discussion_id, []).append(one.mention_id)
        for discussion_id, new in by_discussion.items():
            judge.judge(connection, Subject("acme", discussion_id), min(new) - 1, NOW)

    def whole_brand() -> None:
        last = connection.execute("SELECT max(id) FROM mentions").fetchone()[0]
        for post, found in posts(64):
            mentions.save(connection, post, found, NOW)
        start = time.perf_counter()
        judge.judge(connection, Subject("acme"), last, NOW)
        brand.append(time.perf_counter() - start)

    brand: list[float] = []
    with store.write() as connection:
        sources.cover(connection, "feed:x", Coverage(NOW - MONTH, NOW + DAY))
        for _ in range(8):
            one_batch(64)  # every discussion has been counted once
        single, many = median(lambda: one_batch(1)), median(lambda: one_batch(64), 50) / 64
        for _ in range(20):
            whole_brand()
    anew, kept = brand[0], statistics.median(brand[1:]) * 1e6 / 64
    store.close()
    print(
        f"{size:>10,} {single:>10.0f} {many:>10.0f} {kept:>10.1f} {anew:>10.2f} {made:>8.0f}"
        f" {path.stat().st_size / 1e6:>8,.0f}",
        flush=True,
    )
    for file in folder.glob(f"{size}.db*"):
        file.unlink()


def make_store(path: Path, size: int) -> int:
    """So many mentions evenly over a month, fifty a discussion; return how many discussions."""
    Store(path).close()
    discussions = max(size // 50, ALIVE)
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    dropped = [
        sql
        for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        if (kind == "trigger" and name.startswith("posts_fts")) or (kind == "index" and sql and "mentions" in name)
        for _ in [connection.execute(f"DROP {kind} {name}")]
    ]
    connection.create_function("moment", 1, lambda n: (NOW - MONTH * (1 - n / size)).isoformat(timespec="microseconds"))
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})"
    threads = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {discussions})"
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO discussions (id, brand, key, source, title, started_at, last_at, mentions, reach)"
        f" {threads} SELECT i, 'acme', 'forum:t' || i, 'forum', 'A discussion', moment(1), moment({size}), 50, 5000"
        " FROM n"
    )
    connection.execute(
        "INSERT INTO posts (id, source, native_id, text, author_id, author_followers, published_at, seen_at)"
        f" {numbers} SELECT i, 'forum', printf('%09d', i), 'Acme is as it is (' || i || ')', 'a' || i % 5000, 100,"
        " moment(i), moment(i) FROM n"
    )
    connection.execute(
        "INSERT INTO mentions (id, post_id, brand, discussion_id, at, terms, snippet, source, language, author, reach,"
        f" negative, neutral, positive, score, confidence, label, model) {numbers}"
        f" SELECT i, i, 'acme', min({discussions}, 1 + i * {discussions} / {size}), moment(i), '[\"acme\"]',"
        " 'Acme is as it is', 'forum', 'en', 'forum:a' || i % 5000, 100, 0.1, 0.5, 0.4,"
        " CASE WHEN i % 3 THEN 0.3 ELSE -0.8 END, 0.85, CASE WHEN i % 3 THEN 'neutral' ELSE 'negative' END, 'm' FROM n"
    )
    for sql in dropped:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return discussions


# -- replay ------------------------------------------------------------------------------------------------------


def replay(size: int) -> None:
    rules = starter_rules().rules
    by_scope = {scope: [Windows(rule) for rule in rules if rule.scope is scope] for scope in Scope}
    chance = random.Random(7)
    step, fired, spent, made = MONTH / size, 0, 0.0, 0.0
    about: dict[int, list[Windows]] = {}
    for start in range(0, size, 50_000):
        began = time.process_time()
        chunk = [said(number, NOW + number * step, chance) for number in range(start, min(size, start + 50_000))]
        between = time.process_time()
        for new, thread in chunk:
            windows = about.get(thread)
            if windows is None:
                windows = about[thread] = [empty.empty() for empty in by_scope[Scope.DISCUSSION]]
            for one in windows:
                fired += one.arrives(new, TOTALS, COVERED)
            for one in by_scope[Scope.BRAND]:
                fired += one.arrives(new, TOTALS, COVERED)
        spent += time.process_time() - between
        made += between - began
    print(
        f"{size:,} mentions through {len(rules)} rules on one core: {spent:.1f} s, {spent / size * 1e6:.1f} µs each;"
        f" {fired:,} of {size * len(rules):,} times a rule fired; {resident():.0f} MB (making them: {made:.1f} s more)"
    )


def said(number: int, at: datetime, chance: random.Random) -> tuple[Counted, int]:
    """A mention and its discussion: one of those that are young."""
    thread = int(number / 50) - int(chance.paretovariate(0.9)) % 400
    topics = chance.choices((NONE, JOBS, LEGAL), (95, 2, 3))[0]
    reach, score = int(chance.paretovariate(1.1) * 20), chance.uniform(-1, 1)
    return Counted(number, at, "acme", "forum", "en", topics, "forum:a", reach, score, chance.uniform(0.4, 1)), max(
        0, thread
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", default="10000,1000000,10000000")
    parser.add_argument("--replay", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the databases are made (needs room)")
    options = parser.parse_args()
    sizes: Sequence[int] = [int(size) for size in options.sizes.split(",")]

    replay(options.replay)
    gc.collect()
    print("\nWindows alone: microseconds for one more mention")
    print(
        f"{'in window':>10} {'in order':>10} {'5 minutes late':>13} {'3 h late':>9} {'all in words':>12} {'MB held':>9}"
    )
    for size in sizes:
        windows_alone(size)
        gc.collect()
    print("\nWith a database: microseconds a mention for storing it and judging its discussion; for judging the brand")
    print(
        f"{'stored':>10} {'one':>10} {'of 64':>10} {'brand':>10} {'anew, s':>10} {'made, s':>8} {'MB':>8}\n"
        "(anew: the first judgement of the brand, which counts all mentions of eight days)"
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for size in sizes:
            with_a_database(size, Path(folder))


if __name__ == "__main__":
    main()
