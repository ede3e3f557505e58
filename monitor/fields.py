"""The kinds of values that our YAML files hold, with their bounds; checks a document against them.

Every mistake becomes a `Problem` in plain words at its line. What keys a file has is said by the dataclasses that use
these kinds (`config`, `rules.rule`, `rules.language`); pydantic reads them and its own words never reach a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
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
from monitor.mends import MINUS, mended_duration, mended_number

# Whoever reads durations writes them, too.
from monitor.mends import duration_text as duration_text
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
    """`; did you mean "terms"?`, or `; known here: …`, to end a sentence about an unknown word."""
    choices = sorted(known)
    if close := _closest(word, choices):
        return f'; did you mean "{close}"?'
    return f"; known here: {shortened(', '.join(choices), 300)}" if choices else ""


def _closest(word: str, known: Iterable[str]) -> str | None:
    choices = {choice.casefold(): choice for choice in known}
    close = get_close_matches(word.casefold(), choices, n=1, cutoff=0.6)
    return choices[close[0]] if close else None


# -- kinds of values ---------------------------------------------------------------------------------------------

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = "[0-9]{1,7}[smhd]"


def duration(text: str) -> timedelta:
    """`30s`, `10m`, `4h` or `7d`; raises ValueError with the mend."""
    if re.fullmatch(_DURATION, text, re.ASCII):
        return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    if re.fullmatch("[0-9]{1,7}", text, re.ASCII):
        raise ValueError(f"a duration needs its unit; write {text}m for {text} minutes, or {text}s, {text}h, {text}d")
    mend = mended_duration(text) or "a whole number and s, m, h or d, for example 30s, 10m, 4h or 7d"
    raise ValueError(f'"{shortened(text)}" is no duration; write {mend}')


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


#: For a tuple: an entry that comes again is dropped.
EACH_ONCE = AfterValidator(lambda values: tuple(dict.fromkeys(values)))


def _text(value: str) -> str:
    if not value.strip():
        raise fault("must not be empty")
    if len(value) > 500:
        raise fault("is longer than 500 characters; shorten it")
    return value.strip()


#: One ’ may be an apostrophe: Dunkin’.
_CURLY = re.compile("[“”„‟«»‘‹›].*|.*[“”„‟«»‘‹›]|’.*’", re.DOTALL)


def _straight(value: str) -> str:
    if _CURLY.fullmatch(value):
        raise fault("curly quotes are part of the text; write straight ones")
    return value


def _share(value: object) -> object:
    if isinstance(value, int | float) and 1 < value <= 100:
        raise fault(f"must be at most 1; write {value / 100:g} for {value:g}%")
    return value


def _primary(language: str) -> str:
    # Posts know no more.
    return re.split("[-_]", language)[0]


def _term(value: str) -> str:
    stem = value.removesuffix("*")
    if "*" in stem:
        raise fault("a * may only stand at the end, where it ends a prefix, for example broadband*")
    if not re.search(r"\w", stem):
        raise fault("must hold a letter or a digit")
    if stem != value and len(stem) < 3:
        raise fault("a prefix needs three letters before the *, or it is found everywhere")
    return value


def _date(value: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) and date.fromisoformat(value):
            return value
    except ValueError:
        pass
    raise fault("is no date; write year-month-day, for example 2027-05-31")


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


Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION}$", "examples": ["30s", "10m", "4h", "7d"]}),
]
#: What people read as it stands; all other texts are looked for, and there curly quotes are a slip.
Prose = Annotated[str, Strict(), AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Text = Annotated[Prose, AfterValidator(_straight)]
#: Names of ours: of rules, teams and topics.
NAME = "[a-z0-9]+([_-][a-z0-9]+)*"
Name = Annotated[Text, Matching(NAME, "cannot be a name; write small letters, digits and hyphens")]
#: Stays a text; `date.fromisoformat` reads it.
Date = Annotated[
    Text, AfterValidator(_date), WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-05-31"]})
]
Term = Annotated[Text, AfterValidator(_term)]
Switch = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)]
Score = Annotated[float, Strict(), Field(ge=-1, le=1)]
Share = Annotated[float, Strict(), Field(gt=0, le=1), BeforeValidator(_share)]
LANGUAGE = "[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*"
#: `pt-BR` becomes `pt`.
Language = Annotated[
    Text,
    Matching(LANGUAGE, 'is no language code; write two small letters, for example "en"'),
    AfterValidator(_primary),
]
Channel = Annotated[
    Text,
    Matching(
        r"#[^\s#.,:;A-Z]{1,80}|[CG][A-Z0-9]{7,20}",
        'is no Slack channel; write its name with # in quotes, such as "#brand-alerts", or its id, such as C0123456789',
    ),
]


def read_inside(kind: TypeAdapter[T], value: object) -> T:
    """For a validator that lets another kind read a value; its mistakes keep their places."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise faults(_explained(error.errors(include_url=False), {})) from error


# -- checking a document -----------------------------------------------------------------------------------------

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
        path: _schema_at(schema, path[:-1]).get("properties", {}) for path in unknown
    }
    mistyped = {(*path[:-1], _closest(str(path[-1]), names)) for path, names in known.items()}
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
            yield path, _sentence(error, _schema_at(schema, path))


def _meant(key: str, known: Mapping[str, Any], given: object) -> str:
    """The end of the sentence about an unknown key; for a list in the singular with its entry."""
    close = _closest(key, known)
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
        choices = [str(choice) for choice in schema.get("enum", [schema.get("const", "")])]
        close = _closest(given, choices) if isinstance(given, str) else None
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
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
