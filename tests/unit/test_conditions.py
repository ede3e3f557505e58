"""What a rule asks and finds: which mentions count, which are negative, and whether its conditions hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Coverage
from monitor.rules.counted import Counted, Totals, mention_conditions
from monitor.rules.rule import (
    AlertCondition,
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    NegativeIf,
    NegativeMentions,
    NegativeShare,
    TopicsSpec,
)
from monitor.rules.times import Covered
from monitor.rules.windows import Windows, horizon
from monitor.wording.catalogs import words
from monitor.wording.text import text_from_json
from tests.fakes.counted import ANGRY, DAY, HOUR, MENTION, MINUTE, NOW, RULE, SPIKE, TOTALS, asking, at

# -- one mention -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "changes", "counts"),
    [
        pytest.param(MatchSpec(), {}, True, id="nothing asked"),
        pytest.param(MatchSpec(brands=("Globex", "Acme")), {}, True, id="one of the brands"),
        pytest.param(MatchSpec(brands=("Globex",)), {}, False, id="another brand"),
        pytest.param(MatchSpec(sources=("Reddit",)), {}, True, id="case of a source says nothing"),
        pytest.param(MatchSpec(sources=("forum",)), {}, False, id="another source"),
        pytest.param(MatchSpec(languages=("en", "no")), {}, True, id="language"),
        pytest.param(MatchSpec(languages=("en",)), {"language": None}, False, id="unknown language"),
        pytest.param(MatchSpec(topics=TopicsSpec(any_of=("legal", "safety"))), {}, True, id="any topic"),
        pytest.param(MatchSpec(topics=TopicsSpec(any_of=("legal",))), {}, False, id="no topic"),
        pytest.param(MatchSpec(topics=TopicsSpec(any_of=("safety",), none_of=("jobs",))),
                     {"topics": frozenset({"safety", "jobs"})}, False, id="unwanted topic"),
        pytest.param(MatchSpec(author_reach=900), {}, True, id="just enough followers"),
        pytest.param(MatchSpec(author_reach=901), {}, False, id="too few followers"),
        pytest.param(MatchSpec(brands=("Acme",), sources=("forum",)), {}, False, id="all must hold"),
    ],
)  # fmt: skip
def test_which_mentions_count(match: MatchSpec, changes: dict[str, Any], counts: bool) -> None:
    rule, mention = replace(RULE, match=match), replace(MENTION, **changes)
    assert Windows(rule).counts(mention) is counts
    explained = [c for c in mention_conditions(rule, mention) if c.name.startswith("match.")]
    assert all(c.holds for c in explained) is counts


@pytest.mark.parametrize(
    ("wanted", "score", "confidence", "negative"),
    [
        pytest.param(ANGRY, -0.8, 0.9, True, id="angry"),
        pytest.param(ANGRY, 0.2 - 0.7, 0.7, True, id="just so, in spite of rounding"),
        pytest.param(ANGRY, -0.4, 0.9, False, id="not angry enough"),
        pytest.param(ANGRY, -0.8, 0.5, False, id="the model is unsure"),
        pytest.param(ANGRY, None, None, False, id="not judged yet"),
        pytest.param(None, 0.9, 0.9, True, id="without negative_if all that counts is negative"),
        pytest.param(None, None, None, True, id="judged or not"),
    ],
)
def test_what_is_negative(
    wanted: NegativeIf | None, score: float | None, confidence: float | None, negative: bool
) -> None:
    mention, rule = replace(MENTION, score=score, confidence=confidence), replace(RULE, negative_if=wanted)
    assert Windows(rule).negative(mention) is negative
    assert not Windows(replace(rule, match=MatchSpec(brands=("Globex",)))).negative(mention)


def test_explains_a_mention_in_words() -> None:
    rule = replace(
        RULE,
        match=MatchSpec(("Acme", "Globex"), ("forum",), ("de",), TopicsSpec(("legal",), ("jobs", "safety")), 5000),
    )
    assert [(c.name, c.asked, c.found, c.holds) for c in mention_conditions(rule, MENTION)] == [
        ("match.brands", "Acme or Globex", "Acme", True),
        ("match.sources", "forum", "reddit", False),
        ("match.languages", "de", "en", False),
        ("match.topics", "any of legal", "safety", False),
        ("match.topics", "none of jobs, safety", "safety", False),
        ("match.author_reach", "at least 5,000", "900", False),
        ("negative_if.sentiment", "at most -0.5", "-0.800", True),
        ("negative_if.confidence", "at least 0.7", "0.900", True),
    ]
    unknown = replace(MENTION, language=None, topics=frozenset(), score=None, confidence=None)
    assert [c.found for c in mention_conditions(rule, unknown)][2:] == [
        "unknown", "none", "none", "900", "not judged yet", "not judged yet",
    ]  # fmt: skip


# -- the conditions ----------------------------------------------------------------------------------------------

WEEK = [Coverage(NOW - 8 * DAY, NOW)]
SHARE = NegativeShare(0.4, 6 * HOUR, 5)
BUSY = [60 * h for h in range(1, 169)] * 2  # twice an hour, all week
NONE_NEGATIVE = at(1, 2, 3, score=0.5)

LOUD = "a negative mention by an author with at least {} followers within 1d"
ASKED = {
    "enough": (NegativeMentions(3, HOUR), at(0, 30, 59), "at least 3 within 1h", "3", True),
    "the window is open at its start": (NegativeMentions(3, HOUR), at(0, 30, 60), "at least 3 within 1h", "2", False),
    "later mentions do not count": (NegativeMentions(3, HOUR), at(-1, 0, 1), "at least 3 within 1h", "2", False),
    "only negative ones count": (NegativeMentions(1, 90 * MINUTE), NONE_NEGATIVE, "at least 1 within 90m", "0", False),
    "share": (SHARE, at(0, 1) + at(2, 3, 4, score=None),
              "at least 40 % of at least 5 within 6h", "2 of 5 = 40 %", True),
    "share of too few": (SHARE, at(0, 1, 2, 3), "at least 40 % of at least 5 within 6h",
                         "4 of 4 = 100 %, too few to count", False),
    "share that rounds up": (SHARE, at(*[1] * 1999) + at(*[2] * 3001, score=0),
                             "at least 40 % of at least 5 within 6h", "1,999 of 5,000 = 39.9 %", False),
    "share of nothing": (SHARE, [], "at least 40 % of at least 5 within 6h", "no mention", False),
    "loud": (AuthorReach(100_000), at(5) + at(60, reach=250_000),
             LOUD.format("100,000"), "the loudest has 250,000", True),
    "not loud": (AuthorReach(1000), at(5) + at(1440, reach=250_000),
                 LOUD.format("1,000"), "the loudest has 900", False),
    "loud praise": (AuthorReach(100), NONE_NEGATIVE,
                    LOUD.format("100"), "no negative mention", False),
}  # fmt: skip


@pytest.mark.parametrize(("alert", "mentions", "asked", "found", "holds"), ASKED.values(), ids=ASKED.keys())
def test_conditions(alert: AlertCondition, mentions: list[Counted], asked: str, found: str, holds: bool) -> None:
    verdict = Windows.of(asking(alert), mentions).verdict(NOW, TOTALS)
    (condition,) = verdict.conditions
    assert (condition.asked, condition.found, condition.holds) == (asked, found, holds)
    assert verdict.fires is holds
    assert verdict.reasons == ((condition,) if holds else ())


SPIKES = {
    "three times the usual": (at(*[1] * 10, *BUSY), WEEK, "10; usually 2: 5 times", True),
    "less than three times": (at(*[1] * 10, *BUSY, *BUSY), WEEK, "10; usually 4: 2.5 times", False),
    "hardly less than three times": (at(*[1] * 299, *[60 * h for h in range(1, 169) for _ in range(100)]), WEEK,
                                     "299; usually 100: 2.9 times", False),
    "hardly ever": (at(*[1] * 2000, *[90] * 20), WEEK, "2,000; usually 0.12: 16,800 times", True),
    "few now": (at(*[1] * 9, *BUSY), WEEK, "9; usually 2: 4.5 times", False),
    "silent week": (at(*[1] * 10, *[90] * 19), WEEK,
                    "10; only 19 in the 7d before, 20 are needed to know the usual", False),
    "read for a day only": (at(*[1] * 10, *BUSY), [Coverage(NOW - 25 * HOUR, NOW)],
                            "10; usually 2: 5 times (1d of the 7d before were read)", True),
    "just installed": (at(*[1] * 200, *[70] * 20), [Coverage(NOW - 90 * MINUTE, NOW)],
                       "200; only 30m of the 7d before were read: too little to know the usual", False),
    "a gap is not read": (at(*[1] * 10, *BUSY), [Coverage(NOW - 8 * DAY, NOW, complete=False, reason="page cap")],
                          "10; only 0s of the 7d before were read: too little to know the usual", False),
    "two sources at once count once": (at(*[1] * 10, *BUSY), [*WEEK, Coverage(NOW - 3 * DAY, NOW - 2 * DAY)],
                                       "10; usually 2: 5 times", True),
}  # fmt: skip


@pytest.mark.parametrize(("mentions", "coverage", "found", "holds"), SPIKES.values(), ids=SPIKES.keys())
def test_spike(mentions: list[Counted], coverage: list[Coverage], found: str, holds: bool) -> None:
    (condition,) = Windows.of(asking(SPIKE), mentions).verdict(NOW, TOTALS, Covered(coverage)).conditions
    assert condition.asked == "at least 10 within 1h, and 3 times the usual of the 7d before"
    assert (condition.found, condition.holds) == (found, holds)


IN_ITALIAN = {
    "count": (NegativeMentions(1000, 90 * MINUTE), at(*[1] * 1200), "almeno 1.000 in 90 minuti", "1.200"),
    "share": (SHARE, at(*[1] * 1999) + at(*[2] * 3001, score=0),
              "almeno il 40 % di almeno 5 in 6 ore", "1.999 su 5.000 = 39,9 %"),
    "reach": (AuthorReach(100_000), at(60, reach=250_000),
              "una menzione negativa di un autore con almeno 100.000 follower in 1 giorno",
              "il più seguito ne ha 250.000"),
    "spike": (SPIKE, at(*[1] * 2000, *[90] * 20),
              "almeno 10 in 1 ora, e 3 volte il valore abituale (periodo di confronto: 7 giorni)",
              "2.000; di solito 0,12: 16.800 volte tanto"),
    "no more is lost than in the file": (NegativeMentions(3, 150 * MINUTE), [], "almeno 3 in 150m", "0"),
}  # fmt: skip


@pytest.mark.parametrize(("alert", "mentions", "asked", "found"), IN_ITALIAN.values(), ids=IN_ITALIAN.keys())
def test_what_was_asked_and_found_can_be_said_in_another_language(
    alert: AlertCondition, mentions: list[Counted], asked: str, found: str
) -> None:
    (condition,) = Windows.of(asking(alert), mentions).verdict(NOW, TOTALS, Covered(WEEK)).conditions
    said = json.loads(json.dumps(condition.said))
    italian = words("it")
    assert tuple(italian.text(text_from_json(said[part])) for part in ("asked", "found")) == (asked, found)
    assert condition == replace(condition, said=None), "what is compared and counted is English"


def test_a_spike_after_a_silence_that_was_read() -> None:
    rule = asking(replace(SPIKE, minimum_baseline=0))
    (condition,) = Windows.of(rule, at(*[1] * 10)).verdict(NOW, TOTALS, Covered(WEEK)).conditions
    assert (condition.found, condition.holds) == ("10; usually none", True)


@pytest.mark.parametrize(
    ("floor", "found", "fires"),
    [
        (DiscussionFloor(mentions=3, reach=5000), [("discussion.mentions", "at least 3", "3", True),
                                                   ("discussion.reach", "at least 5,000", "5,000", True)], True),
        (DiscussionFloor(mentions=4), [("discussion.mentions", "at least 4", "3", False)], False),
        (DiscussionFloor(reach=5001), [("discussion.reach", "at least 5,001", "5,000", False)], False),
    ],
)  # fmt: skip
def test_the_discussion_as_a_whole_has_a_floor(
    floor: DiscussionFloor, found: list[tuple[str, str, str, bool]], fires: bool
) -> None:
    verdict = Windows.of(replace(RULE, discussion=floor), at(0, 1, 2)).verdict(NOW, Totals(3, 5000))
    assert [(c.name, c.asked, c.found, c.holds) for c in verdict.conditions[:-1]] == found
    assert verdict.fires is fires
    assert [c.name for c in verdict.reasons] == ["negative_mentions"]


def test_reach_is_summed_over_distinct_authors() -> None:
    mentions = [replace(MENTION, author=author, reach=reach) for author, reach in (("a", 5), ("b", 7), ("a", 6))]
    assert Totals.of(mentions) == Totals(mentions=3, reach=13)


def test_horizon_holds_the_baseline() -> None:
    assert horizon(asking(NegativeMentions(3, HOUR), SPIKE)) == 7 * DAY + HOUR
    assert horizon(asking(AuthorReach(1), NegativeMentions(3, HOUR))) == DAY
