"""The happy paths against an independent Slack: what production code posts, changes and finds there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.escalation.events import Acknowledge
from monitor.slack.client import SlackCheck, SlackMessenger
from monitor.slack.handshake import Handshake
from monitor.slack.health import Health, Member, Wanted
from monitor.slack.messages import Message
from tests.fakes.emulator import ANN, APP_TOKEN, BOT_TOKEN, LEADS, SOCIAL, Emulator
from tests.fakes.world import CONFIG, LOUD, NOW, THREAD, World, angry

INSTALL = "here"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("slack")) as running:
        yield running


@pytest.fixture
def slack(started: Emulator) -> Emulator:
    started.reset()
    return started


@pytest.fixture
def messenger(slack: Emulator) -> SlackMessenger:
    return SlackMessenger(BOT_TOKEN, install=INSTALL, api_url=slack.api_url)


@pytest.fixture
def world(slack: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    config = CONFIG.replace('slack: {channel: "#alerts"}', f'slack: {{channel: "#leads", api_url: "{slack.api_url}"}}')
    made = World(tmp_path, config=config, thread=THREAD, loud=LOUD)
    yield made
    made.app.close()


def said(text: str) -> Message:
    return Message(text, ({"type": "section", "text": {"type": "mrkdwn", "text": text}},))


# -- one message -------------------------------------------------------------------------------------------------


def test_a_message_is_posted_by_the_name_of_its_channel_and_changed_by_its_id(
    slack: Emulator, messenger: SlackMessenger
) -> None:
    where = messenger.post(said("Acme & <!channel>"), "#social", thread_ts=None, outbox_id=1)
    assert where.channel == SOCIAL
    messenger.update(said("All is well"), where.channel, where.ts)
    (message,) = slack.messages(SOCIAL)
    assert (message["ts"], message["text"]) == (where.ts, "All is well")
    assert message["blocks"][0]["text"]["text"] == "All is well"


def test_news_go_into_the_thread(slack: Emulator, messenger: SlackMessenger) -> None:
    root = messenger.post(said("One"), "#social", thread_ts=None, outbox_id=1)
    reply = messenger.post(said("Two"), root.channel, thread_ts=root.ts, outbox_id=2)
    assert [message.get("thread_ts") for message in slack.messages(SOCIAL)] == [None, root.ts]
    assert reply.ts != root.ts


def test_slack_does_not_read_mentions_into_a_message(slack: Emulator, messenger: SlackMessenger) -> None:
    messenger.post(said("@channel"), "#social", thread_ts=None, outbox_id=1)
    (asked,) = slack.requests("chat.postMessage")
    assert (asked["parse"], asked["unfurl_links"], asked["unfurl_media"]) == ("none", False, False)


@pytest.mark.parametrize("in_thread", [False, True])
def test_histories_are_read_to_their_end(slack: Emulator, messenger: SlackMessenger, in_thread: bool) -> None:
    """The emulator drops what a message is found by; so all that shows is that it was looked for."""
    root = messenger.post(said("One"), "#leads", thread_ts=None, outbox_id=1)
    thread = root.ts if in_thread else None
    assert messenger.find("#leads", outbox_id=1, oldest=NOW, thread_ts=thread) is None
    (asked,) = slack.requests("conversations.replies" if in_thread else "conversations.history")
    assert (asked["channel"], asked["include_all_metadata"]) == (LEADS, "1")


def test_the_channels_of_the_app_are_known(messenger: SlackMessenger) -> None:
    assert messenger.check(["#social", LEADS]) == SlackCheck("Acme", "brand-monitor", ())
    (problem,) = messenger.check(["#elsewhere"]).problems
    assert "not in #elsewhere" in problem and "/invite" in problem


def test_a_good_set_up_has_nothing_to_mend(slack: Emulator) -> None:
    health = Health(BOT_TOKEN, api_url=slack.api_url)
    found = list(health.look(Wanted(["#social", LEADS], members=[Member(ANN, "ann", "social")])))
    found += Handshake(APP_TOKEN, api_url=slack.api_url).look(health.app_id)
    assert [seen.text for seen in found] == [
        "Slack: brand-monitor in Acme",
        f"Slack: the app is in 2 channels: #social, {LEADS}",
        "Slack: 1 member of the teams found",
        "Slack: clicks and commands reach this machine",
    ]


def test_another_apps_socket_is_told_from_ours(slack: Emulator) -> None:
    (seen,) = Handshake(APP_TOKEN, api_url=slack.api_url).look("A0ANOTHER0")
    assert seen.problem and "another Slack app" in seen.text


# -- the whole application ---------------------------------------------------------------------------------------


def test_an_alert_is_one_message_that_stays_current_with_its_news_in_the_thread(slack: Emulator, world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    (root,) = slack.messages(SOCIAL)
    assert "Acme" in root["text"] and "3 mentions" in root["text"]
    angry(world, 5)
    world.wait(seconds=61)
    world.deliver()
    root, reply = slack.messages(SOCIAL)
    assert reply["thread_ts"] == root["ts"]
    assert "8 mentions" in root["text"]

    world.act(Acknowledge("ann"))
    world.deliver()
    root, *_ = slack.messages(SOCIAL)
    assert "ann" in json.dumps(root["blocks"])


def test_what_stands_in_slack_survives_a_new_start(slack: Emulator, world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    world.app.close()
    world.app = world.opened()
    world.now += timedelta(minutes=5)
    world.deliver()
    assert len(slack.messages(SOCIAL)) == 1
