"""A small good rules folder, to be loaded as it is or with changes."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.errors import ConfigError
from monitor.rules.load import RuleSet, load_rules

RULE = """\
id: angry
title: Trouble with {brand}
owner: ada@example.com
status: live
severity: high
match: {brands: [acme]}
alert_when_any:
  - negative_mentions: {at_least: 5, within: 60m}
escalate:
  - {after: 0m, team: social}
playbook: playbooks/angry.md
"""
PLAYBOOK = "---\nowner: ada@example.com\napproved_by: board\nreview_by: 2027-05-31\n---\n# Stay calm\n\nBreathe.\n"
TESTS = """\
rules: [angry.yaml]
defaults: {brand: acme, sentiment: -0.8}
tests:
  - name: Five angry mentions make one message
    start: "2026-03-30T10:00:00+02:00"
    mentions: [{every: 5m, count: 5}]
    expect: [{at: 19m, posts: 0}, {at: 21m, posts: 1}]
"""
FOLDER = {
    "angry.yaml": RULE,
    "teams.yaml": 'social: {channel: "#social"}\n',
    "topics.yaml": "safety: {en: [fire]}\n",
    "playbooks/angry.md": PLAYBOOK,
}


def load(changed: dict[str, str | None] | None = None, **more: Any) -> RuleSet:
    files = {**FOLDER, **(changed or {})}
    return load_rules({name: text for name, text in files.items() if text is not None}, ["Acme", "Globex"], **more)


def rule(*edits: tuple[str, str]) -> str:
    text = RULE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def problems(changed: dict[str, str | None]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(changed)
    return str(raised.value).splitlines()
