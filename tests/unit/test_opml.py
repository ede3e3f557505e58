from __future__ import annotations

import pytest

from monitor.errors import ConfigError
from monitor.sources.opml import parse_opml

OUTLINES = """<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="2.0"><head><title>mine</title></head><body>
  <outline text="News">
    <outline text="Caf\xe9"><outline type="rss" text="A" title="Titled" xmlUrl=" http://a.example/ "/></outline>
    <outline text="B &amp; C" xmlurl="http://b.example/" htmlUrl="x"/>
  </outline>
  <outline text="again" xmlUrl="http://a.example/"/>
  <outline xmlUrl="http://c.example/"/>
  <outline text="a folder" xmlUrl=""/>
</body></opml>"""


@pytest.mark.parametrize("text", [OUTLINES.encode("latin-1"), OUTLINES], ids=["bytes", "text"])
def test_outlines_at_any_depth_once_each(text: str | bytes) -> None:
    assert parse_opml(text) == (
        ("Titled", "http://a.example/"),
        ("B & C", "http://b.example/"),
        ("", "http://c.example/"),
    )


LAUGHS = '<!DOCTYPE opml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><opml><outline text="&b;" xmlUrl="&b;"/></opml>'
FILE = '<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body>&a;</body></opml>'
PARAMETER = '<!DOCTYPE opml [<!ENTITY % a SYSTEM "http://127.0.0.1/x">%a;]><opml/>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(LAUGHS, "feeds.opml:1:.*must not define entities", id="billion laughs"),
        pytest.param(FILE, "must not define entities", id="external entity"),
        pytest.param(PARAMETER, "must not define entities", id="parameter entity"),
        pytest.param("<opml>\n<body a=&>", "feeds.opml:2:9: is no well-formed OPML", id="ill-formed"),
        pytest.param("", "no element found", id="empty"),
        pytest.param("<rss/>", "should begin with <opml>", id="something else"),
        pytest.param("http://a.example/", "is no well-formed OPML", id="a list of URLs"),
        pytest.param(b"\xff\xfe\x00", "is no well-formed OPML", id="bytes"),
    ],
)
def test_what_is_no_opml_is_said_with_its_place(text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_opml(text, "feeds.opml")


def test_deep_nesting() -> None:
    deep = "<outline>" * 100_000 + '<outline xmlUrl="http://a.example/"/>' + "</outline>" * 100_000
    assert len(parse_opml(f"<opml><body>{deep}</body></opml>")) == 1
