"""A drill beside real life: apart from it, marked in every message, and what is shipped alerts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import parse_config
from monitor.deliver import Delivery
from monitor.drill.place import Setup
from monitor.drill.run import mark
from monitor.drill.shelf import shipped
from monitor.outgoing import MessageKind
from monitor.render import Renderer
from monitor.sentiment import load_model
from monitor.slack.client import SlackMessenger
from monitor.starter import write_starter
from monitor.store import Store, facts, mentions
from monitor.store.lock import hold
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.drill_stage import NOON, PLAYBOOK, RULE, TEAMS, Stage, ack, measures, resolve, script, well_faced
from tests.fakes.slack_server import TOKEN, Fault, SlackServer, refused

# -- apart from what is real ---------------------------------------------------------------------------------------


def test_the_live_database_is_not_touched(stage: Stage) -> None:
    live = Store(stage.config.store)
    with live.write() as connection:
        facts.remember(connection, "install", "abc", NOON)
    live.close()
    before = {path.name: path.read_bytes() for path in stage.folder.glob("live.db*")}
    well_faced(stage)
    stage.play()
    after = {path.name: path.read_bytes() for path in stage.folder.glob("live.db*")}
    assert after == before
    assert (stage.folder / "live.drill.db").exists()


def test_a_running_daemon_s_rules_are_played_not_the_broken_ones_of_the_folder(stage: Stage) -> None:
    live = Store(stage.config.store)
    files = {
        "teams.yaml": TEAMS,
        "thread.yaml": RULE.replace("at_least: 3", "at_least: 2"),
        "playbooks/calm.md": PLAYBOOK,
    }
    with live.write() as connection:
        facts.remember(connection, "rules_in_force", files, NOON)
    with hold(stage.config.store):
        assert stage.play(script(bad=2)).alerts == 1
    stage.now = NOON + timedelta(days=1)
    (stage.folder / "rules" / "thread.yaml").write_text("id: thread\n", "utf-8")
    assert stage.play(script(bad=2)).alerts == 1, "nor would a daemon follow broken ones when it starts"
    live.close()


def test_the_last_drill_is_kept_beside_the_new_one(stage: Stage) -> None:
    stage.play()
    assert stage.store
    stage.store.close()
    stage.now = NOON + timedelta(days=1)
    stage.play()
    kept = stage.folder / f"live.drill-{NOON:%Y-%m-%d-%H%M%S}.db"
    assert kept.exists() and stage.store
    with stage.store.read() as connection:
        assert len(mentions.after(connection, 0, 99)) == 5, "nothing of the last drill is in the new one"


# -- in Slack ----------------------------------------------------------------------------------------------------


def in_slack(slack: SlackServer, stage: Stage) -> SlackMessenger:
    slack.now = lambda: stage.now.timestamp()
    return SlackMessenger(TOKEN, install="drill", api_url=slack.url, timeout=5)


def test_every_message_is_marked_and_stands_in_the_drill_channel(stage: Stage, slack: SlackServer) -> None:
    stage.at(16, ack)
    stage.at(20, resolve)
    more = [
        {"at": f"{n}m", "source": "forum", "text": "bad too", "conversation_id": "p1", "author": {"handle": f"b{n}"}}
        for n in (6, 18)
    ]
    stage.play(script(*more), in_slack(slack, stage))
    assert {channel: len(slack.posts(channel)) for channel in ("social", "leads", "alerts")} == {
        "social": 0, "leads": 0, "alerts": 0,
    }  # fmt: skip
    posts = slack.posts("drill")
    assert len(posts) >= 5, "the alert, news, a call, news, the figures"
    assert slack.calls("chat.update") >= 2
    for message in [*posts, *(arguments for method, arguments in slack.requests if method == "chat.update")]:
        blocks = message["blocks"] if isinstance(message["blocks"], list) else json.loads(message["blocks"])
        assert message["text"].startswith("🧪 DRILL · ")
        assert "nothing was published" in block_kit.words({"blocks": blocks})
        assert block_kit.fault_of({**message, "blocks": blocks}) is None
    root, last = posts[0], posts[-1]
    assert root["blocks"][0]["text"]["text"].startswith("🧪 DRILL · ")
    assert "<@U0123456789>" in str(root["blocks"]), "whoever is called must learn of it"
    assert any("<@U0345678901>" in str(post["blocks"]) for post in posts), "the second tier, too"
    assert "escalations --drill resolve 1" in str(posts) or "escalations --drill ack 1" in str(slack.requests)
    assert "The drill “Acme is down” is over." in block_kit.words(last)
    assert "✗ Somebody has it: 12m 30s, within 5m, 7m 30s late, Anna" in block_kit.words(last)


@pytest.mark.parametrize("plain", [False, True], ids=["blocks", "plain"])
@pytest.mark.parametrize("kind", [kind for kind in MessageKind if kind is not MessageKind.SUMMARY])
def test_every_kind_of_message_is_marked(bench: Bench, kind: MessageKind, plain: bool) -> None:
    escalation = bench.alert()
    if kind is not MessageKind.ROOT:
        bench.enqueue(kind, escalation, payload={"text": "News", "notify": ["U0123456789"]})
    method = "chat.update" if kind is MessageKind.UPDATE else "chat.postMessage"
    # The alert goes first; what follows it is refused, or the alert itself.
    faults = [] if kind in (MessageKind.ROOT, MessageKind.UPDATE) else [Fault()]
    bench.slack.script(method, *faults, *([refused("invalid_blocks")] if plain else []))
    bench.run(
        Delivery(
            bench.store, bench.messenger(), renderer=Renderer(mark=mark(Setup("#brand-alerts")), calls_people=False)
        )
    )
    sent = [arguments for called, arguments in bench.slack.requests if called in ("chat.postMessage", "chat.update")]
    assert len(sent) == 1 + plain + (kind is not MessageKind.ROOT)
    for message in sent:
        assert message["text"].startswith("🧪 DRILL · ")
        assert "nothing was published" in (str(message["blocks"]) if message.get("blocks") else message["text"])
        assert "U0123456789" not in str(message), "nobody is called by name"
    assert bool(sent[-1].get("blocks")) is not plain


def test_a_plain_message_is_marked_too(stage: Stage, slack: SlackServer) -> None:
    slack.script("chat.postMessage", refused("invalid_blocks"))
    well_faced(stage)
    stage.play(messenger=in_slack(slack, stage))
    plain = slack.posts("drill")[0]
    assert not plain.get("blocks") and plain["text"].startswith("🧪 DRILL · ")
    assert "nothing was published" in plain["text"] and "`brand-monitor escalations --drill show 1`" in plain["text"]


def test_quiet_calls_nobody_but_the_figures_say_who_it_would_have_been(stage: Stage, slack: SlackServer) -> None:
    found = stage.play(messenger=in_slack(slack, stage), setup=Setup("#drill", calls_people=False))
    assert [ping for post in slack.posts("drill") for ping in block_kit.pings(post)] == []
    assert "Nobody is called by name" in str(slack.posts("drill")[0]["blocks"])
    assert [one.name for one in found.people] == ["anna", "carla"]


# -- what is shipped -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in shipped()])
def test_a_shipped_crisis_alerts_by_the_starter_rules(stage: Stage, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    write_starter(folder)
    config = parse_config((folder / "monitor.yaml").read_text("utf-8"), folder / "monitor.yaml")
    crisis = next(one for one in shipped() if one.name == name)
    found = stage.play(crisis, config=config, model=load_model("bundled", 1, 32))
    assert found.alerts >= 2, "an angry thread and a loud voice"
    assert found.negative >= 20
    assert measures(found)["called"][0] == "met", measures(found)
