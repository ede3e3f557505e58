"""What somebody sees of blocks, as plain lines: to read an answer, a view or a form as its reader would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def dump(blocks: Iterable[dict[str, Any]]) -> str:
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"# {block['text']['text']}"
        case "rich_text":
            for part in block["elements"]:
                if part["type"] == "rich_text_list":
                    yield from _list(part)
                    continue
                before = "> " if part["type"] == "rich_text_quote" else ""
                for line in "".join(map(_inline, part["elements"])).split("\n"):
                    yield before + line
        case "context":
            for one in block["elements"]:
                yield from (f"  ({line})" for line in one["text"].split("\n"))
        case "actions":
            yield "  " + " ".join(f"[{one['text']['text']}]" for one in block["elements"])
        case "section":
            yield from block["text"]["text"].split("\n")


def _list(part: dict[str, Any]) -> Iterator[str]:
    for number, item in enumerate(part["elements"], part.get("offset", 0) + 1):
        sign = f"{number}." if part["style"] == "ordered" else "•"
        yield f"{'  ' * part.get('indent', 0)}{sign} {''.join(map(_inline, item['elements']))}"


def _inline(one: dict[str, Any]) -> str:
    style = one.get("style", {})
    mark = "`" if style.get("code") else "*" if style.get("bold") and one["text"].strip() else ""
    if one["type"] == "link":
        return f"{mark}{one['text']}{mark} <{one['url']}>"
    return f"{mark}{one['text']}{mark}"


def tags_of(blocks: Iterable[dict[str, Any]]) -> list[str]:
    """What the buttons carry."""
    return [one["value"] for block in blocks if block["type"] == "actions" for one in block["elements"]]
