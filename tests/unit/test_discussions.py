from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.discussions import MAX_TITLE, MAX_URL, canonical_url, discussion_key, discussion_title, pace, trend
from monitor.model import Post

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
POST = Post(source="x", native_id="7", text="Acme is down", published_at=NOON)

SAME = {
    "scheme": "http://example.org/a",
    "upper-case host": "HTTPS://EXAMPLE.ORG/a",
    "www": "https://www.example.org/a",
    "mobile host": "https://m.example.org/a",
    "amp host and www": "https://www.amp.example.org/a",
    "amp path": "https://example.org/a/amp/",
    "amp parameter": "https://example.org/a?amp=1&outputType=amp",
    "default port": "http://example.org:80/a",
    "default port of https": "https://example.org:443/a",
    "root dot": "https://example.org./a",
    "trailing slash": "https://example.org/a/",
    "fragment": "https://example.org/a#comments",
    "user and password": "https://mario:secret@example.org/a",
    "tracking": "https://example.org/a?utm_source=x&UTM_Medium=y&fbclid=1&gclid=2&mc_cid=3",
    "needless escape": "https://example.org/%61",
    "spaces around": "  https://example.org/a\n",
}
OTHER = {
    "port": ("https://example.org:8080/a", "https://example.org:8080/a"),
    "parameters sorted": ("https://example.org/?b=2&a=1&a=0", "https://example.org/?a=0&a=1&b=2"),
    "front page": ("https://example.org", "https://example.org/"),
    "upper-case path": ("https://example.org/A", "https://example.org/A"),
    "umlauts": ("https://bücher.example/käse", "https://xn--bcher-kva.example/k%C3%A4se"),
    "the same, written out": ("https://xn--bcher-kva.example/k%c3%a4se", "https://xn--bcher-kva.example/k%C3%A4se"),
    "an escaped slash is no slash": ("https://example.org/a%2fb", "https://example.org/a%2Fb"),
    "stray percent sign": ("https://example.org/100%", "https://example.org/100%25"),
    "a site called m": ("https://m.me/acme", "https://m.me/acme"),
    "a page called amp": ("https://example.org/amp", "https://example.org/amp"),
    "IPv6": ("http://[2001:DB8::1]/a", "https://[2001:db8::1]/a"),
    "mobile Wikipedia": ("https://en.m.wikipedia.org/wiki/Acme", "https://en.wikipedia.org/wiki/Acme"),
}


@pytest.mark.parametrize("url", SAME.values(), ids=SAME.keys())
def test_links_to_one_page_are_one(url: str) -> None:
    assert canonical_url(url) == "https://example.org/a"


@pytest.mark.parametrize(("url", "canonical"), OTHER.values(), ids=OTHER.keys())
def test_canonical_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    ["", "acme", "//example.org/a", "mailto:a@example.org", "javascript:alert(1)", "https://", "https:///a", "https://[::1",
     "https://a b/", "https://example.org:99999/", "https://example.org:x/", "https://exa\u2100mple.org/",
     "https://" + "ä" * 100 + ".example/", "https://example.org/" + "a" * MAX_URL, "https://example.org/" + "ä" * 1000],
)  # fmt: skip
def test_no_page(url: str) -> None:
    assert canonical_url(url) is None


@given(st.text() | st.text().map("https://example.org/".__add__) | st.from_regex(r"https?://[^/]+/.*\?.*"))
@example("https://example.org/%%34%31/amp")
@example("http://\u2024")
@example("https://example.org/\ud800?\ud800=\ud800")
def test_any_text_has_a_stable_answer(url: str) -> None:
    canonical = canonical_url(url)
    assert canonical is None or (canonical.startswith("https://") and canonical_url(canonical) == canonical)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"conversation_id": "1"}, "x:1", id="thread of a network"),
        pytest.param({"conversation_id": "http://www.example.org/a#c7"}, "url:https://example.org/a", id="article"),
        pytest.param({"conversation_id": "at://did:plc:1/post/2"}, "x:at://did:plc:1/post/2", id="no web link"),
        pytest.param({"url": "https://example.org/a?utm_id=1"}, "url:https://example.org/a", id="the article itself"),
        pytest.param({"conversation_id": " ", "url": "ftp://example.org"}, "x:7", id="nothing to go by"),
    ],
)
def test_discussion_key(changes: dict[str, Any], key: str) -> None:
    assert discussion_key(replace(POST, **changes)) == key


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        pytest.param({"title": "Outage at Acme"}, "Outage at Acme", id="title"),
        pytest.param({"title": " \n", "text": "Acme\n is \t down"}, "Acme is down", id="text on one line"),
        pytest.param({"text": "word " * 40}, "word " * 19 + "word…", id="cut at a space"),
        pytest.param({"text": "字" * 500}, "字" * 99 + "…", id="cut where there is no space"),
        pytest.param({"text": "", "url": "https://example.org/a"}, "https://example.org/a", id="picture with a link"),
        pytest.param({"text": ""}, "A post on x", id="picture"),
    ],
)
def test_discussion_title(changes: dict[str, Any], title: str) -> None:
    assert discussion_title(replace(POST, **changes)) == title
    assert len(title) <= MAX_TITLE


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param([], 0.0, id="none"),
        pytest.param([0], 1.0, id="one"),
        pytest.param([0, 0.1, 0.2], 3.0, id="a short one counts as an hour"),
        pytest.param([0, 1, 2, 3], 4 / 3, id="as long as it lasted"),
        pytest.param([0, 1, 94, 97, 100], 0.5, id="only the last six hours"),
    ],
)
def test_pace(hours: list[float], expected: float) -> None:
    assert pace([NOON + timedelta(hours=h) for h in hours]) == pytest.approx(expected)


def test_trend_shows_where_the_mentions_lie() -> None:
    assert trend([]) == ()
    assert trend([NOON, NOON]) == (0,) * 11 + (2,)
    assert trend([NOON + timedelta(hours=h) for h in (24, 0, 1, 2, 12)]) == (2, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1))
def test_trend_counts_every_mention_once(times: list[datetime]) -> None:
    assert len(trend(times)) == 12 and sum(trend(times)) == len(times)
