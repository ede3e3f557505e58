"""Tests for rules of a test: without one that fires and one that stays silent a live rule is not taken over."""

from __future__ import annotations

from pathlib import Path

from monitor.durations import duration_text
from monitor.errors import ConfigError
from monitor.rulebook import rule_files
from monitor.rules.load import load_rules
from monitor.rules.rule import AuthorReach, NegativeMentions, NegativeShare, Rule, Spike


def prove_all(folder: Path, brands: tuple[str, ...] = ("Acme", "Globex")) -> None:
    """Write tests/NAME.yaml for every rule of the folder; what is broken in it is left to those who test that."""
    try:
        rules = load_rules(rule_files(folder), brands).rules
    except ConfigError:
        return
    (folder / "tests").mkdir(exist_ok=True)
    for rule in rules:
        if not (folder / "tests" / rule.file).exists():
            (folder / "tests" / rule.file).write_text(_proof(rule), "utf-8")


def _proof(rule: Rule) -> str:
    brand = rule.match.brands[0] if rule.match.brands else "Acme"
    return f"""\
rules: [{rule.file}]
defaults: {{brand: {brand}, sentiment: -1.0, author_reach: 1000000000, topics: [{", ".join(_topics(rule))}]}}
tests:
  - name: It fires
    start: "2026-03-02T10:00:00Z"
    mentions: [{_angry(rule)}]
    expect: [{{at: 100d, rule: {rule.id}}}]
  - name: It stays silent
    start: "2026-03-02T10:00:00Z"
    mentions: [{{at: 0m, sentiment: 1.0}}]
    expect: [{{at: 100d, posts: 0}}]
"""


def _topics(rule: Rule) -> tuple[str, ...]:
    return rule.match.topics.any_of[:1] if rule.match.topics else ()


def _angry(rule: Rule) -> str:
    match rule.alert_when_any[0]:
        case NegativeMentions(at_least=count):
            return f"{{at: 0m, every: 1s, count: {count}}}" if count > 1 else "{at: 0m}"
        case NegativeShare(minimum_total=count):
            return f"{{at: 0m, every: 1s, count: {max(count, 2)}}}"
        case AuthorReach():
            return "{at: 0m}"
        case Spike() as spike:
            usual = f"{{at: 0m, every: 1m, count: {spike.minimum_baseline}, discussion: a}}"
            return f"{usual}, {{at: {duration_text(spike.baseline)}, every: 1s, count: 200, discussion: b}}"
