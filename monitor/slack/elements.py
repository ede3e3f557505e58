"""What people press, choose and write in: Block Kit's interactive elements, within the limits that Slack documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.slack.blocks import Block
from monitor.slack.tags import Tag
from monitor.slack.text import one_line

LONGEST_LABEL = 75
LONGEST_VALUE = 150
MOST_OPTIONS = 100
#: From so many on a list to choose from opens as a menu, not as buttons.
MOST_RADIO_BUTTONS = 10
LONGEST_TITLE = 24


def plain_text(text: str, limit: int = LONGEST_LABEL) -> Block:
    return {"type": "plain_text", "text": one_line(text, limit) or "–", "emoji": True}


# -- of messages -------------------------------------------------------------------------------------------------


def button(label: str, tag: Tag, *, primary: bool = False) -> Block:
    style = {"style": "primary"} if primary else {}
    return {"type": "button", "text": plain_text(label), "action_id": str(tag.deed), "value": str(tag), **style}


def confirmed(button: Block, title: str, question: str, yes: str, no: str) -> Block:
    """The button, which asks before it does anything."""
    asked = {"title": plain_text(title, 100), "text": plain_text(question, 300)}
    return button | {"confirm": asked | {"confirm": plain_text(yes, 30), "deny": plain_text(no, 30)}}


def overflow(action_id: str, choices: Sequence[tuple[str, Tag]]) -> Block:
    """A menu behind "…", of two to five choices."""
    return {"type": "overflow", "action_id": action_id, "options": [option(label, str(tag)) for label, tag in choices]}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


# -- of forms ----------------------------------------------------------------------------------------------------


def modal(title: str, blocks: Sequence[Block], *, tag: Tag, submit: str | None, close: str) -> Block:
    """A form; its submission brings `tag` back. Without `submit` it is only read."""
    button = {"submit": plain_text(submit, LONGEST_TITLE)} if submit else {}
    return {
        "type": "modal",
        "callback_id": str(tag.deed),
        "private_metadata": str(tag),
        "title": plain_text(title, LONGEST_TITLE),
        "close": plain_text(close, LONGEST_TITLE),
        **button,
        "blocks": list(blocks),
    }


def field(block_id: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    """A question with its answer; its errors are told by its `block_id`."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label, 150),
        "element": {**element, "action_id": block_id},
        "optional": optional,
        **({"hint": plain_text(hint, 150)} if hint else {}),
    }


def option(label: str, value: str, description: str = "") -> Block:
    about = {"description": plain_text(description)} if description else {}
    return {"text": plain_text(label), "value": value[:LONGEST_VALUE], **about}


def choice(options: Sequence[Block], placeholder: str, initial: str | None = None) -> Block:
    """One of at most a hundred: as buttons where they are few, else as a menu."""
    shown = list(options[:MOST_OPTIONS])
    first = next((one for one in shown if initial is not None and one["value"] == initial), None)
    chosen: dict[str, Any] = {"initial_option": first} if first else {}
    if len(shown) <= MOST_RADIO_BUTTONS:
        return {"type": "radio_buttons", "options": shown, **chosen}
    return menu(shown, placeholder) | chosen


def menu(options: Sequence[Block], placeholder: str) -> Block:
    shown = list(options[:MOST_OPTIONS])
    return {"type": "static_select", "placeholder": plain_text(placeholder, 150), "options": shown}
