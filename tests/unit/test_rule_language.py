"""One rule: the whole language is read, and every trap is told with its place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.model import Scope, Severity
from monitor.rules.people.rota import Team
from monitor.rules.rule import (
    Acknowledged,
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    NegativeIf,
    NegativeMentions,
    NegativeShare,
    OutsideHours,
    Rule,
    Spike,
    Status,
    TierSpec,
    Timing,
    TopicsSpec,
)
from tests.fakes.rules_folder import load, problems, rule

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MATCH = "match: {brands: [acme]}"
WHEN = "negative_mentions: {at_least: 5, within: 60m}"
SPIKE = "spike: {times: 3, within: 1h, baseline: 7d, minimum_now: 10, minimum_baseline: 20}"
TIER = "- {after: 0m, team: social}"


def test_the_whole_language_becomes_a_rule() -> None:
    text = """\
id: acme-negative-thread
title: Negative discussion about {brand}
owner: jana@example.com
status: off
severity: critical
match:
  brands: [acme, GLOBEX]
  sources: [reddit, forum]
  languages: [en, de, "no"]
  topics: {any_of: [safety], none_of: [jobs]}
  author_reach: {at_least: 500}
negative_if:
  sentiment: {at_most: -0.5}
  confidence: {at_least: 0.7}
discussion:
  mentions: {at_least: 3}
  reach: {at_least: 5000}
alert_when_any:
  - negative_mentions: {at_least: 5, within: 60m}
  - negative_share: {at_least: 0.4, within: 6h, minimum_total: 20}
  - spike: {times: 3, within: 1h, baseline: 7d, minimum_now: 10, minimum_baseline: 20}
  - author_reach: {at_least: 100000}
scope: discussion
timing: {wait_first: 45s, update_every: 90s, repeat_after: 5h, repeat_at_most: 2, reopen_within: 7h}
escalate:
  - {after: 0m, team: social}
  - {after: 15m, unless: acknowledged, team: leads, mention: true}
