"""The kinds of values that our YAML files hold, with their bounds; checks a document against them.

Every mistake becomes a `Problem` in plain words at its line. What keys a file has is said by the dataclasses that use
these kinds (`config`, `rules.rule`, `rules.language`); pydantic reads them and its own words never reach a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from monitor.errors import ConfigError
from monitor.yamlfile import SECRET_MEND, Document, KeyPath, shortened

T = TypeVar("T")

#: For the outermost dataclass of a file; those inside take it over. The text under a field describes it to editors.
FILE = ConfigDict(extra="forbid", use_attribute_docstrings=True)


# -- faults that a validator finds -------------------------------------------------------------------------------


def fault(message: str, *at: str | int) -> PydanticCustomError:
    """To raise in a validator: what is wrong, at a key below the value (or at the value itself)."""
    return faults([(at, message)])


def faults(found: Iterable[tuple[KeyPath, str]]) -> PydanticCustomError:
    """Several at once, each with its place below the value."""
    return PydanticCustomError("faults", "see `found`", {"found": list(found)})


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "terms"?`, or `; there are: …`, to end a sentence about an unknown word."""
    choices = {choice.casefold(): choice for choice in sorted(known)}
    close = get_close_matches(word.casefold(), choices, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{choices[close[0]]}"?'
    return f"; known here: {', '.join(choices.values())}" if choices else ""


# -- kinds of values ---------------------------------------------------------------------------------------------

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = "[0-9]{1,7}[smhd]"


def duration(text: str) -> timedelta:
    """`30s`, `10m`, `4h` or `7d`; raises ValueError with the mend."""
    if re.fullmatch(_DURATION, text, re.ASCII):
        return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    if re.fullmatch("[0-9]{1,7}", text, re.ASCII):
        raise ValueError(f"a duration needs its unit; write {text}m for {text} minutes, or {text}s, {text}h, {text}d")
    what = "is no duration; write a whole number and s, m, h or d, for example 30s, 10m, 4h or 7d"
    raise ValueError(f'"{shortened(text)}" {what}')


def duration_text(length: timedelta) -> str:
    """The shortest form that `duration` reads."""
    seconds = round(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise fault("must be a duration such as 30s, 10m, 4h or 7d")
    try:
        return duration(str(value))
    except ValueError as error:
        raise fault(str(error)) from error


def between(least: str, most: str) -> AfterValidator:
    """Bounds of a `Duration`, both allowed."""

    def check(value: timedelta) -> timedelta:
        if not duration(least) <= value <= duration(most):
            raise fault(f"must be between {least} and {most}")
        return value

    return AfterValidator(check)


def _text(value: str) -> str:
    if not value.strip():
        raise fault("must not be empty")
    if len(value) > 500:
        raise fault("is longer than 500 characters; shorten it")
    return value.strip()


def _term(value: str) -> str:
    stem = value.removesuffix("*")
    if "*" in stem:
        raise fault("a * may only stand at the end, where it ends a prefix, for example broadband*")
    if not re.search(r"\w", stem):
        raise fault("must hold a letter or a digit")
    if stem != value and len(stem) < 3:
        raise fault("a prefix needs three letters before the *, or it is found everywhere")
    return value


@dataclass(frozen=True, slots=True)
class Matching:
    """Makes a `Text` that the whole of `pattern` fits; `mend` says what to write instead."""

    pattern: str
    mend: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise fault(f'"{shortened(value)}" {self.mend}')
        return value


Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION}$", "examples": ["30s", "10m", "4h", "7d"]}),
]
Text = Annotated[str, Strict(), AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
#: Names of ours: of rules, teams and topics.
NAME = "[a-z0-9]+([_-][a-z0-9]+)*"
Name = Annotated[Text, Matching(NAME, "cannot be a name; write small letters, digits and hyphens")]
Term = Annotated[Text, AfterValidator(_term)]
Switch = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)]
Score = Annotated[float, Strict(), Field(ge=-1, le=1)]
Share = Annotated[float, Strict(), Field(gt=0, le=1)]
LANGUAGE = "[a-z]{2,3}(-[A-Za-z0-9]{2,8})?"
Language = Annotated[Text, Matching(LANGUAGE, 'is no language code; write two small letters, for example "en"')]
Channel = Annotated[
    Text,
    Matching(
        r"#[^\s#.,:;A-Z]{1,80}|[CG][A-Z0-9]{7,20}",
        'is no Slack channel; write its name with # in quotes, such as "#brand-alerts", or its id, such as C0123456789',
    ),
]


