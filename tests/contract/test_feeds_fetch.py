"""Feeds over real HTTP that goes wrong: what a poll raises, how long it takes, what it remembers for the next one."""

from __future__ import annotations

import gzip
import ssl
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import (
    AccessDenied,
    BadDocument,
    RateLimited,
    SourceError,
    SourceGone,
    SourceRefused,
    SourceUnavailable,
)
from monitor.model import Post
from monitor.sources.parser import Parser
from tests.contract.conftest import FeedMaker
from tests.fakes.feed_server import FeedServer, Page, item, rss

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
ACME = rss(item("1", title="Acme is down"))
OK = Page(ACME)


def titles(posts: tuple[Post, ...]) -> list[str | None]:
    return [post.title for post in posts]


@pytest.mark.parametrize(
    ("page", "error", "wait"),
    [
        pytest.param(Page(status=401), AccessDenied, None, id="401"),
        pytest.param(Page(status=403), AccessDenied, None, id="403"),
        pytest.param(Page(status=404), SourceUnavailable, None, id="404 never disables"),
        pytest.param(Page(status=410), SourceGone, None, id="410"),
        pytest.param(Page(status=500), SourceUnavailable, None, id="500"),
        pytest.param(Page(status=304), BadDocument, None, id="304 that nobody asked for"),
        pytest.param(Page(status=302), SourceUnavailable, None, id="redirect to nowhere"),
        pytest.param(Page(status=429, headers={"Retry-After": "120"}), RateLimited, 120, id="429 in seconds"),
        pytest.param(
            Page(status=429, headers={"Retry-After": "Sat, 14 Nov 2026 12:05:00 GMT"}), RateLimited, 300, id="429 date"
        ),
        pytest.param(Page(status=429), RateLimited, None, id="429 without a time"),
        pytest.param(
            Page(status=503, headers={"Retry-After": "9" * 30}), RateLimited, 31 * 86400, id="31 days at most"
        ),
        pytest.param(Page(status=503), SourceUnavailable, None, id="503 without a time"),
        pytest.param(Page(b" \n"), BadDocument, None, id="an empty answer"),
        pytest.param(Page(reset="head"), SourceUnavailable, None, id="reset before the answer"),
        pytest.param(Page(ACME * 50, reset="body"), SourceUnavailable, None, id="reset in the middle"),
        pytest.param(Page(raw=b""), SourceUnavailable, None, id="hangs up"),
        pytest.param(Page(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), SourceUnavailable, None, id="no HTTP"),
        pytest.param(
            Page(raw=b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 9999), SourceUnavailable, None, id="endless headers"
        ),
        pytest.param(
            Page(raw=b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10**6), SourceUnavailable, None, id="an endless header"
        ),
        pytest.param(
            Page(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nrubbish"),
            BadDocument,
            None,
            id="bad chunks",
        ),
        pytest.param(Page(b"\x0b\x02\x80rubbish", headers={"Content-Encoding": "br"}), BadDocument, None, id="brotli"),
        pytest.param(Page(ACME * 9999), BadDocument, None, id="too large"),
    ],
)
def test_a_failure_is_one_of_our_errors_and_leaves_no_cursor(
    server: FeedServer, feed: FeedMaker, page: Page, error: type[SourceError], wait: int | None
) -> None:
    server.put("/feed.xml", page)
    with pytest.raises(error) as raised:
        feed().poll({}, NOON)
    assert raised.value.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert server.url("/feed.xml") in str(raised.value)
    assert len(server.requests) == 1, "it is not tried twice"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Page(ACME, drip=0.02), id="a dripping body"),
        pytest.param(Page(ACME, slow_head=0.02), id="slow headers"),
        pytest.param(
            Page(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 99, slow_head=0.02), id="never more than to be continued"
        ),
        pytest.param(Page(b"x" * 10, headers={"Content-Encoding": "gzip"}, slow_head=10), id="silence"),
    ],
)
def test_the_deadline_is_for_everything_together(server: FeedServer, feed: FeedMaker, page: Page) -> None:
    server.put("/feed.xml", page)
    start = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"within 0\.2 seconds"):
        feed(seconds=0.2).poll({}, NOON)
    assert time.monotonic() - start < 1.5


