"""App Home and the list of what is open, whatever the texts from outside hold and however much is open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Escalation, Scope, Severity, State
from monitor.slack.answers import answer
from monitor.slack.home import Health, Home, OnDuty, ToRead, render_home
from monitor.slack.lines import text
from monitor.slack.listing import Listed, lines, state_of
from monitor.slack.text import message_link
from monitor.slack.times import since, until
from monitor.wording.catalogs import words
from tests.fakes.block_kit import fault_of_answer, fault_of_view, pings
from tests.fakes.slack_view import dump

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
E = Escalation(
    id=7, brand="Acme", scope=Scope.DISCUSSION, discussion_id=1, rule_id="thread", severity=Severity.HIGH,
    state=State.OPEN, tier=1, generation=1, created_at=NOW, changed_at=NOW, opened_at=NOW - timedelta(hours=1),
)  # fmt: skip
ONE = Listed(E, "Router down", None, "Trouble", ("social",), 5, 3, "C0123456789", "1774864800.000001")
HEALTH = Health(12, 12)
HOSTILE = st.text(max_size=80) | st.sampled_from(
    [
        "<!channel>",
        "<@U0123456789>",
        "https://x.example|y>",
        "*a* `b` ~c~",
        "\u202eevil",
        "&lt;",
        "a" * 4000,
        "🧨" * 500,
    ]
)
LANGUAGES = st.sampled_from(["en", "it"])


def home(**more: Any) -> Home:
    given = {"name": "anna", "teams": ("social",), "theirs": (), "others": (), "elsewhere": 0, "duty": (), "unread": (),
             "health": HEALTH}  # fmt: skip
    return Home(**{**given, **more})


@settings(deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, LANGUAGES, st.sampled_from(State), st.integers(0, 40))
def test_whatever_it_shows_slack_takes_it(
    one: str, two: str, three: str, language: str, state: State, count: int
) -> None:
    listed = replace(
        ONE, escalation=replace(E, brand=two, state=state, assignee=three), about=one, url=f"https://x.example/{two}",
        rule=three, teams=(one, two),
    )  # fmt: skip
    shown = home(
        name=one, teams=(one, two), theirs=[listed] * count, others=[replace(listed, theirs=True)] * count,
        elsewhere=count, duty=[OnDuty(one, (two, three) * 9, NOW, (three,), NOW, NOW)] * count,
        unread=[ToRead(one, "1a2b3c4d", (two, three))] * count, health=Health(count, count, (one, two, three) * count),
    )  # fmt: skip
    view = render_home(shown, NOW, words(language), "9f86d081")
    assert fault_of_view(view) is None
    assert pings({"blocks": view["blocks"]}) == []
    assert len(json.dumps(view, ensure_ascii=False)) < 100_000


@settings(deadline=None)
@given(st.lists(HOSTILE, max_size=400), HOSTILE)
def test_an_answer_that_is_too_long_is_cut_and_not_refused(said: list[str], title: str) -> None:
    blocks = [text(*(line or "–" for line in said[start : start + 7]), "end") for start in range(0, len(said), 7)]
    made = answer(f"Mentions of {title}", *blocks, small=said[:3])
    assert fault_of_answer(made) is None
    assert pings({"text": made.text, "blocks": list(made.blocks)}) == []


def test_nothing_is_open() -> None:
    view = render_home(home(), NOW, words(), "9f86d081")
    shown = dump(view["blocks"])
    assert shown.splitlines()[:2] == ["# Open for social", "Nothing is open."]
    assert shown.count("12 of 12 sources were read in the last hour.") == 1


def test_what_came_back_can_be_taken_again_by_whoever_had_it() -> None:
    back = replace(ONE, escalation=replace(E, assignee="anna"), theirs=True)
    shown = dump(render_home(home(theirs=[back]), NOW, words(), "9f86d081")["blocks"])
    assert "nobody has it now, you had it" in shown and "[Acknowledge] [Resolve…]" in shown


def test_what_does_not_fit_is_counted() -> None:
    shown = dump(render_home(home(others=[ONE] * 30), NOW, words(), "9f86d081")["blocks"])
    assert shown.count("e7") == 25
    assert "… and 5 more: `/brand open`" in shown


def test_without_a_name_of_the_database_there_are_no_buttons() -> None:
    shown = dump(render_home(home(others=[ONE]), NOW, words(), "")["blocks"])
    assert "[" not in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "open since 09:00, nobody has taken it yet"),
        ({"assignee": "bruno"}, "open since 09:00, nobody has it now, bruno had it"),
        ({"waiting_since": NOW}, "open since 10:00, nobody has taken it yet"),
        ({"state": State.ACKNOWLEDGED, "assignee": "bruno", "acknowledged_at": NOW}, "bruno has it since 10:00"),
        ({"state": State.HELD, "held_until": NOW + timedelta(days=1)}, "held until Tue 10:00"),
        ({"state": State.HELD}, "held"),
        ({"state": State.PENDING}, "waits for more before it is told"),
        (
            {"state": State.SNOOZED, "snoozed_until": NOW + timedelta(days=9), "assignee": "bruno"},
            "snoozed until 8 Apr, 10:00, bruno has it",
        ),
    ],
)
def test_how_it_stands(change: dict[str, Any], said: str) -> None:
    assert state_of(replace(E, **change), NOW, words()) == said


def test_how_it_stands_to_whoever_has_it() -> None:
    taken = replace(E, state=State.ACKNOWLEDGED, assignee="anna", acknowledged_at=NOW - timedelta(days=2))
    assert state_of(taken, NOW, words("it"), theirs=True) == "tua da sab 10:00"
    assert state_of(replace(E, assignee="anna"), NOW, words(), theirs=True) == (
        "open since 09:00, nobody has it now, you had it"
    )


@pytest.mark.parametrize(
    ("ago", "english", "italian"),
    [(0, "since 10:00", "dalle 10:00"), (3, "since Fri 10:00", "da ven 10:00"), (20, "since 10 Mar, 10:00",
     "dal giorno 10 mar, 10:00")],
)  # fmt: skip
def test_since_when_as_each_language_says_it(ago: int, english: str, italian: str) -> None:
    at = NOW - timedelta(days=ago)
    assert (since(at, NOW, words()), since(at, NOW, words("it"))) == (english, italian)
    assert until(at, NOW, words()) == english.replace("since", "until")


@pytest.mark.parametrize("channel", ["console", "#alerts", "", None, "C0123456789/../x"])
def test_what_stands_elsewhere_has_no_link(channel: str | None) -> None:
    assert message_link(channel, "1774864800.000001") is None
    shown = lines(replace(ONE, channel=channel, url="https://x.example/1"), NOW, words())
    assert "<https://x.example/1>" in dump([text(*shown)]), "the post's own takes its place"
