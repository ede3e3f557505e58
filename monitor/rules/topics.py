"""What `topics.yaml` holds: named word lists by language. Finding the words in posts is the matcher's business."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class InUse:
    """The words of one topic, as `words_hash` tells them apart, and since when mentions are stored with what they find;
    None: always."""

    words: str
    since: datetime | None


def words_hash(lists: Mapping[str, Sequence[str]]) -> str:
    """Changes with any word of a topic, not with the order of its words or languages."""
    ordered = {language: sorted(set(words)) for language, words in lists.items()}
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()


def topics_schema() -> dict[str, Any]:
    """The JSON Schema of `topics.yaml`."""
    return json_schema(_file(), "The topics of brand-monitor")
