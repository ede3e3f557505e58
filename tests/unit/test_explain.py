"""Why a rule did (not) alert, in the words that people read: each condition that fails, and each that holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.model import Coverage, Scope
from monitor.rules.counted import Counted
from monitor.rules.explaining.explain import explain, in_short
from monitor.rules.explaining.inquiry import Case, Explanation, Kind, Result, Stage
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.rule import AuthorReach, DiscussionFloor, NegativeMentions, NegativeShare, Rule, Status
from monitor.rules.times import Covered
from monitor.wording.text import english
from tests.fakes.counted import DAY, HOUR, MENTION, MINUTE, NOW, RULE, SPIKE, about, asking, at, one
from tests.fakes.rules_folder import load, rule


def told_in_short(*explanations: Explanation, **known: int) -> tuple[str, ...]:
    return tuple(map(english, in_short(explanations, **known)))


def step(explanation: Explanation, name: str) -> tuple[str, str, bool]:
    [found] = [step for step in explanation.steps if step.name == name]
    return found.asked, found.found, found.holds


FIVE = asking(NegativeMentions(5, HOUR))
SHARE = asking(NegativeShare(0.5, 6 * HOUR, 10))
LOUD = asking(AuthorReach(100_000))
FRIENDLY = replace(MENTION, score=0.9, confidence=0.95)
READ = Covered([Coverage(NOW - 8 * DAY, NOW)])
HARDLY_READ = Covered([Coverage(NOW - 90 * MINUTE, NOW)])

SILENT = {
    "one more is missing": (
        FIVE, about(*at(50, 40, 30, 10)),
        "acme did not alert: 4 negative mentions within 1h at 11:50, it asks for at least 5 (rules/acme.yaml)."
        " One more before 12:10 is enough.",
    ),
    "some more were missing": (
        FIVE, about(*at(300, 290)),
        "acme did not alert: 2 negative mentions within 1h at 07:10, it asks for at least 5 (rules/acme.yaml)."
        " 3 more before 08:00 would have been enough.",
    ),
    "the nearest moment is told, not the last": (
        FIVE, about(*at(300, 299, 298, 10)),
        "acme did not alert: 3 negative mentions within 1h at 07:02, it asks for at least 5 (rules/acme.yaml)."
        " 2 more before 08:00 would have been enough.",
    ),
    "another day": (
        FIVE, about(*at(24 * 60 * 3)),
        "acme did not alert: 1 negative mention within 1h on Fri at 12:00, it asks for at least 5 (rules/acme.yaml)."
        " 4 more before Fri 13:00 would have been enough.",
    ),
    "the share of too few": (
        SHARE, about(*at(3, 2, 1)),
        "acme did not alert: 3 of 3 = 100 % negative within 6h at 11:59, it asks for at least 50 % of at least 10"
        " (rules/acme.yaml).",
    ),
    "too small a share": (
        SHARE, about(*at(1), *(replace(FRIENDLY, id=n, at=NOW - n * MINUTE) for n in range(2, 12))),
        "acme did not alert: 1 of 11 = 9 % negative within 6h at 11:59, it asks for at least 50 % of at least 10"
        " (rules/acme.yaml).",
    ),
    "nobody loud": (
        LOUD, about(*at(3)),
        "acme did not alert: the loudest negative voice had 900 followers at 11:57, it asks for at least 100,000"
        " (rules/acme.yaml).",
    ),
    "a spike where hardly anything was read": (
        asking(SPIKE, scope=Scope.BRAND), about(*at(*range(12)), covered=HARDLY_READ),
        "acme did not alert: negative mentions within 1h at 12:00: 12; only 30m of the 7d before were read: too little"
        " to know the usual. It asks for at least 10 within 1h, and 3 times the usual of the 7d before"
        " (rules/acme.yaml).",
    ),
    "a spike over an unknown usual": (
        asking(SPIKE, scope=Scope.BRAND), about(*at(*range(12)), covered=READ),
        "acme did not alert: negative mentions within 1h at 12:00: 12; only 0 in the 7d before, 20 are needed to know"
        " the usual. It asks for at least 10 within 1h, and 3 times the usual of the 7d before (rules/acme.yaml).",
    ),
    "too small a discussion": (
        replace(asking(NegativeMentions(1, HOUR)), discussion=DiscussionFloor(mentions=3)), about(*at(3, 2)),
        "acme did not alert: the discussion had 2 mentions at 11:58, it asks for at least 3 (rules/acme.yaml).",
    ),
    "too few hear of it": (
        replace(asking(NegativeMentions(1, HOUR)), discussion=DiscussionFloor(reach=5000)), about(*at(3, 2)),
        "acme did not alert: the authors of the discussion had 900 followers together at 11:58, it asks for at least"
        " 5,000 (rules/acme.yaml).",
    ),
    "nothing is negative": (
        FIVE, about(FRIENDLY, replace(FRIENDLY, id=2, score=-0.31), replace(MENTION, id=3, confidence=0.5)),
        "acme did not alert: none of the 3 mentions that it counts is negative; negative_if.sentiment asks for at most"
        " -0.5, the most negative of 2 has -0.310 (rules/acme.yaml); negative_if.confidence asks for at least 0.7, the"
        " surest of 1 has 0.500 (rules/acme.yaml).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "case", "sentence"), SILENT.values(), ids=SILENT.keys())
def test_why_it_was_silent(rule: Rule, case: Case, sentence: str) -> None:
    explained = explain(rule, case)
    assert english(explained.sentence) == sentence
    assert explained.result is Result.SILENT and explained.failed is not None and not explained.failed.holds


APART = {
    "off": (replace(FIVE, status=Status.OFF), one(), "it is off"),
    "another brand": (
        rule(("brands: [acme]", "brands: [globex]")), one(), "it watches Globex only",
    ),
    "a competitor": (FIVE, one(replace(MENTION, brand="Globex"), brand="Globex", competitor=True),
                     "competitors are watched only by rules that name them"),
    "a single discussion's rule on a brand": (FIVE, about(*at(3), kind=Kind.BRAND), "it looks at single discussions"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "case", "why"), APART.values(), ids=APART.keys())
def test_what_does_not_apply_is_said_in_one_line(given: Rule | str, case: Case, why: str) -> None:
    made = load({"angry.yaml": given, "tests/angry.yaml": None}).rules[0] if isinstance(given, str) else given
    explained = explain(made, case)
    assert explained.result is Result.APART and f"does not apply: {why} (rules/" in english(explained.sentence)
    assert told_in_short(explained) == (f"Does not apply: {made.id} ({why}).",)


def test_a_rule_in_test_would_have_alerted() -> None:
    explained = explain(replace(asking(NegativeMentions(2, HOUR)), status=Status.TEST), about(*at(3, 2)))
    assert english(explained.sentence) == (
        "acme would have alerted at 11:58, but it is in test: nobody is told (rules/acme.yaml)."
    )
    assert explained.result is Result.TEST


MATCH = """\
id: angry
title: Trouble with {brand}
owner: ada@example.com
status: live
severity: high
match:
  brands: [acme]
  sources: [reddit]
  languages: [en]
  topics:
    any_of: [safety]
    none_of: [jobs]
  author_reach: {at_least: 500}
