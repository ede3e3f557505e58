"""A backtest on a real database: what was really escalated and ended, old rules from a folder, from git, in force."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.backtest import backtest
from monitor.errors import ConfigError, MonitorError
from monitor.escalation.events import Resolve
from monitor.model import Author, Outcome
from monitor.rules.backtesting.hindsight import Backtest
from monitor.rules.backtesting.opinions import Opinion
from monitor.rules.backtesting.summary import assumptions
from tests.fakes.world import LOUD, THREAD, World, angry

MONTH = timedelta(days=30)
STRICTER = THREAD.replace("at_least: 3", "at_least: 5")


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[World]:
    """Thread t1 got three angry mentions and was answered; t2, five hours later, six, of which nobody said anything."""
    world = World(tmp_path, thread=THREAD, loud=LOUD)
    angry(world)
    world.wait(seconds=31)
    world.act(Resolve("ann", Outcome.ANSWERED))
    world.wait(hours=5)
    for _ in range(6):
        world.say("acme is awful", conversation_id="t2")
    world.say("acme is good", conversation_id="t3")
    world.say("globex is bad", conversation_id="t4")
    world.wait(hours=1)
    yield world
    world.app.close()


def write(world: World, **rules: str) -> None:
    for name, text in rules.items():
        (world.folder / "rules" / f"{name}.yaml").write_text(text, "utf-8")


def replayed(world: World, since: timedelta = MONTH, **how: str) -> Backtest:
    return backtest(world.app.config, world.app.store, world.now, since, **how)  # type: ignore[arg-type]


def titles(report: Backtest) -> tuple[list[int | None], list[int | None]]:
    return [one.talk.id if one.talk else None for one in report.added], [
        one.talk.id if one.talk else None for one in report.gone
    ]


def test_it_alerts_what_was_really_escalated(busy: World) -> None:
    report = replayed(busy)
    assert report.old is None and (report.mentions, report.new.tally.number) == (10, 2)
    assert [(told.opinion, told.escalation_id) for told in report.new.told] == [
        (Opinion.CONFIRMED, 1), (Opinion.UNKNOWN, 2),
    ]  # fmt: skip
    with busy.app.store.read() as connection:
        real = connection.execute("SELECT discussion_id, created_at FROM escalations ORDER BY id").fetchall()
    assert [told.message.first.discussion_id for told in report.new.told] == [row[0] for row in real]


def test_it_says_what_its_figures_leave_out(busy: World) -> None:
    first, alone = replayed(busy, rule="loud").notes[-2:]
    assert first == "The first mention is of 2026-03-30: since then there were more a week than the figures say."
    assert alone == "Only loud was replayed: of what is missed here another rule may tell."
    assert not any("first mention" in note for note in replayed(busy, timedelta(days=1)).notes)


def test_rules_in_force_are_the_old_ones(busy: World) -> None:
    busy.app.note_rules()
    assert replayed(busy).old is None and "those in force" in replayed(busy).notes[0]
    write(busy, thread=STRICTER)
    report = replayed(busy)
    assert report.old is not None and report.old.name.startswith("the rules in force since 2026-03-30")
    assert titles(report) == ([], [1]) and [(m.escalation_id, m.brand) for m in report.missed] == [(1, "Acme")]


def test_against_a_folder(busy: World, tmp_path: Path) -> None:
    shutil.copytree(busy.folder / "rules", tmp_path / "before")
    # Old tests need not fit: nobody runs them.
    (tmp_path / "before" / "tests" / "thread.yaml").write_text("rules: [gone.yaml]\ntests: []\n", "utf-8")
    write(busy, thread=STRICTER)
    report = replayed(busy, against=str(tmp_path / "before"))
    assert titles(report) == ([], [1]) and [row.changed for row in report.rules] == [False, True]
    assert titles(replayed(busy, against=str(tmp_path / "before"), rule="loud")) == ([], [])


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_against_a_revision(busy: World) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=busy.folder, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "rules")
    git("commit", "--quiet", "--message", "As they were")
    write(busy, thread=STRICTER)
    report = replayed(busy, against="HEAD")
    assert report.old is not None and report.old.name == "rules/ as of HEAD" and titles(report) == ([], [1])
    with pytest.raises(MonitorError, match=r"no folder v9 to compare with\. Git knows no revision v9"):
        replayed(busy, against="v9")
    write(busy, thread=THREAD.replace("at_least: 3", "at_least: many"))
    git("commit", "--quiet", "--all", "--message", "Broken")
    write(busy, thread=STRICTER)
    with pytest.raises(ConfigError, match=r"rules@HEAD/thread\.yaml:10:.*at_least"):
        replayed(busy, against="HEAD")


def test_a_loud_voice_in_an_old_discussion(busy: World) -> None:
    """What was said before the time in question still counts, and its alerts go on."""
    busy.wait(hours=1)
    busy.say("acme is awful", conversation_id="t2", author=Author(id="star", followers=500_000))
    report = replayed(busy, since=timedelta(minutes=30))
    assert (report.mentions, report.new.tally.number) == (1, 0)
    assert [row.new.number for row in report.rules if row.new] == [1, 0], "loud fires, its message is that of before"


def test_a_competitor_that_nobody_watches_is_not_missed(busy: World) -> None:
    for _ in range(9):
        busy.say("globex is bad", conversation_id="t4")
        busy.say("acme is awful", conversation_id="t5", after=timedelta(hours=2))
    assert [missed.brand for missed in replayed(busy).missed] == ["Acme"]


def test_what_people_call_negative_counts_as_that(busy: World) -> None:
    for _ in range(5):
        busy.say("acme is here", conversation_id="t6", after=timedelta(hours=2))
    assert not replayed(busy).missed
    with busy.app.store.write() as connection:
        connection.execute(
            "INSERT INTO labels (mention_id, label, who, at) SELECT id, 'negative', 'ann', at FROM mentions"
            " WHERE discussion_id = (SELECT max(id) FROM discussions)"
        )
    (missed,) = replayed(busy).missed
    assert missed.talk is not None and missed.talk.negative == 5 and missed.escalation_id is None


# -- topics ------------------------------------------------------------------------------------------------------

FIRE = LOUD.replace("id: loud", "id: fire").replace("brands: [acme]", "brands: [acme], topics: {any_of: [safety]}")
FIRE = FIRE.replace("author_reach: {at_least: 100000}", "negative_mentions: {at_least: 1, within: 60m}")
SMOKE, FLAMES, BOTH = ("safety: {en: [smoke]}\n", "safety: {'*': [flames]}\n", "safety: {'*': [smoke, flames]}\n")


@pytest.fixture
def burning(tmp_path: Path) -> Iterator[World]:
    """Four threads with one bad mention each: smoke in t1, flames in t2's title, both in t3, neither in t4."""
    world = World(tmp_path, fire=FIRE, topics=SMOKE)
    for number, (title, text) in enumerate([("", "smoke"), ("In flames", ""), ("Smoke", "flames"), ("", "rain")], 1):
        world.say(f"acme is bad {text}", title=title or None, language="en", conversation_id=f"t{number}")
    yield world
    world.app.close()


