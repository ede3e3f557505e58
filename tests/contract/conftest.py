"""What these tests share: feeds from a server that misbehaves, the whole application, and a bench for delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.sources.feeds import FeedSource
from monitor.sources.fetch import Fetcher, Limits
from monitor.sources.guard import Guard
from monitor.sources.parser import Parser
from monitor.store import Store
from tests.fakes.bench import Bench
from tests.fakes.drill_stage import Stage
from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_server import SlackServer
from tests.fakes.world import LOUD, THREAD, World

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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, thread=THREAD, loud=LOUD)
    yield made
    made.app.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = Store(tmp_path / "test.db")
    with SlackServer() as slack:
        bench = Bench(store, slack)
        slack.now = lambda: bench.now.timestamp()
        yield bench
    store.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    if made.store is not None:
        made.store.close()


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """A Slack with the channels of the drill's stage."""
    with SlackServer() as server:
        server.channels = {"drill": "C00000001", "social": "C00000002", "leads": "C00000003", "alerts": "C00000004"}
        yield server
