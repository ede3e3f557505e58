"""Which topics a replay must look for again: those whose words are not the ones that found what is stored.

A mention is stored with its topics. Where a set of rules has other words for a topic that its rules ask for, what is
stored is no answer: the texts are searched again, for all sets of rules at once. Reading them is not done here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from monitor.matching import TopicMatcher, whole
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Status, TopicsSpec
from monitor.rules.topics import InUse, words_hash

FOREVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Words:
    """`sets` are the rules as a replay needs them: they ask for each topic by the name under which it is looked for.

    `lists` are the words to look for under such names, `topics` what people call them. `until`: what is stored of
    mentions after that is right. `kept`: what is stored is right for these anyway.
    """

    sets: tuple[RuleSet, ...]
    topics: tuple[str, ...] = ()
    lists: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    until: datetime = _EVER


def words(sets: Sequence[RuleSet], in_use: Mapping[str, InUse], begin: datetime) -> Words:
    """What to look for again in mentions after `begin`; of a topic that is not `in_use` nobody knows what is stored."""
    names: list[dict[str, str]] = []
    lists: dict[str, Mapping[str, Sequence[str]]] = {}
    stale: set[str] = set()
    kept: set[str] = set()
    until = _EVER
    for rules in sets:
        known_as = {}
        for topic in topics_asked(rules):
            mine = rules.topics.get(topic, {})
            words, stored = words_hash(mine), in_use.get(topic)
            same = stored is not None and stored.words == words
            right_from = (stored.since or _EVER) if stored and same else FOREVER
            if right_from <= begin:
                kept.add(topic)
                continue
            # Where two sets have other words for a topic they are two things to look for. No topic has a blank in it.
            name = topic if same else f"{topic} {words}"
            known_as[topic], lists[name] = name, mine
            stale.add(topic)
            until = max(until, right_from)
        names.append(known_as)
    renamed = [_renamed(rules, known_as) for rules, known_as in zip(sets, names, strict=True)]
    return Words(tuple(renamed), tuple(sorted(stale)), lists, frozenset(kept), until)


class Search:
    """Finds the topics of stored texts anew, and counts the texts."""

    def __init__(self, words: Words) -> None:
        self._matcher = TopicMatcher(words.lists)
        self._kept = words.kept
        self.texts = 0

    def __call__(self, title: str | None, text: str, language: str | None, stored: frozenset[str]) -> frozenset[str]:
        self.texts += 1
        kept = stored & self._kept
        found = self._matcher.topics(whole(title, text), language)
        return kept.union(found) if found else kept


def topics_asked(rules: RuleSet) -> list[str]:
    """The topics that some rule of the set asks for."""
    return sorted({topic for rule in rules.rules if rule.status is not Status.OFF for topic in _of(rule)})


def words_asked(rule: Rule, rules: RuleSet) -> Mapping[str, str]:
    """The words of the topics that a rule asks for, as `words_hash` tells them apart."""
    return {topic: words_hash(rules.topics.get(topic, {})) for topic in _of(rule)}


def _of(rule: Rule) -> Iterator[str]:
    if rule.match.topics is not None:
        yield from rule.match.topics.any_of
        yield from rule.match.topics.none_of


def _renamed(rules: RuleSet, names: Mapping[str, str]) -> RuleSet:
    if all(topic == name for topic, name in names.items()):
        return rules

    def called(topics: Iterable[str]) -> tuple[str, ...]:
        return tuple(names.get(topic, topic) for topic in topics)

    def renamed(rule: Rule) -> Rule:
        asked = rule.match.topics
        if asked is None:
            return rule
        spec = TopicsSpec(called(asked.any_of), called(asked.none_of))
        return replace(rule, match=replace(rule.match, topics=spec))

    return replace(rules, rules=tuple(map(renamed, rules.rules)))
