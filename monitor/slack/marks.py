"""What marks every message of a drill, so that nobody takes it for the real thing: applied last, to whatever it is.

Which messages are marked is decided by whoever delivers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.slack.blocks import Block, context, header
from monitor.slack.messages import ESCALATIONS, Message


@dataclass(frozen=True, slots=True)
class Mark:
    """`word` heads the notification and the message; `sentence` stands below; `command` is what to type in place of
    the usual command about escalations."""

    word: str
    sentence: str
    command: str = ESCALATIONS


def marked(message: Message, mark: Mark) -> Message:
    """The message with its mark in the notification, in the header (or above a message without one) and in a line of
    small print. Without blocks, the notification is all that people see: it carries the sentence too."""
    text = f"{mark.word} · {message.text.replace(ESCALATIONS, mark.command)}"
    if not message.blocks:
        text = f"{text}\n{mark.sentence}"
    return replace(
        message, text=text, subject=f"{mark.word} · {message.subject}", blocks=tuple(_blocks(message.blocks, mark))
    )


def _blocks(blocks: tuple[Block, ...], mark: Mark) -> Iterator[Block]:
    if not blocks:
        return
    headed = blocks[0]["type"] == "header"
    if headed:
        yield header(f"{mark.word} · {blocks[0]['text']['text']}")
    yield from context(f"*{mark.word}*: {mark.sentence}")
    for block in blocks[1:] if headed else blocks:
        yield _with_command(block, mark) if block["type"] == "context" else block


def _with_command(block: Block, mark: Mark) -> Block:
    """In our own small print what to type is another command; text from outside is left alone."""
    elements = [{**one, "text": one["text"].replace(ESCALATIONS, mark.command)} for one in block["elements"]]
    return {**block, "elements": elements}
