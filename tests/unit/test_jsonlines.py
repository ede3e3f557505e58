from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import BadPost
from monitor.jsonlines import MAX_LINE, MAX_TEXT, post_from_line, post_to_line, read_posts
from monitor.model import Author, Engagement, Post

NEEDED = {"source": "x", "native_id": "1", "text": "Acme is down", "published_at": "2026-03-30T10:00:00Z"}
BARE = Post(source="x", native_id="1", text="Acme is down", published_at=datetime(2026, 3, 30, 10, tzinfo=UTC))
FULL = """{"source": "x", "native_id": "1", "url": "https://x.com/1", "text": "Acme is down", "title": null, "author":
 {"id": "7", "handle": "mario", "name": "Mario", "followers": 1200}, "published_at": "2026-03-30T12:00:00+02:00",
 "conversation_id": "1", "parent_id": null, "language": "it", "engagement": {"likes": 3, "reposts": 1, "replies": 0}}"""


def line(**changes: Any) -> str:
    return json.dumps(NEEDED | changes)


def test_reads_the_four_needed_fields() -> None:
    assert post_from_line(line()) == post_from_line(line().encode()) == BARE


def test_reads_every_field() -> None:
    assert post_from_line(FULL) == replace(
        BARE,
        url="https://x.com/1",
        author=Author("7", "mario", "Mario", 1200),
        conversation_id="1",
        language="it",
        engagement=Engagement(3, 1, 0),
    )


TAKEN = {
    "number as an id": ({"native_id": 17}, {"native_id": "17"}),
    "numbers as other ids": ({"parent_id": 3, "author": {"id": 7}}, {"parent_id": "3", "author": Author("7")}),
    "unknown keys": ({"colour": "red", "author": {"colour": "red"}}, {}),
    "nulls": ({"url": None, "author": None, "engagement": {"likes": None}}, {}),
    "empty optional fields": ({"url": "", "title": "", "parent_id": " "}, {}),
    "empty text of a picture": ({"text": ""}, {"text": ""}),
    "control characters": ({"text": "a\0c\x1bm\x9fe\r\n\tx\ry\u2028z"}, {"text": "acme\n\tx\ny\u2028z"}),
    "half a surrogate pair": ({"text": "a\ud83d \ude00b 😀"}, {"text": "a b 😀"}),
    "regional language": ({"language": "pt-BR"}, {"language": "pt"}),
    "upper-case language": ({"language": "EN_us"}, {"language": "en"}),
    "language not known": ({"language": "und"}, {}),
    "X for a text of links only": ({"language": "qme"}, {}),
    "number of a table with gaps": ({"author": {"followers": 1200.0}}, {"author": Author(followers=1200)}),
    "offset": ({"published_at": "2026-03-30T15:30:00+05:30"}, {}),
    "future time": ({"published_at": "2126-01-01T00:00:00Z"}, {"published_at": datetime(2126, 1, 1, tzinfo=UTC)}),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_takes(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert post_from_line(line(**changes)) == replace(BARE, **expected)


REFUSED = {
    "no JSON": ("acme", "The line is no JSON at column 1: Expecting value."),
    "cut off": ('{"source": "x",\n', "The line ends too early, at column 16: write all of it."),
    "cut off in a text": ('{"source": "x', "The line ends too early, at column 14: write all of it."),
    "something after it": ('{"source": "x"}, {\r\n', "The line is no JSON at column 16: Extra data."),
    "list": ("[1, 2]", "The line holds [1, 2]: write one JSON object a line, from { to }."),
    "not UTF-8": (b'{"text": "\xe9"}', "Byte 11 of the line is not UTF-8: save the file as UTF-8."),
    "UTF-16": ('["a"]'.encode("utf-16-le"), "The line is no JSON at column 2: Expecting value."),
    "deep nesting": ("[" * 200_000, "The line is nested too deeply: write one flat object as the documentation shows."),
    "deep, in a key nobody reads": (line()[:-1] + ', "a": ' + "[" * 200_000,
                                    "The line is nested too deeply: write one flat object as the documentation shows."),
    "NaN": (line()[:-1] + ', "a": NaN}', "The line holds NaN, Infinity or thousands of digits: write a usual number."),
    "too long": (" " * (MAX_LINE + 1), "The line is longer than 1,000,000 bytes: shorten its text."),
    "missing": ('{"source": "x"}', "native_id is missing: every post needs source, native_id, text and published_at."),
    "null": (line(text=None), "text is missing: every post needs source, native_id, text and published_at."),
    "blank id": (line(native_id=" \0"), "native_id is empty: write the post's id in its source."),
    "blank source": (line(source=""), "source is empty: write where the post stands, for example forum."),
    "boolean id": (line(native_id=True), 'native_id is true: write a text in "quotes".'),
    "text of another kind": (line(text=["a"]), 'text is ["a"]: write a text in "quotes".'),
    "endless text": (line(text="a" * (MAX_TEXT + 1)), "text has 100,001 characters: shorten it to 100,000."),
    "long value": (line(title=["x" * 90]), 'title is ["' + "x" * 37 + '…: write a text in "quotes".'),
    "hostile value": (line(title=["\x1b[2J"]), 'title is ["\\u001b[2J"]: write a text in "quotes".'),
    "author as a name": (line(author="mario"), 'author is "mario": write an object, from { to }.'),
    "negative count": (line(author={"followers": -1}),
                       "author.followers is -1: write a whole number from 0 to 1,000,000,000,000."),
    "endless count": (line(engagement={"likes": 10**13}),
                      "engagement.likes is 10000000000000: write a whole number from 0 to 1,000,000,000,000."),
    "infinite count": (line()[:-1] + ', "engagement": {"likes": 1e999}}',
                       "engagement.likes is Infinity: write a whole number from 0 to 1,000,000,000,000."),
    "count that is none": (line(engagement={"likes": True}),
                           "engagement.likes is true: write a whole number from 0 to 1,000,000,000,000."),
    "no time": (line(published_at="yesterday"),
                'published_at is "yesterday": write a date and time such as "2026-03-30T10:00:00Z".'),
    "seconds": (line(published_at=1774864800),
                'published_at is 1774864800: write a date and time such as "2026-03-30T10:00:00Z".'),
    "before all time": (line(published_at="0001-01-01T00+12:00"),
                        'published_at is "0001-01-01T00+12:00": write a date and time such as "2026-03-30T10:00:00Z".'),
    "no time zone": (line(published_at="2026-03-30T10:00:00"),
                     'published_at is "2026-03-30T10:00:00", without a time zone: '
                     'add Z for UTC, or an offset, as in "2026-03-30T10:00:00Z".'),
    "language in words": (line(language="English"), 'language is "English": write a code such as en, or null.'),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_says_what_to_mend(bad: bytes | str, sentence: str) -> None:
    with pytest.raises(BadPost) as caught:
        post_from_line(bad)
    assert str(caught.value) == sentence


def test_a_number_with_too_many_digits_is_refused() -> None:
    with pytest.raises(BadPost, match="thousands of digits"):
        post_from_line(line()[:-1] + f', "engagement": {{"likes": {"9" * 5000}}}}}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*NEEDED, "author", "engagement", "language", "url", "parent_id"]), JSON))
def test_any_object_is_a_post_or_says_why_not(changes: dict[str, Any]) -> None:
    try:
        post = post_from_line(line(**changes))
    except BadPost as error:
        assert str(error).endswith(".") and str(error).isprintable()
    else:
        assert post_from_line(post_to_line(post)) == post


@given(st.binary() | st.text())
def test_any_line_is_a_post_or_says_why_not(anything: bytes | str) -> None:
    with pytest.raises(BadPost):
        post_from_line(anything)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)
POSTS = st.builds(
    Post,
    source=WORDS,
    native_id=WORDS,
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t")),
    published_at=st.datetimes(
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 1, 1),
        timezones=st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours))),
    ),
    url=st.none() | WORDS,
    title=st.none() | WORDS,
    author=st.builds(
        Author,
        id=st.none() | WORDS,
        handle=st.none() | WORDS,
        name=st.none() | WORDS,
        followers=st.none() | st.integers(0, 10**9),
    ),
    conversation_id=st.none() | WORDS,
    parent_id=st.none() | WORDS,
    language=st.sampled_from([None, "en", "it", "fil"]),
    engagement=st.builds(Engagement, *[st.integers(0, 10**9)] * 3),
    comments_url=st.none(),
)