def test_redirects_share_the_deadline(server: FeedServer, feed: FeedMaker) -> None:
    for hop in range(5):
        server.put(f"/{hop}", Page(status=302, headers={"Location": f"/{hop + 1}"}, slow_head=0.001))
    server.put("/5", OK)
    with pytest.raises(SourceUnavailable, match="within"):
        feed("/0", seconds=0.2).poll({}, NOON)


def test_nobody_listens(feed: FeedMaker) -> None:
    with pytest.raises(SourceUnavailable, match="Connection refused"):
        feed(url="http://127.0.0.1:1/feed.xml").poll({}, NOON)


# -- compression and cut bodies ----------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(gzip.compress(ACME), "gzip", id="gzip"),
        pytest.param(zlib.compress(ACME), "deflate", id="deflate"),
        pytest.param(raw_deflate(ACME), "deflate", id="deflate without its header"),
        pytest.param(gzip.compress(ACME[:99]) + gzip.compress(ACME[99:]), "gzip", id="two members"),
        pytest.param(gzip.compress(ACME), "", id="gzip that is not announced"),
        pytest.param(gzip.compress(ACME), "deflate", id="gzip announced as deflate"),
        pytest.param(ACME, "gzip", id="plain announced as gzip"),
        pytest.param(ACME, "deflate", id="plain announced as deflate"),
        pytest.param(ACME, "br", id="plain announced as brotli"),
    ],
)
def test_a_compressed_answer(server: FeedServer, feed: FeedMaker, body: bytes, coding: str) -> None:
    server.put("/feed.xml", Page(body, headers={"Content-Encoding": coding}))
    result = feed().poll({}, NOON)
    assert titles(result.posts) == ["Acme is down"]
    assert result.coverage[0].complete
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(gzip.compress(bytes(64 * 2**20), 9), id="one member"),
        pytest.param(gzip.compress(gzip.compress(bytes(64 * 2**20), 9)), id="nested"),
        pytest.param(gzip.compress(bytes(2**19)) * 200, id="many members"),
        pytest.param(gzip.compress(b"") * 9999, id="many empty members"),
    ],
)
def test_a_compression_bomb_costs_no_memory(server: FeedServer, feed: FeedMaker, bomb: bytes) -> None:
    server.put("/feed.xml", Page(bomb, headers={"Content-Encoding": "gzip"}))
    source = feed(body=2**20)
    tracemalloc.start()
    try:
        with pytest.raises(BadDocument):
            source.poll({}, NOON)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


LONG = rss(item("2", title="Acme is up"), item("1", title="Acme is down", description="word " * 999))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(Page(LONG, cut=len(LONG) - 500, headers={"ETag": "x"}), id="less than its Content-Length"),
        pytest.param(
            Page(gzip.compress(LONG)[:-20], headers={"Content-Encoding": "gzip", "ETag": "x"}), id="gzip cut at its end"
        ),
        pytest.param(
            Page(
                raw=b"HTTP/1.1 200 OK\r\nETag: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b"
                % (len(LONG), LONG[:-500])
            ),
            id="the last chunk is cut",
        ),
    ],
)
def test_a_body_cut_on_its_way_is_a_gap_and_comes_whole_next_time(
    server: FeedServer, feed: FeedMaker, page: Page
) -> None:
    server.put("/feed.xml", page, Page(LONG))
    first = feed().poll({}, NOON)
    assert titles(first.posts)[-1:] == ["Acme is up"], "the entry that was cut is left for the next time"
    assert (first.coverage[0].complete, first.coverage[0].reason) == (False, "it was cut short on its way")
    second = feed().poll(first.cursor, NOON)
    assert "if-none-match" not in server.requests[1].headers
    assert titles(first.posts + second.posts) == ["Acme is up", "Acme is down"]
    assert second.coverage[0].complete


# -- validators --------------------------------------------------------------------------------------------------

WEIRD = 'W/"a b,\'c" d; é \\'


