from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import Config, FeedListSpec, FeedSpec, NetworkSpec, SentimentSpec, SlackSpec
from monitor.errors import ConfigError
from monitor.sources.configured import feed_sources, fetcher
from monitor.sources.feeds import FeedSource
from monitor.sources.parser import Parser

MINUTE = timedelta(minutes=1)


def sources_of(tmp_path: Path, *specs: FeedSpec | FeedListSpec) -> list[FeedSource]:
    network = NetworkSpec(allow_hosts=(), contact="ops@example.org")
    config = Config(
        brands=(),
        sources=specs,
        sentiment=SentimentSpec(),
        slack=SlackSpec(),
        network=network,
        rules=tmp_path,
        store=tmp_path / "brand-monitor.db",
        file=tmp_path / "monitor.yaml",
    )
    with Parser() as parser:
        return feed_sources(config, parser, fetcher(network))


def test_feeds_and_lists_of_feeds_each_feed_once(tmp_path: Path) -> None:
    (tmp_path / "feeds.opml").write_text(
        '<opml><body><outline text="Titled" xmlUrl="http://u:p@a.example:80"/><outline xmlUrl="http://www.b.example/x"/>'
        '<outline text="Again" xmlUrl="http://one.example/"/></body></opml>'
    )
    found = sources_of(
        tmp_path,
        FeedSpec("http://one.example", "One", MINUTE),
        FeedListSpec(tmp_path / "feeds.opml", None, 2 * MINUTE),
        FeedListSpec(tmp_path / "feeds.opml", "All", 3 * MINUTE),
    )
    assert [(source.key, source.name, source.host, source.interval) for source in found] == [
        ("feed:http://one.example/", "One", "one.example", MINUTE),
        ("feed:http://a.example/", "Titled", "a.example", 2 * MINUTE),
        ("feed:http://www.b.example/x", "b.example", "www.b.example", 2 * MINUTE),
    ]


def test_a_list_s_own_name_holds_for_all_its_feeds(tmp_path: Path) -> None:
    (tmp_path / "feeds.opml").write_text('<opml><body><outline text="T" xmlUrl="http://a.example/"/></body></opml>')
    (source,) = sources_of(tmp_path, FeedListSpec(tmp_path / "feeds.opml", "Press", MINUTE))
    assert source.name == "Press"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.opml").write_text("<opml>")
    (tmp_path / "big.opml").write_bytes(b" " * (5 * 2**20 + 1))
    (tmp_path / "feeds.opml").write_text('<opml><body><outline xmlUrl="reddit://x:secret@r/acme"/></body></opml>')
    names = ("missing.opml", "bad.opml", "big.opml", "feeds.opml")
    with pytest.raises(ConfigError) as raised:
        sources_of(tmp_path, *(FeedListSpec(tmp_path / name) for name in names))
    told = str(raised.value).splitlines()
    assert [line.removeprefix(f"{tmp_path}/").split(":")[0] for line in told] == list(names)
    assert "No such file" in told[0] and "secret" not in told[3]