@given(st.lists(POSTS, max_size=3))
def test_what_is_written_is_read_back(posts: list[Post]) -> None:
    file = io.BytesIO("".join(post_to_line(post) + "\n" for post in posts).encode())
    assert [(number, post) for number, _, post in read_posts(file)] == list(enumerate(posts, start=1))


def test_a_line_from_outside_names_no_feed_to_fetch() -> None:
    assert "comments_url" not in post_to_line(replace(BARE, comments_url="http://10.0.0.1/"))
    assert post_from_line(line(comments_url="http://10.0.0.1/")) == BARE


def test_bad_lines_are_numbered_and_the_rest_goes_through() -> None:
    separators = replace(BARE, text="a\u2028b\u2029c")
    lines = ["\ufeff" + line(), "", " \r", "{", post_to_line(separators) + "\r", line()]
    found = {number: post for number, _, post in read_posts(io.BytesIO("\n".join(lines).encode()))}
    assert isinstance(found.pop(4), BadPost)
    assert found == {1: BARE, 5: separators, 6: BARE}


class Reads(io.BytesIO):
    largest = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        self.largest = max(self.largest, len(found))
        return found


@pytest.mark.parametrize("end", [b"", b"\n", b"\n" + line().encode()], ids=["cut", "ended", "followed"])
def test_an_endless_line_is_never_read_as_a_whole(end: bytes) -> None:
    file = Reads(line().encode() + b"\n" + b"x" * (5 * MAX_LINE) + end)
    numbers = [(number, isinstance(post, Post)) for number, _, post in read_posts(file)]
    assert numbers == [(1, True), (2, False), (3, True)][: 3 if len(end) > 1 else 2]
    assert file.largest <= MAX_LINE + 1


def test_a_bad_line_can_be_set_aside_as_it_came() -> None:
    assert [line for _, line, _ in read_posts(io.BytesIO(b"{\r\n\xff\n"))] == [b"{\r\n", b"\xff\n"]


def test_a_line_of_just_the_limit_is_read() -> None:
    padded = line() + " " * (MAX_LINE - len(line()))
    file = io.BytesIO(f"{padded[:-1]}\n{padded}\n{padded}".encode())
    found = {number: post for number, _, post in read_posts(file)}
    assert isinstance(found.pop(2), BadPost)
    assert found == {1: BARE, 3: BARE}