def test_validators_go_back_as_they_came_and_change_together(server: FeedServer, feed: FeedMaker) -> None:
    server.put(
        "/feed.xml",
        Page(ACME, headers={"ETag": WEIRD, "Last-Modified": "yesterday"}),
        Page(rss(item("2", title="Acme")), headers={"ETag": "bare"}),
        Page(rss(item("3", title="Acme"))),
    )
    cursor: Any = {}
    sent = []
    for _ in range(4):
        # The cursor of a 304 must keep them too; the server makes one of the first page by itself.
        cursor = feed().poll(cursor, NOON).cursor
        headers = server.requests[-1].headers
        sent.append((headers.get("if-none-match"), headers.get("if-modified-since")))
    assert sent == [(None, None), (WEIRD, "yesterday"), ("bare", None), (None, None)]


def test_an_unchanged_feed_costs_nothing_and_is_covered(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/feed.xml", Page(ACME, headers={"ETag": '"1"'}))
    first = feed().poll({}, NOON)
    later = NOON + timedelta(minutes=10)
    second = feed().poll(first.cursor, later)
    assert second.posts == ()
    assert (second.coverage[0].start, second.coverage[0].end, second.coverage[0].complete) == (NOON, later, True)
    assert second.cursor == {**first.cursor, "read_until": later.isoformat()}


def test_a_validator_that_cannot_be_sent_is_left_out(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/feed.xml", Page(ACME, headers={"ETag": "x" * 9999, "Last-Modified": "a\r\n b"}))
    cursor = feed().poll({}, NOON).cursor
    assert "etag" not in cursor and "last_modified" not in cursor


@pytest.mark.parametrize(
    ("headers", "channel", "minutes"),
    [
        pytest.param({}, "", None, id="nothing said"),
        pytest.param({}, "<ttl>60</ttl>", 60, id="ttl"),
        pytest.param({"Cache-Control": "public, max-age=1800"}, "", 30, id="max-age"),
        pytest.param({"Cache-Control": "max-age=1800"}, "<ttl>60</ttl>", 60, id="the longer one"),
        pytest.param({"Cache-Control": "s-maxage=9999, max-age=0"}, "", None, id="not for us"),
        pytest.param(
            {"Date": "Sat, 14 Nov 2026 10:00:00 GMT", "Expires": "Sat, 14 Nov 2026 10:20:00 GMT"}, "", 20, id="Expires"
        ),
        pytest.param({"Expires": "0"}, "<ttl>soon</ttl>", None, id="nonsense"),
        pytest.param({"Cache-Control": "max-age=" + "9" * 12}, "", 31 * 24 * 60, id="31 days at most"),
    ],
)
def test_when_the_feed_wants_to_be_asked_again(
    server: FeedServer, feed: FeedMaker, headers: dict[str, str], channel: str, minutes: int | None
) -> None:
    server.put("/feed.xml", Page(rss(item("1", title="Acme"), channel=channel), headers=headers))
    result = feed().poll({}, NOON)
    assert result.not_before == (None if minutes is None else NOON + timedelta(minutes=minutes))


# -- redirects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hops", "asked_next"),
    [
        pytest.param([301], "/1", id="301"),
        pytest.param([308, 301], "/2", id="all permanent"),
        pytest.param([301, 308, 302], "/2", id="a temporary one after them"),
        pytest.param([302, 301], "/0", id="a temporary one before them"),
        pytest.param([307], "/0", id="307"),
        pytest.param([303], "/0", id="303"),
        pytest.param([301, 302, 303, 307, 308], "/1", id="five hops"),
    ],
)
def test_only_the_leading_permanent_redirects_are_remembered(
    server: FeedServer, feed: FeedMaker, hops: list[int], asked_next: str
) -> None:
    for number, status in enumerate(hops):
        server.put(f"/{number}", Page(status=status, headers={"Location": f"/{number + 1}"}))
    server.put(f"/{len(hops)}", OK)
    source = feed("/0")
    result = source.poll({}, NOON)
    assert titles(result.posts) == ["Acme is down"]
    assert bool(result.notes) == (asked_next != "/0"), "the operator is told to write the new address"
    seen = len(server.requests)
    assert source.poll(result.cursor, NOON).posts == ()
    assert server.requests[seen].path == asked_next
    assert source.key == f"feed:{server.url('/0')}"


@pytest.mark.parametrize(
    ("target", "match"),
    [
        pytest.param("/feed.xml", "round in a circle", id="to itself"),
        pytest.param("/a", "round in a circle", id="back and forth"),
        pytest.param("file:///etc/passwd", "neither http nor https", id="a file"),
        pytest.param("ftp://127.0.0.1/feed.xml", "neither http nor https", id="ftp"),
        pytest.param("gopher://127.0.0.1/", "neither http nor https", id="gopher"),
        pytest.param("http://[::1/", "no URL", id="no URL"),
        pytest.param("http://10.0.0.1/", "not a public address", id="a private address"),
        pytest.param("http://user:secret@169.254.169.254/meta", "not a public address", id="cloud metadata"),
        pytest.param("/1", "more than 5 times", id="six hops"),
    ],
)
def test_a_redirect_that_is_not_followed(server: FeedServer, feed: FeedMaker, target: str, match: str) -> None:
    server.put("/feed.xml", Page(status=301, headers={"Location": target}))
    server.put("/a", Page(status=302, headers={"Location": "/feed.xml"}))
    for number in range(1, 6):
        server.put(f"/{number}", Page(status=302, headers={"Location": f"/{number + 1}"}))
    with pytest.raises(SourceRefused, match=match) as raised:
        feed().poll({}, NOON)
    assert "secret" not in str(raised.value)


# -- TLS ---------------------------------------------------------------------------------------------------------

#: A certificate for 127.0.0.1, signed by itself, with its key.
CERTIFICATE = Path(__file__).parents[1] / "data" / "loopback.pem"


def test_a_secure_feed_is_read_where_its_certificate_is_trusted(
    parser: Parser, feed: FeedMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with FeedServer(tls=context) as secure:
        secure.put("/feed.xml", OK)
        with pytest.raises(SourceUnavailable, match=r"certificate of .* is not accepted: self-signed"):
            feed(url=secure.url("/feed.xml")).poll({}, NOON)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert titles(feed(url=secure.url("/feed.xml")).poll({}, NOON).posts) == ["Acme is down"]
        secure.put("/feed.xml", Page(ACME, drip=0.02))
        with pytest.raises(SourceUnavailable, match=r"within 0\.3 seconds"):
            feed(url=secure.url("/feed.xml"), seconds=0.3).poll({}, NOON)


# -- who asks ----------------------------------------------------------------------------------------------------


def test_the_user_agent_names_us_and_a_contact(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/feed.xml", OK)
    feed().poll({}, NOON)
    assert server.requests[0].headers["user-agent"].startswith("brand-monitor/")
    assert server.requests[0].headers["user-agent"].endswith(" (+ops@example.org)")


def test_proxies_and_netrc_of_the_environment_are_not_used(
    server: FeedServer, feed: FeedMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.put("/feed.xml", OK)
    feed().poll({}, NOON)
    assert "authorization" not in server.requests[0].headers


def test_credentials_go_to_their_own_host_and_nowhere_else(server: FeedServer, feed: FeedMaker) -> None:
    with FeedServer() as other:
        other.put("/feed.xml", Page(status=401))
        server.put("/here", Page(status=302, headers={"Location": "/there"}))
        server.put("/there", Page(status=302, headers={"Location": other.url("/feed.xml")}))
        source = feed(url=server.url("/here").replace("//", "//mario:s%C3%A9cret@"))
        with pytest.raises(AccessDenied) as raised:
            source.poll({}, NOON)
        assert [request.headers.get("authorization") for request in server.requests] == [
            "Basic bWFyaW86c8OpY3JldA=="
        ] * 2
        assert "authorization" not in other.requests[0].headers
    assert "cret" not in f"{raised.value} {source.key} {source.name} {source.host}"


def test_credentials_are_never_stored(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/here", Page(status=301, headers={"Location": server.url("/there").replace("//", "//x:hidden@")}))
    server.put("/there", OK)
    source = feed(url=server.url("/here").replace("//", "//mario:secret@"))
    result = source.poll({}, NOON)
    assert not any(word in repr(result) for word in ("secret", "hidden", "mario"))
    source.poll(result.cursor, NOON)
    assert server.requests[-1].headers["authorization"] == "Basic bWFyaW86c2VjcmV0"
