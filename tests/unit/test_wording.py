"""Languages: texts, numbers, lengths of time and moments as their speakers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.wording.catalogs import words
from monitor.wording.text import Text, many, say, text_from_json

AT = datetime(2026, 3, 30, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "english", "italian"),
    [
        (timedelta(seconds=30), "30 seconds", "30 secondi"),
        (timedelta(minutes=1), "1 minute", "1 minuto"),
        (timedelta(minutes=90), "90 minutes", "90 minuti"),
        (timedelta(hours=1), "1 hour", "1 ora"),
        (timedelta(hours=8), "8 hours", "8 ore"),
        (timedelta(days=2, hours=3), "2 days", "2 giorni"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(length: timedelta, english: str, italian: str) -> None:
    assert words("en").span(length) == english
    assert words("it").span(length) == italian


def test_numbers_follow_the_language() -> None:
    assert (words("en").number(12_500), words("it").number(12_500)) == ("12,500", "12.500")
    assert (words("en").number(1.25), words("it").number(1.25)) == ("1.25", "1,25")


def test_a_moment_is_that_of_the_readers_clock() -> None:
    assert words("en", ZoneInfo("Europe/Rome")).at(AT) == "30 Mar, 14:05"
    assert words("it", ZoneInfo("Europe/Rome")).day(AT) == "lun 30 mar, 14:05"


@pytest.mark.parametrize(
    ("asked", "spoken"), [("it-IT", "it"), ("it_CH", "it"), ("IT", "it"), ("tlh", "en"), ("", "en")]
)
def test_a_language_is_understood_as_slack_says_it(asked: str, spoken: str) -> None:
    assert words(asked).language == spoken


def test_what_no_catalog_has_is_said_in_english() -> None:
    assert words("it").say("{who} built {count} sheds", who="anna", count=1200) == "anna built 1.200 sheds"


def test_values_are_never_read_as_places() -> None:
    assert words("en").say("“{title}” by {who}", title="{who} {0} %s", who="mia") == "“{who} {0} %s” by mia"


def test_a_text_outlives_its_storage() -> None:
    inner = say("{count} sheds", count=3)
    text = many("{who}: {count} word", "{who}: {count} words", 2, who="anna", at=AT, so=timedelta(hours=3), what=inner)
    kept = text_from_json(text.to_json())
    assert kept == text
    assert words("en").text(kept) == "anna: 2 words"


def test_a_nested_text_is_said_in_the_same_language() -> None:
    assert words("it").text(Text("{what} in {so}", {"what": say("now"), "so": timedelta(hours=3)})) == "now in 3 ore"


def test_what_older_versions_stored_is_said_as_it_is() -> None:
    assert words("it").text(text_from_json("Still {open}.")) == "Still {open}."
