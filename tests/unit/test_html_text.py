from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sources.html_text import MOST_TEXT, clean, feed_link, one_line, to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        pytest.param("<p>one</p><p>two</p>three", "one\n\ntwo\nthree", id="paragraphs"),
        pytest.param("one<br>two<br/>three<hr>four", "one\ntwo\nthree\nfour", id="breaks"),
        pytest.param("<p>a\n  b\tc</p>", "a b c", id="white space"),
        pytest.param("a<script>x('<p>')</script><style>p{}</style><!-- c -->b", "ab", id="scripts, styles, comments"),
        pytest.param("<svg><text>x</text></svg><template>y</template><p>z", "z", id="drawings and templates"),
        pytest.param("AT&amp;T &lt;3 &eacute;&#8364;&#x1F600; <b>x</b>", "AT&T <3 é€😀 x", id="entities"),
        pytest.param("see <img src=x alt='the\nbill'> <img src=y>", "see the bill", id="alternative texts"),
        pytest.param(
            "<ul><li>a<li>b</ul><table><tr><td>1<td>2<tr><td>3</table>", "a\n\nb\n\n1 2\n\n3", id="lists, tables"
        ),
        pytest.param("Acme &lt; Globex &amp; 1 < 2", "Acme < Globex & 1 < 2", id="a bare <"),
        pytest.param(
            "one\ntwo &amp; three\n\n\n\n\nfour", "one\ntwo & three\n\nfour", id="plain text that calls itself HTML"
        ),
        pytest.param(
            "<b>a\x00b\x1b[31m\u202ec\u2066d\ufeff</b>\x85e", "ab[31mcd\ne", id="control and direction characters"
        ),
        pytest.param("<p>\ud800x", "?x", id="half a character"),
        pytest.param("", "", id="nothing"),
        pytest.param("<", "<", id="nothing but a <"),
    ],
)
def test_what_a_reader_sees(markup: str, text: str) -> None:
    assert to_text(markup) == text


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<div>" * 200_000 + "x", id="deep blocks"),
        pytest.param("<b><p>" * 100_000 + "x", id="deep formatting"),
        pytest.param("<table><tr><td>" * 60_000 + "x", id="deep tables"),
        pytest.param("<a " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x", id="many attributes"),
        pytest.param("<" * 900_000 + "x", id="many <"),
        pytest.param("&" * 900_000 + "<p>x", id="many &"),
        pytest.param("<p>" + "word " * 1_000_000, id="long"),
        pytest.param("<!--" * 200_000 + "x", id="many comments"),
    ],
)
def test_hostile_markup_costs_little(markup: str) -> None:
    start = time.process_time()
    assert len(to_text(markup)) <= MOST_TEXT
    assert time.process_time() - start < 2


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/!-?&;#\"'= \n\0abpbrimgscript\ud800é\u202e")))
def test_any_markup_becomes_storable_text(markup: str) -> None:
    for text in (to_text(markup), clean(markup), one_line(markup)):
        text.encode()
        assert not set(text) & set("\0\u202e\r")
    feed_link(markup)


def test_a_line_is_one_line_and_short() -> None:
    assert one_line(" a\n b\u2028c ") == "a b c"
    assert len(one_line("x" * 9999)) == 1000


def test_the_first_feed_of_a_page() -> None:
    page = "<link rel='stylesheet' href='x'><LINK REL='Alternate Home' TYPE='application/atom+xml' HREF='/a&amp;b'>"
    assert feed_link(page + "<link rel=alternate type=application/rss+xml href=second>") == "/a&b"
    assert feed_link("<p>none</p>") is None
