"""What people type after `/brand`, as they type it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.commands.typed import Command, Muting, muting, stretch, typed

HOURS = timedelta(hours=4)


@pytest.mark.parametrize(
    ("said", "command", "rest"),
    [
        ("", Command.HELP, ""),
        ("  ", Command.HELP, ""),
        ("status", Command.STATUS, ""),
        ("  Open   MINE ", Command.OPEN, "MINE"),
        ("cerca router incendio", Command.SEARCH, "router incendio"),
        ("perché e7", Command.WHY, "e7"),
        ("linee guida", Command.GUIDELINES, ""),
        ("linee-guida", Command.GUIDELINES, ""),
        ("rapporto 30 giorni", Command.REPORT, "30 giorni"),
    ],
)
def test_commands_in_two_languages(said: str, command: Command, rest: str) -> None:
    found = typed(said)
    assert (found.command, found.rest) == (command, rest)


@pytest.mark.parametrize(("said", "meant"), [("statsu", "status"), ("serch fire", "search"), ("qwxyz", None)])
def test_a_word_that_is_none_suggests_the_nearest(said: str, meant: str | None) -> None:
    found = typed(said)
    assert found.command is None
    assert found.close == meant


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("acme-spike for 4h because works on the line", Muting("acme-spike", HOURS, "works on the line")),
        ("acme-spike 4h because: works", Muting("acme-spike", HOURS, "works")),
        ("acme-spike for 4 hours because works", Muting("acme-spike", HOURS, "works")),
        ("acme-spike per 4 ore perché lavori", Muting("acme-spike", HOURS, "lavori")),
        ("acme-spike per 2 giorni perche lavori", Muting("acme-spike", timedelta(days=2), "lavori")),
        ("acme-spike for 4h", Muting("acme-spike", HOURS, "")),
        ("acme-spike for 4 moons because x", Muting("acme-spike", None, "x")),
        ("acme-spike", None),
        ("", None),
    ],
)
def test_a_mute_is_said_as_people_say_it(said: str, expected: Muting | None) -> None:
    assert muting(said) == expected


@pytest.mark.parametrize(
    ("said", "length"),
    [("", timedelta(days=7)), ("30d", timedelta(days=30)), ("30 days", timedelta(days=30)), ("2 settimane",
     timedelta(days=14)), ("5s", None), ("9999d", None), ("soon", None)],
)  # fmt: skip
def test_how_far_back_a_report_goes(said: str, length: timedelta | None) -> None:
    assert stretch(said) == length


@settings(deadline=None)
@given(st.text(max_size=600))
def test_nothing_that_is_typed_breaks_it(said: str) -> None:
    found = typed(said)
    muting(found.rest)
    stretch(found.rest)
