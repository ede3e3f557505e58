"""What a rule makes of one mention: whether it counts at all, and whether as a negative one.

What follows from many of them is decided in windows.py. It reads no store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from monitor.model import Condition
from monitor.rules.rule import Rule

#: Scores are differences of probabilities: 0.2 - 0.7 is not quite -0.5.
ROUNDING = 1e-9


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
    """One condition on a single mention."""

    name: str
    asked: str
    holds: Holds
    found: Callable[[Counted], str]

    def of(self, mention: Counted) -> Condition:
        return Condition(self.name, self.asked, self.found(mention), self.holds(mention))


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
        tests.append(_Test("match.brands", " or ".join(match.brands), lambda m: m.brand in brands, lambda m: m.brand))
    if match.sources:
        tests.append(_one_of("match.sources", match.sources, lambda m: m.source))
    if match.languages:
        tests.append(_one_of("match.languages", match.languages, lambda m: m.language or "unknown"))
    if match.topics:
        wanted, unwanted = frozenset(match.topics.any_of), frozenset(match.topics.none_of)
        if wanted:
            asked = f"any of {', '.join(match.topics.any_of)}"
            tests.append(_Test("match.topics", asked, lambda m: not wanted.isdisjoint(m.topics), _topics))
        if unwanted:
            asked = f"none of {', '.join(match.topics.none_of)}"
            tests.append(_Test("match.topics", asked, lambda m: unwanted.isdisjoint(m.topics), _topics))
    if (least := match.author_reach) is not None:
        asked = f"at least {least:,}"
        tests.append(_Test("match.author_reach", asked, lambda m: m.reach >= least, lambda m: f"{m.reach:,}"))
    return tests


def _one_of(name: str, names: Sequence[str], of: Callable[[Counted], str]) -> _Test:
    # Sources and languages are typed by hand in the configuration and here: their case says nothing.
    folded = frozenset(name.casefold() for name in names)
    return _Test(name, " or ".join(names), lambda m: of(m).casefold() in folded, of)


def _topics(mention: Counted) -> str:
    return ", ".join(sorted(mention.topics)) or "none"


def _negative_tests(rule: Rule) -> list[_Test]:
    wanted, tests = rule.negative_if, []
    if wanted is None:
        return []
    if (most := wanted.sentiment_at_most) is not None:
        tests.append(
            _Test(
                "negative_if.sentiment",
                f"at most {most:g}",
                lambda m: m.score is not None and m.score <= most + ROUNDING,
                lambda m: "not judged yet" if m.score is None else f"{m.score:.3f}",
            )
        )
    if (least := wanted.confidence_at_least) is not None:
        tests.append(
            _Test(
                "negative_if.confidence",
                f"at least {least:g}",
                lambda m: m.confidence is not None and m.confidence >= least - ROUNDING,
                lambda m: "not judged yet" if m.confidence is None else f"{m.confidence:.3f}",
            )
        )
    return tests