def alerted(report: Backtest) -> list[int | None]:
    return [told.message.first.discussion_id for told in report.new.told]


@pytest.mark.parametrize(
    ("topics", "found", "texts"),
    [(SMOKE, [1, 3], 0), (FLAMES, [2, 3], 4), (BOTH, [1, 2, 3], 4), (f"{SMOKE}more: {{en: [rain]}}\n", [1, 3], 0)],
    ids=["the same", "others", "more", "another topic that no rule asks for"],
)
def test_the_words_of_the_folder_are_looked_for(burning: World, topics: str, found: list[int], texts: int) -> None:
    write(burning, topics=f"# Edited\n{topics}")
    report = replayed(burning)
    assert alerted(report) == found
    assert (report.searched.texts if report.searched else 0) == texts


def test_old_and_new_rules_have_their_own_words(burning: World, tmp_path: Path) -> None:
    burning.app.note_rules()
    write(burning, topics=FLAMES)
    report = replayed(burning)
    assert titles(report) == ([2], [1]) and [row.reworded for row in report.rules] == [True]
    assert report.searched is not None and report.searched.topics == ("safety",), "the old ones are those that stored"
    shutil.copytree(burning.folder / "rules", tmp_path / "before")
    write(burning, topics=BOTH)
    report = replayed(burning, against=str(tmp_path / "before"))
    assert titles(report) == ([1], []) and report.searched is not None and report.searched.texts == 4
    assert "each set of rules with its own words" in assumptions(report)[4]


def test_what_was_stored_before_the_words_changed_is_searched_again(burning: World) -> None:
    """The daemon has taken the new words over long ago, so that rules in force and folder are the same."""
    burning.app.note_rules()
    write(burning, topics=FLAMES)
    burning.wait(hours=10)
    burning.app.reload()
    burning.say("acme is bad smoke", conversation_id="t5")
    burning.say("acme is bad flames", conversation_id="t6")
    report = replayed(burning)
    assert alerted(report) == [2, 3, 6] and report.searched is not None
    assert report.searched.texts == 5, "all that had been said when the first mention was stored with the new words"
    burning.wait(days=1)
    burning.say("acme is bad flames", conversation_id="t7")
    assert replayed(burning, since=timedelta(hours=1)).searched is None
    write(burning, topics=SMOKE)
    report = replayed(burning)
    assert titles(report) == ([1, 5], [2, 6, 7]) and report.searched is not None and report.searched.texts == 7


def test_nothing_stored(busy: World, tmp_path: Path) -> None:
    busy.now += timedelta(days=60)
    with pytest.raises(MonitorError, match=r"No mention is stored .*last one was made on 2026-03-30\. Try `--since 9"):
        replayed(busy)
    with pytest.raises(ConfigError, match=r"no rule threat; there are loud, thread"):
        replayed(busy, rule="threat")


def test_it_changes_nothing(busy: World) -> None:
    def everything() -> str:
        with busy.app.store.read() as connection:
            return "\n".join(connection.iterdump())

    before = everything()
    replayed(busy)
    assert everything() == before
