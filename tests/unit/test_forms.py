"""The forms that buttons open: what stands in them, that Slack takes them, and what a submission asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Guideline, Outcome
from monitor.slack.asked import Asked, asked_from_json
from monitor.slack.forms import FORMS, LONGEST_NOTE, Choices, form, submitted
from monitor.slack.speech import speaking
from monitor.slack.tags import Deed, Tag
from monitor.wording.words import Words
from tests.fakes import block_kit
from tests.fakes.slack_view import dump
from tests.fakes.views import ENGLISH, GUIDELINE, ITALIAN, NOW, view

CHOICES = Choices(NOW, (("Anna", "U0ANNA"), ("Bruno", "U0BRUNO")), (("legal", "Carla"), ("it", "")))
Shown = dict[str, Any]


def tag(deed: Deed) -> Tag:
    return Tag(deed, 12, 7, "9f86d081884c7d65")


def opened(deed: Deed, words: Words = ENGLISH, choices: Choices = CHOICES, **changes: Any) -> Shown:
    return form(tag(deed), view(**changes), choices, words)


def options(shown: Shown, block_id: str) -> dict[str, str]:
    """The choices of a field: what is written there, and what each brings back."""
    element = next(block["element"] for block in shown["blocks"] if block.get("block_id") == block_id)
    return {option["text"]["text"]: option["value"] for option in element["options"]}


def sent(shown: Shown, **values: Any) -> Shown:
    """The form as Slack sends it back, with something in each of its fields or nothing."""
    filled = {block["block_id"]: {block["block_id"]: {}} for block in shown["blocks"] if block["type"] == "input"}
    for block_id, value in values.items():
        filled[block_id] = {block_id: value}
    return {**shown, "id": "V1", "state": {"values": filled}}


def chosen(value: str) -> Shown:
    return {"selected_option": {"value": value}}


# -- assign ------------------------------------------------------------------------------------------------------


def test_somebody_of_the_team_or_anybody_can_be_assigned() -> None:
    shown = opened(Deed.ASSIGN)
    assert options(shown, "person") == {"Anna": "U0ANNA", "Bruno": "U0BRUNO"}
    of_team = submitted(sent(shown, person=chosen("U0ANNA")), NOW, ENGLISH)
    assert of_team == Asked(tag(Deed.ASSIGN), assignee="U0ANNA")
    anybody = submitted(sent(shown, anybody={"selected_user": "U0STRANGER"}), NOW, ENGLISH)
    assert anybody == Asked(tag(Deed.ASSIGN), assignee="U0STRANGER")


def test_what_is_no_id_of_a_member_is_nobody() -> None:
    forged = sent(opened(Deed.ASSIGN), person=chosen("<!channel>"), anybody={"selected_user": "../admin"})
    assert submitted(forged, NOW, ENGLISH) == {"person": "Choose who is to have it."}


def test_nobody_or_two_people_are_no_answer() -> None:
    shown = opened(Deed.ASSIGN)
    assert submitted(sent(shown), NOW, ENGLISH) == {"person": "Choose who is to have it."}
    both = submitted(sent(shown, person=chosen("U0ANNA"), anybody={"selected_user": "U0BRUNO"}), NOW, ENGLISH)
    assert isinstance(both, dict) and "two people" in both["person"]


def test_an_error_is_told_by_a_field_that_is_there() -> None:
    shown = opened(Deed.ASSIGN, choices=Choices(NOW))
    assert submitted(sent(shown), NOW, ENGLISH) == {"anybody": "Choose who is to have it."}


# -- snooze ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "now, labels",
    [
        # A Saturday, 13:00 in Rome.
        (NOW, ["In 30 minutes", "In 1 hour", "In 4 hours", "Tomorrow (Sun 15 Nov, 09:00)", "Mon 16 Nov, 09:00"]),
        # A Sunday: tomorrow is Monday.
        (NOW + timedelta(days=1), ["In 30 minutes", "In 1 hour", "In 4 hours", "Tomorrow (Mon 16 Nov, 09:00)"]),
        # Tuesday, half past two at night.
        (
            datetime(2026, 11, 17, 1, 30, tzinfo=UTC),
            [
                "In 30 minutes", "In 1 hour", "In 4 hours", "Today (Tue 17 Nov, 09:00)", "Tomorrow (Wed 18 Nov, 09:00)",
                "Mon 23 Nov, 09:00",
            ],
        ),
    ],
    ids=["saturday", "sunday", "at night"],
)  # fmt: skip
def test_times_to_snooze_until_are_those_of_the_reader(now: datetime, labels: list[str]) -> None:
    words = speaking("en", ZoneInfo("Europe/Rome"))
    shown = opened(Deed.SNOOZE, words, replace(CHOICES, now=now))
    assert list(options(shown, "until")) == [*labels, "The date and time below"]


def test_tomorrow_at_nine_is_nine_by_the_clock_also_when_it_changes() -> None:
    saturday = datetime(2026, 3, 28, 12, tzinfo=UTC)
    shown = opened(Deed.SNOOZE, ITALIAN, replace(CHOICES, now=saturday))
    until = submitted(
        sent(shown, until=chosen(options(shown, "until")["Domani (dom 29 mar, 09:00)"])), saturday, ITALIAN
    )
    assert until == Asked(tag(Deed.SNOOZE), until=datetime(2026, 3, 29, 7, tzinfo=UTC)), "summer time begins that night"


def test_a_length_of_time_counts_from_the_submission() -> None:
    shown, later = opened(Deed.SNOOZE), NOW + timedelta(minutes=5)
    asked = submitted(sent(shown, until=chosen(options(shown, "until")["In 1 hour"])), later, ENGLISH)
    assert asked == Asked(tag(Deed.SNOOZE), until=later + timedelta(hours=1))


def picked(at: datetime) -> Shown:
    return {"selected_date_time": int(at.timestamp())}


def test_a_date_and_time_can_be_picked() -> None:
    at = NOW + timedelta(days=3)
    asked = submitted(sent(opened(Deed.SNOOZE), until=chosen("picked"), picked=picked(at)), NOW, ENGLISH)
    assert asked == Asked(tag(Deed.SNOOZE), until=at)


@pytest.mark.parametrize(
    "values, block, said",
    [
        ({}, "until", "Choose until when."),
        ({"until": chosen("picked")}, "picked", "Choose a date and a time."),
        ({"until": chosen("picked"), "picked": picked(NOW)}, "picked", "This time has passed; choose a later one."),
        (
            {"until": chosen("picked"), "picked": picked(NOW + timedelta(days=31))},
            "picked",
            "Choose a time within the next 30 days.",
        ),
        ({"until": chosen(f"at:{int(NOW.timestamp())}")}, "until", "This time has passed; choose a later one."),
        (
            {"until": chosen("in:1800"), "picked": picked(NOW + timedelta(days=1))},
            "until",
            "You also chose a date below; clear it, or choose “The date and time below”.",
        ),
        ({"until": chosen("in:99999999999")}, "until", "Choose a time within the next 30 days."),
        ({"until": chosen("in:-5")}, "until", "Choose a date and a time."),
        ({"until": chosen("never")}, "until", "Choose a date and a time."),
    ],
    ids=["nothing", "no date", "now", "too far", "form left open", "two answers", "forged", "negative", "nonsense"],
)  # fmt: skip
def test_what_is_no_time_is_said_beside_the_field(values: Shown, block: str, said: str) -> None:
    assert submitted(sent(opened(Deed.SNOOZE), **values), NOW, ENGLISH) == {block: said}


# -- hand over, resolve, guideline -------------------------------------------------------------------------------


def test_the_other_teams_stand_with_who_is_on_duty() -> None:
    shown = opened(Deed.HAND_OVER)
    assert options(shown, "team") == {"legal": "legal", "it": "it"}
    assert "On duty: Carla" in block_kit.words(shown)
    assert submitted(sent(shown, team=chosen("it")), NOW, ENGLISH) == Asked(tag(Deed.HAND_OVER), team="it")
    assert submitted(sent(shown), NOW, ENGLISH) == {"team": "Choose a team."}


def test_where_there_is_no_other_team_nothing_can_be_sent() -> None:
    shown = opened(Deed.HAND_OVER, choices=Choices(NOW))
    assert "submit" not in shown and "no other team" in block_kit.words(shown)
    assert block_kit.fault_of_view(shown) is None


@pytest.mark.parametrize("deed", [Deed.RESOLVE, Deed.RESOLVE_ALL])
def test_resolving_asks_for_an_outcome_and_takes_a_note(deed: Deed) -> None:
    shown = form(tag(deed), view() if deed is Deed.RESOLVE else None, CHOICES, ENGLISH)
    assert set(options(shown, "outcome").values()) == set(Outcome)
    note = {"value": "Called\u202e them\n\n back"}
    asked = submitted(sent(shown, outcome=chosen("not about us"), note=note), NOW, ENGLISH)
    assert asked == Asked(tag(deed), outcome=Outcome.NOT_ABOUT_US, note="Called them\nback")
    assert submitted(sent(shown, note=note), NOW, ENGLISH) == {"outcome": "Choose how it ended."}
    assert submitted(sent(shown, outcome=chosen("won")), NOW, ENGLISH) == {"outcome": "Choose how it ended."}
    long = submitted(sent(shown, outcome=chosen("answered"), note={"value": "x" * 501}), NOW, ENGLISH)
    assert long == {"note": f"A note has at most {LONGEST_NOTE} characters."}


def test_what_was_answered_is_offered_as_such() -> None:
    def initial(**changes: Any) -> Any:
        return next(b for b in opened(Deed.RESOLVE, **changes)["blocks"] if b.get("block_id") == "outcome")["element"]

    assert "initial_option" not in initial()
    assert initial(answered_at=NOW)["initial_option"]["value"] == "answered"


def test_a_guideline_is_shown_whole_and_its_reading_names_the_version() -> None:
    shown = opened(Deed.GUIDELINE, read_by=("anna",))
    said = block_kit.words(shown)
    for part in (
        "An angry thread", "First ten minutes", "Never argue; offer a direct message.", "Come back within the hour.",
        "version 1a2b3c4d", "owner care", "approved by Legal", "review by 1 Dec 2026", "Read by anna",
    ):  # fmt: skip
        assert part in said, part
    assert "**" not in said and "- Answer" not in said
    assert shown["submit"]["text"] == "I have read it"
    assert submitted(sent(shown), NOW, ENGLISH) == Asked(replace(tag(Deed.GUIDELINE), version="1a2b3c4d"))


def test_markdown_becomes_rich_text() -> None:
    body = (
        "Intro **bold** `code` [link](https://x.example/a) [bad](javascript:x)\n\n1. one\n\n   More.\n2. two\n  - inner"
    )
    shown = opened(Deed.GUIDELINE, guideline=replace(GUIDELINE, body=body))
    elements = [e for block in shown["blocks"] if block["type"] == "rich_text" for e in block["elements"]]
    inline = elements[0]["elements"]
    assert {"type": "text", "text": "bold", "style": {"bold": True}} in inline
    assert {"type": "text", "text": "code", "style": {"code": True}} in inline
    assert [e["url"] for e in inline if e["type"] == "link"] == ["https://x.example/a"]
    lists = [(e["style"], e.get("offset", 0), e.get("indent", 0)) for e in elements if e["type"] == "rich_text_list"]
    assert lists == [("ordered", 0, 0), ("ordered", 1, 0), ("bullet", 0, 1)], "the numbers go on"


def test_a_wrapped_item_of_a_guideline_stays_one_item() -> None:
    body = "**Say**\n\n- Fault: our engineers are on\n  it; more at 15:00.\n- Sorry.\n\nThen stop\nand wait."
    shown = opened(Deed.GUIDELINE, guideline=replace(GUIDELINE, body=body))
    said = dump(shown["blocks"])
    assert "• Fault: our engineers are on it; more at 15:00.\n• Sorry.\nThen stop and wait." in said


@pytest.mark.parametrize("body", ["A sentence of it. " * 20_000, "🧨" * 50_000], ids=["blocks", "bytes"])
def test_a_guideline_longer_than_a_form_says_where_it_goes_on(body: str) -> None:
    shown = opened(Deed.GUIDELINE, guideline=replace(GUIDELINE, body=body))
    assert block_kit.fault_of_view(shown) is None
    assert "read on in playbooks/angry-thread.md" in block_kit.words(shown)


# -- whatever comes ----------------------------------------------------------------------------------------------

EVIL = "<!channel> <@U123> & <https://evil.example|x> `*_~ \u202e\u200b\x1b[31m\x00\ud800"
TEXTS = st.one_of(st.just(EVIL), st.just("🙈\n" * 3000), st.just("- " * 9000), st.text(max_size=60), st.just(""))


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, name=TEXTS, many=st.integers(0, 130), deed=st.sampled_from(FORMS), italian=st.booleans())
def test_every_form_is_taken_by_slack_and_pings_nobody(
    text: str, name: str, many: int, deed: Deed, italian: bool
) -> None:
    guideline = Guideline(name, name, text * 3, owner=name, approved_by=name, review_by=name, version="1")
    talk = view().discussion
    assert talk
    shown = view(brand=name, guideline=guideline, discussion=replace(talk, title=text), read_by=(name,) * (many % 9))
    choices = Choices(NOW, tuple((name, f"U{i}") for i in range(many)), tuple((f"t{i}", name) for i in range(many)))
    made = form(tag(deed), shown, choices, ITALIAN if italian else ENGLISH)
    assert block_kit.fault_of_view(made) is None
    assert block_kit.pings({"blocks": made["blocks"]}) == []
    raw = json.dumps(made, ensure_ascii=False)
    assert not any(character in raw for character in "\u202e\u200b\x1b\x00\ud800")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


KEYS = ("selected_option", "selected_user", "selected_date_time", "value")
FIELDS = ("person", "anybody", "until", "picked", "team", "outcome", "note")


@given(deed=st.sampled_from(FORMS), block=st.sampled_from(FIELDS), value=JSON, whole=JSON)
def test_a_forged_submission_breaks_nothing(deed: Deed, block: str, value: Any, whole: Any) -> None:
    about = {"private_metadata": str(tag(deed))}
    for forged in (
        {"state": {"values": {block: {block: value}}}}, {"state": {"values": {block: value}}},
        {"state": {"values": whole}}, {"state": whole}, {},
        {"state": {"values": {block: {block: dict.fromkeys(KEYS, value)}}}},
    ):  # fmt: skip
        asked = submitted({**about, **forged}, NOW, ENGLISH)
        if isinstance(asked, Asked):
            assert asked_from_json(json.loads(json.dumps(asked.to_json()))) == asked
        else:
            assert asked and all(said.endswith(".") for said in asked.values())


@pytest.mark.parametrize("metadata", [None, "", "x", "ack:1:2:abc", 5])
def test_what_is_no_form_of_ours_asks_for_nothing(metadata: Any) -> None:
    assert submitted({"private_metadata": metadata, "state": {"values": {}}}, NOW, ENGLISH) == {}


@pytest.mark.parametrize("kept", [{}, {"tag": "nonsense"}, {"tag": "resolve:1:2:a", "outcome": "won"}])
def test_what_was_not_kept_by_us_is_refused(kept: Shown) -> None:
    with pytest.raises(ValueError):
        asked_from_json(kept)
