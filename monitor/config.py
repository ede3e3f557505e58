"""What `monitor.yaml` says, as frozen values, and how its text becomes them. Reads no file itself."""

from __future__ import annotations

import ipaddress
import os.path
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, with_config

from monitor.checking import checked
from monitor.errors import Problem
from monitor.fields import (
    EACH_ONCE,
    FILE,
    Channel,
    Count,
    Duration,
    Language,
    Speech,
    Switch,
    Term,
    Text,
    between,
    did_you_mean,
    fault,
    faults,
)
from monitor.schemas import json_schema
from monitor.wording.languages import ENGLISH
from monitor.yamlfile import KeyPath, parse_yaml

#: The sentiment model that comes with the package.
BUNDLED = "bundled"
#: Networks that posts will be polled from one day; whoever asks for one hears that it is not forgotten.
_LATER_NETWORKS = ("x", "reddit", "mastodon", "bluesky", "hackernews", "youtube", "lemmy", "telegram")


# -- kinds of values ---------------------------------------------------------------------------------------------


def _web_address(value: str) -> str:
    # The address is never repeated in a message: it may carry somebody's key.
    if any(character.isspace() or not character.isprintable() for character in value):
        raise fault("this address holds a space or a control character; delete it")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise fault("this is no web address; write it as a browser shows it, https://…") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise fault("this is no web address; it must begin with https:// or http:// and a host")
    if parts.username is not None or parts.password is not None:
        raise fault("a user name or password must not stand in an address; delete all between // and @")
    return value


