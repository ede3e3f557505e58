"""What `topics.yaml` holds: named word lists by language. Finding the words in posts is the matcher's business."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from monitor.checking import checked
from monitor.fields import LANGUAGE, Matching, Name, Term, Text
from monitor.schemas import json_schema
from monitor.yamlfile import Document

_Language = Annotated[Text, Matching(rf"{LANGUAGE}|\*", 'is no language code; write "en", or "*" for every language')]
_Words = Annotated[tuple[Term, ...], Field(min_length=1)]
_Lists = Annotated[Mapping[_Language, _Words], Field(min_length=1, examples=[{"en": ["fire", "smoke"]}])]
_File = Mapping[Name, _Lists]


@cache
def _file() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def parse_topics(document: Document) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The word lists by topic and language, "*" for every language; raises `ConfigError` with all problems."""
    return checked(_file(), document)


def topics_schema() -> dict[str, Any]:
    """The JSON Schema of `topics.yaml`."""
    return json_schema(_file(), "The topics of brand-monitor")
