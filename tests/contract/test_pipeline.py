"""Posts in, one alert a discussion out: which posts alert, on a real database with rules and escalations."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model import Author, Post, State
from monitor.store import discussions, escalations, sources
from tests.fakes.world import NOW, THREAD, World, angry


def test_one_alert_a_discussion(world: World) -> None:
    angry(world, 2)
    assert world.states() == []
    angry(world, 5)
    assert (world.states(), world.kinds()) == ([State.PENDING], [])
    world.wait(seconds=31)
    assert (world.states(), world.kinds()) == ([State.OPEN], ["root"])
    angry(world, 5)
    world.wait(seconds=61)
    assert (world.states(), world.kinds()) == ([State.OPEN], ["root", "reply", "update"])


def test_friendly_and_neutral_words_do_not_alert(world: World) -> None:
    for text in ("acme is great", "acme opens at nine", "globex is bad", "nobody named here is bad"):
        for _ in range(4):
            world.say(text)
    world.wait(minutes=5)
    assert world.states() == []


def test_a_reply_without_the_name_counts_in_a_thread_about_the_brand(world: World) -> None:
    world.say("what is wrong with acme?", native_id="t1")
    for _ in range(3):
        world.say("it is bad, really bad", parent_id="t1")
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]


def test_a_reply_in_a_thread_about_something_else_does_not_count(world: World) -> None:
    world.say("let us talk about the weather", native_id="t1")
    world.say("acme opens at nine", parent_id="t1", native_id="aside")
    for _ in range(3):
        world.say("the weather is bad", parent_id="t1")
    assert world.states() == []


def test_our_own_answer_is_an_answer_and_never_alerts(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.say("we are sorry, bad luck", author=Author(handle="@Acme_Help"))
    with world.app.store.read() as connection:
        found = escalations.view(connection, 1).discussion
    assert found is not None and (found.answers, found.mentions, found.negative) == (1, 3, 3)


def test_a_backlog_is_history_not_news(world: World) -> None:
    for day in range(10):
        world.say("acme is bad", published_at=NOW - timedelta(days=3, minutes=day))
    world.wait(minutes=1)
    assert world.states() == []


def test_late_posts_alert_all_the_same(world: World) -> None:
    """A feed read after hours of outage: what happened within an hour then is a negative discussion now."""
    for minute in range(3):
        world.say("acme is bad", published_at=NOW - timedelta(hours=5, minutes=minute))
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]


def test_what_we_publish_first_answers_nobody(world: World) -> None:
    world.say("acme has news for you", native_id="t1", author=Author(handle="acme_help"))
    world.say("that is bad", parent_id="t1")
    world.say("we will look into it", parent_id="t1", author=Author(handle="acme_help"))
    with world.app.store.read() as connection:
        talk = discussions.by_id(connection, 1)
    assert talk is not None and (talk.answers, talk.mentions) == (1, 1)


def test_a_test_rule_is_recorded_and_never_posted(tmp_path: Path) -> None:
    world = World(tmp_path, thread=THREAD.replace("status: live", "status: test"))
    angry(world, 6)
    world.wait(minutes=5)
    assert (world.states(), world.kinds()) == ([], [])
    with world.app.store.read() as connection:
        (event,) = connection.execute("SELECT who, what, why FROM events WHERE who LIKE 'rule %'").fetchall()
    assert tuple(event)[:2] == ("rule thread", "would have alerted") and "negative_mentions: 3" in event["why"]
    world.app.close()


def test_an_edit_does_not_alert_again(world: World) -> None:
    for number in range(2):
        world.say("acme is bad", native_id=f"e{number}")
    for number in range(2):
        world.say("acme is really bad", native_id=f"e{number}")
    world.wait(minutes=1)
    assert world.states() == []


def test_what_no_longer_names_the_brand_is_no_mention(world: World) -> None:
    for number in range(3):
        world.say("acme is bad", native_id=f"e{number}")
    for number in range(3):
        world.say("globex is bad", native_id=f"e{number}")
    world.wait(seconds=31)
    assert world.states() == [State.DROPPED]
    with world.app.store.read() as connection:
        talk = discussions.by_id(connection, 1)
    assert talk is not None and (talk.mentions, talk.negative) == (0, 0)


def test_a_spike_across_many_small_discussions(tmp_path: Path) -> None:
    spike = THREAD.replace("id: thread", "id: spike").replace(
        "  - negative_mentions: {at_least: 3, within: 60m}",
        "  - spike: {times: 3, within: 1h, baseline: 7d, minimum_now: 5, minimum_baseline: 10}",
    )
    world = World(tmp_path, spike=spike + "scope: brand\n")
    for hour in range(24 * 7, 0, -12):
        world.say("acme is bad", published_at=NOW - timedelta(hours=hour), conversation_id=f"old{hour}")
    assert world.states() == []
    for number in range(8):
        world.say("acme is bad", conversation_id=f"new{number}", after=timedelta(seconds=10))
    world.wait(seconds=31)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]
    with world.app.store.read() as connection:
        (reason,) = escalations.view(connection, 1).rules[0].reasons
    assert reason.name == "spike"
    world.app.close()


def test_brand_wide_rules_hear_of_what_another_process_took_in(tmp_path: Path) -> None:
    rule = THREAD.replace("id: thread", "id: wide") + "scope: brand\n"
    world = World(tmp_path, wide=rule)
    world.wait(seconds=1)
    other = world.opened()
    for number in range(4):
        post = Post("forum", f"x{number}", "acme is bad", world.now, conversation_id=f"c{number}")
        other.take([post])
    other.close()
    world.wait(seconds=31)
    assert world.states() == [State.PENDING]
    world.wait(seconds=31)
    with world.app.store.read() as connection:
        view = escalations.view(connection, 1)
    assert view.counts == {"mentions": 4, "negative": 4} and len(view.mentions) == 3
    world.app.close()


def test_the_cursor_stands_only_with_its_posts(world: World) -> None:
    def fails(connection: object) -> None:
        raise KeyboardInterrupt

    post = Post("forum", "1", "acme is bad", NOW)
    with pytest.raises(KeyboardInterrupt):
        world.app.take([post], fails)
    with world.app.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM posts").fetchone()[0] == 0
        assert sources.cursor_of(connection, "feed:a") == {}


def test_broken_rules_leave_the_last_good_ones_in_force(world: World) -> None:
    world.app.note_rules()
    world.app.close()
    (world.folder / "rules" / "thread.yaml").write_text("id: [broken\n", "utf-8")
    world.app = world.opened()
    world.app.note_rules()
    angry(world)
    assert world.states() == [State.PENDING]
    with world.app.store.read() as connection:
        problem = connection.execute("SELECT value FROM facts WHERE name = 'rules_problem'").fetchone()[0]
    assert "thread.yaml:1" in json.loads(problem)
