"""Checks a document against the dataclass that it is to become; every mistake in plain words at its line.

Pydantic reads the values, and its own words never reach a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from monitor.errors import ConfigError
from monitor.fields import closest, did_you_mean, faults
from monitor.mends import MINUS, mended_number
from monitor.schemas import json_schema, schema_at
from monitor.yamlfile import SECRET_MEND, Document, KeyPath, shortened

T = TypeVar("T")

_SECRET_KEY = re.compile(r"(.*[_-])?(token|secret|password|passwd|api_?key|client_id)s?", re.IGNORECASE)


def checked(kind: TypeAdapter[T], document: Document, context: object = None) -> T:
    """The document as the dataclass of `kind`; raises `ConfigError` with all problems. Validators see `context`."""
    problems = list(document.problems)
    try:
        value = kind.validate_python(document.value, context=context)
    except ValidationError as error:
        told = {problem.key for problem in problems}
        found = _explained(error.errors(include_url=False), json_schema(kind, document.file))
        problems += [problem for at in found if (problem := document.problem(*at)).key not in told]
    told = {problem.key for problem in problems}
    problems += [problem for problem in document.misread if problem.key not in told]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return value


def read_inside(kind: TypeAdapter[T], value: object) -> T:
    """For a validator that lets another kind read a value; its mistakes keep their places."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise faults(_explained(error.errors(include_url=False), {})) from error


def said(kind: TypeAdapter[T], value: object, context: object = None) -> T:
    """What a person typed, as a value of `kind`; raises ValueError with what to type instead."""
    try:
        return kind.validate_python(value, context=context)
    except ValidationError as error:
        raise ValueError("; ".join(what for _, what in _explained(error.errors(include_url=False), {}))) from error


class OneOrMore:
    """For a tuple: where it holds one entry only, that may stand there without brackets."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}

    def _read(self, value: object, handler: Callable[[object], T]) -> T:
        if isinstance(value, list):
            return handler(value)
        try:
            return handler([value])
        except ValidationError as error:
            raise faults((at[1:], what) for at, what in _explained(error.errors(include_url=False), {})) from error


#: Pydantic's names for a key that is none of ours.
_UNKNOWN = ("unexpected_keyword_argument", "invalid_key")
_SENTENCES = {
    "string_type": "must be one text; put it in quotes if it looks like a number",
    "int_type": "must be a whole number, without quotes or commas",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "too_long": "must be at most {max_length} characters long",
    "too_short": "must not be empty; write at least one, or delete the key",
    "greater_than": "must be more than {gt:,g}",
    "greater_than_equal": "must be at least {ge:,g}",
    "less_than_equal": "must be at most {le:,g}",
}


def _explained(errors: Sequence[ErrorDetails], schema: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Pydantic's errors in our words: where, and what to do."""
    unknown = [tuple(error["loc"]) for error in errors if error["type"] in _UNKNOWN]
    known: dict[KeyPath, Mapping[str, Any]] = {
        path: schema_at(schema, path[:-1]).get("properties", {}) for path in unknown
    }
    mistyped = {(*path[:-1], closest(str(path[-1]), names)) for path, names in known.items()}
    for error in errors:
        path = tuple(error["loc"])
        if path[-1:] == ("[key]",):
            path = path[:-1]
        if error["type"] == "faults":
            yield from ((path + tuple(at), message) for at, message in error["ctx"]["found"])
        elif error["type"] in _UNKNOWN:
            secret = _SECRET_KEY.fullmatch(str(path[-1]))
            yield path, SECRET_MEND if secret else f"unknown key{_meant(str(path[-1]), known[path], error['input'])}"
        elif error["type"] == "missing" and path in mistyped:
            continue  # that it is mistyped says it all
        elif error["type"] == "too_short" and error["input"]:
            continue  # its entries are at fault, and each says so itself
        else:
            yield path, _sentence(error, schema_at(schema, path))


def _meant(key: str, known: Mapping[str, Any], given: object) -> str:
    """The end of the sentence about an unknown key; for a list in the singular with its entry."""
    close = closest(key, known)
    if close and close.startswith(key) and known[close].get("type") == "array" and isinstance(given, str):
        return f'; did you mean "{close}: [{_flow(given)}]"?'
    return did_you_mean(key, known)


def _sentence(error: ErrorDetails, schema: Mapping[str, Any]) -> str:
    """What to do about a value; `schema` is that of its key."""
    kind, given = error["type"], error["input"]
    if kind == "missing":
        about = schema.get("description", "").rstrip(".")
        return "this key is missing; add it" + (f" ({about})" if about else "")
    if kind in ("enum", "literal_error"):
        known = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
        choices = [str(choice) for choice in known or re.findall("'([^']*)'", error["ctx"]["expected"])]
        close = closest(given, choices) if isinstance(given, str) else None
        *others, last = choices
        listed = f"{', '.join(others)} or {last}" if others else last
        return f"must be {listed}" + (f'; did you mean "{close}"?' if close else "")
    if kind in ("dataclass_type", "mapping_type", "dict_type"):
        return f"must hold `key: value` lines{_as_mapping(given, schema)}"
    if kind == "tuple_type":
        return f"must be a list; {_as_list(given)}"
    if kind in ("int_type", "float_type") and isinstance(given, str) and (mend := mended_number(given)):
        return f"must be a {'whole ' if kind == 'int_type' else ''}number; {mend}"
    if kind == "int_type" and isinstance(given, float) and given.is_integer():
        return f"must be a whole number; write {given:.0f}, or {1000 * given:.0f} if the point parts the thousands"
    return _SENTENCES.get(kind, "this value cannot be used here").format(**error.get("ctx", {}))


def _as_mapping(given: object, schema: Mapping[str, Any]) -> str:
    """How a value that is no mapping may be written as one."""
    keys = list(schema.get("properties", {}))
    if isinstance(given, int | float) and not isinstance(given, bool) and len(keys) == 1:
        return f"; write {{{keys[0]}: {given}}}"
    if isinstance(given, str) and (found := re.match(r"([A-Za-z_][\w-]*):([^\s:/].*)", given)):
        return f"; a space is missing after the colon: write {shortened(f'{found[1]}: {found[2]}')}"
    return f", for example {_flow(schema.get('examples', [{'key': 'value'}])[0])}"


def _as_list(given: object) -> str:
    """How a value that is no list may be written as one."""
    if isinstance(given, dict) and given:
        first = str(next(iter(given)))
        if first.translate(MINUS).startswith("-"):
            return f"a plain hyphen and a space make a list: write - {shortened(first[1:].strip())}: …"
        return f"each entry begins with a dash: write - {shortened(first)}: …"
    if isinstance(given, str) and given.translate(MINUS).startswith("-"):
        return "a plain hyphen and a space make a list: write - before each entry"
    if isinstance(given, str) and re.fullmatch(r"[^,\[\]{}]{1,40}", given):
        return f"write [{_flow(given)}], or each entry on its own line after a dash"
    return "write [one, two], or each on its own line after a dash"


def _flow(value: object) -> str:
    """A value of a schema as it may stand on one line of a file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value) if not isinstance(value, str) or re.fullmatch(r"\w[\w.]*", value) else f'"{value}"'
