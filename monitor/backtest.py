"""`rules backtest`: the rules of the folder, and others to compare with, on what is stored. It changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config import Config
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.rulebook import read_rules, rule_files
from monitor.rulegit import files_at
from monitor.rules.backtesting.backtest import Alert, Replay, reach_back
from monitor.rules.backtesting.hindsight import MANY_STRONG, STRONG_SCORE, Backtest, Played, Searched, compare
from monitor.rules.backtesting.opinions import NEAR, People, Talk
from monitor.rules.backtesting.words import Search, Words, topics_asked, words
from monitor.rules.counted import Counted
from monitor.rules.load import TESTS, RuleSet, load_rules
from monitor.rules.rule import Rule
from monitor.rules.times import Covered
from monitor.rules.topics import words_hash
from monitor.store import Store, facts, replay, sources, topics

#: What is stored begins so much later than what was asked for that a reader must know it.
A_WHILE = timedelta(days=2)
#: Told how many mentions have been played, and how many there are.
Progress = Callable[[int, int], None]


def backtest(
    config: Config,
    store: Store,
    now: datetime,
    since: timedelta,
    *,
    against: str | None = None,
    rule: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Backtest:
    """Raises `ConfigError` for rules that are broken or not there, `MonitorError` where nothing can be compared."""
    new = read_rules(config, now.date())
    name, old, notes = _old(config, store, new, against)
    if rule is not None:
        new, old = _only(rule, new, old, config)
    sets = [new, old] if old is not None else [new]
    with store.read() as connection:
        start = now - since
        if not any(replay.count(connection, brand, start, now) for brand in config.brand_names):
            raise MonitorError(_nothing_stored(connection, start, now))
        begin = start - reach_back(sets)
        asked = words(sets, topics.in_use(connection) or {}, begin)
        search = Search(asked)
        alerts, mentions, brands = _play(connection, config, asked, search, begin, start, now, progress)
        people = People(replay.past(connection, start - NEAR, now), replay.corrections(connection, start - NEAR, now))
        strong = [
            talk
            for brand in brands
            for talk in replay.strongly_negative(connection, brand, start, now, STRONG_SCORE, MANY_STRONG)
        ]
        firsts = [replay.first(connection, brand, start, now) for brand in brands]
        named = {alert.discussion_id for side in alerts for alert in side} | {one.discussion_id for one in people.past}
        talks = replay.talks(connection, sorted(number for number in named if number is not None))
    strong.sort(key=_strongest_first)
    return compare(
        Played(f"{config.rules.name}/", new, tuple(alerts[0])),
        Played(name, old, tuple(alerts[1])) if old is not None else None,
        people,
        talks,
        strong,
        since=start,
        until=now,
        mentions=mentions,
        searched=Searched(asked.topics, search.texts) if search.texts else None,
        notes=(*notes, *_cautions(start, min(filter(None, firsts)), rule)),
    )


def _strongest_first(talk: Talk) -> tuple[int, int]:
    return -talk.negative, talk.id


def _play(
    connection: sqlite3.Connection,
    config: Config,
    words: Words,
    search: Search,
    begin: datetime,
    start: datetime,
    now: datetime,
    progress: Progress,
) -> tuple[list[list[Alert]], int, list[str]]:
    """What each set alerts, how many mentions of the time in question were played, and of which brands."""
    sets = words.sets
    alerts: list[list[Alert]] = [[] for _ in sets]
    replays = []
    for brand in config.brand_names:

        def covered(rule: Rule, brand: str = brand) -> Covered:
            return Covered(sources.coverage(connection, brand, begin, now, rule.match.sources))

        played = Replay(brand, sets, config.competitors, covered)
        if not played.idle:
            replays.append((brand, played))
    total = sum(replay.count(connection, brand, begin, now) for brand, _ in replays)
    done = 0
    for brand, played in replays:
        if played.asks_for_totals:
            for known in replay.known(connection, brand, begin):
                played.known(*known)
        for chunk in _mentions(connection, brand, words, search, begin, now):
            for mention, discussion_id in chunk:
                played.take(mention, discussion_id)
            done += len(chunk)
            progress(done, total)
        for number, found in enumerate(alerts):
            found += played.alerts(number)
    brands = [brand for brand, _ in replays]
    return alerts, sum(replay.count(connection, brand, start, now) for brand in brands), brands


def _mentions(
    connection: sqlite3.Connection, brand: str, words: Words, search: Search, begin: datetime, now: datetime
) -> Iterator[list[tuple[Counted, int]]]:
    """Texts are read only as far as what is stored of them does not do."""
    middle = min(max(begin, words.until), now)
    if begin < middle:
        yield from replay.searched(connection, brand, begin, middle, search)
    yield from replay.played(connection, brand, middle, now)


def _cautions(start: datetime, first: datetime, rule: str | None) -> Iterator[str]:
    """What makes the figures mean less than they seem to."""
    if first - start >= A_WHILE:
        yield f"The first mention is of {first:%Y-%m-%d}: since then there were more a week than the figures say."
    if rule is not None:
        yield f"Only {rule} was replayed: of what is missed here another rule may tell."


# -- with what to compare ----------------------------------------------------------------------------------------


def _old(
    config: Config, store: Store, new: RuleSet, against: str | None
) -> tuple[str, RuleSet | None, tuple[str, ...]]:
    """What the old rules are called, and they themselves if there are any; a note where they cannot be used."""
    if against is not None:
        return *_named(config, against), ()
    with store.read() as connection:
        stored = facts.recall(connection, "rules_in_force")
    if stored is None or not isinstance(stored[0], dict):
        return "", None, ("No rules have been in force yet; `--against` compares these with others.",)
    name = f"the rules in force since {stored[1]:%Y-%m-%d %H:%M}"
    try:
        in_force = _load(config, stored[0], str(config.rules))
    except ConfigError:
        return name, None, (f"{name[0].upper()}{name[1:]} no longer fit the configuration and are not compared.",)
    if _judging(in_force) == _judging(new):
        return name, None, ("The rules of the folder are those in force; `--against` compares them with others.",)
    return name, in_force, ()


def _judging(rules: RuleSet) -> object:
    """All of a set that decides what it alerts, and when."""
    return rules.rules, rules.teams, [(topic, words_hash(rules.topics[topic])) for topic in topics_asked(rules)]


def _named(config: Config, against: str) -> tuple[str, RuleSet]:
    folder = Path(against)
    if folder.is_dir():
        files, place, name = rule_files(folder), str(folder), f"{against.rstrip('/')}/"
    else:
        try:
            files = files_at(config.rules, against)
        except MonitorError as error:
            raise MonitorError(f"There is no folder {against} to compare with. {error}") from error
        place, name = f"{config.rules}@{against}", f"{config.rules.name}/ as of {against}"
    rules = _load(config, files, place)
    if not rules.rules:
        raise MonitorError(f"There is no rule in {name}, so there is nothing to compare with.")
    return name, rules


def _load(config: Config, files: dict[str, str], place: str) -> RuleSet:
    """Without their tests: those need not fit what is tested today."""
    wanted = {name: text for name, text in files.items() if not name.startswith(TESTS)}
    return load_rules(wanted, config.brand_names, place)


def _only(rule: str, new: RuleSet, old: RuleSet | None, config: Config) -> tuple[RuleSet, RuleSet | None]:
    known = sorted({one.id for rules in (new, old) if rules for one in rules.rules})
    if rule not in known:
        what = f"there is no rule {rule}; there are {', '.join(known) or 'none'}"
        raise ConfigError([Problem(str(config.rules), 0, 0, "", what)])

    def only(rules: RuleSet) -> RuleSet:
        return replace(rules, rules=tuple(one for one in rules.rules if one.id == rule))

    return only(new), only(old) if old else None


def _nothing_stored(connection: sqlite3.Connection, start: datetime, now: datetime) -> str:
    last = replay.last(connection)
    if last is None:
        return "No mention is stored yet, so there is nothing to replay: `brand-monitor run` or `ingest` brings some."
    days = -(-(now - last) // timedelta(days=1)) + 30
    return (
        f"No mention is stored of the time since {start:%Y-%m-%d %H:%M}; the last one was made on {last:%Y-%m-%d}."
        f" Try `--since {days}d`."
    )