def _safe_for_the_token(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme.lower() != "https" and not _is_loopback(parts.hostname or ""):
        raise fault("must begin with https://, or the Slack token travels where all can read it")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(value: str) -> str:
    host = value.casefold().removesuffix(".")
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*|\[?[0-9a-f:.]+\]?", host) or len(host) > 253:
        raise fault("must be a host alone, without https:// and path, for example acme.example")
    return host


def _path(value: str) -> str:
    if value.startswith("~"):
        raise fault("~ is not understood here; write the path from / on, or from the folder of this file")
    return value


def _handles(value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return {source: tuple(handle.removeprefix("@") for handle in handles) for source, handles in value.items()}


WebAddress = Annotated[Text, AfterValidator(_web_address), Field(json_schema_extra={"pattern": "^https?://"})]
Host = Annotated[Text, AfterValidator(_host)]
PathText = Annotated[Text, AfterValidator(_path)]
Handles = Annotated[Mapping[Text, tuple[Text, ...]], AfterValidator(_handles), Field(examples=[{"*": ["acme_help"]}])]
Interval = Annotated[Duration, between("1s", "7d")]


# -- the configuration -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Context:
    any_of: Annotated[tuple[Term, ...], Field(min_length=1)]
    """One of these must stand near the name."""


@dataclass(frozen=True, slots=True)
class Brand:
    """What is watched. `handles` and `own_accounts` are keyed by source; the source "*" is any."""

    name: Text
    """What people call it, in rules and in alerts."""
    terms: tuple[Term, ...] = ()
    """Whole words or phrases in any case or accent; a * at the end makes a prefix."""
    handles: Handles = field(default_factory=dict)
    """Account names that stand for the brand, by source; "*" is every source."""
    domains: tuple[Host, ...] = ()
    """Web sites of the brand: a link to one is a mention."""
    exclude: tuple[Term, ...] = ()
    """A name inside one of these phrases is no mention."""
    context: Annotated[Context | None, Field(examples=[{"any_of": ["internet", "router"]}])] = None
    """For an ambiguous name: words that must stand near it."""
    languages: Annotated[tuple[Language, ...], EACH_ONCE] = ()
    """Only posts in these languages; all if not given."""
    own_accounts: Handles = field(default_factory=dict)
    """The brand's own accounts, by source: their posts are answers, never mentions to alert on."""
    competitor: Switch = False
    """Watched for comparison; rules alert on it only where they name it."""


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """`name` is the source of its posts: the feed's host unless the file names it."""

    feed: str
    name: str
    every: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FeedListSpec:
    """All feeds of an OPML file."""

    feeds: Path
    name: str | None = None
    every: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SentimentSpec:
    model: PathText = BUNDLED
    """The word bundled, or a folder with an ONNX model, as seen from this file."""
    threads: Annotated[Count, Field(le=64)] = 1
    """Processor cores that the model may use."""
    batch: Annotated[Count, Field(le=256)] = 32
    """Mentions judged at a time."""


@dataclass(frozen=True, slots=True)
class SlackSpec:
    channel: Channel = "#brand-alerts"
    """Where alerts go whose team cannot be reached, and what the operators must know."""
    api_url: Annotated[WebAddress, AfterValidator(_safe_for_the_token)] = "https://slack.com/api/"
    """Another address of Slack's API: a proxy, a sovereign cloud."""
    fallback_channel: Channel | None = None
    """Where a message goes that its own channel refused."""
    drill_channel: Channel | None = None
    """Where a drill plays; without it, on the terminal."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    allow_hosts: tuple[Host, ...] = ()
    """Hosts that may be read although they have a private address."""
    contact: Text | None = None
    """An address or web page for the owners of the feeds; sent with every request."""


@dataclass(frozen=True, slots=True)
class Config:
    """All paths are absolute; in the file they are written as seen from its folder. `warnings` name what is worth a
    look there and are part of no comparison."""

    brands: tuple[Brand, ...]
    sources: tuple[FeedSpec | FeedListSpec, ...]
    sentiment: SentimentSpec
    slack: SlackSpec
    network: NetworkSpec
    rules: Path
    store: Path
    file: Path
    language: str = ENGLISH
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    @property
    def brand_names(self) -> tuple[str, ...]:
        """Of all brands, competitors included."""
        return tuple(brand.name for brand in self.brands)

    @property
    def competitors(self) -> tuple[str, ...]:
        """Brands that are watched only by rules that name them."""
        return tuple(brand.name for brand in self.brands if brand.competitor)


# -- the file ----------------------------------------------------------------------------------------------------


def _known_network(entry: object) -> object:
    for key in entry if isinstance(entry, dict) else ():
        if key in _LATER_NETWORKS:
            raise fault("this network is not read yet by this version, only feeds are; delete this entry", key)
    return entry


def _one_of_two(entry: _SourceEntry) -> _SourceEntry:
    if (entry.feed is None) == (entry.feeds is None):
        raise fault("a source needs either `feed:` with a web address or `feeds:` with an OPML file")
    return entry


def _findable(brand: Brand) -> Brand:
    if not (brand.terms or brand.handles or brand.domains):
        raise fault("nothing can be found of this brand; give it `terms`, `handles` or `domains`")
    short = [index for index, term in enumerate(brand.terms) if len(term) == 1]
    if short and brand.context is None:
        what = "one letter is found in every other post; give the brand a `context`, or write a longer name"
        raise faults((("terms", index), what) for index in short)
    return brand


def _different_brands(brands: tuple[Brand, ...]) -> tuple[Brand, ...]:
    names = [brand.name.casefold() for brand in brands]
    twice = [index for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise faults(((index, "name"), "another brand has this name already; rename or join them") for index in twice)
    return brands


def _different_feeds(sources: tuple[_SourceEntry, ...]) -> tuple[_SourceEntry, ...]:
    known = [entry.feed or entry.feeds for entry in sources]
    twice = [index for index, where in enumerate(known) if where in known[:index]]
    if twice:
        raise faults(((index,), "this stands in the list already; delete one of the two") for index in twice)
    return sources


@dataclass(frozen=True, slots=True)
class _SourceEntry:
    feed: WebAddress | None = None
    """The web address of an RSS, Atom or JSON feed."""
    feeds: PathText | None = None
    """An OPML file with many feeds."""
    name: Text | None = None
    """What people call it; the feed's host if not given."""
    every: Interval = timedelta(minutes=10)
    """How often it is read."""


_Source = Annotated[
    _SourceEntry,
    BeforeValidator(_known_network),
    AfterValidator(_one_of_two),
    Field(
        examples=[{"feed": "https://…"}],
        json_schema_extra={"oneOf": [{"required": ["feed"]}, {"required": ["feeds"]}]},
    ),
]


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _File:
    brands: Annotated[
        tuple[Annotated[Brand, AfterValidator(_findable), Field(examples=[{"name": "Acme", "terms": ["acme"]}])], ...],
        Field(min_length=1),
        AfterValidator(_different_brands),
    ]
    """What is watched: your brands and, to compare, competitors."""
    sources: Annotated[tuple[_Source, ...], AfterValidator(_different_feeds)] | None = None
    """Where posts come from; none if posts come by `brand-monitor ingest` alone."""
    sentiment: Annotated[SentimentSpec, Field(examples=[{"model": BUNDLED}])] = field(default_factory=SentimentSpec)
    """The model that judges how a mention feels about the brand."""
    slack: Annotated[SlackSpec, Field(examples=[{"channel": "#brand-alerts"}])] = field(default_factory=SlackSpec)
    """Where messages go; the token is no matter of this file."""
    network: Annotated[NetworkSpec, Field(examples=[{"allow_hosts": ["feeds.intranet.example"]}])] = field(
        default_factory=NetworkSpec
    )
    """What may be reached."""
    language: Speech = ENGLISH
    """The language of what is said in Slack; a team may have its own, and people see theirs where nobody else reads."""
    rules: PathText = "rules"
    """The folder of the rules, as seen from this file."""
    store: PathText = "brand-monitor.db"
    """The database file, as seen from this file."""


@cache
def _file() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def parse_config(text: str, file: Path) -> Config:
    """What `text`, the content of `file`, says. Raises `ConfigError` with all problems at once."""
    # Under the starter's `sources:` all entries are comments, until somebody takes the # from one.
    document = parse_yaml(text, str(file), may_be_empty=[("sources",)])
    said = checked(_file(), document)
    folder = file.absolute().parent

    def resolved(path: str) -> Path:
        return Path(os.path.normpath(folder / path))

    def source(entry: _SourceEntry) -> FeedSpec | FeedListSpec:
        if entry.feed is not None:
            host = urlsplit(entry.feed).hostname or ""
            return FeedSpec(entry.feed, entry.name or host.removeprefix("www."), entry.every)
        return FeedListSpec(resolved(entry.feeds or ""), entry.name, entry.every)

    sentiment = said.sentiment
    if sentiment.model != BUNDLED:
        sentiment = replace(sentiment, model=str(resolved(sentiment.model)))
    config = Config(
        brands=said.brands,
        sources=tuple(source(entry) for entry in said.sources or ()),
        sentiment=sentiment,
        slack=replace(said.slack, api_url=said.slack.api_url.rstrip("/") + "/"),
        network=said.network,
        rules=resolved(said.rules),
        store=resolved(said.store),
        file=file.absolute(),
        language=said.language,
    )
    warnings = [document.problem(path, what, warning=True) for path, what in _doubts(config)]
    return replace(config, warnings=tuple(sorted(warnings, key=lambda warning: (warning.line, warning.column))))


def _doubts(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """What may be meant and is more often a slip."""
    feeds = {spec.name for spec in config.sources if spec.name}
    known = {"*", *(name.casefold() for name in feeds)}
    # The feeds of a list without a name bear their own; without any feed every source is one of `ingest`.
    all_known = feeds and all(spec.name for spec in config.sources)
    for index, brand in enumerate(config.brands if all_known else ()):
        for key, accounts in (("handles", brand.handles), ("own_accounts", brand.own_accounts)):
            for name in accounts:
                if name.casefold() not in known:
                    hint = did_you_mean(name, feeds)
                    what = f"no feed here has this name{hint} (right if its posts come by ingest)"
                    yield ("brands", index, key, name), what
    for index, spec in enumerate(config.sources):
        if spec.every < timedelta(minutes=1) and not _is_allowed(spec, config.network):
            what = "many hosts shut out who reads them more than once a minute; write 1m or more (right if it is yours)"
            yield ("sources", index, "every"), what


def _is_allowed(spec: FeedSpec | FeedListSpec, network: NetworkSpec) -> bool:
    parts = urlsplit(spec.feed if isinstance(spec, FeedSpec) else "")
    return not {parts.hostname, f"[{parts.hostname}]", parts.netloc.casefold()}.isdisjoint(network.allow_hosts)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of `monitor.yaml`."""
    return json_schema(_file(), "The configuration of brand-monitor")
