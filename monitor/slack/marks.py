"""What marks every message of a drill, so that nobody takes it for the real thing: applied last, to whatever it is.

Which messages are marked is decided by whoever delivers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.slack.blocks import Block, context, header
from monitor.slack.messages import ESCALATIONS, Message
from monitor.slack.speech import mrkdwn_of
from monitor.slack.text import escape
from monitor.wording.text import Text
from monitor.wording.words import Words


@dataclass(frozen=True, slots=True)
class Mark:
    """`word` heads the notification and the message; `sentence` stands below; `command` is what to type in place of
    the usual command about escalations."""

    word: Text
    sentence: Text
    command: str = ESCALATIONS


def marked(message: Message, mark: Mark, words: Words) -> Message:
    """The message with its mark in the notification, in the header (or above a message without one) and in a line of
    small print. Without blocks, the notification is all that people see: it carries the sentence too."""
    word, sentence = words.text(mark.word), mrkdwn_of(mark.sentence, words)
    text = f"{escape(word, 60)} · {message.text.replace(ESCALATIONS, mark.command)}"
    if not message.blocks:
        text = f"{text}\n{sentence}"
    blocks = tuple(_blocks(message.blocks, word, sentence, mark.command))
    return replace(message, text=text, subject=f"{word} · {message.subject}", blocks=blocks)


def _blocks(blocks: tuple[Block, ...], word: str, sentence: str, command: str) -> Iterator[Block]:
    if not blocks:
        return
    headed = blocks[0]["type"] == "header"
    if headed:
        yield header(f"{word} · {blocks[0]['text']['text']}")
    yield from context(f"*{escape(word, 60)}*: {sentence}")
    for block in blocks[1:] if headed else blocks:
        yield _with_command(block, command) if block["type"] == "context" else block


def _with_command(block: Block, command: str) -> Block:
    """In our own small print what to type is another command; text from outside is left alone."""
    elements = [{**one, "text": one["text"].replace(ESCALATIONS, command)} for one in block["elements"]]
    return {**block, "elements": elements}
