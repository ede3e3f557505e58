"""Why a rule did (not) alert, as an Italian reads it in Slack: a sentence of each kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from monitor.model import Coverage, Scope
from monitor.rules.explaining.explain import explain, in_short
from monitor.rules.explaining.inquiry import Case, Kind
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.rule import AuthorReach, DiscussionFloor, MatchSpec, NegativeMentions, NegativeShare, Rule, Status
from monitor.rules.rule import TopicsSpec as Topics
from monitor.rules.times import Covered
from monitor.wording.catalogs import words
from tests.fakes.counted import DAY, HOUR, MENTION, MINUTE, NOW, RULE, SPIKE, about, asking, at, one

FIVE = asking(NegativeMentions(5, HOUR))
SHARE = asking(NegativeShare(0.5, 6 * HOUR, 10))
LOUD = asking(AuthorReach(100_000))
RISE = asking(SPIKE, scope=Scope.BRAND)
FRIENDLY = replace(MENTION, score=0.9, confidence=0.95)
UNJUDGED = replace(MENTION, score=None, confidence=None)
READ = Covered([Coverage(NOW - 8 * DAY, NOW)])
HARDLY_READ = Covered([Coverage(NOW - 90 * MINUTE, NOW)])


def matching(**asked: object) -> Rule:
    return replace(FIVE, match=MatchSpec(**asked))  # type: ignore[arg-type]


def asks(found: str) -> str:
    return f"acme non conta m12: {found} (rules/acme.yaml)."


SAID = {
    "one more is missing": (
        FIVE, about(*at(50, 40, 30, 10)),
        "acme non ha avvisato: alle 11:50 c’erano 4 menzioni negative in 1 ora, la soglia è almeno 5"
        " (rules/acme.yaml). Ne basta un’altra prima delle 12:10.",
    ),
    "some more were missing, on another day": (
        FIVE, about(*at(24 * 60 * 3)),
        "acme non ha avvisato: venerdì alle 12:00 c’era 1 menzione negativa in 1 ora, la soglia è almeno 5"
        " (rules/acme.yaml). Ne sarebbero bastate altre 4 prima di venerdì alle 13:00.",
    ),
    "long ago": (
        asking(NegativeMentions(2, 90 * MINUTE)), about(*at(24 * 60 * 30)),
        "acme non ha avvisato: il 28 feb 2026 alle 12:00 c’era 1 menzione negativa in 90 minuti, la soglia è almeno 2"
        " (rules/acme.yaml). Ne sarebbe bastata un’altra prima del 28 feb 2026 alle 13:30.",
    ),
    "a share": (
        asking(NegativeShare(0.125, 6 * HOUR, 1000)), about(*at(3, 2, 1)),
        "acme non ha avvisato: alle 11:59 le negative in 6 ore erano 3 su 3 = 100 %, la soglia è almeno il 12,5 % di"
        " almeno 1.000 (rules/acme.yaml).",
    ),
    "nobody loud": (
        LOUD, about(*at(3, reach=1500)),
        "acme non ha avvisato: alle 11:57 la voce negativa più seguita aveva 1.500 follower, la soglia è almeno"
        " 100.000 (rules/acme.yaml).",
    ),
    "a spike where hardly anything was read": (
        RISE, about(*at(*range(12)), covered=HARDLY_READ),
        "acme non ha avvisato: menzioni negative in 1 ora, alle 12:00: 12; letto solo 30 minuti su 7 giorni del"
        " periodo di confronto: troppo poco per conoscere il valore abituale. La soglia è: almeno 10 in 1 ora, e 3"
        " volte il valore abituale (periodo di confronto: 7 giorni) (rules/acme.yaml).",
    ),
    "too small a rise": (
        RISE, about(*at(*range(9)), *at(*range(300, 9000, 300)), covered=READ),
        "acme non ha avvisato: menzioni negative in 1 ora, alle 12:00: 9; di solito 0,17: 52,1 volte tanto. La soglia"
        " è: almeno 10 in 1 ora, e 3 volte il valore abituale (periodo di confronto: 7 giorni) (rules/acme.yaml).",
    ),
    "too small a discussion": (
        replace(asking(NegativeMentions(1, HOUR)), discussion=DiscussionFloor(mentions=3)), about(*at(3)),
        "acme non ha avvisato: alle 11:57 la discussione aveva 1 menzione, la soglia è almeno 3 (rules/acme.yaml).",
    ),
    "too few hear of it": (
        replace(asking(NegativeMentions(1, HOUR)), discussion=DiscussionFloor(reach=5000)), about(*at(3, 2)),
        "acme non ha avvisato: alle 11:58 gli autori della discussione avevano in tutto 900 follower, la soglia è"
        " almeno 5.000 (rules/acme.yaml).",
    ),
    "nothing is negative": (
        FIVE, about(FRIENDLY, replace(FRIENDLY, id=2, score=-0.31), replace(MENTION, id=3, confidence=0.5)),
        "acme non ha avvisato: nessuna delle 3 menzioni che conta è negativa; negative_if.sentiment richiede al"
        " massimo -0.5, la più negativa, su 2, ha -0.310 (rules/acme.yaml); negative_if.confidence richiede almeno"
        " 0.7, la più sicura, su 1, ha 0.500 (rules/acme.yaml).",
    ),
    "the only one that counts is not negative": (
        FIVE, about(FRIENDLY),
        "acme conta l’unica menzione, ma non come negativa: negative_if.sentiment richiede al massimo -0.5, ma trova"
        " 0.900 (rules/acme.yaml).",
    ),
    "one that is not negative": (
        FIVE, one(replace(MENTION, score=-0.312)),
        "acme conta m12, ma non come negativa: negative_if.sentiment richiede al massimo -0.5, ma trova -0.312"
        " (rules/acme.yaml).",
    ),
    "one that is not judged": (
        FIVE, one(UNJUDGED),
        "acme conta m12, ma non come negativa: negative_if.sentiment richiede al massimo -0.5, ma non è ancora"
        " valutata (rules/acme.yaml).",
    ),
    "some are not judged": (
        FIVE, about(replace(UNJUDGED, id=2), replace(UNJUDGED, id=3)),
        "acme non ha avvisato: nessuna delle 2 menzioni che conta è negativa; negative_if.sentiment richiede al"
        " massimo -0.5, 2 non sono ancora valutate (rules/acme.yaml).",
    ),
    "another source": (
        matching(sources=("reddit", "x", "rss")), one(replace(MENTION, source="forum")),
        asks("match.sources richiede reddit o x o rss, ma trova forum"),
    ),
    "no language": (
        matching(languages=("it",)), one(replace(MENTION, language=None)),
        asks("match.languages richiede it, ma trova una lingua sconosciuta"),
    ),
    "no topic": (
        matching(topics=Topics(any_of=("safety", "price"))), one(replace(MENTION, topics=frozenset())),
        asks("match.topics richiede almeno un tema tra: safety, price, ma non ne trova"),
    ),
    "a topic too many": (
        matching(topics=Topics(none_of=("jobs",))), one(replace(MENTION, topics=frozenset({"jobs"}))),
        asks("match.topics richiede nessun tema tra: jobs, ma trova jobs"),
    ),
    "hardly followed": (
        matching(author_reach=5000), one(replace(MENTION, reach=1234)),
        asks("match.author_reach richiede almeno 5.000, ma trova 1.234"),
    ),
    "none of a discussion counts": (
        matching(topics=Topics(any_of=("price",))),
        about(*at(1, 2, topics=frozenset()), replace(MENTION, topics=frozenset({"jobs"}))),
        "acme non conta nessuna delle 3 menzioni: match.topics richiede almeno un tema tra: price, in 2 menzioni su 3"
        " non ne trova (rules/acme.yaml).",
    ),
    "all for the same reason": (
        matching(sources=("rss",)), about(*at(1, 2)),
        "acme non conta nessuna delle 2 menzioni: match.sources richiede rss, in 2 menzioni trova reddit"
        " (rules/acme.yaml).",
    ),
    "the only one does not count": (
        matching(sources=("rss",)), about(*at(1)),
        "acme non conta la sua unica menzione: match.sources richiede rss, ma trova reddit (rules/acme.yaml).",
    ),
    "in test": (
        replace(asking(NegativeMentions(1, HOUR)), status=Status.TEST), about(*at(3)),
        "acme avrebbe avvisato alle 11:57, ma è in prova: nessuno viene avvisato (rules/acme.yaml).",
    ),
    "history": (
        asking(NegativeMentions(1, HOUR)), about(*at(3 * 24 * 60), seen={1000: NOW}),
        "acme risulta scattata venerdì alle 12:00, ma le sue menzioni sono state lette solo alle 12:00: ciò che risale"
        " a più di 1 giorno prima è storia, e non avvisa nessuno.",
    ),
    "through a friendly mention": (
        asking(NegativeMentions(1, HOUR)), about(*at(3), replace(FRIENDLY, id=9)),
        "acme risulta scattata alle 12:00 per una menzione non negativa, che da sola non apre nulla: lo farà la"
        " prossima negativa.",
    ),
    "before the rules": (
        asking(NegativeMentions(1, HOUR)), about(*at(3), rules_since=NOW - DAY + 12 * HOUR + 30 * DAY),
        "acme risulta scattata alle 11:57, ma allora non è stata creata nessuna segnalazione: queste regole sono in"
        " vigore solo dal giorno 29 apr 2026 alle 00:00.",
    ),
    "off": (
        replace(FIVE, status=Status.OFF), one(), "acme non si applica: è disattivata (rules/acme.yaml).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "case", "sentence"), SAID.values(), ids=SAID.keys())
def test_an_italian_reads_it_in_italian(rule: Rule, case: Case, sentence: str) -> None:
    assert words("it").text(explain(rule, case).sentence) == sentence


def test_what_does_not_apply_and_what_is_further_away() -> None:
    rules = [replace(asking(NegativeMentions(n, HOUR)), id=f"r{n}") for n in (4, 9)]
    off, globex = replace(RULE, id="old", status=Status.OFF), replace(RULE, id="g", match=MatchSpec(brands=("Globex",)))
    told = in_short([explain(rule, about(*at(3, 2, 1))) for rule in (*rules, off, globex)], most=1)
    assert [words("it").text(one) for one in told][1:] == [
        "Più lontane dall’avviso: r9.",
        "Non si applicano: g (segue solo Globex), old (è disattivata).",
    ]
    rival = about(replace(MENTION, brand="Globex"), brand="Globex", competitor=True)
    assert [words("it").text(one) for one in in_short([explain(FIVE, rival)])] == [
        "Non si applica: acme (i concorrenti sono seguiti solo dalle regole che li nominano)."
    ]
    assert [words("it").text(one) for one in in_short([explain(FIVE, about(*at(3), kind=Kind.BRAND))])] == [
        "Non si applica: acme (guarda le singole discussioni)."
    ]


def test_moments_are_those_of_the_readers_zone() -> None:
    there = Spoken(NOW, timezone(timedelta(hours=13)))
    sentence = words("it").text(explain(FIVE, about(*at(60 * 2), spoken=there)).sentence)
    assert "domenica" not in sentence and "alle 23:00 " not in sentence.split("prima")[1]
    assert sentence.startswith("acme non ha avvisato: lunedì alle 23:00"), "there it is Tuesday, 01:00"
    assert sentence.endswith("prima delle 00:00."), "that is of today there"


@pytest.mark.parametrize("language", ["en", "it"])
def test_names_with_braces_are_said_as_they_are(language: str) -> None:
    """A source or a brand may be called as its owner likes."""
    rule = matching(sources=("{0}", "{name}"))
    said = words(language).text(explain(rule, one(replace(MENTION, source="{found}"))).sentence)
    assert "{0}" in said and "{name}" in said and "{found}" in said
