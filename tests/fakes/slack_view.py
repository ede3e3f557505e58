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


def _inline(one: dict[str, Any]) -> str:
    style = one.get("style", {})
    mark = "`" if style.get("code") else "*" if style.get("bold") and one["text"].strip() else ""
    if one["type"] == "link":
        return f"{mark}{one['text']}{mark} <{one['url']}>"
    return f"{mark}{one['text']}{mark}"
