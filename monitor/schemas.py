"""JSON Schemas of our files, for editors, and what a schema says of one place in a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from monitor.durations import duration_text
from monitor.yamlfile import KeyPath


def schema_at(schema: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    """The part of a JSON Schema that speaks of `path`, descriptions included; empty where it says nothing."""
    here = schema
    for part in path:
        if isinstance(part, int):
            here = _followed(schema, here.get("items", {}))
        else:
            rest: Mapping[str, Any] = here.get("additionalProperties") or next(
                iter(here.get("patternProperties", {}).values()), {}
            )
            here = _followed(schema, here.get("properties", {}).get(part, rest))
    return here


def _followed(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """`part` with its reference or its alternative to null written out; what stands beside that goes before it."""
    while "$ref" in part or "anyOf" in part:
        if "$ref" in part:
            meant = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        else:
            meant = next(branch for branch in part["anyOf"] if branch.get("type") != "null")
        part = {**meant, **{key: value for key, value in part.items() if key not in ("$ref", "anyOf")}}
    return part


class _Schema(GenerateJsonSchema):
    """Without the titles that only repeat the keys, and with our own way to write durations and times."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return duration_text(dft)
        return dft.isoformat("minutes") if isinstance(dft, time) else super().encode_default(dft)


def json_schema(kind: TypeAdapter[Any], title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file, for editors."""
    schema = kind.json_schema(schema_generator=_Schema)
    for part in schema.get("$defs", {}).values():
        part.pop("title", None)
    for part in _parts(schema):
        if "patternProperties" in part:
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(part)
