"""The same messages on a terminal and in a log file."""

from __future__ import annotations

import io
import re

import pytest

from monitor.errors import DeliveryFailed
from monitor.model import Author, State
from monitor.slack.buttons import Buttons
from monitor.slack.console import ConsoleMessenger
from monitor.slack.messages import CONSOLE, Delivered, Message, render_notice, render_reply, render_root
from tests.fakes.views import ENGLISH, NOW, mention, view

EVIL = "\x1b]0;owned\x07 \x1b[2J \x9b31m [bold red]markup[/] :smile: \u202egnp\u202c <!channel> `code` \x08\x08"
#: What rich itself writes: colours and hyperlinks.
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


def printed(message: Message, *, terminal: bool, thread_ts: str | None = None, width: int = 100) -> str:
    stream = io.StringIO()
    messenger = ConsoleMessenger(stream, width=width, terminal=terminal)
    delivered = messenger.post(message, "#brand-alerts", thread_ts=thread_ts, outbox_id=7)
    assert delivered == Delivered(CONSOLE, "7")
    return stream.getvalue()


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_all_that_slack_would_show_is_printed(terminal: bool) -> None:
    text = OURS.sub("", printed(render_root(view(), NOW, ENGLISH), terminal=terminal))
    for part in (
        "🔴 Critical: Acme", "#brand-alerts", "Router update broke my connection, again", "https://x.com/mario/status/1",
        "Open since 14 Nov, 11:49 UTC", "Third outage this month", "24 mentions · 17 negative (71%)",
        "negative mentions: 17 (asked: at least 5 within 60m)", "What to do: An angry thread",
        "brand-monitor escalations ack 12",
    ):  # fmt: skip
        assert part in text, part


def test_a_log_gets_no_escape_sequences_and_no_boxes() -> None:
    text = printed(render_root(view(), NOW, ENGLISH), terminal=False)
    assert "\x1b" not in text and "╭" not in text
    assert "  > Third outage this month." in text


def test_on_a_terminal_there_is_nothing_to_press() -> None:
    message = render_root(view(), NOW, ENGLISH, where=Buttons("here", 7))
    assert "Acknowledge" not in printed(message, terminal=False)


def test_a_card_fits_a_narrow_terminal() -> None:
    lines = OURS.sub("", printed(render_root(view(), NOW, ENGLISH), terminal=True, width=50)).split("\n")
    assert max(map(len, lines)) <= 50


def test_a_reply_says_whose_thread_it_is() -> None:
    reply = render_reply(view(), view().mentions, ENGLISH, said=["More severe now."])
    text = printed(reply, terminal=False, thread_ts="1")
    assert text.startswith("↳ 🔴 Acme: “Router update broke my connection, again”\n  More severe now.\n")


def test_an_update_is_one_line() -> None:
    stream = io.StringIO()
    message = render_root(view(State.ACKNOWLEDGED, brand="A&B"), NOW, ENGLISH)
    ConsoleMessenger(stream).update(message, CONSOLE, "7")
    assert stream.getvalue().startswith("↻ 👀 Acknowledged · critical: A&B – “Router")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "log"])
def test_hostile_text_is_only_text(terminal: bool) -> None:
    post = mention(EVIL, author=Author(handle=EVIL, name=EVIL), title=EVIL, source=EVIL, snippet=EVIL)
    talk = view(brand=EVIL, mentions=(post,))
    for message in (
        render_root(talk, NOW, ENGLISH),
        render_reply(talk, [post], ENGLISH, said=[EVIL]),
        render_notice([EVIL], ENGLISH),
        raw_blocks(),
    ):
        text = OURS.sub("", printed(message, terminal=terminal))
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b]", text)
        assert re.search(r"\[bold\s+red\]markup", text.replace("│", ""))


def raw_blocks() -> Message:
    """Blocks that were not cleaned: the terminal is safe by itself."""
    link = {"type": "link", "url": f"https://x.example/{EVIL}", "text": EVIL}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": EVIL}}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]}
    return Message(EVIL, (section, rich), EVIL)


def test_a_terminal_of_another_alphabet_still_gets_the_message() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    ConsoleMessenger(stream, terminal=True).post(render_root(view(), NOW, ENGLISH), "#a", thread_ts=None, outbox_id=1)
    assert b"? Critical: Acme" in raw.getvalue()
    stream.close()


def test_a_closed_terminal_is_a_failed_delivery() -> None:
    stream = io.StringIO()
    messenger = ConsoleMessenger(stream)
    stream.close()
    with pytest.raises(DeliveryFailed, match="terminal cannot be written"):
        messenger.post(render_notice(["Hello"], ENGLISH), "#a", thread_ts=None, outbox_id=1)


def test_a_terminal_cannot_be_asked() -> None:
    messenger = ConsoleMessenger(io.StringIO())
    assert messenger.find(CONSOLE, outbox_id=1, oldest=NOW, thread_ts=None) is None
    assert messenger.server_time is None
