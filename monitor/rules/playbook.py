"""A playbook: Markdown under front matter that says who answers for it and until when it holds."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from pydantic import TypeAdapter, with_config

from monitor.checking import checked
from monitor.errors import ConfigError, Problem
from monitor.fields import FILE, Date, Text
from monitor.model import Guideline
from monitor.yamlfile import parse_yaml, refuse_secrets

_FENCE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_HEADING = re.compile(r"^#[ \t]+(\S.*)$", re.MULTILINE)


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _FrontMatter:
    owner: Text
    """Who keeps it up to date."""
    approved_by: Text
    """Who has said that it may be followed."""
    review_by: Date
    """Until when it holds without another look."""


@cache
def _front_matter() -> TypeAdapter[_FrontMatter]:
    return TypeAdapter(_FrontMatter)


def parse_playbook(text: str, path: str, file: str) -> Guideline:
    """The playbook at `path` in the rules folder; `file` names it in problems. Raises `ConfigError`.

    Its title is its first heading of the first level, or else the name of the file.
    """
    refuse_secrets(text, file)
    content = text.removeprefix("\ufeff")
    opening = _FENCE.match(content)
    closing = _FENCE.search(content, opening.end()) if opening else None
    if opening is None or closing is None:
        what = "a playbook begins with owner:, approved_by: and review_by: between two lines ---"
        raise ConfigError([Problem(file, 1, 0, "", what)])
    # What stands before the keys is left as an empty line, so that problems name the right one.
    front = checked(_front_matter(), parse_yaml(content[opening.end() : closing.start()], file))
    body = content[closing.end() :].strip()
    if not body:
        raise ConfigError([Problem(file, 0, 0, "", "the playbook is empty; write what to do")])
    title = PurePosixPath(path).stem.replace("-", " ").capitalize()
    if heading := _HEADING.match(body):
        title, body = heading[1].strip(), body[heading.end() :].strip()
    version = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Guideline(path, title, body, front.owner, front.approved_by, front.review_by, version)