# -- checking a document -----------------------------------------------------------------------------------------

_SECRET_KEY = re.compile(r"(.*[_-])?(token|secret|password|passwd|api_?key|client_id)s?", re.IGNORECASE)


def checked(kind: TypeAdapter[T], document: Document, context: object = None) -> T:
    """The document as the dataclass of `kind`; raises `ConfigError` with all problems. Validators see `context`."""
    problems = list(document.problems)
    try:
        value = kind.validate_python(document.value, context=context)
    except ValidationError as error:
        schema, told = json_schema(kind, document.file), {problem.key for problem in problems}
        for details in error.errors(include_url=False):
            found = [document.problem(path, message) for path, message in _explained(details, schema)]
            problems += [problem for problem in found if problem.key not in told]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return value


_SENTENCES = {
    "string_type": "must be one text; put it in quotes if it looks like a number",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": "must be a list; write [one, two], or each on its own line after a dash",
    "too_long": "must be at most {max_length} characters long",
    "too_short": "must not be empty; write at least one, or delete the key",
    "dataclass_type": "must hold `key: value` lines, or {{key: value}}",
    "mapping_type": "must hold `key: value` lines, or {{key: value}}",
    "dict_type": "must hold `key: value` lines, or {{key: value}}",
    "greater_than": "must be more than {gt:,g}",
    "greater_than_equal": "must be at least {ge:,g}",
    "less_than_equal": "must be at most {le:,g}",
}


def _explained(details: ErrorDetails, schema: Mapping[str, Any]) -> Iterable[tuple[KeyPath, str]]:
    """One error of pydantic in our words: where, and what to do."""
    path, context = tuple(details["loc"]), details.get("ctx", {})
    kind = details["type"]
    if path[-1:] == ("[key]",):
        path = path[:-1]
    if kind == "faults":
        return [(path + tuple(at), message) for at, message in context["found"]]
    if kind in ("unexpected_keyword_argument", "invalid_key"):
        if _SECRET_KEY.fullmatch(str(path[-1])):
            return [(path, SECRET_MEND)]
        known = _schema_at(schema, path[:-1]).get("properties", {})
        return [(path, "unknown key" + did_you_mean(str(path[-1]), known))]
    if kind == "too_short" and details["input"]:
        return []  # its entries are at fault, and each says so itself
    if kind == "missing":
        about = _schema_at(schema, path).get("description", "")
        return [(path, "this key is missing; add it" + (f" ({about.rstrip('.')})" if about else ""))]
    if kind in ("enum", "literal_error"):
        here = _schema_at(schema, path)
        choices = [str(choice) for choice in here.get("enum", [here.get("const", "")])]
        hint = did_you_mean(details["input"], choices) if isinstance(details["input"], str) else ""
        return [(path, f"must be {' or '.join(choices)}" + (hint if "mean" in hint else ""))]
    return [(path, _SENTENCES.get(kind, "this value cannot be used here").format(**context))]


def _schema_at(schema: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
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
    """Without the titles that only repeat the keys, and with our own way to write durations."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        return duration_text(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def json_schema(kind: TypeAdapter[Any], title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file, for editors."""
    schema = kind.json_schema(schema_generator=_Schema)
    for part in schema.get("$defs", {}).values():
        part.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
