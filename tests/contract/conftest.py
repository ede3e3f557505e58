"""What the tests of feeds share: a server that misbehaves, one parser, and feeds that are read with small limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from monitor.sources.feeds import FeedSource
from monitor.sources.fetch import Fetcher, Limits
from monitor.sources.guard import Guard
from monitor.sources.parser import Parser
from tests.fakes.feed_server import FeedServer

FeedMaker = Callable[..., FeedSource]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


@pytest.fixture(scope="session")
def parser() -> Iterator[Parser]:
    with Parser() as shared:
        yield shared


@pytest.fixture
def feed(server: FeedServer, parser: Parser) -> FeedMaker:
    """`feed("/feed.xml", seconds=…, body=…)`: the source that reads this path."""

    def make(path: str = "/feed.xml", *, url: str = "", seconds: float = 10.0, body: int = 2**20) -> FeedSource:
        fetcher = Fetcher(Guard(["127.0.0.1"]), contact="ops@example.org", limits=Limits(seconds, body))
        return FeedSource(url or server.url(path), "example", timedelta(minutes=10), fetcher, parser)

    return make
