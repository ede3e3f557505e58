"""What a rule makes of one mention: whether it counts at all, and whether as a negative one.

What follows from many of them is decided in windows.py. It reads no store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from monitor.model import Condition
from monitor.rules.rule import Rule
from monitor.wording.text import Text, english, say

#: Scores are differences of probabilities: 0.2 - 0.7 is not quite -0.5.
ROUNDING = 1e-9
#: What is found of a mention that has no language, no topic, no judgement.
# i18n: a language
UNKNOWN = say("unknown")
NONE, UNJUDGED = say("none"), say("not judged yet")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule needs to know of a mention. Answers, posts of our own accounts, are not counted and never come here.

    `author` tells authors apart; `reach` is the author's followers. `score` and `confidence` are None until judged.
    """

    id: int
    at: datetime
    brand: str
    source: str
    language: str | None = None
    topics: frozenset[str] = frozenset()
    author: str = ""
    reach: int = 0
    score: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The discussion (or, for the scope brand, the brand) as a whole: all mentions, distinct authors' reach summed."""

    mentions: int
    reach: int

    @classmethod
    def of(cls, mentions: Iterable[Counted]) -> Totals:
        last = deque(growing(mentions), maxlen=1)
        return last[0] if last else cls(0, 0)


def growing(mentions: Iterable[Counted]) -> Iterator[Totals]:
    """The totals after each of the mentions."""
    reach: dict[str, int] = {}
    summed = 0
    for number, mention in enumerate(mentions, 1):
        known = reach.get(mention.author, 0)
        reach[mention.author] = max(known, mention.reach)
        summed += reach[mention.author] - known
        yield Totals(number, summed)


# -- one mention -------------------------------------------------------------------------------------------------


Holds = Callable[[Counted], bool]


class _Test(NamedTuple):
    """One condition on a single mention. Scores are said as rule files write them, in every language."""

    name: str
    asked: Text | str
    holds: Holds
    found: Callable[[Counted], Text | str]

    def of(self, mention: Counted) -> Condition:
        found = self.found(mention)
        said = {"asked": _json(self.asked), "found": _json(found)}
        return Condition(self.name, english(self.asked), english(found), self.holds(mention), said)


def either(names: Sequence[str]) -> Text | str:
    """ "reddit or forum"."""
    said: Text | str = names[0]
    for other in names[1:]:
        said = say("{one} or {other}", one=said, other=other)
    return said


def matching(rule: Rule) -> Holds:
    """Whether a mention counts at all for the rule (`match`), as one function, made once for very many mentions."""
    return _all([test.holds for test in _match_tests(rule)])


def negative(rule: Rule) -> Holds:
    """Whether a mention that counts does so as negative; without `negative_if` all do."""
    return _all([test.holds for test in _negative_tests(rule)])


def _all(tests: Sequence[Holds]) -> Holds:
    if not tests:
        return lambda mention: True
    first, *others = tests
    if not others:
        return first
    rest = _all(others)
    return lambda mention: first(mention) and rest(mention)


def mention_conditions(rule: Rule, mention: Counted) -> tuple[Condition, ...]:
    """Each condition of `match` and `negative_if` for one mention, named `match.…` and `negative_if.…`."""
    return tuple(test.of(mention) for test in (*_match_tests(rule), *_negative_tests(rule)))


def _match_tests(rule: Rule) -> list[_Test]:
    match, tests = rule.match, []
    if match.brands:
        brands = frozenset(match.brands)
        tests.append(_Test("match.brands", either(match.brands), lambda m: m.brand in brands, lambda m: m.brand))
    if match.sources:
        tests.append(_one_of("match.sources", match.sources, lambda m: m.source))
    if match.languages:
        tests.append(_one_of("match.languages", match.languages, _language, lambda m: m.language or UNKNOWN))
    if match.topics:
        wanted, unwanted = frozenset(match.topics.any_of), frozenset(match.topics.none_of)
        if wanted:
            asked = say("any of {topics}", topics=", ".join(match.topics.any_of))
            tests.append(_Test("match.topics", asked, lambda m: not wanted.isdisjoint(m.topics), _topics))
        if unwanted:
            asked = say("none of {topics}", topics=", ".join(match.topics.none_of))
            tests.append(_Test("match.topics", asked, lambda m: unwanted.isdisjoint(m.topics), _topics))
    if (least := match.author_reach) is not None:
        asked = say("at least {least}", least=least)
        tests.append(_Test("match.author_reach", asked, lambda m: m.reach >= least, lambda m: _count(m.reach)))
    return tests


def _one_of(
    name: str, names: Sequence[str], of: Callable[[Counted], str], found: Callable[[Counted], Text | str] | None = None
) -> _Test:
    # Sources and languages are typed by hand in the configuration and here: their case says nothing.
    folded = frozenset(name.casefold() for name in names)
    return _Test(name, either(names), lambda m: of(m).casefold() in folded, found or of)


def _language(mention: Counted) -> str:
    return mention.language or "unknown"


def _topics(mention: Counted) -> Text | str:
    return ", ".join(sorted(mention.topics)) or NONE


def _negative_tests(rule: Rule) -> list[_Test]:
    wanted, tests = rule.negative_if, []
    if wanted is None:
        return []
    if (most := wanted.sentiment_at_most) is not None:
        tests.append(
            _Test(
                "negative_if.sentiment",
                say("at most {most}", most=f"{most:g}"),
                lambda m: m.score is not None and m.score <= most + ROUNDING,
                lambda m: UNJUDGED if m.score is None else f"{m.score:.3f}",
            )
        )
    if (least := wanted.confidence_at_least) is not None:
        tests.append(
            _Test(
                "negative_if.confidence",
                say("at least {least}", least=f"{least:g}"),
                lambda m: m.confidence is not None and m.confidence >= least - ROUNDING,
                lambda m: UNJUDGED if m.confidence is None else f"{m.confidence:.3f}",
            )
        )
    return tests


def _count(number: int) -> Text:
    return Text("{count}", {"count": number})


def _json(said: Text | str) -> Any:
    return said if isinstance(said, str) else said.to_json()
