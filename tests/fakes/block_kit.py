"""What Slack refuses in a message: the limits of Block Kit as documented, and what a text would ping."""

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


def pings(message: dict[str, Any]) -> list[str]:
    """The mentions that Slack would read in a message; literal `rich_text` has none."""
    texts = [message.get("text", ""), *_mrkdwn(message.get("blocks"))]
    return [found for text in texts for found in PING.findall(text)]


def words(message: dict[str, Any]) -> str:
    """All that a reader of the message sees, blocks first."""
    return "\n".join([*_strings(message.get("blocks")), message.get("text", "")])


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


def _block(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "header":
            return _text(block["text"], {"plain_text"}, 150)
        case "section":
            beside = block.get("accessory")
            return _text(block["text"], {"mrkdwn", "plain_text"}, 3_000) and (beside is None or _button(beside))
        case "actions":
            return 1 <= len(block["elements"]) <= 25 and all(_button(element) for element in block["elements"])
        case "context":
            elements = block["elements"]
            return 1 <= len(elements) <= 10 and all(_text(e, {"mrkdwn", "plain_text"}, 3_000) for e in elements)
        case "divider":
            return True
        case "rich_text":
            return bool(block["elements"]) and all(_rich(element) for element in block["elements"])
    return False


def _button(element: dict[str, Any]) -> bool:
    value, confirm = element.get("value", ""), element.get("confirm")
    asks = confirm is None or (
        _text(confirm["title"], {"plain_text"}, 100) and _text(confirm["text"], {"plain_text", "mrkdwn"}, 300)
        and _text(confirm["confirm"], {"plain_text"}, 30) and _text(confirm["deny"], {"plain_text"}, 30)
    )  # fmt: skip
    fits = len(element["action_id"]) <= 255 and len(value) <= 2_000
    return element["type"] == "button" and _text(element["text"], {"plain_text"}, 75) and fits and asks


def _text(text: dict[str, Any], types: set[str], limit: int) -> bool:
    return text.get("type") in types and 1 <= len(text["text"]) <= limit


def _rich(element: dict[str, Any]) -> bool:
    known = element.get("type") in ("rich_text_section", "rich_text_quote", "rich_text_preformatted")
    return known and all(_inline(inline) for inline in element["elements"])


def _inline(inline: dict[str, Any]) -> bool:
    if inline.get("type") == "link":
        parts = urlsplit(inline["url"])
        clean = parts.scheme in ("http", "https") and parts.netloc and not re.search(r"[\s|<>]", inline["url"])
        return bool(clean) and len(inline["url"]) <= 3_000 and bool(inline.get("text", "x"))
    return inline.get("type") == "text" and bool(inline["text"])
