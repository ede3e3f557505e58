"""What posts come of a feed's document, and of the next one: identity, dates, edits, gaps, broken documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from monitor.errors import BadDocument
from monitor.model import Author, PollResult, Post
from monitor.sources.feeds import GAP, FeedSource
from monitor.sources.fetch import Fetcher
from monitor.sources.guard import Guard
from monitor.sources.parser import Parser
from tests.contract.conftest import FeedMaker
from tests.fakes.feed_server import FeedServer, Page, atom, item, rss

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Reader:
    """Reads one feed again and again, an hour apart, as the daemon does: the cursor goes through JSON."""

    def __init__(self, server: FeedServer, source: FeedSource) -> None:
        self.server = server
        self.source = source
        self.cursor: dict[str, Any] = {}
        self.now = NOON

    def read(self, body: bytes | Page) -> PollResult:
        self.server.put("/feed.xml", body if isinstance(body, Page) else Page(body))
        result = self.source.poll(self.cursor, self.now)
        self.cursor = json.loads(json.dumps(result.cursor))
        self.now += HOUR
        return result

    def titles(self, body: bytes | Page) -> list[str | None]:
        return [post.title for post in self.read(body).posts]


@pytest.fixture
def reader(server: FeedServer, feed: FeedMaker) -> Reader:
    return Reader(server, feed())


def posts_of(reader: Reader, body: bytes) -> tuple[Post, ...]:
    return reader.read(body).posts


# -- from entry to post ------------------------------------------------------------------------------------------


def test_an_rss_item_in_full(reader: Reader) -> None:
    body = rss(
        item(
            "tag:1",
            title="Acme &amp; <b>co</b>",
            link="/news/1#c",
            description="short",
            content__encoded="<p>Router&nbsp;down</p><script>x()</script><p>again<br>today <img alt='a photo'></p>",
            pubDate="Sat, 14 Nov 2026 11:00:00 +0200",
            dc__creator="Ann",
            wfw__commentRss="http://blog.example/1/comments",
        ),
        channel="<language>it-IT</language>",
    )
    (post,) = posts_of(reader, body)
    assert post == Post(
        source="example",
        native_id=post.native_id,
        title="Acme & co",
        text="Router down\n\nagain\ntoday a photo",
        url=reader.server.url("/news/1#c"),
        published_at=datetime(2026, 11, 14, 9, tzinfo=UTC),
        author=Author(name="Ann"),
        language="it",
        comments_url="http://blog.example/1/comments",
    )


def test_an_atom_entry_in_full(reader: Reader) -> None:
    body = atom(
        "<id>tag:2</id><title>Acme</title><link href='2'/><updated>2026-11-14T09:00:00Z</updated>"
        "<link rel='replies' type='application/atom+xml' href='2/replies'/><link rel='replies' href='2.html'/>"
        "<author><name>Ann</name></author><summary>a much longer summary</summary>"
        "<content type='html'>&lt;p&gt;hi</content>"
        "<thr:in-reply-to ref='tag:1' href='http://blog.example/1'/>",
        attributes="xml:lang='DE-at' xml:base='http://blog.example/feed/'",
    )
    (post,) = posts_of(reader, body)
    assert (post.url, post.comments_url) == ("http://blog.example/feed/2", "http://blog.example/feed/2/replies")
    assert (post.conversation_id, post.parent_id) == ("http://blog.example/1", "tag:1")
    assert (post.text, post.language, post.author.name) == ("a much longer summary", "de", "Ann")
    assert post.published_at == datetime(2026, 11, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize("version", ["1", "1.1"])
def test_a_json_feed_item_in_full(reader: Reader, version: str) -> None:
    items = [
        {
            "id": 7,
            "url": "https://blog.example/7",
            "title": "Acme",
            "content_html": "<p>down &amp; out",
            "date_published": "2026-11-14T10:00:00+01:00",
            "authors": [{"name": "Ann"}],
            "language": "fr",
        },
        {"id": "8", "content_text": "a <b> c", "author": {"name": "Bob"}, "url": "javascript:alert(1)"},
        "rubbish",
        {"id": {"a": []}, "content_text": ["x"], "authors": "Ann", "date_published": 7, "title": "odd"},
    ]
    body = json.dumps({"version": f"https://jsonfeed.org/version/{version}", "items": items}).encode()
    found = reader.read(Page(body, content_type="application/feed+json")).posts
    assert [(post.title, post.text, post.author.name, post.url) for post in found] == [
        ("Acme", "down & out", "Ann", "https://blog.example/7"),
        ("odd", "", None, None),
        (None, "a <b> c", "Bob", None),
    ]
    assert (found[0].published_at, found[0].language) == (datetime(2026, 11, 14, 9, tzinfo=UTC), "fr")


@pytest.mark.parametrize(
    ("written", "published"),
    [
        pytest.param("Sat, 14 Nov 2026 09:00:00 GMT", NOON - 3 * HOUR, id="given"),
        pytest.param("", NOON, id="missing"),
        pytest.param("the day before", NOON, id="invalid"),
        pytest.param("Thu, 14 Nov 2999 09:00:00 GMT", NOON, id="in the future"),
        pytest.param("1931-01-02T00:00:00Z", datetime(1931, 1, 2, tzinfo=UTC), id="before computers"),
        pytest.param("0000-00-00T00:00:00Z", NOON, id="zeros"),
        pytest.param("9" * 5000, NOON, id="endless digits"),
    ],
)
def test_dates(reader: Reader, written: str, published: datetime) -> None:
    (post,) = posts_of(reader, rss(item("1", title="Acme", pubDate=written)))
    assert post.published_at == published


def test_oldest_first_and_of_equal_age_the_last_in_the_document(reader: Reader) -> None:
    dates = {
        "c": "12 Nov 2026 00:00:00 GMT",
        "b": "11 Nov 2026 00:00:00 GMT",
        "a": "11 Nov 2026 00:00:00 GMT",
        "d": "?",
    }
    body = rss(*(item(name, title=name, pubDate=date) for name, date in dates.items()))
    assert reader.titles(body) == ["a", "b", "c", "d"]


def test_comments_that_are_followed_belong_to_their_post(server: FeedServer, parser: Parser) -> None:
    server.put("/comments", Page(atom("<id>c1</id><content>me too</content><thr:in-reply-to ref='other'/>")))
    fetcher = Fetcher(Guard(["127.0.0.1"]))
    url = server.url("/comments")
    source = FeedSource(url, "blog", HOUR, fetcher, parser, conversation_id="http://blog.example/1", parent_id="p1")
    (post,) = source.poll({}, NOON).posts
    assert (post.source, post.conversation_id, post.parent_id) == ("blog", "http://blog.example/1", "p1")


def test_the_address_of_comments_is_the_key_of_the_feed_that_reads_them(reader: Reader, feed: FeedMaker) -> None:
    (post,) = posts_of(reader, rss(item("1", title="Acme", wfw__commentRss="HTTP://u:p@Blog.Example:80/1 2?a=ü#x")))
    assert post.comments_url == "http://blog.example/1%202?a=%C3%BC"
    assert feed(url=post.comments_url).key == f"feed:{post.comments_url}"


def test_no_feed_can_name_the_posts_of_another(server: FeedServer, feed: FeedMaker) -> None:
    for path in ("/a", "/b"):
        server.put(path, Page(rss(item("same", title="Acme"))))
    ids = {feed(path).poll({}, NOON).posts[0].native_id for path in ("/a", "/b")}
    assert len(ids) == 2


# -- seen before, edited, renamed --------------------------------------------------------------------------------


def test_a_crash_before_the_commit_brings_the_same_posts_again(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/feed.xml", Page(rss(item("1", title="Acme"), item(title="Acme two")), headers={"ETag": "a"}))
    old: dict[str, Any] = {}
    first, again = (feed().poll(old, NOON).posts for _ in range(2))
    assert first == again != ()


def test_only_what_is_new_comes_also_when_it_is_older(reader: Reader) -> None:
    old, new = (
        item("1", title="first", pubDate="14 Nov 2026 00:00:00 GMT"),
        item("2", title="late", pubDate="1 Nov 1999"),
    )
    assert reader.titles(rss(old)) == ["first"]
    assert reader.titles(rss(old, new)) == ["late"]
    assert reader.titles(rss(new, old)) == []


def test_an_edit_comes_once_under_its_old_identity(reader: Reader) -> None:
    versions = [item("1", title="Acme", description=text) for text in ("is slow", "is <b>down</b>", "is slow")]
    (first,) = posts_of(reader, rss(versions[0]))
    (edited,) = posts_of(reader, rss(versions[1]))
    assert (edited.native_id, edited.text) == (first.native_id, "is down")
    assert posts_of(reader, rss(versions[1], channel="<ttl>1</ttl>")) == ()
    assert posts_of(reader, rss(versions[2])) == (), "what goes back and forth is not news for ever"


@pytest.mark.parametrize(
    "churn",
    [
        pytest.param({"pubDate": "14 Nov 2026 11:00:00 GMT"}, id="another date"),
        pytest.param({"link": "http://a.example/?utm_source=x"}, id="another link"),
        pytest.param({"description": "<div>is   down\n</div>"}, id="other markup"),
        pytest.param({"dc__creator": "The editors"}, id="another author"),
    ],
)
def test_churn_is_no_edit(reader: Reader, churn: dict[str, str]) -> None:
    usual = {"title": "Acme", "link": "http://a.example/", "description": "<p>is down</p>"}
    assert reader.titles(rss(item("1", **usual))) == ["Acme"]
    assert reader.titles(rss(item("1", **usual | churn))) == []


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([item(title="a", link="/1"), item(title="b", link="/2")], ["b", "a"], id="no ids: links"),
        pytest.param([item(title="a"), item(title="b")], ["b", "a"], id="neither ids nor links: content"),
        pytest.param([item("1", title="a", link="/1"), item("1", title="b", link="/2")], ["b", "a"], id="ids repeat"),
        pytest.param(
            [item("1", title="a", link="/"), item("1", title="b", link="/")], ["b", "a"], id="links repeat too"
        ),
        pytest.param([item("1", title="a", link="/"), item("1", title="a", link="/")], ["a"], id="twice the same"),
        pytest.param([item("", title="a"), item("", title="b")], ["b", "a"], id="empty ids"),
        pytest.param([item("1"), item("2", link="/2")], [], id="nothing said"),
        pytest.param([item("ü" * 9999 + "1", title="a"), item("ü" * 9999, title="b")], ["b", "a"], id="long ids"),
    ],
)
def test_identity(reader: Reader, items: list[str], expected: list[str]) -> None:
    found = posts_of(reader, rss(*items))
    assert [post.title for post in found] == expected
    assert len({post.native_id for post in found}) == len(expected)
    assert all(len(post.native_id) <= 40 for post in found)
    assert posts_of(reader, rss(*reversed(items))) == ()


def test_an_entry_that_only_changes_its_id_is_not_new(reader: Reader) -> None:
    def google(id: str) -> str:
        return item(
            id, title="Acme is down - News", link=f"http://news.example/{id}", pubDate="13 Nov 2026 00:00:00 GMT"
        )

    assert reader.titles(rss(google("CBMi1"))) == ["Acme is down - News"]
    result = reader.read(rss(google("CBMi2")))
    assert (result.posts, result.coverage[0].complete) == ((), True)
    assert reader.titles(rss(google("CBMi2"))) == []


def test_equal_words_of_two_people_are_two_posts(reader: Reader) -> None:
    ann, bob = (
        item(name, description="boycott Acme", dc__creator=name, pubDate="13 Nov 2026") for name in ("ann", "bob")
    )
    assert len(posts_of(reader, rss(ann))) == 1
    assert len(posts_of(reader, rss(bob))) == 1


def test_what_was_seen_is_remembered_within_bounds(reader: Reader) -> None:
    for start in range(0, 3000, 300):
        reader.read(rss(*(item(str(n), title=f"post {n}") for n in range(start, start + 310))))
    assert len(reader.cursor["seen"]) == 1000
    assert reader.titles(rss(item("2500", title="post 2500"))) == []


# -- gaps and broken documents -----------------------------------------------------------------------------------


def test_a_feed_full_of_new_entries_is_a_gap(reader: Reader) -> None:
    assert reader.read(rss(item("1", title="a"), item("2", title="b"))).coverage[0].complete
    assert reader.read(rss(item("2", title="b"), item("3", title="c"))).coverage[0].complete
    (stretch,) = reader.read(rss(item("8", title="h"), item("9", title="i"))).coverage
    assert (stretch.complete, stretch.reason, stretch.start) == (False, GAP, NOON + HOUR)
    assert reader.read(rss(item("9", title="i"))).coverage[0].complete
    assert reader.read(rss()).coverage[0].complete, "an empty feed is no gap"


BROKEN = rss(item("1", title="Acme is down")).replace(b"</channel>", b"<item><title>half of it")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(BROKEN.removesuffix(b"</rss>\n"), ["Acme is down"], id="truncated in an entry"),
        pytest.param(
            rss(item("1", title="Acme")).replace(b"</channel></rss>", b""), ["Acme"], id="truncated after one"
        ),
        pytest.param(rss(item("1", title="A&nbsp;B")).replace(b"&amp;", b"&"), ["A B"], id="undefined entity"),
        pytest.param(rss(item("1", title="A X B")).replace(b"X", b"&"), ["A & B"], id="bare ampersand"),
        pytest.param(rss(item("1", title="A X B")).replace(b"X", b"\x0b"), ["A B"], id="control character"),
    ],
)
def test_of_an_ill_formed_document_all_that_can_be_read_is_kept(
    reader: Reader, body: bytes, expected: list[str]
) -> None:
    for _ in ("first", "unchanged"):
        result = reader.read(body)
        assert [post.title for post in result.posts] == expected
        assert not result.coverage[0].complete
        assert "ill-formed" in result.coverage[0].reason
        assert len(result.notes) == 1
        expected = []


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        pytest.param("<t>Café €</t>".encode(), "text/xml", "Café €", id="UTF-8 as text/xml"),
        pytest.param("<t>Café €</t>".encode(), "text/xml; charset=iso-8859-1", "Café €", id="UTF-8 said to be Latin 1"),
        pytest.param(
            "<t>Café €</t>".encode("cp1252"), "text/xml; charset=utf-8", "Café €", id="Windows said to be UTF-8"
        ),
        pytest.param("<t>Привет</t>".encode("cp1251"), "text/xml; charset=cp1251", "Привет", id="Cyrillic, as it says"),
        pytest.param("<t>Café €</t>".encode("utf-16"), "text/xml", "Café €", id="UTF-16"),
        pytest.param(
            "<t>Café €</t>".encode(), "text/html; charset=no-such", "Café €", id="an unknown charset, as HTML"
        ),
        pytest.param(
            f"<t>{'Café' * 20}X</t>".encode().replace(b"X", b"\xe9"),
            "text/xml",
            "Café" * 20 + "\ufffd",
            id="one bad byte",
        ),
    ],
)
def test_charsets(reader: Reader, body: bytes, content_type: str, expected: str) -> None:
    tags = {b"<t>": b"<rss version='2.0'><channel><item><title>", b"</t>": b"</title></item></channel></rss>"}
    wide = "utf-16-le" if body.startswith(b"\xff\xfe") else "ascii"
    for short, long in tags.items():
        body = body.replace(short.decode().encode(wide), long.decode().encode(wide))
    result = reader.read(Page(body, content_type=content_type))
    assert ([post.title for post in result.posts], result.coverage[0].complete) == ([expected], True)


@pytest.mark.parametrize("start", [b"\n\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"], ids=["blank lines", "BOM", "both"])
def test_what_stands_before_the_document_does_no_harm(reader: Reader, start: bytes) -> None:
    result = reader.read(start + rss(item("1", title="Acme")))
    assert len(result.posts) == 1 and result.coverage[0].complete


HTML = b"<!DOCTYPE html><html><head><title>Blog</title>%b</head><body><p>Welcome</body></html>"
LINK = b'<link rel="alternate" type="application/rss+xml" href="/%b">'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(HTML % b"", "is a web page, not a feed; look for", id="a web page"),
        pytest.param(
            HTML % (LINK % b"rss.xml"), r"this feed.*: http://127.0.0.1:\d+/rss.xml", id="that names its feed"
        ),
        pytest.param(HTML % (LINK % b"<script>"), "%3Cscript%3E", id="that names something hostile"),
        pytest.param(b"just words", "is no feed", id="plain text"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no feed", id="an image"),
        pytest.param(b'{"items": 1}', "no JSON Feed", id="other JSON"),
        pytest.param(b'{"items": [', "JSON that cannot be read", id="cut JSON"),
        pytest.param(b'{"items":' + b"[" * 99999, "JSON that cannot be read", id="deep JSON"),
        pytest.param(b'{"items":[' + b"9" * 99999 + b"]}", "JSON that cannot be read", id="a long number in JSON"),
    ],
)
def test_what_is_no_feed_is_said_and_leaves_the_cursor(reader: Reader, body: bytes, message: str) -> None:
    reader.read(rss(item("1", title="Acme")))
    before = dict(reader.cursor)
    with pytest.raises(BadDocument, match=message):
        reader.read(body)
    assert reader.cursor == before
    assert reader.titles(rss(item("1", title="Acme"), item("2", title="Acme two"))) == ["Acme two"]


def test_an_empty_feed_is_a_feed(reader: Reader) -> None:
    result = reader.read(rss())
    assert (result.posts, result.coverage[0].complete) == ((), True)


LAUGHS = "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in pairwise("abcdefghi"))


@pytest.mark.parametrize(
    "doctype",
    [
        pytest.param(f"<!DOCTYPE r [<!ENTITY a 'lol'>{LAUGHS}]>", id="billion laughs"),
        pytest.param('<!DOCTYPE r [<!ENTITY i SYSTEM "file:///etc/passwd">]>', id="external entity"),
    ],
)
def test_entities_are_not_expanded(reader: Reader, doctype: str) -> None:
    body = rss(item("1", title="AcmeX")).replace(b"?>\n", f"?>\n{doctype}".encode(), 1).replace(b"X", b"&i;")
    (post,) = posts_of(reader, body)
    assert len(post.title or "") < 20 and "root:" not in (post.title or "")


def test_only_so_many_entries_of_one_document_are_read(reader: Reader) -> None:
    result = reader.read(rss(*(item(str(n), title="a") for n in range(5001))))
    assert len(result.posts) == 5000
    assert result.coverage[0].reason == "only its first 5,000 entries were read"
