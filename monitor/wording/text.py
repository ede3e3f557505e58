"""A sentence that is not said yet: its English text with named places, and what stands in them.

What the machine decides is stored; in which language it is said is known only when it is sent. Between the two stands a
`Text`, as JSON in the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from monitor.durations import duration_text


@dataclass(frozen=True, slots=True)
class Text:
    """`id` is the English text, as gettext calls it; `many` its plural where `values["count"]` decides."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    many: str | None = None

    def to_json(self) -> dict[str, Any]:
        values = {name: _to_json(value) for name, value in self.values.items()}
        return {"id": self.id, **({"many": self.many} if self.many else {}), **({"values": values} if values else {})}


def say(id: str, **values: Any) -> Text:
    """The text `id` with its values: `say("{who} has it", who="anna")`."""
    return Text(id, values)


def many(one: str, several: str, count: int, **values: Any) -> Text:
    """`many("{count} mention", "{count} mentions", 3)`."""
    return Text(one, {"count": count, **values}, several)


def joined(texts: Iterable[Text | str], by: str = " ") -> Text:
    """Several, one after the other, as one; `by` stands between them, the same in every language."""
    values = {f"t{number}": text for number, text in enumerate(texts)}
    return Text(by.join(f"{{{name}}}" for name in values), values)


def text_from_json(kept: str | Mapping[str, Any]) -> Text | str:
    """What `to_json` made. A mere string, as older versions stored it, stays one and is said as it is."""
    if isinstance(kept, str):
        return kept
    values = {name: _from_json(value) for name, value in kept.get("values", {}).items()}
    return Text(kept["id"], values, kept.get("many"))


def texts_from_json(kept: str | Mapping[str, Any] | Sequence[Any]) -> tuple[Text | str, ...]:
    """Of one text or several, as a payload keeps them."""
    if isinstance(kept, str | Mapping):
        return (text_from_json(kept),) if kept else ()
    return tuple(map(text_from_json, kept))


def english(text: Text | str) -> str:
    """As the command line, the logs and the audit log say it: in English, lengths of time as files write them."""
    if isinstance(text, str):
        return text
    one = text.many is None or text.values["count"] == 1
    said = text.id if one else text.many or ""
    return said.format_map({name: _english(value) for name, value in text.values.items()}) if text.values else said


def _english(value: Any) -> str:
    match value:
        case Text():
            return english(value)
        case bool() | str():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}".rstrip("0").rstrip(".")
        case timedelta():
            return duration_text(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case date():
            return f"{value.day} {value:%B %Y}"
    return str(value)


def _to_json(value: Any) -> Any:
    match value:
        case Text():
            return {"text": value.to_json()}
        case timedelta():
            return {"seconds": value.total_seconds()}
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
    return value


def _from_json(kept: Any) -> Any:
    if isinstance(kept, Mapping):
        if "text" in kept:
            return text_from_json(kept["text"])
        if "day" in kept:
            return date.fromisoformat(kept["day"])
        return timedelta(seconds=kept["seconds"]) if "seconds" in kept else datetime.fromisoformat(kept["at"])
    return kept