acknowledged: {remind_after: 4h, reopen_after: 8h}
outside_hours: notify
playbook: playbooks/angry.md
"""
    teams = (
        'social: {channel: "#social"}\nleads: {channel: C0123456789, user_group: S0123456789, members: [U0123456789]}\n'
    )
    topics = 'safety: {en: [fire, "burn*"], "*": [sos]}\njobs: {it: ["lavora con noi"]}\n'
    read = load({"angry.yaml": None, "thread.yaml": text, "teams.yaml": teams, "topics.yaml": topics})
    assert read.rules == (
        Rule(
            id="acme-negative-thread",
            title="Negative discussion about {brand}",
            owner="jana@example.com",
            status=Status.OFF,
            severity=Severity.CRITICAL,
            match=MatchSpec(
                ("Acme", "Globex"), ("reddit", "forum"), ("en", "de", "no"), TopicsSpec(("safety",), ("jobs",)), 500
            ),
            negative_if=NegativeIf(-0.5, 0.7),
            discussion=DiscussionFloor(3, 5000),
            alert_when_any=(
                NegativeMentions(5, HOUR),
                NegativeShare(0.4, 6 * HOUR, 20),
                Spike(3, HOUR, 7 * DAY, 10, 20),
                AuthorReach(100_000),
            ),
            scope=Scope.DISCUSSION,
            timing=Timing(timedelta(seconds=45), timedelta(seconds=90), 5 * HOUR, 2, 7 * HOUR),
            escalate=(TierSpec(timedelta(), "social"), TierSpec(15 * MINUTE, "leads", True, True)),
            acknowledged=Acknowledged(4 * HOUR, 8 * HOUR),
            outside_hours=OutsideHours.NOTIFY,
            playbook="playbooks/angry.md",
            file="thread.yaml",
            source_text=text,
        ),
    )
    assert read.teams["leads"] == Team("leads", "C0123456789", "S0123456789", {"U0123456789": "U0123456789"})
    assert read.topics == {"safety": {"en": ("fire", "burn*"), "*": ("sos",)}, "jobs": {"it": ("lavora con noi",)}}


def test_what_is_left_out_has_its_default() -> None:
    (read,) = load().rules
    assert (read.negative_if, read.discussion, read.acknowledged) == (None, None, None)
    assert (read.scope, read.timing, read.outside_hours) == (Scope.DISCUSSION, Timing(), OutsideHours.HOLD)


def test_a_title_may_hold_curly_quotes_and_a_language_its_region() -> None:
    text = rule(("Trouble with {brand}", "“{brand}”"), (MATCH, "match: {languages: [pt-BR, pt, en]}"))
    (read,) = load({"angry.yaml": text}).rules
    assert (read.title, read.match.languages) == ("“{brand}”", ("pt", "en"))


@pytest.mark.parametrize(
    ("said", "taken", "answered"),
    [
        pytest.param("acknowledged", True, False, id="taken"),
        pytest.param("answered", False, True, id="answered"),
        pytest.param("[acknowledged, answered]", True, True, id="either"),
        pytest.param("[answered, answered]", False, True, id="twice the same"),
    ],
)
def test_what_spares_a_tier(said: str, taken: bool, answered: bool) -> None:
    (read,) = load({"angry.yaml": rule((TIER, f"{TIER}\n  - {{after: 5m, team: social, unless: {said}}}"))}).rules
    assert [(tier.unless_acknowledged, tier.unless_answered) for tier in read.escalate] == [
        (False, False), (taken, answered),
    ]  # fmt: skip


# -- problems ----------------------------------------------------------------------------------------------------

IN_A_RULE = {
    "no id": ("id: angry\n", "", ": id: this key is missing; add it (Part of the identity of its escalations"),
    "id with capitals": ("id: angry", "id: Angry Thread", ':1:1: id: "Angry Thread" cannot be an id'),
    "long id": ("id: angry", "id: " + "a" * 65, ":1:1: id: must be at most 64 characters long"),
    "other placeholder": ("{brand}", "{author}", ":2:1: title: the only thing that can stand in { } is {brand}"),
    "open brace": ("{brand}", "{brand", ":2:1: title: the only thing"),
    "colon in the title": ("{brand}", "[brand]: bad", ":2:28: a value with a colon in it needs quotes"),
    "mistyped owner": ("owner:", "ownr:", ':3:1: ownr: unknown key; did you mean "owner"?'),
    "curly owner": ("ada@example.com", "“Ada”", ":3:1: owner: curly quotes are part of the text; write straight"),
    "half an address": ("ada@example.com", "ada@", ':3:1: owner: "ada@" is neither a name nor an address'),
    "status on": ("status: live", "status: on", ":4:1: status: must be test, live or off"),
    "status typo": ("status: live", "status: lvie", ':4:1: status: must be test, live or off; did you mean "live"?'),
    "status no": ("status: live", "status: no", ":4:1: status: must be test, live or off"),
    "severity": (
        "severity: high",
        "severity: High",
        ':5:1: severity: must be low, medium, high or critical; did you mean "high"?',
    ),
    "duplicate key": (
        "severity: high",
        "severity: high\nseverity: low",
        ":6:1: severity: this key stands twice, first in line 5",
    ),
    "no match": (MATCH + "\n", "", ": match: this key is missing"),
    "empty match": (MATCH, "match: {}", ":6:1: match: holds nothing"),
    "match left open": (MATCH, "match:", ":6:7: match: nothing is written here"),
    "no brands": (
        MATCH,
        "match: {brands: []}",
        ":6:9: match.brands: must not be empty; write at least one, or delete the key",
    ),
    "brand is no list": (MATCH, "match: {brands: acme}", ":6:9: match.brands: must be a list"),
    "unknown brand": (
        MATCH,
        "match: {brands: [acmee]}",
        ':6:18: match.brands[0]: there is no brand "acmee" in the configuration; did you mean "Acme"?',
    ),
    "typo in a key": (MATCH, "match: {brand: [acme]}", ':6:9: match.brand: unknown key; did you mean "brands"?'),
    "unknown topic": (
        MATCH,
        "match: {topics: {any_of: [saftey]}}",
        ':6:27: match.topics.any_of[0]: there is no topic "saftey" in topics.yaml; did you mean "safety"?',
    ),
    "Norwegian": (
        MATCH,
        "match: {languages: [en, no]}",
        ':6:25: match.languages[1]: YAML reads no as false; write "no" in',
    ),
    "bare reach": (
        MATCH,
        "match: {author_reach: 500}",
        ":6:9: match.author_reach: must hold `key: value` lines",
    ),
    "no reach": (
        MATCH,
        "match: {author_reach: {at_least: 0}}",
        ":6:24: match.author_reach.at_least: must be at least 1",
    ),
    "bare score": (
        MATCH,
        MATCH + "\nnegative_if: {sentiment: -0.5}",
        ":7:15: negative_if.sentiment: must hold `key: value` lines; write {at_most: -0.5}",
    ),
    "score below": (
        MATCH,
        MATCH + "\nnegative_if: {sentiment: {at_most: -5}}",
        ":7:27: negative_if.sentiment.at_most: must be at least -1",
    ),
    "no number": (
        MATCH,
        MATCH + "\nnegative_if: {sentiment: {at_most: .nan}}",
        ":7:27: negative_if.sentiment.at_most: must be a number",
    ),
    "at_least for at_most": (
        MATCH,
        MATCH + "\nnegative_if: {sentiment: {at_least: -0.5}}",
        ':7:27: negative_if.sentiment.at_least: unknown key; did you mean "at_most"?',
    ),
    "per cent": (
        MATCH,
        MATCH + "\nnegative_if: {confidence: {at_least: 70}}",
        ":7:28: negative_if.confidence.at_least: must be at most 1; write 0.7 for 70%",
    ),
    "decimal comma": (
        MATCH,
        MATCH + "\nnegative_if:\n  confidence:\n    at_least: 0,7",
        ":9:5: negative_if.confidence.at_least: must be a number; write 0.7, with a point",
    ),
    "empty negative_if": (MATCH, MATCH + "\nnegative_if: {}", ":7:1: negative_if: holds nothing"),
    "never alerts": ("alert_when_any:\n  - " + WHEN + "\n", "", ": alert_when_any: this key is missing"),
    "no condition": ("\n  - " + WHEN, " []", ":7:1: alert_when_any: must not be empty"),
    "dash forgotten": ("\n  - " + WHEN, "\n  " + WHEN, ":7:1: alert_when_any: must be a list"),
    "two in one": (
        WHEN,
        WHEN + "\n    author_reach: {at_least: 5}",
        ":8:5: alert_when_any[0]: each condition needs a line of its own",
    ),
    "condition typo": (
        WHEN,
        "negative_mention: {at_least: 5, within: 60m}",
        ':8:5: alert_when_any[0].negative_mention: unknown key; did you mean "negative_mentions"?',
    ),
    "no unit": (
        "within: 60m",
        "within: 60",
        ":8:38: alert_when_any[0].negative_mentions.within: a duration needs its unit; write 60m for 60 min",
    ),
    "clock time": (
        "within: 60m",
        "within: 22:00",
        ':8:38: alert_when_any[0].negative_mentions.within: "22:00" is no duration; write a whole number and s, m',
    ),
    "too long": (
        "within: 60m",
        "within: 31d",
        ":8:38: alert_when_any[0].negative_mentions.within: must be between 1s and 30d",
    ),
    "no window": (", within: 60m", "", ":8:5: alert_when_any[0].negative_mentions.within: this key is missing"),
    "number in words": (
        "at_least: 5",
        "at_least: five",
        ":8:25: alert_when_any[0].negative_mentions.at_least: must be a whole number",
    ),
    "always": ("at_least: 5", "at_least: 0", ":8:25: alert_when_any[0].negative_mentions.at_least: must be at least 1"),
    "half a mention": (
        "at_least: 5",
        "at_least: 2.5",
        ":8:25: alert_when_any[0].negative_mentions.at_least: must be a whole number",
    ),
    "share in per cent": (
        WHEN,
        "negative_share: {at_least: 40, within: 6h, minimum_total: 20}",
        ":8:22: alert_when_any[0].negative_share.at_least: must be at most 1; write 0.4 for 40%",
    ),
    "share with a sign": (
        WHEN,
        "negative_share: {at_least: 50%, within: 6h, minimum_total: 20}",
        ":8:22: alert_when_any[0].negative_share.at_least: must be a number; write 0.5 for 50%",
    ),
    "bare condition": (
        WHEN,
        "negative_mentions: 5",
        ":8:5: alert_when_any[0].negative_mentions: must hold `key: value` lines, for example {at_least: 4, within: 60",
    ),
    "no share": (
        WHEN,
        "negative_share: {at_least: 0, within: 6h, minimum_total: 20}",
        ":8:22: alert_when_any[0].negative_share.at_least: must be more than 0",
    ),
    "share without a floor": (
        WHEN,
        "negative_share: {at_least: 0.4, within: 6h}",
        ":8:5: alert_when_any[0].negative_share.minimum_total: this key is missing",
    ),
    "short baseline": (
        WHEN,
        SPIKE.replace("7d", "1h"),
        ":8:35: alert_when_any[0].spike.baseline: must be longer than `within`",
    ),
    "spike of nothing": (
        WHEN,
        SPIKE.replace("times: 3", "times: 1"),
        ":8:13: alert_when_any[0].spike.times: must be more than 1",
    ),
    "floor of no discussion": (
        MATCH,
        MATCH + "\nscope: brand\ndiscussion: {mentions: {at_least: 3}}",
        ":8:1: discussion: with `scope: brand` no single discussion is judged",
    ),
    "long first wait": (
        MATCH,
        MATCH + "\ntiming: {wait_first: 2h}",
        ":7:10: timing.wait_first: must be between 0s and 1h",
    ),
    "negative repeats": (
        MATCH,
        MATCH + "\ntiming: {repeat_at_most: -1}",
        ":7:10: timing.repeat_at_most: must be at least 0",
    ),
    "reopened before reminded": (
        MATCH,
        MATCH + "\nacknowledged: {remind_after: 4h, reopen_after: 4h}",
        ":7:34: acknowledged.reopen_after: must be longer than remind_after",
    ),
    "mute": (MATCH, MATCH + "\nmute: {until: never}", ':7:1: mute: unknown key; did you mean "mutes"?'),
    "mute without an end": (
        MATCH,
        MATCH + "\nmutes: [{because: works}]",
        ":7:9: mutes[0].until: this key is missing; add it (When it ends",
    ),
    "mute that ends before it begins": (
        MATCH,
        MATCH + '\nmutes: [{from: "2026-12-24T00:00Z", until: "2026-12-23T00:00Z", because: works}]',
        ":7:37: mutes[0].until: must be later than `from`",
    ),
    "mute for ever": (
        MATCH,
        MATCH + '\nmutes: [{from: "2026-12-24T00:00Z", until: "2029-12-23T00:00Z", because: works}]',
        ":7:37: mutes[0].until: silences it for more than 90 days; `status: off` does that openly",
    ),
    "secret": (MATCH, MATCH + "\ntoken: abc", ":7:1: token: a secret must not stand in this file"),
    "nobody": ("\n  " + TIER, " []", ":9:1: escalate: must not be empty"),
    "unknown team": (
        "team: social",
        "team: scoial",
        ':10:17: escalate[0].team: there is no team "scoial" in teams.yaml; did you mean "social"?',
    ),
    "late first tier": ("after: 0m", "after: 5m", ":10:6: escalate[0].after: the first tier is told at once; write 0m"),
    "bare zero": ("after: 0m", "after: 0", ":10:6: escalate[0].after: a duration needs its unit; write 0m"),
    "first tier unless": (
        "team: social",
        "unless: acknowledged, team: social",
        ":10:17: escalate[0].unless: the first tier is told at once",
    ),
    "tiers not ascending": (
        TIER,
        TIER + "\n  - {after: 0m, team: social}",
        ":11:6: escalate[1].after: must be longer than in the tier before",
    ),
    "unless": (
        TIER,
        TIER + "\n  - {after: 5m, team: social, unless: acked}",
        ":11:31: escalate[1].unless: must be acknowledged or answered",
    ),
    "one unless of two": (
        TIER,
        TIER + "\n  - {after: 5m, team: social, unless: [acknowledged, answerd]}",
        ':11:54: escalate[1].unless[1]: must be acknowledged or answered; did you mean "answered"?',
    ),
    "unless nothing": (
        TIER,
        TIER + "\n  - {after: 5m, team: social, unless: []}",
        ":11:31: escalate[1].unless: must not be empty",
    ),
    "unknown playbook": (
        "playbooks/angry.md",
        "playbooks/angry-thread.md",
        ':11:1: playbook: there is no file "playbooks/angry-thread.md" in the rules folder; did you mean "',
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), IN_A_RULE.values(), ids=list(IN_A_RULE))
def test_a_mistake_in_a_rule_says_where_it_is_and_what_to_write(old: str, new: str, expected: str) -> None:
    found = problems({"angry.yaml": rule((old, new))})
    assert any(line.startswith(f"rules/angry.yaml{expected}") for line in found), found
    assert len(found) == 1 or "at_most" in found[0]
