"""Sentences that are put together now and said later: what is kept of them, and how each language says it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from monitor.model import Severity
from monitor.wording.catalogs import words
from monitor.wording.names import SEVERITIES, team_name
from monitor.wording.text import Text, english, joined, many, say, text_from_json, texts_from_json

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
WORSE = say("More severe now: {severity}.", severity=SEVERITIES[Severity.CRITICAL])
NOBODY = say(
    "Nobody has taken it for {length}: {team} is told (tier {tier} of {of}).",
    length=timedelta(minutes=15), team=team_name("leads"), tier=2, of=3,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        WORSE, NOBODY, say("The snooze is over."), many("{count} day", "{count} days", 2), say("{at}", at=NOON),
        say("{day}", day=date(2026, 3, 30)), joined((WORSE, "As it is.")),
    ],
)  # fmt: skip
def test_what_is_kept_comes_back(text: Text) -> None:
    assert text_from_json(json.loads(json.dumps(text.to_json()))) == text


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        pytest.param("Rule file broken: {brace}", "Rule file broken: {brace}", id="of an older version, as it is"),
        pytest.param("", "", id="nothing"),
        pytest.param([], "", id="none"),
        pytest.param(WORSE.to_json(), "More severe now: critical.", id="one"),
        pytest.param([WORSE.to_json(), "As it is."], "More severe now: critical. As it is.", id="several"),
    ],
)
def test_payloads_of_all_ages_are_said(kept: object, said: str) -> None:
    assert " ".join(map(words().text, texts_from_json(kept))) == said  # type: ignore[arg-type]


def test_severities_teams_and_lengths_of_time_are_said_in_the_same_language() -> None:
    italian = words("it")
    assert italian.text(WORSE) == "Ora è più grave: gravità critica."
    assert italian.text(NOBODY) == (
        "Nessuno l’ha presa in carico da 15 minuti: il team leads viene avvisato (livello 2 di 3)."
    )
    assert words().text(NOBODY) == "Nobody has taken it for 15 minutes: team leads is told (tier 2 of 3)."


def test_several_are_said_as_one_and_what_stands_in_them_is_no_text() -> None:
    both = joined((WORSE, "{brace}", say("{day}", day=date(2026, 3, 30))), "; ")
    assert english(both) == "More severe now: critical.; {brace}; 30 March 2026"
    assert words("it").text(both) == "Ora è più grave: gravità critica.; {brace}; 30 mar 2026"
    assert english(joined(())) == words("it").text(joined(())) == ""


def test_what_people_are_called_is_never_taken_for_a_text() -> None:
    assert (
        words().text(say("{who} has it and it is not resolved yet.", who="{brace} {who}")).startswith("{brace} {who}")
    )
