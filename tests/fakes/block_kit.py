"""What Slack refuses in messages and views: the limits of Block Kit as documented; and what a text would ping."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

PING = re.compile(r"<!(?:channel|here|everyone|subteam)|<[@#][A-Z0-9]")


def fault_of(arguments: dict[str, Any]) -> str | None:
    """Slack's error code for a message it would refuse."""
    blocks = arguments.get("blocks") or []
    if not arguments.get("text") and not blocks:
        return "no_text"
    if len(arguments.get("text", "")) > 4_000:
        return "msg_too_long"
    if len(json.dumps(blocks, ensure_ascii=False)) > 10_000:
        return "msg_blocks_too_long"
    if len(json.dumps(arguments.get("metadata") or {})) > 8_000:
        return "metadata_too_large"
    return None if len(blocks) <= 50 and all(_block(block) for block in blocks) else "invalid_blocks"


def fault_of_view(view: dict[str, Any]) -> str | None:
    """What Slack would refuse in a modal or in App Home."""
    if view.get("type") not in ("modal", "home"):
        return "no such view"
    if not 1 <= len(view["blocks"]) <= 100 or not all(_block(block, in_view=True) for block in view["blocks"]):
        return "invalid blocks"
    if view["type"] == "modal" and (fault := _head(view)):
        return fault
    ids = [block["block_id"] for block in view["blocks"] if "block_id" in block]
    if len(set(ids)) != len(ids):
        return "duplicate block_id"
    if len(view.get("private_metadata", "")) > 3_000 or len(view.get("callback_id", "")) > 255:
        return "too much metadata"
    return "view_too_large" if len(json.dumps(view)) > 250_000 else None


def fault_of_answer(answer: Any) -> str | None:
    """What Slack would refuse in the answer to a command."""
    return fault_of({"text": answer.text, "blocks": answer.blocks})


def buttons(message: dict[str, Any]) -> dict[str, str]:
    """The values of its buttons and of the choices of its menus, by what is written on them."""
    elements = [e for block in message.get("blocks") or [] if block["type"] == "actions" for e in block["elements"]]
    shown = [one for element in elements for one in element.get("options", [element])]
    return {one["text"]["text"]: one["value"] for one in shown}


def pings(message: dict[str, Any]) -> list[str]:
    """The mentions that Slack would read in a message; literal `rich_text` has none."""
    texts = [message.get("text", ""), *_mrkdwn(message.get("blocks"))]
    return [found for text in texts for found in PING.findall(text)]


def words(message: dict[str, Any]) -> str:
    """All that a reader of the message sees, blocks first."""
    return "\n".join([*_strings(message.get("blocks")), message.get("text", "")])


def _head(view: dict[str, Any]) -> str | None:
    if not all(_text(view[part], {"plain_text"}, 24) for part in ("title", "submit", "close") if part in view):
        return "title, submit and close have at most 24 characters"
    if "title" not in view:
        return "a modal needs its title"
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        return "a form needs its submit"
    return None


def _mrkdwn(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
        for value in node.values():
            yield from _mrkdwn(value)
    elif isinstance(node, list):
        for value in node:
            yield from _mrkdwn(value)


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node["text"]
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _block(block: dict[str, Any], *, in_view: bool = False) -> bool:
    if len(block.get("block_id", "")) > 255:
        return False
    match block.get("type"):
        case "header":
            return _text(block["text"], {"plain_text"}, 150)
        case "section":
            beside = block.get("accessory")
            return _text(block["text"], {"mrkdwn", "plain_text"}, 3_000) and (beside is None or _element(beside))
        case "context":
            elements = block["elements"]
            return 1 <= len(elements) <= 10 and all(_text(e, {"mrkdwn", "plain_text"}, 3_000) for e in elements)
        case "divider":
            return True
        case "rich_text":
            return bool(block["elements"]) and all(_rich(element) for element in block["elements"])
        case "actions":
            elements = block["elements"]
            ids = [element["action_id"] for element in elements]
            pressed = all(_element(element) for element in elements)
            return 1 <= len(elements) <= 25 and len(set(ids)) == len(ids) and pressed
        case "input":
            fits = _text(block["label"], {"plain_text"}, 2_000) and _field(block["element"])
            hint = block.get("hint")
            return in_view and fits and (hint is None or _text(hint, {"plain_text"}, 2_000))
    return False


def _element(element: dict[str, Any]) -> bool:
    """A button or an overflow menu; other elements stand in forms alone."""
    confirm = element.get("confirm")
    asks = confirm is None or (
        _text(confirm["title"], {"plain_text"}, 100) and _text(confirm["text"], {"plain_text", "mrkdwn"}, 300)
        and _text(confirm["confirm"], {"plain_text"}, 30) and _text(confirm["deny"], {"plain_text"}, 30)
    )  # fmt: skip
    if not asks or not 1 <= len(element["action_id"]) <= 255:
        return False
    match element.get("type"):
        case "button":
            styled = element.get("style", "primary") in ("primary", "danger")
            return _text(element["text"], {"plain_text"}, 75) and len(element.get("value", "")) <= 2_000 and styled
        case "overflow":
            return 2 <= len(element["options"]) <= 5 and all(_option(option) for option in element["options"])
    return False


def _field(element: dict[str, Any]) -> bool:
    if not 1 <= len(element["action_id"]) <= 255:
        return False
    placeholder, options = element.get("placeholder"), element.get("options", [])
    if placeholder is not None and not _text(placeholder, {"plain_text"}, 150):
        return False
    initial = element.get("initial_option")
    if not all(_option(option) for option in options) or (initial is not None and initial not in options):
        return False
    match element.get("type"):
        case "static_select":
            return 1 <= len(options) <= 100
        case "radio_buttons":
            return 1 <= len(options) <= 10
        case "plain_text_input":
            return 1 <= element.get("max_length", 3_000) <= 3_000
    return element.get("type") in ("users_select", "datetimepicker")


def _option(option: dict[str, Any]) -> bool:
    about = option.get("description")
    fits = _text(option["text"], {"plain_text"}, 75) and 1 <= len(option["value"]) <= 150
    return fits and (about is None or _text(about, {"plain_text"}, 75))


def _text(text: dict[str, Any], types: set[str], limit: int) -> bool:
    return text.get("type") in types and 1 <= len(text["text"]) <= limit


def _rich(element: dict[str, Any]) -> bool:
    if element.get("type") == "rich_text_list":
        items = element["elements"]
        return bool(items) and element["style"] in ("bullet", "ordered") and all(_rich(item) for item in items)
    known = element.get("type") in ("rich_text_section", "rich_text_quote", "rich_text_preformatted")
    return known and bool(element["elements"]) and all(_inline(inline) for inline in element["elements"])


def _inline(inline: dict[str, Any]) -> bool:
    if inline.get("type") == "link":
        parts = urlsplit(inline["url"])
        clean = parts.scheme in ("http", "https") and parts.netloc and not re.search(r"[\s|<>]", inline["url"])
        return bool(clean) and len(inline["url"]) <= 3_000 and bool(inline.get("text", "x"))
    return inline.get("type") == "text" and bool(inline["text"])
