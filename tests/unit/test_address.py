from __future__ import annotations

import pytest

from monitor.errors import SourceRefused
from monitor.sources.address import parse_address, redact, web_url


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        pytest.param("HTTP://Example.ORG:80", "http://example.org/", id="case and default port"),
        pytest.param("https://example.org.:443/a?b=1&c", "https://example.org/a?b=1&c", id="final dot"),
        pytest.param("https://example.org:8443/", "https://example.org:8443/", id="another port"),
        pytest.param("http://u:p@example.org/#x", "http://example.org/", id="credentials and fragment"),
        pytest.param("http://ü.example/ü?q=é%20 %", "http://xn--tda.example/%C3%BC?q=%C3%A9%20%20%25", id="IRI"),
        pytest.param(" http://[::1]:8080/a b ", "http://[::1]:8080/a%20b", id="IPv6"),
    ],
)
def test_one_spelling(url: str, spelling: str) -> None:
    assert parse_address(url).url == spelling
    assert parse_address(spelling).url == spelling


@pytest.mark.parametrize(
    "url",
    [
        *("", "feed.xml", "/feed.xml", "file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "http://"),
        *(
            "http:///a",
            "http://[::1",
            "http://a:b:c/",
            "http://example.org:99999/",
            "http://ex ample.org/",
            "http://a%00b/",
        ),
        *("http://a\\b/", "http://[fe80::1%25eth0]/", "http://" + "a" * 64 + ".ü/", "http://..ü/"),
        *("http://example.org/" + "a" * 5000, "http://example.org/\ud800"),
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SourceRefused):
        parse_address(url)
    assert web_url(url) is None


@pytest.mark.parametrize(
    ("target", "trusted"),
    [
        ("http://example.org/other", True),
        ("https://example.org/", True),
        ("http://example.org:8080/", False),
        ("https://example.org:8443/", False),
        ("http://www.example.org/", False),
        ("http://example.org@evil.example/", False),
    ],
)
def test_where_credentials_may_go(target: str, trusted: bool) -> None:
    assert parse_address("http://u:p@example.org/").trusts(parse_address(target)) is trusted


def test_credentials_do_not_go_back_from_tls() -> None:
    assert not parse_address("https://u:p@example.org/").trusts(parse_address("http://example.org/"))


@pytest.mark.parametrize(
    "url",
    [
        *("http://mario:secret@example.org/a", "http://secret@example.org/", "http://a:secret@b:secret@example.org/"),
        *(
            "http://mario:secret@[broken/",
            "//x:secret@y",
            "HTTP://mario:se@cret/x@example.org",
            "http://mario:secret\n@e/",
        ),
    ],
)
def test_what_is_shown_holds_no_credentials(url: str) -> None:
    assert "secret" not in redact(url) and "mario" not in redact(url)
    address = None
    try:
        address = parse_address(url)
    except SourceRefused as error:
        assert "secret" not in str(error)
    assert "secret" not in repr(address)


def test_what_is_shown_is_short_and_on_one_line() -> None:
    shown = redact("http://example.org/\n\x1b[31m\u202egpj" + "a" * 5000)
    assert shown.startswith("http://example.org/[31mgpj") and len(shown) < 300


def test_a_link_keeps_its_fragment() -> None:
    assert web_url("http://u:p@example.org/a#comment 5") == "http://example.org/a#comment%205"
    assert web_url("http://example.org/a#\ud800") is None
