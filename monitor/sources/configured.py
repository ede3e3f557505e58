"""The sources that the configuration names. It opens no connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from monitor.config import Config, FeedListSpec, FeedSpec, NetworkSpec
from monitor.errors import ConfigError, Problem, SourceRefused
from monitor.sources.address import parse_address
from monitor.sources.feeds import FeedSource
from monitor.sources.fetch import Fetcher
from monitor.sources.guard import Guard
from monitor.sources.opml import parse_opml
from monitor.sources.parser import Parser

#: An OPML file larger than this (bytes) is none.
MOST_OPML = 5 * 2**20


def fetcher(network: NetworkSpec) -> Fetcher:
    return Fetcher(Guard(network.allow_hosts), contact=network.contact)


def feed_sources(config: Config, parser: Parser, fetching: Fetcher) -> list[FeedSource]:
    """All feeds, those of OPML files too; a feed named twice is one, as it is named first. ConfigError with all
    problems: files that cannot be read, addresses that are none."""
    problems: list[Problem] = []
    found: dict[str, FeedSource] = {}
    for spec in config.sources:
        try:
            feeds = list(_feeds(spec))
        except ConfigError as error:
            problems += error.problems
            continue
        for url, name, every in feeds:
            try:
                source = FeedSource(url, name or parse_address(url).host.removeprefix("www."), every, fetching, parser)
            except SourceRefused as error:
                file = spec.feeds if isinstance(spec, FeedListSpec) else config.file
                problems.append(Problem(str(file), 0, 0, "", str(error)))
            else:
                found.setdefault(source.key, source)
    if problems:
        raise ConfigError(problems)
    return list(found.values())


def _feeds(spec: FeedSpec | FeedListSpec) -> Iterator[tuple[str, str, timedelta]]:
    """URL, name and interval; no name: the host's."""
    if isinstance(spec, FeedSpec):
        yield spec.feed, spec.name, spec.every
        return
    try:
        with spec.feeds.open("rb") as file:
            text = file.read(MOST_OPML + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([Problem(str(spec.feeds), 0, 0, "", f"cannot be read: {reason}")]) from error
    if len(text) > MOST_OPML:
        raise ConfigError([Problem(str(spec.feeds), 0, 0, "", "is larger than 5 MiB; split it into several files")])
    for title, url in parse_opml(text, str(spec.feeds)):
        yield url, spec.name or title, spec.every
