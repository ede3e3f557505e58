"""What is kept in memory between judgements gives what counting anew gives, whatever happens to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import monitor.judge
from monitor.judge import Firing, Judge
from monitor.model import Author, Coverage, Escalation, Finding, FiredRule, Post, Scope, Sentiment, Severity
from monitor.rules.load import RuleSet
from monitor.rules.rule import AuthorReach, DiscussionFloor, NegativeIf, NegativeMentions, NegativeShare, Rule, Spike
from monitor.store import Store, escalations, evidence, mentions, sources
from monitor.store.evidence import Subject
from tests.fakes.counted import DAY, HOUR, MINUTE, NOW, RULE

BAD, GOOD = Sentiment(0.9, 0.08, 0.02, "m"), Sentiment(0.02, 0.08, 0.9, "m")
ANGRY = NegativeIf(sentiment_at_most=-0.5)
THREE = replace(RULE, id="three", negative_if=ANGRY, alert_when_any=(NegativeMentions(3, HOUR),))
RULES = (
    THREE,
    replace(RULE, id="share", negative_if=ANGRY, alert_when_any=(NegativeShare(0.5, 3 * HOUR, 4),)),
    replace(RULE, id="loud", negative_if=ANGRY, alert_when_any=(AuthorReach(900),)),
    replace(RULE, id="many", negative_if=None, alert_when_any=(NegativeMentions(4, 30 * HOUR),),
            discussion=DiscussionFloor(mentions=5, reach=1000)),
    replace(RULE, id="spike", negative_if=ANGRY, alert_when_any=(Spike(2, HOUR, DAY, 3, 2),), scope=Scope.BRAND),
)  # fmt: skip


def rule_set(*rules: Rule) -> RuleSet:
    return RuleSet(rules=rules, teams={}, topics={}, guidelines={}, hash="", files={})


class Town:
    """A database in which people speak, a judge that remembers, and one that never does."""

    def __init__(self, path: Path, *rules: Rule) -> None:
        self.rules, self.now, self.said = rule_set(*rules), NOW, 0
        self.store, self.other = Store(path), Store(path)
        self.judge = Judge(self.rules, {"Globex"})

    def save(
        self, connection: sqlite3.Connection, thread: str = "t", *, late: timedelta = timedelta(), brand: str = "Acme",
        sentiment: Sentiment | None = BAD, followers: int = 10, number: int | None = None, names: bool = True,
    ) -> mentions.Stored:  # fmt: skip
        """Somebody says something; with the `number` of a post said before, that post is edited."""
        if number is None:
            self.said += 1
        text = f"version {self.now}" if number else "first version"
        post = Post("forum", str(number or self.said), text, self.now - late, conversation_id=thread,
                    author=Author(id=f"a{self.said % 7}", followers=followers))  # fmt: skip
        finding = Finding(brand, ("acme",), text, sentiment=sentiment)
        return mentions.save(connection, post, [finding] if names else [], self.now)

    def judged(self, connection: sqlite3.Connection, *stored: mentions.Stored) -> list[Firing]:
        """What fires, in the discussions of what was stored; it must be what counting anew gives."""
        found: list[Firing] = []
        by_discussion: dict[tuple[str, int], set[int]] = {}
        for added in (one for saved in stored for one in saved.added):
            by_discussion.setdefault((added.brand, added.discussion_id), set()).add(added.mention_id)
        for (brand, discussion_id), new in by_discussion.items():
            given = connection, Subject(brand, discussion_id), min(new) - 1, self.now
            firings = self.judge.judge(*given)
            assert firings == self.anew().judge(*given)
            found += firings
        return found

    def brand_judged(self, after: int, brand: str = "Acme") -> list[Firing]:
        with self.store.read() as connection:
            firings = self.judge.judge(connection, Subject(brand), after, self.now)
            assert firings == self.anew().judge(connection, Subject(brand), after, self.now)
        return firings

    def anew(self) -> Judge:
        return Judge(self.rules, {"Globex"})

    def say(self, *args: str, times: int = 1, **what: object) -> list[str]:
        """Ids of the rules that fire."""
        with self.store.write() as connection:
            stored = [self.save(connection, *args, **what) for _ in range(times)]  # type: ignore[arg-type]
            return [firing.rule.id for firing in self.judged(connection, *stored)]

    def still_holds(self, rule: Rule, minutes_ago: float = 0, discussion_id: int | None = 1) -> bool:
        scope = Scope.DISCUSSION if discussion_id else Scope.BRAND
        with self.store.write() as connection:
            made = escalations.create(connection, "Acme", scope, discussion_id, rule.id, Severity.HIGH, self.now)
            fired = FiredRule(rule.id, "", Severity.HIGH, (), self.now - minutes_ago * MINUTE)
            escalations.add_rule(connection, made.id, fired, {})
            holds = self.holds(connection, made)
            connection.execute("UPDATE escalations SET state = 'resolved'")
            return holds

    def holds(self, connection: sqlite3.Connection, escalation: Escalation) -> bool:
        holds = self.judge.still_holds(connection, escalation, self.now)
        assert holds == self.anew().still_holds(connection, escalation, self.now)
        return holds


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "town.db", THREE)
    yield made
    made.store.close()
    made.other.close()


# -- one thing at a time -----------------------------------------------------------------------------------------


def test_counts_on_from_batch_to_batch(town: Town) -> None:
    assert town.say() == []
    assert town.say(late=30 * MINUTE) == []
    assert town.say() == ["three"]
    assert town.say(sentiment=GOOD) == ["three"]


def test_an_edit_counts_as_it_is_now(town: Town) -> None:
    town.say(times=2)
    town.now += MINUTE
    assert town.say(number=2, sentiment=GOOD) == []
    assert town.say() == [], "two are bad: the second has turned good"
    town.now += MINUTE
    town.say(number=2, sentiment=BAD)
    assert town.still_holds(THREE), "three are bad again"


def test_a_huge_discussion_is_counted_anew_a_little_later(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.judge, "USUAL_NUMBERS", 2)
    monkeypatch.setattr(monitor.judge, "RECOUNT_LATER", MINUTE)
    town.say(times=2)
    town.say(number=2, sentiment=GOOD, late=MINUTE)

    def fires() -> bool:
        with town.store.write() as connection:
            (added,) = town.save(connection, sentiment=GOOD).added
            return bool(town.judge.judge(connection, Subject("Acme", 1), added.mention_id - 1, town.now))

    with town.store.write() as connection:
        town.save(connection)
    town.now += MINUTE
    assert fires()
    town.now += 10 * MINUTE
    assert not fires()


def test_what_names_the_brand_no_more_is_not_counted(town: Town) -> None:
    town.say(times=2)
    town.now += MINUTE
    town.say(number=2, names=False)
    assert town.say() == []
    assert town.say() == ["three"]


def test_a_new_mention_may_have_the_id_of_a_deleted_one_of_another_brand(town: Town) -> None:
    town.say(times=2)
    with town.store.write() as connection:
        town.judged(connection, town.save(connection, sentiment=GOOD), town.save(connection, brand="Globex"))
    town.now += MINUTE
    town.say(number=4, names=False, brand="Globex")
    assert town.say() == ["three"]


def test_what_another_process_stores_is_counted_but_not_judged_again(town: Town) -> None:
    town.say(sentiment=GOOD)
    with town.other.write() as connection:
        for _ in range(3):
            town.save(connection)
    assert town.say(sentiment=GOOD) == ["three"]
    with town.store.write() as connection:
        (firing,) = town.judged(connection, town.save(connection, sentiment=GOOD))
    assert firing.cause is None, "what is new is a friendly word"


def test_what_was_rolled_back_is_not_counted(town: Town) -> None:
    town.say()
    with pytest.raises(ZeroDivisionError), town.store.write() as connection:
        town.judged(connection, town.save(connection), town.save(connection))
        raise ZeroDivisionError
    town.judge.forget()
    assert town.say() == []
    assert town.say() == ["three"]


def test_it_can_be_asked_about_what_was_long_ago(town: Town) -> None:
    town.say(times=3)
    town.now += 3 * DAY
    town.say()
    assert town.still_holds(THREE, minutes_ago=3 * 24 * 60)
    assert not town.still_holds(THREE)


@pytest.mark.parametrize("back", [MINUTE, 30 * HOUR], ids=["a little", "by more than a day"])
def test_a_clock_that_is_set_back_finds_what_was_then(town: Town, back: timedelta) -> None:
    town.say(times=2)
    town.now += back
    town.say("elsewhere")
    town.say()
    town.now -= back
    assert town.say() == ["three"]


def test_one_more_mention_reads_no_other(town: Town) -> None:
    town.say(times=50)
    town.say("elsewhere", times=50)
    with town.store.write() as connection:
        more, seen = town.save(connection), list[str]()
        connection.set_trace_callback(seen.append)
        town.judge.judge(connection, Subject("Acme", 1), more.added[0].mention_id - 1, town.now)
        connection.set_trace_callback(None)
        read = [len(connection.execute(query).fetchall()) for query in seen]
    assert sum(read) <= 6 and max(read) == 1


def test_brands_are_judged_by_what_came_since(tmp_path: Path) -> None:
    town = Town(tmp_path / "town.db", replace(THREE, scope=Scope.BRAND))
    town.say("one", times=2)
    assert town.brand_judged(0) == []
    town.say("two")
    (firing,) = town.brand_judged(2)
    assert firing.cause is not None
    (again,) = town.brand_judged(2)
    assert again == firing, "where its alert could not be written, it is found again"
    town.say("three", sentiment=GOOD)
    (friendly,) = town.brand_judged(3)
    assert friendly.cause is None
    assert town.brand_judged(4) == []
    town.say("four", brand="Globex", times=5)
    assert town.brand_judged(4, "Globex") == [], "nobody asked for the competitor"


def test_followers_count_as_they_were(town: Town) -> None:
    town.say(followers=10)
    town.say(number=1, followers=10_000, sentiment=BAD)
    with town.store.read() as connection:
        (mention,) = evidence.counted(connection, Subject("Acme", 1), NOW - DAY)
    assert (mention.source, mention.author, mention.reach) == ("forum", "forum:a1", 10)


# -- everything at random ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("numbers", [12, 4_000_000], ids=["nearly no memory", "much memory"])
def test_remembering_changes_nothing(seed: int, numbers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.judge, "MOST_NUMBERS", numbers)
    monkeypatch.setattr(monitor.judge, "MOST_DISCUSSIONS", 2 if numbers < 100 else 100)
    random, town, after = Random(seed), Town(tmp_path / "town.db", *RULES), 0

    def what() -> dict[str, object]:
        """Of a mention by chance, the discussion given."""
        late = random.choice([0, 0, 0, 0, 1, 30, 90, 1500, 4000]) * MINUTE
        return {"late": late, "sentiment": random.choice([BAD, BAD, GOOD, None]), "followers": random.choice([5, 999]),
                "brand": random.choice(["Acme", "Acme", "Acme", "Globex"])}  # fmt: skip

    for _ in range(80):
        town.now += random.choice([0, 0, 1, 1, 5, 50]) * MINUTE
        thread = random.choice("abc")
        match random.randrange(12):
            case 0:
                town.now += random.choice([-20 * MINUTE, -3 * HOUR, 7 * HOUR, 2 * DAY])
            case 1 | 2 if town.said:
                edited = random.randint(max(1, town.said - 9), town.said)
                town.say(thread, number=edited, names=random.random() < 0.6, **what())
            case 3:
                with town.other.write() as connection:
                    town.save(connection, thread, **what())  # type: ignore[arg-type]
            case 4:
                with pytest.raises(ZeroDivisionError), town.store.write() as connection:
                    said = town.said
                    number = random.choice([None, max(1, said)])
                    town.judged(connection, town.save(connection, thread, number=number, **what()))  # type: ignore[arg-type]
                    raise ZeroDivisionError
                town.judge.forget()
                town.said = said
            case 5:
                with town.store.write() as connection:
                    start = town.now - random.choice([5, 30]) * HOUR
                    sources.cover(connection, "feed:x", Coverage(start, town.now, random.random() < 0.7))
            case 6 if town.said:
                town.still_holds(random.choice(RULES[:4]), random.choice([0, 30, 2000]))
                town.still_holds(RULES[4], random.choice([0, 30, 2000]), None)
            case 7 | 8:
                with town.store.read() as connection:
                    last = evidence.latest(connection).id
                town.brand_judged(after)
                after = random.choice([after, last])
            case _:
                town.say(thread, times=random.randint(1, 3), **what())
    town.store.close()
    town.other.close()
