"""The message that stands for many: whatever people wrote and however much there is, Slack takes it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.escalation.storm import Crowd, Folded, StormView
from monitor.model import Severity, State
from monitor.slack.messages import Message
from monitor.slack.summary import render_summary
from monitor.slack.tags import Deed, Tag, tag
from monitor.wording.catalogs import words
from tests.fakes import block_kit

EVIL = "<!channel> <@U123> & <https://evil.example|click> \u202etxt\u202c\u200b"
ONE = Folded(7, "Acme", Severity.HIGH, State.OPEN, None, "Trains late", "https://x.example/7", 41, 0.63, 12_500)
STORM = StormView(
    crowd=Crowd.ROOTS, total=1000, apart=0, brands={"Acme": 800, "Globex": 200},
    severities={Severity.HIGH: 600, Severity.MEDIUM: 400},
    states={State.OPEN: 812, State.ACKNOWLEDGED: 90, State.SNOOZED: 10, State.RESOLVED: 88},
    worst=(ONE, replace(ONE, escalation_id=8, state=State.ACKNOWLEDGED, assignee="anna")), homes=(), called=(),
)  # fmt: skip


def shown(storm: StormView, language: str = "en", **given: Any) -> Message:
    return render_summary(storm, words(language), outbox_id=77, install="9f86d081884c7d65", **given)


def read(message: Message) -> str:
    return block_kit.words({"blocks": list(message.blocks)})


def tags(message: Message) -> list[Tag]:
    def found(node: Any) -> list[str]:
        if isinstance(node, dict):
            mine = [node["value"]] if node.get("type") == "button" else []
            return mine + [value for child in node.values() for value in found(child)]
        return [value for child in node for value in found(child)] if isinstance(node, list) else []

    return [read for value in found(list(message.blocks)) if (read := tag(value))]


def test_it_says_how_many_of_what_and_which_are_the_worst() -> None:
    text = read(shown(STORM))
    for part in ("⚡ 1,000 discussions at once", "*812 open* · 100 taken · 88 resolved", "🟠 600 high · 🟡 400 medium"):
        assert part in text
    assert "Acme: 800 · Globex: 200" in text
    assert "🟠 *<https://x.example/7|Trains late>*\nAcme · 41 mentions · 63% negative · reach 12,500" in text
    assert "anna has it" in text and "`brand-monitor escalations list`" in text
    assert "*Show* gives one a message of its own." in text
    assert shown(STORM).text == "⚡ 1,000 discussions at once · 🟠 600 high · 🟡 400 medium · Acme: 800 · Globex: 200"


def test_what_is_over_offers_nothing() -> None:
    over = shown(replace(STORM, total=3, states={State.RESOLVED: 3}))
    assert "/brand open" not in read(over) and "high" not in over.text


def test_its_buttons_name_the_escalation_and_the_summary() -> None:
    made = tags(shown(STORM))
    assert [(one.deed, one.escalation_id, one.outbox_id) for one in made] == [
        (Deed.SHOW, 7, 77), (Deed.SHOW, 8, 77), (Deed.ACKNOWLEDGE_ALL, 0, 77), (Deed.RESOLVE_ALL, 0, 77),
    ]  # fmt: skip


def test_without_somebody_who_hears_clicks_there_are_no_buttons() -> None:
    assert tags(render_summary(STORM, words(), outbox_id=77)) == []


@pytest.mark.parametrize(
    "states, deeds, headline",
    [
        ({State.OPEN: 3}, {Deed.SHOW, Deed.ACKNOWLEDGE_ALL, Deed.RESOLVE_ALL}, "⚡ 3 discussions at once"),
        ({State.ACKNOWLEDGED: 3}, {Deed.SHOW, Deed.RESOLVE_ALL}, "⚡ 3 discussions at once"),
        ({State.RESOLVED: 3}, set(), "✅ 3 discussions, all resolved"),
    ],
)
def test_what_can_be_done_is_what_is_left_to_do(states: dict[State, int], deeds: set[Deed], headline: str) -> None:
    message = shown(replace(STORM, total=3, states=states))
    assert {one.deed for one in tags(message)} == deeds and headline in read(message)
    assert (message.tone == "settled") == (State.RESOLVED in states)


@pytest.mark.parametrize(
    "crowd, english, italian",
    [
        (Crowd.ROOTS, "1,000 discussions at once", "1.000 discussioni nello stesso momento"),
        (Crowd.CALLS, "812 discussions that nobody has taken", "812 discussioni di cui non si occupa nessuno"),
        (Crowd.NOTICES, "1,000 discussions that other teams handle", "1.000 discussioni di cui si occupano altri team"),
    ],
)
def test_both_languages(crowd: Crowd, english: str, italian: str) -> None:
    storm = replace(STORM, crowd=crowd, homes=("#social",))
    assert english in read(shown(storm)) and "#social" in read(shown(storm))
    text = read(shown(storm, "it"))
    assert italian in text and "812 aperte" in text and "41 menzioni" in text
    assert "discussion " not in text and "taken" not in text


def test_names_are_called_once_and_nothing_else_is() -> None:
    message = shown(STORM, notify=("S0LEADS", "U0ANNA", "<!channel>"))
    assert block_kit.pings({"text": message.text, "blocks": list(message.blocks)}) == ["<!subteam", "<@U"]


texts = st.text(max_size=400) | st.sampled_from([EVIL, EVIL * 20, "&" * 400, ">" * 300, "x" * 400, "", "\n\n"])
links = st.none() | st.sampled_from(
    ["https://x.example/" + "y" * 700, "https://x.example/<!channel>|<@U1>?a=1&b=2", "ftp://x"]
)
members = st.builds(
    Folded, st.integers(1, 10**9), texts, st.sampled_from(Severity), st.sampled_from(State), st.none() | texts, texts,
    links, st.none() | st.integers(0, 10**9), st.floats(0, 1), st.integers(0, 10**12),
)  # fmt: skip
storms = st.builds(
    StormView, st.sampled_from(Crowd), st.integers(0, 10**6), st.integers(0, 10**6),
    st.dictionaries(texts, st.integers(1, 10**6), max_size=12),
    st.dictionaries(st.sampled_from(Severity), st.integers(1, 10**6), min_size=1),
    st.dictionaries(st.sampled_from(State), st.integers(1, 10**6)), st.lists(members, max_size=10).map(tuple),
    st.lists(texts, max_size=5).map(tuple), st.just(()),
)  # fmt: skip


@given(storms, st.sampled_from(["en", "it"]), st.lists(texts, max_size=3))
def test_slack_takes_it_and_nobody_is_pinged(storm: StormView, language: str, notes: list[str]) -> None:
    message = shown(storm, language)
    made = {"text": message.text, "blocks": list(message.blocks)}
    assert block_kit.fault_of(made) is None
    assert block_kit.pings(made) == []
    assert not any(character in json.dumps(made, ensure_ascii=False) for character in "\u202e\u202c\u200b")