negative_if:
  sentiment: {at_most: -0.5}
  confidence: {at_least: 0.7}
alert_when_any:
  - negative_mentions: {at_least: 5, within: 60m}
escalate: [{after: 0m, team: social}]
"""
[PICKY] = load(
    {"angry.yaml": MATCH, "tests/angry.yaml": None, "topics.yaml": "safety: {en: [fire]}\njobs: {en: [job]}\n"}
).rules

MENTIONS = {
    "another source": (
        replace(MENTION, source="forum"),
        "angry does not count m12: match.sources asks for reddit, it has forum (rules/angry.yaml:8).",
    ),
    "another language": (
        replace(MENTION, language=None),
        "angry does not count m12: match.languages asks for en, it has unknown (rules/angry.yaml:9).",
    ),
    "no such topic": (
        replace(MENTION, topics=frozenset()),
        "angry does not count m12: match.topics asks for any of safety, it has none (rules/angry.yaml:11).",
    ),
    "a topic too many": (
        replace(MENTION, topics=frozenset({"safety", "jobs"})),
        "angry does not count m12: match.topics asks for none of jobs, it has jobs, safety (rules/angry.yaml:12).",
    ),
    "hardly followed": (
        replace(MENTION, reach=10),
        "angry does not count m12: match.author_reach asks for at least 500, it has 10 (rules/angry.yaml:13).",
    ),
    "too mild": (
        replace(MENTION, score=-0.312),
        "angry counts m12, but not as negative: negative_if.sentiment asks for at most -0.5, it has -0.312"
        " (rules/angry.yaml:15).",
    ),
    "unsure": (
        replace(MENTION, confidence=0.5),
        "angry counts m12, but not as negative: negative_if.confidence asks for at least 0.7, it has 0.500"
        " (rules/angry.yaml:16).",
    ),
    "not judged": (
        replace(MENTION, score=None, confidence=None),
        "angry counts m12, but not as negative: negative_if.sentiment asks for at most -0.5, it is not judged yet"
        " (rules/angry.yaml:15).",
    ),
    "not enough like it": (
        MENTION,
        "angry did not alert: 1 negative mention within 1h at 12:00, it asks for at least 5 (rules/angry.yaml:18)."
        " 4 more before 13:00 are enough.",
    ),
}


@pytest.mark.parametrize(("mention", "sentence"), MENTIONS.values(), ids=MENTIONS.keys())
def test_what_a_rule_makes_of_one_mention(mention: Counted, sentence: str) -> None:
    explained = explain(PICKY, one(mention))
    assert english(explained.sentence) == sentence
    assert explained.failed and f"{explained.failed.line})" in sentence
    names = [step.name for step in explained.steps]
    assert names == [
        "status", "match.brands", "scope", "match.sources", "match.languages", "match.topics", "match.topics",
        "match.author_reach", "negative_if.sentiment", "negative_if.confidence", "negative_mentions",
    ], "every condition is told, also those after the first that failed"  # fmt: skip


def test_what_keeps_mentions_of_a_discussion_out_is_grouped() -> None:
    job = replace(MENTION, topics=frozenset({"jobs", "safety"}))
    french = replace(MENTION, language="fr")
    case = about(*(replace(job, id=n) for n in range(12)), *(replace(french, id=20 + n) for n in range(2)),
                 *(replace(MENTION, id=30 + n, at=NOW - n * MINUTE) for n in range(6)))  # fmt: skip
    explained = explain(PICKY, case)
    _, counted, _ = step(explained, "counted")
    assert counted == "6 of 20; 14 do not: match.topics (12), match.languages (2)"
    assert step(explained, "match.languages") == ("en", "18 of 20; the others: fr (2)", True)
    assert step(explained, "negative") == ("all of negative_if", "6 of 6", True)


def test_a_discussion_of_which_nothing_counts() -> None:
    job = replace(MENTION, topics=frozenset({"jobs", "safety"}))
    explained = explain(PICKY, about(*(replace(job, id=n) for n in range(9))))
    assert english(explained.sentence) == (
        "angry counts none of the 9 mentions: match.topics asks for none of jobs, 9 have jobs, safety"
        " (rules/angry.yaml:12)."
    )


HOLDS = {
    "enough": (asking(NegativeMentions(3, HOUR)), about(*at(3, 2, 1)), "negative_mentions"),
    "a share": (asking(NegativeShare(0.5, HOUR, 3)), about(*at(3, 2), replace(FRIENDLY, at=NOW - MINUTE * 4)),
                "negative_share"),
    "a loud voice": (LOUD, about(replace(MENTION, reach=200_000)), "author_reach"),
    "a spike": (asking(SPIKE, scope=Scope.BRAND),
                about(*at(*range(12)), *at(*range(300, 9000, 300)), covered=READ), "spike"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "case", "name"), HOLDS.values(), ids=HOLDS.keys())
def test_what_fires_without_a_record_is_not_called_an_alert(rule: Rule, case: Case, name: str) -> None:
    explained = explain(rule, case)
    assert step(explained, name)[2] and explained.result is Result.FIRED and explained.nearness == 1.0
    assert "no escalation was made then: the daemon does not follow these rules yet" in english(explained.sentence)
    assert english(explain(rule, replace(case, rules_since=NOW + MINUTE)).sentence).endswith("only since 12:01.")


def test_the_moment_asked_about_is_judged_without_what_came_later() -> None:
    case = replace(about(*at(300, 299, 298, 10, 9, 8, 7, 6)), at=NOW - timedelta(minutes=290))
    explained = explain(FIVE, case)
    assert (explained.at, explained.why_then) == (case.at, "the moment that was asked about")
    assert "3 negative mentions within 1h at 07:10" in english(explained.sentence)
    assert step(explained, "counted")[1] == "3 of 3"


def test_floors_are_those_of_the_moment() -> None:
    rule = replace(asking(NegativeMentions(1, HOUR)), discussion=DiscussionFloor(mentions=3))
    later = [replace(FRIENDLY, id=n, at=NOW - n * MINUTE) for n in (20, 10)]
    explained = explain(rule, about(*at(180), *later))
    assert explained.result is Result.SILENT, "when it was angry it was small, and when it had grown all were friendly"


def test_history_alerts_nobody() -> None:
    said = at(3 * 24 * 60, 3 * 24 * 60 - 1)
    case = about(*said, seen={mention.id: NOW for mention in said})
    explained = explain(asking(NegativeMentions(2, HOUR)), case)
    assert english(explained.sentence) == (
        "acme fires as of Fri 12:01, but its mentions were read only at 12:00: what is longer ago than 1d is history,"
        " and alerts nobody."
    )  # fmt: skip


def test_a_friendly_mention_opens_nothing() -> None:
    friendly = replace(FRIENDLY, id=9, at=NOW)
    said = english(explain(asking(NegativeMentions(2, HOUR)), about(*at(3, 2), friendly)).sentence)
    assert "through a friendly mention, and such a one opens nothing: the next negative one does" in said


def test_in_short_those_that_came_nearest_stand_first() -> None:
    case = about(*at(3, 2, 1))
    rules = [replace(asking(NegativeMentions(n, HOUR)), id=f"r{n}") for n in (9, 4, 3, 6)]
    off = replace(RULE, id="old", status=Status.OFF)
    told = told_in_short(*(explain(rule, case) for rule in (off, *rules)), most=2)
    assert [line.split()[0] for line in told] == ["r3", "r4", "r6", "Further", "Does"]
    assert told[3:] == ("Further from alerting: r9.", "Does not apply: old (it is off).")


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (NOW - 2 * HOUR, "at 10:00"),
        (NOW + 4 * DAY, "on Fri at 12:00"),
        (NOW - 30 * DAY, "on 28 February 2026 at 12:00"),
    ],
    ids=["today", "this week", "long ago"],
)
def test_how_moments_are_said(then: datetime, said: str) -> None:
    assert english(Spoken(NOW).at(then)) == said


def test_steps_stand_in_the_order_in_which_they_decide() -> None:
    stages = list(Stage)
    found = [step.stage for step in explain(replace(FIVE, discussion=DiscussionFloor(mentions=1)), about(*at(1))).steps]
    assert [stages.index(stage) for stage in found] == sorted(stages.index(stage) for stage in found)
