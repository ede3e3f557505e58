"""What somebody sees of blocks, as plain lines: to read an answer, a view or a form as its reader would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.fakes.block_kit import fault_of


def dump(blocks: Iterable[dict[str, Any]]) -> str:
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"# {block['text']['text']}"
        case "rich_text":
            for part in block["elements"]:
                if part["type"] == "rich_text_list":
                    first = part.get("offset", 0) + 1
                    for number, item in enumerate(part["elements"], first):
                        mark = f"{number}." if part["style"] == "ordered" else "•"
                        yield f"{mark} {''.join(map(_inline, item['elements']))}"
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


def _inline(one: dict[str, Any]) -> str:
    style = one.get("style", {})
    mark = "`" if style.get("code") else "*" if style.get("bold") and one["text"].strip() else ""
    if one["type"] == "link":
        return f"{mark}{one['text']}{mark} <{one['url']}>"
    return f"{mark}{one['text']}{mark}"


def fault_of_view(view: dict[str, Any]) -> str | None:
    """What Slack would refuse a view for; None where it takes it."""
    if view["type"] not in ("home", "modal"):
        return "no such view"
    if len(view["blocks"]) > 100:
        return "too many blocks"
    if view["type"] == "modal" and not (
        1 <= len(view["title"]["text"]) <= 24 and len(view["private_metadata"]) <= 3000
    ):
        return "bad head"
    return _faults(view["blocks"])


def fault_of_answer(answer: Any) -> str | None:
    """The same for an answer to a command."""
    if len(answer.blocks) > 50:
        return "too many blocks"
    shown = [block for block in answer.blocks if block["type"] != "actions"]
    return fault_of({"text": answer.text, "blocks": shown}) or _faults(answer.blocks)


def tags_of(blocks: Iterable[dict[str, Any]]) -> list[str]:
    """What the buttons carry."""
    return [one["value"] for block in blocks if block["type"] == "actions" for one in block["elements"]]


def _faults(blocks: Iterable[dict[str, Any]]) -> str | None:
    for block in blocks:
        if block["type"] == "actions":
            elements = block["elements"]
            names = [one["action_id"] for one in elements]
            short = all(1 <= len(one["text"]["text"]) <= 75 and len(one["value"]) <= 2000 for one in elements)
            if not (1 <= len(elements) <= 25 and short and len(set(names)) == len(names)):
                return "bad buttons"
        elif fault := fault_of({"text": "x", "blocks": [block]}):
            return fault
    return None
