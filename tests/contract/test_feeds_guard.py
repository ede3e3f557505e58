"""No feed makes us ask the machines of our own network: not by its URL, a redirect, DNS, or an odd spelling."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.errors import SourceRefused, SourceUnavailable
from monitor.sources.deadline import Deadline
from monitor.sources.feeds import FeedSource
from monitor.sources.fetch import Fetcher, Limits
from monitor.sources.guard import Guard, is_public
from monitor.sources.parser import Parser
from tests.fakes.feed_server import FeedServer, Page, item, rss

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)

Resolve = Callable[..., list[Any]]


def resolving_to(*addresses: str) -> Resolve:
    """A getaddrinfo to which every name has these addresses, and which counts its calls."""

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        ends = [(address, port) if "." in address else (address, port, 0, 0) for address in addresses]
        return [(family, socket.SOCK_STREAM, 6, "", end) for family, end in zip(families, ends, strict=True)]

    return getaddrinfo


# fmt: off
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.5", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "::1.2.3.4", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd12:3456::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "5f00::1", "4000::1", "example.org", "1", "",
)
# fmt: on


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::6810:84e5", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        *((address, False) for address in PRIVATE),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "１２７.0.0.1",
    ],
)
def test_private_addresses_in_any_spelling(server: FeedServer, parser: Parser, host: str) -> None:
    source = FeedSource(f"http://{host}:{server.port}/", "x", timedelta(1), Fetcher(Guard(["example.org"])), parser)
    with pytest.raises(SourceRefused, match=r"not a public address.*allow_hosts"):
        source.poll({}, NOON)
    assert server.requests == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1", "::1"], ["::ffff:127.0.0.1"]],
    ids=["one", "several", "mapped"],
)
def test_names_that_lead_to_private_addresses(
    server: FeedServer, parser: Parser, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(*addresses))
    source = FeedSource(server.url("/feed.xml", "evil.example"), "x", timedelta(1), Fetcher(Guard()), parser)
    with pytest.raises(SourceRefused, match=r"evil\.example is at"):
        source.poll({}, NOON)
    assert server.requests == []


def test_a_name_is_asked_once_so_that_its_answer_cannot_change(
    server: FeedServer, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: resolving_to(*answers.pop(0))(*args, **kwargs))
    server.put("/feed.xml", Page(rss(item("1", title="Acme"))))
    url = server.url("/feed.xml", "feeds.example")
    source = FeedSource(url, "x", timedelta(1), Fetcher(Guard(["feeds.example"])), parser)
    assert len(source.poll({}, NOON).posts) == 1
    assert len(answers) == 1


def test_the_connected_socket_is_checked_too(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Translation in the network, or in the kernel, may lead a public address to our own machines."""

    class Translated(socket.socket):
        def connect(self, address: Any) -> None:
            super().connect(("127.0.0.1", server.port))

    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("93.184.215.14"))
    monkeypatch.setattr(socket, "socket", Translated)
    with pytest.raises(SourceRefused, match=r"feeds\.example is at 127\.0\.0\.1"):
        Guard().connect("feeds.example", server.port, Deadline(5))


@pytest.mark.parametrize(
    ("allowed", "host", "port", "let_through"),
    [
        (["127.0.0.1"], "127.0.0.1", 80, True),
        (["127.0.0.1:80"], "127.0.0.1", 80, True),
        (["127.0.0.1:81"], "127.0.0.1", 80, False),
        (["Feeds.Intranet.Example"], "feeds.intranet.example", 80, True),
        (["intranet.example"], "feeds.intranet.example", 80, False),
        (["[::1]:80"], "::1", 80, True),
        (["::1"], "::1", 80, True),
        (["*"], "127.0.0.1", 80, False),
    ],
)
def test_allow_hosts(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch, allowed: list[str], host: str, port: int, let_through: bool
) -> None:
    def to_server(*args: Any, **kwargs: Any) -> list[Any]:
        return resolving_to("127.0.0.1")("", server.port)

    monkeypatch.setattr(socket, "getaddrinfo", to_server)
    if let_through:
        Guard(allowed).connect(host, port, Deadline(5)).close()
    else:
        with pytest.raises(SourceRefused):
            Guard(allowed).connect(host, port, Deadline(5))


def test_a_dead_address_gives_way_to_the_next(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("127.0.0.2", "127.0.0.1"))
    connected = Guard(["two.example"]).connect("two.example", server.port, Deadline(5))
    with connected:
        assert connected.getpeername()[0] == "127.0.0.1"


def test_a_resolver_that_hangs_is_not_waited_for(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()

    def getaddrinfo(*args: Any, **kwargs: Any) -> list[Any]:
        hanging.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    source = FeedSource(
        "http://slow.example/", "x", timedelta(1), Fetcher(Guard(), limits=Limits(seconds=0.05)), parser
    )
    try:
        with pytest.raises(SourceUnavailable, match=r"within 0\.05 seconds"):
            source.poll({}, NOON)
    finally:
        hanging.set()


@pytest.mark.parametrize(
    "failure", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")], ids=["unknown", "long"]
)
def test_a_name_that_does_not_resolve(parser: Parser, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def getaddrinfo(*args: Any, **kwargs: Any) -> list[Any]:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    source = FeedSource("http://no.example/", "x", timedelta(1), Fetcher(Guard()), parser)
    with pytest.raises(SourceUnavailable, match=r"host name .* was not found"):
        source.poll({}, NOON)
