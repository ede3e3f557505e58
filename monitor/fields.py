"""The kinds of values that our YAML files hold, with their bounds and the words for a value that is out of them.

What keys a file has is said by the dataclasses that use these kinds (`config`, `rules.rule`, `rules.language`);
documents are checked by `checking`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
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
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from monitor.durations import DURATION, duration
from monitor.wording.languages import LANGUAGES
from monitor.yamlfile import KeyPath, shortened

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
    if close := closest(word, choices):
        return f'; did you mean "{close}"?'
    return f"; known here: {shortened(', '.join(choices), 300)}" if choices else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    choices = {choice.casefold(): choice for choice in known}
    close = get_close_matches(word.casefold(), choices, n=1, cutoff=0.6)
    return choices[close[0]] if close else None


# -- kinds of values ---------------------------------------------------------------------------------------------


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


Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION}$", "examples": ["30s", "10m", "4h", "7d"]}),
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
#: In which people are told something.
Speech = Annotated[Text, Matching("|".join(LANGUAGES), f"is not spoken here; write one of {', '.join(LANGUAGES)}")]
Channel = Annotated[
    Text,
    Matching(
        r"#[^\s#.,:;A-Z]{1,80}|[CG][A-Z0-9]{7,20}",
        'is no Slack channel; write its name with # in quotes, such as "#brand-alerts", or its id, such as C0123456789',
    ),
]
