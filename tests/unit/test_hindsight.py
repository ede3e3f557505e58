"""What a backtest says: what is new and gone, what people had said of it, what would have been missed, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.model import Label, Outcome
from monitor.pages.backtest import page
from monitor.rules.backtesting.hindsight import Backtest, Told
from monitor.rules.backtesting.opinions import Correction, Past, Talk
from monitor.rules.backtesting.summary import verdict
from monitor.rules.counted import Counted
from monitor.rules.rule import AuthorReach, NegativeMentions, Status, Timing
from tests.fakes.counted import DAY, HOUR, MENTION, MINUTE, NOW, RULE, asking, at
from tests.fakes.replayed import SINCE, compared, rule_set

FIVE = asking(NegativeMentions(5, HOUR))


def burst(number: int, mentions: int, days_ago: float = 1) -> list[tuple[Counted, int]]:
    """So many angry mentions in discussion `number`, a minute apart."""
    start = NOW - days_ago * DAY
    return [(replace(MENTION, id=100 * number + n, at=start + n * MINUTE), number) for n in range(mentions)]


def ended(number: int | None, outcome: Outcome | None, days_ago: float = 1, rule: str = "acme", id: int = 1) -> Past:
    start = NOW - days_ago * DAY
    return Past(id, "Acme", number, rule, start, start + HOUR if outcome else None, outcome)


def discussions(told: Sequence[Told]) -> list[int | None]:
    return [one.message.first.discussion_id for one in told]


# -- new and gone ------------------------------------------------------------------------------------------------


def test_a_stricter_rule_loses_small_discussions_and_keeps_large_ones() -> None:
    report = compared([*burst(1, 3, 5), *burst(2, 8, 4)], rule_set(FIVE), rule_set(RULE))
    assert (discussions(report.added), discussions(report.gone), discussions(report.new.told)) == ([], [1], [2])
    (row,) = report.rules
    assert row.changed is False and (row.added, row.gone) == (0, 1), "two rules made here have no file"


def test_a_new_rule_brings_new_discussions() -> None:
    loud = asking(AuthorReach(800), id="loud")
    report = compared([*burst(1, 1, 5), *burst(2, 3, 4)], rule_set(RULE, loud), rule_set(RULE))
    assert (discussions(report.added), discussions(report.gone)) == ([1], [])
    rows = {row.rule_id: row for row in report.rules}
    assert rows["loud"].old is None and rows["loud"].new is not None and rows["loud"].new.number == 2


def test_new_and_gone_add_up_where_an_alert_falls_into_two() -> None:
    said = [*burst(1, 3, 2), *((replace(m, id=m.id + 50, at=m.at + 5 * HOUR), d) for m, d in burst(1, 3, 2))]
    short = replace(RULE, timing=Timing(reopen_within=HOUR))
    report = compared(said, rule_set(short), rule_set(RULE))
    assert report.old is not None and report.old.tally.number + len(report.added) == report.new.tally.number == 2


def test_a_rule_in_test_sends_nothing_but_is_told() -> None:
    report = compared(burst(1, 3), rule_set(replace(RULE, status=Status.TEST)), rule_set(RULE))
    assert (report.new.tally.number, discussions(report.gone), discussions(report.new.tests)) == (0, [1], [1])
    assert "in test would have fired once" in verdict(report)[-1]


def test_several_rules_on_a_discussion_are_several_alerts_and_one_message() -> None:
    report = compared(burst(1, 3), rule_set(RULE, asking(AuthorReach(800), id="loud")))
    assert [row.new.number for row in report.rules if row.new] == [1, 1] and report.new.tally.number == 1
    assert report.new.told[0].message.rules == ("loud", "acme")


def test_what_began_before_is_not_told_but_goes_on() -> None:
    said = [(mention, 1) for mention in at(*range(0, 2 * 24 * 60, 20))]
    report = compared(said, rule_set(RULE), since=NOW - DAY)
    assert report.new.tally.number == 0 and report.rules[0].new is not None and report.rules[0].new.number == 0


# -- what people said --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "corrections", "tally"),
    [
        pytest.param([ended(1, Outcome.ANSWERED)], [], (1, 0, 0), id="answered"),
        pytest.param([ended(1, Outcome.NO_ACTION)], [], (1, 0, 0), id="no action"),
        pytest.param([ended(1, Outcome.NOT_ABOUT_US)], [], (0, 1, 0), id="not about us"),
        pytest.param([ended(1, Outcome.NOT_NEGATIVE)], [], (0, 1, 0), id="not negative"),
        pytest.param([ended(1, None)], [], (0, 0, 1), id="still alive"),
        pytest.param([], [], (0, 0, 1), id="never escalated"),
        pytest.param([ended(2, Outcome.ANSWERED)], [], (0, 0, 1), id="another discussion"),
        pytest.param([ended(1, Outcome.ANSWERED, 4)], [], (0, 0, 1), id="days before"),
        pytest.param([ended(1, Outcome.ANSWERED, 1.9)], [], (1, 0, 0), id="within a day"),
        pytest.param([ended(1, None), ended(1, Outcome.ANSWERED, 1.5)], [], (1, 0, 0), id="one has ended"),
        pytest.param([], [Label.NEGATIVE], (1, 0, 0), id="corrected to negative"),
        pytest.param([], [Label.NEUTRAL], (0, 1, 0), id="corrected to neutral"),
        pytest.param([ended(1, Outcome.ANSWERED)], [Label.NEUTRAL], (1, 0, 0), id="the outcome says more"),
    ],
)
def test_what_people_said_of_an_alert(past: list[Past], corrections: list[Label], tally: tuple[int, int, int]) -> None:
    said = [Correction(1, NOW - DAY, label) for label in corrections]
    found = compared(burst(1, 3), rule_set(RULE), past=past, corrections=said).new.tally
    assert (found.confirmed, found.dismissed, found.unknown) == tally


def test_precision_of_old_and_new_rules() -> None:
    past = [ended(1, Outcome.NOT_NEGATIVE, 5), ended(2, Outcome.ANSWERED, 4, id=2)]
    report = compared([*burst(1, 3, 5), *burst(2, 8, 4)], rule_set(FIVE), rule_set(RULE), past=past)
    assert report.old is not None
    assert (report.old.tally.precision, report.new.tally.precision) == (0.5, 1.0)
    (row,) = report.rules
    assert row.old and row.new and (row.old.precision, row.new.precision) == (0.5, 1.0)


# -- missed ------------------------------------------------------------------------------------------------------


def missed(report: Backtest) -> list[tuple[int | None, int | None]]:
    return [(one.talk.id if one.talk else None, one.escalation_id) for one in report.missed]


def strong(*numbers: int) -> list[Talk]:
    return [Talk(number, "Acme", f"Talk {number}", None, NOW - DAY, 9) for number in numbers]


def test_a_confirmed_escalation_that_no_alert_reaches_is_missed() -> None:
    past = [ended(1, Outcome.ANSWERED, 5, id=8), ended(2, Outcome.NOT_NEGATIVE, 4, id=9)]
    report = compared([*burst(1, 3, 5), *burst(2, 3, 4)], rule_set(FIVE), rule_set(RULE), past=past)
    assert missed(report) == [(1, 8)]
    assert missed(compared([*burst(1, 3, 5)], rule_set(RULE), past=past)) == []


def test_strongly_negative_discussions_without_an_alert_are_missed() -> None:
    report = compared([*burst(1, 3), *burst(2, 1)], rule_set(RULE), strong=strong(2, 1))
    assert missed(report) == [(2, None)]
    many = compared(burst(1, 1), rule_set(FIVE), strong=strong(*range(1, 30)))
    assert len(many.missed) == 10


def test_a_rule_in_test_reaches_nobody() -> None:
    report = compared(burst(1, 3), rule_set(replace(RULE, status=Status.TEST)), strong=strong(1))
    assert missed(report) == [(1, None)]


def test_a_discussion_is_missed_once() -> None:
    report = compared(burst(1, 3), rule_set(FIVE), past=[ended(1, Outcome.ANSWERED)], strong=strong(1))
    assert missed(report) == [(1, 1)]


# -- in words ----------------------------------------------------------------------------------------------------


def test_the_verdict_names_what_was_confirmed_and_is_gone() -> None:
    past = [ended(1, Outcome.ANSWERED, 5), ended(3, Outcome.NOT_NEGATIVE, 3, id=3)]
    said = [*burst(1, 3, 5), *burst(2, 8, 4), *burst(3, 3, 3)]
    assert verdict(compared(said, rule_set(FIVE), rule_set(RULE), past=past)) == [
        "The new rules would have alerted once in 30 days (0.2 a week), the old ones 3 times; none is new, 2 are gone.",
        "Gone: 1 that people had dismissed, and 1 that they had confirmed: look at d1.",
    ]


def test_the_verdict_where_nothing_changes() -> None:
    assert verdict(compared(burst(1, 8), rule_set(FIVE), rule_set(RULE))) == [
        "The new rules would have alerted once in 30 days (0.2 a week), just as the old ones: nothing is new,"
        " nothing is gone."
    ]


@pytest.mark.parametrize(
    ("since", "says"),
    [
        pytest.param(SINCE, "These rules would have alerted twice in 30 days (0.5 a week).", id="a month"),
        pytest.param(NOW - 2 * DAY, "These rules would have alerted twice in 2 days.", id="too short for weeks"),
        pytest.param(NOW - 20 * HOUR, "These rules would have alerted once in 20 hours.", id="hours"),
    ],
)
def test_the_verdict_on_one_set_of_rules(since: datetime, says: str) -> None:
    assert verdict(compared([*burst(1, 3, 1.5), *burst(2, 3, 0.5)], rule_set(RULE), since=since)) == [says]


def test_the_verdict_where_nothing_would_have_alerted() -> None:
    silent = compared(burst(1, 1), rule_set(RULE), strong=strong(1))
    assert verdict(silent) == [
        "These rules would not have alerted at all in 30 days.",
        "1 discussion with many strongly negative mentions would have stayed unseen: look at d1.",
    ]


# -- the page ----------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_and_trusts_nothing() -> None:
    report = compared([*burst(1, 3, 5), *burst(2, 8, 4)], rule_set(FIVE), rule_set(RULE), strong=strong(3))
    evil = "<script>alert(1)</script>\u202e\"'>"
    talks = {
        "https://forum.example/t/1?a=1&b=2": 'href="https://forum.example/t/1?a=1&amp;b=2" rel="noreferrer',
        "javascript:alert(1)": None,
        "http://plain.example/": None,
        'https://x.example/"onclick="alert(1)': 'href="https://x.example/%22onclick=%22alert(1)"',
    }
    for url, shown in talks.items():
        talk = Talk(1, "Acme", evil, url, NOW)
        told = tuple(replace(one, talk=talk) for one in report.gone)
        made = page(replace(report, gone=told, missed=tuple(replace(one, talk=talk) for one in report.missed)))
        assert "<script" not in made and "\u202e" not in made and "&lt;script&gt;" in made
        assert shown is None or shown in made
        assert made.count("<a ") == (2 if shown else 0) and "http:" not in made and "javascript:" not in made
    assert "default-src 'none'" in made and "src=" not in made and "@import" not in made and "url(" not in made


def test_a_long_time_is_shown_by_weeks() -> None:
    report = compared(burst(1, 3, 5), rule_set(RULE), since=NOW - timedelta(days=300))
    assert "Messages by week" in page(report) and "Messages by day" in page(replace(report, since=SINCE))
