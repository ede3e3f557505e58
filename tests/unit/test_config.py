"""monitor.yaml: the forms that PRODUCT.md promises, every mistake at once and no traceback."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import (
    Brand,
    Context,
    FeedListSpec,
    FeedSpec,
    NetworkSpec,
    SentimentSpec,
    SlackSpec,
    config_schema,
    parse_config,
)
from monitor.errors import ConfigError

FILE = Path("/etc/brand-monitor/monitor.yaml")
ACME = "brands: [{name: Acme, terms: [acme]}]\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, Path("monitor.yaml"))
    return str(raised.value).splitlines()


def test_a_full_configuration_becomes_values() -> None:
    config = parse_config(
        """
brands:
  - name: Acme
    terms: [acme, "acme corp", "#acmefail", "router*"]
    handles: {x: ["@acme", acme_help], "*": [acme_official]}
    domains: [acme.example, WWW.Acme.Example]
    exclude: ["acme of perfection"]
    context: {any_of: [broadband, router]}
    languages: [it, en]
    own_accounts: {x: [acme, acme_help]}
  - {name: Globex, terms: [globex], competitor: true}
sources:
  - {feed: "https://www.example.org/feed.xml?page=1", every: 30s}
  - {feed: "http://localhost:8080/feed", name: forum}
  - {feeds: feeds.opml}
  - {feeds: /srv/all.opml, name: press, every: 4h}
sentiment: {model: models/mine, threads: 2, batch: 8}
slack: {channel: "#alerts", api_url: "https://slack.example/api", fallback_channel: C0123456789}
network: {allow_hosts: [feeds.intranet.example, "10.0.0.7"], contact: community@example.com}
rules: rules/
store: ../data/monitor.db
""",
        FILE,
    )
    acme, globex = config.brands
    assert acme == Brand(
        name="Acme",
        terms=("acme", "acme corp", "#acmefail", "router*"),
        handles={"x": ("acme", "acme_help"), "*": ("acme_official",)},
        domains=("acme.example", "www.acme.example"),
        exclude=("acme of perfection",),
        context=Context(("broadband", "router")),
        languages=("it", "en"),
        own_accounts={"x": ("acme", "acme_help")},
    )
    assert globex == Brand("Globex", ("globex",), competitor=True)
    assert config.sources == (
        FeedSpec("https://www.example.org/feed.xml?page=1", "example.org", timedelta(seconds=30)),
        FeedSpec("http://localhost:8080/feed", "forum", timedelta(minutes=10)),
        FeedListSpec(Path("/etc/brand-monitor/feeds.opml"), None, timedelta(minutes=10)),
        FeedListSpec(Path("/srv/all.opml"), "press", timedelta(hours=4)),
    )
    assert config.sentiment == SentimentSpec("/etc/brand-monitor/models/mine", 2, 8)
    assert config.slack == SlackSpec("#alerts", "https://slack.example/api/", "C0123456789")
    assert config.network == NetworkSpec(("feeds.intranet.example", "10.0.0.7"), "community@example.com")
    assert (config.rules, config.store) == (Path("/etc/brand-monitor/rules"), Path("/etc/data/monitor.db"))
    assert config.file == FILE


def test_a_brand_alone_is_enough() -> None:
    config = parse_config(ACME, FILE)
    assert config.sources == ()
    assert (config.sentiment, config.slack, config.network) == (SentimentSpec(), SlackSpec(), NetworkSpec())
    assert (config.rules, config.store) == (FILE.parent / "rules", FILE.parent / "brand-monitor.db")
    assert parse_config(ACME, Path("monitor.yaml")).store == Path.cwd() / "brand-monitor.db"


def test_the_starter_configuration_is_good_and_every_example_in_it_may_be_the_first_edit() -> None:
    starter = (Path(__file__).parents[2] / "monitor" / "starter" / "monitor.yaml").read_text("utf-8")
    config = parse_config(starter, FILE)
    assert ([brand.name for brand in config.brands], config.sources, config.warnings) == (["Acme"], (), ())
    examples = [line for line in starter.splitlines() if line.startswith("  # - {feed")]
    assert len(examples) > 5
    for line in examples:
        edited = parse_config(starter.replace(line, line.replace("# ", "", 1)), FILE)
        assert (len(edited.sources), edited.warnings) == (1, ())


def test_languages_are_known_by_their_first_part_and_apostrophes_are_no_quotes() -> None:
    text = "brands: [{name: Dunkin’, terms: [’s-hertogenbosch], languages: [pt-BR, pt_PT, en, zh-Hant-TW]}]"
    (brand,) = parse_config(text, FILE).brands
    assert brand == Brand("Dunkin’", ("’s-hertogenbosch",), languages=("pt", "en", "zh"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://[::1]/api/", "http://localhost/"])
def test_the_token_may_travel_in_clear_within_the_machine(url: str) -> None:
    assert parse_config(ACME + f"slack: {{api_url: '{url}'}}", FILE).slack.api_url == url


FORUM = "sources: [{feed: 'https://www.acme.example/x', name: forum}, {feed: 'https://www.news.example/y'}]\n"
OWN = "brands: [{name: Acme, terms: [acme], own_accounts: {forums: [acme_help]}}]\n"
WARNINGS = {
    "own accounts of no feed": (
        OWN + FORUM,
        '1:53: brands[0].own_accounts.forums: no feed here has this name; did you mean "forum"? (right if its posts',
    ),
    "handles of no feed": (
        OWN.replace("own_accounts", "handles") + FORUM,
        '1:48: brands[0].handles.forums: no feed here has this name; did you mean "forum"?',
    ),
    "unlike any": (
        OWN.replace("forums", "x") + FORUM,
        "1:53: brands[0].own_accounts.x: no feed here has this name; known here: forum, news.example (right",
    ),
    "named list": (
        OWN + "sources: [{feeds: a.opml, name: forum}]",
        '1:53: brands[0].own_accounts.forums: no feed here has this name; did you mean "forum"?',
    ),
    "very often": (
        ACME + "sources: [{feed: 'https://a.example', every: 59s}]",
        "2:39: sources[0].every: many hosts shut out who reads them more than once a minute; write 1m or more",
    ),
    "list very often": (ACME + "sources: [{feeds: a.opml, every: 1s}]", "2:27: sources[0].every: many hosts"),
}


@pytest.mark.parametrize(("text", "expected"), WARNINGS.values(), ids=list(WARNINGS))
def test_what_is_worth_a_look_is_a_warning(text: str, expected: str) -> None:
    (warning,) = parse_config(text, Path("monitor.yaml")).warnings
    assert warning.warning and str(warning).startswith(f"monitor.yaml:{expected}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(OWN.replace("forums", "Forum") + FORUM, id="a feed's name in other case"),
        pytest.param(OWN.replace("forums", "news.example") + FORUM, id="a feed's host"),
        pytest.param(OWN.replace("forums", "'*'") + FORUM, id="every source"),
        pytest.param(OWN + "sources: [{feeds: a.opml}]", id="names that only the list knows"),
        pytest.param(OWN, id="no feeds: all comes by ingest"),
        pytest.param(
            ACME + "sources: [{feed: 'http://10.0.0.1:80/', every: 1s}]\nnetwork: {allow_hosts: ['10.0.0.1']}",
            id="very often, from a host of ours",
        ),
        pytest.param(ACME + "sources: [{feed: 'https://a.example', every: 1m}]", id="every minute"),
    ],
)
def test_what_is_usual_is_no_warning(text: str) -> None:
    assert parse_config(text, FILE).warnings == ()


MISTAKES = {
    "no brands": ("rules: x", "monitor.yaml: brands: this key is missing; add it (What is watched"),
    "empty brands": ("brands: []", "1:1: brands: must not be empty"),
    "brands is a text": ("brands: Acme", "1:1: brands: must be a list"),
    "brand is a text": ("brands: [Acme]", "1:10: brands[0]: must hold `key: value` lines"),
    "brand without a name": ("brands: [{terms: [acme]}]", "1:10: brands[0].name: this key is missing"),
    "nothing to match": ("brands: [{name: Acme}]", "1:10: brands[0]: nothing can be found of this brand"),
    "no terms": ("brands: [{name: Acme, terms: []}]", "1:10: brands[0]: nothing can be found"),
    "same name": (
        "brands:\n- {name: Acme, terms: [acme]}\n- {name: ACME, terms: [corp]}",
        "3:4: brands[1].name: another brand has this name already",
    ),
    "typo": ("brands: [{name: Acme, termz: [acme]}]", '1:23: brands[0].termz: unknown key; did you mean "terms"?'),
    "unknown key": (ACME + "colour: red", "2:1: colour: unknown key; known here: brands, language, network, rules"),
    "name is a number": (
        "brands: [{name: 3, terms: [acme]}]",
        "1:11: brands[0].name: must be one text; put it in quotes",
    ),
    "star inside": (
        "brands: [{name: A, terms: [a b, 7up*, x*y]}]",
        "1:39: brands[0].terms[2]: a * may only stand at the end",
    ),
    "short prefix": ("brands: [{name: A, terms: ['ab*']}]", "1:28: brands[0].terms[0]: a prefix needs three letters"),
    "one letter": (
        "brands: [{name: A, terms: [a]}]",
        "1:28: brands[0].terms[0]: one letter is found in every other post",
    ),
    "no letter": ("brands: [{name: A, terms: ['!?']}]", "1:28: brands[0].terms[0]: must hold a letter or a digit"),
    "blank term": ("brands: [{name: A, terms: ['  ']}]", "1:28: brands[0].terms[0]: must not be empty"),
    "long term": ("brands: [{name: A, terms: [%s]}]" % ("x" * 501), "1:28: brands[0].terms[0]: is longer than 500"),
    "domain with scheme": (
        "brands: [{name: A, domains: ['https://a.example/']}]",
        "1:30: brands[0].domains[0]: must be a host alone",
    ),
    "handles no list": ("brands: [{name: A, handles: {x: acme}}]", "1:30: brands[0].handles.x: must be a list"),
    "handles without sources": (
        "brands: [{name: A, handles: [acme]}]",
        '1:20: brands[0].handles: must hold `key: value` lines, for example {"*": [acme_help]}',
    ),
    "curly quotes": (
        "brands: [{name: A, terms: [“globo corp”, x y]}]",
        "1:28: brands[0].terms[0]: curly quotes are part of the text; write straight ones",
    ),
    "curly quotes around all": ("brands: [{name: A, terms: [‘a b, c’]}]", "1:28: brands[0].terms[0]: curly quotes"),
    "curly quotes in straight ones": ("brands: [{name: '«A»', terms: [abc]}]", "1:11: brands[0].name: curly quotes"),
    "curly channel": (ACME + "slack: {channel: „#alerts“}", "2:9: slack.channel: curly quotes"),
    "switch is a no": (
        "brands: [{name: A, terms: [abc], competitor: no}]",
        "1:34: brands[0].competitor: must be true or false, without quotes",
    ),
    "mistyped name": ("brands: [{nam: A, terms: [abc]}]", '1:11: brands[0].nam: unknown key; did you mean "name"?'),
    "empty context": (
        "brands: [{name: A, terms: [abc], context: {any_of: []}}]",
        "1:44: brands[0].context.any_of: must not be empty",
    ),
    "language in capitals": (
        "brands: [{name: A, terms: [abc], languages: [EN]}]",
        '1:46: brands[0].languages[0]: "EN" is no language code',
    ),
    "switch is a number": (
        "brands: [{name: A, terms: [abc], competitor: 1}]",
        "1:34: brands[0].competitor: must be true or false",
    ),
    "x": (
        ACME + "sources: [{x: {search: auto, budget: 150 USD/month}}]",
        "2:12: sources[0].x: this network is not read yet by this version, only feeds are",
    ),
    "reddit": (
        ACME + "sources: [{reddit: {subreddits: [italy]}}]",
        "2:12: sources[0].reddit: this network is not read yet",
    ),
    "url": (
        ACME + "sources: [{url: 'https://a.example'}]",
        "2:12: sources[0].url: unknown key; known here: every, feed, feeds, name",
    ),
    "source is an address": (
        ACME + "sources: ['https://a.example']",
        '2:11: sources[0]: must hold `key: value` lines, for example {feed: "https://…"}',
    ),
    "source without an address": (ACME + "sources: [{every: 10m}]", "2:11: sources[0]: a source needs either `feed:`"),
    "two in one": (
        ACME + "sources: [{feed: 'https://a.example', feeds: b.opml}]",
        "2:11: sources[0]: a source needs either",
    ),
    "feed is a file": (
        ACME + "sources: [{feed: a.xml}]",
        "2:12: sources[0].feed: this is no web address; it must begin",
    ),
    "file scheme": (
        ACME + "sources: [{feed: 'file:///etc/passwd'}]",
        "2:12: sources[0].feed: this is no web address; it must begin",
    ),
    "broken address": (
        ACME + "sources: [{feed: 'https://[::1'}]",
        "2:12: sources[0].feed: this is no web address; write it as",
    ),
    "impossible port": (
        ACME + "sources: [{feed: 'https://a.example:99999/'}]",
        "2:12: sources[0].feed: this is no web address; write it as",
    ),
    "space in an address": (
        ACME + "sources: [{feed: 'https://a.example/a b'}]",
        "2:12: sources[0].feed: this address holds a space",
    ),
    "same feed": (
        ACME + "sources:\n- {feed: 'https://a.example'}\n- {feed: 'https://a.example'}",
        "4:3: sources[1]: this stands in the list already",
    ),
    "bare number": (
        ACME + "sources: [{feed: 'https://a.example', every: 10}]",
        "2:39: sources[0].every: a duration needs its unit; write 10m for 10 minutes",
    ),
    "bare number in quotes": (
        ACME + "sources: [{feed: 'https://a.example', every: '10'}]",
        "2:39: sources[0].every: a duration needs its unit",
    ),
    "wrong unit": (
        ACME + "sources: [{feed: 'https://a.example', every: 10 min}]",
        '2:39: sources[0].every: "10 min" is no duration',
    ),
    "negative duration": (
        ACME + "sources: [{feed: 'https://a.example', every: -5m}]",
        '2:39: sources[0].every: "-5m" is no duration',
    ),
    "duration is a list": (
        ACME + "sources: [{feed: 'https://a.example', every: [5m]}]",
        "2:39: sources[0].every: must be a duration such as 30s",
    ),
    "too often": (
        ACME + "sources: [{feed: 'https://a.example', every: 0s}]",
        "2:39: sources[0].every: must be between 1s and 7d",
    ),
    "too seldom": (
        ACME + "sources: [{feed: 'https://a.example', every: 9999999d}]",
        "2:39: sources[0].every: must be between 1s and 7d",
    ),
    "channel without #": (
        ACME + "slack: {channel: alerts}",
        '2:9: slack.channel: "alerts" is no Slack channel; write its name with # in quotes',
    ),
    "channel in capitals": (ACME + "slack: {channel: '#Alerts'}", '2:9: slack.channel: "#Alerts" is no Slack channel'),
    "channel without quotes": (
        ACME + "slack: {channel: #alerts}\nrules: r",
        '2:18: YAML reads nothing from this # on, because it begins a comment; write "#alerts" in quotes',
    ),
    "channel is null": (
        ACME + "slack:\n  channel: #alerts",
        '3:11: slack.channel: YAML reads nothing here, because # begins a comment; write "#alerts"',
    ),
    "api_url": (ACME + "slack: {api_url: 'ftp://slack.example'}", "2:9: slack.api_url: this is no web address"),
    "token in clear": (
        ACME + "slack: {api_url: 'http://slack.example/api'}",
        "2:9: slack.api_url: must begin with https://",
    ),
    "no thread": (ACME + "sentiment: {threads: 0}", "2:13: sentiment.threads: must be at least 1"),
    "large batch": (ACME + "sentiment: {batch: 257}", "2:13: sentiment.batch: must be at most 256"),
    "number in quotes": (
        ACME + "sentiment: {threads: '2'}",
        "2:13: sentiment.threads: must be a whole number; write 2, without quotes",
    ),
    "tilde": (ACME + "store: ~/monitor.db", "2:1: store: ~ is not understood here"),
    "host with scheme": (
        ACME + "network: {allow_hosts: ['http://10.0.0.1']}",
        "2:25: network.allow_hosts[0]: must be a host alone",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_says_where_it_is_and_what_to_write(text: str, expected: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(expected if expected.startswith("monitor.yaml") else f"monitor.yaml:{expected}")


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    found = problems(
        "store: 7\nbrands:\n  - {name: Acme, termz: [acme]}\n  - {terms: [a*b, 3], languages: [EN]}\n"
        "sources:\n  - {x: {}}\n  - {feed: 'ftp://a', every: 5}\nslack: {channel: a}\nstores: x\n"
    )
    assert [line.split(": ")[0].removeprefix("monitor.yaml:") + " " + line.split(": ")[1] for line in found] == [
        "1:1 store",
        "3:18 brands[0].termz",
        "4:5 brands[1].name",
        "4:14 brands[1].terms[0]",
        "4:19 brands[1].terms[1]",
        "4:35 brands[1].languages[0]",
        "6:6 sources[0].x",
        "7:6 sources[1].feed",
        "7:23 sources[1].every",
        "8:9 slack.channel",
        "9:1 stores",
    ]


def test_two_letters_are_a_name_and_one_letter_is_with_context() -> None:
    text = "brands:\n- {name: HP, terms: [hp]}\n- {name: X, terms: [x], context: {any_of: [musk]}}\n"
    assert [brand.terms for brand in parse_config(text, FILE).brands] == [("hp",), ("x",)]


def test_the_schema_tells_an_editor_all_keys_with_their_bounds() -> None:
    schema = config_schema()
    brand = schema["$defs"]["Brand"]
    source = schema["$defs"]["_SourceEntry"]
    assert set(schema["properties"]) == {
        "brands",
        "language",
        "sources",
        "sentiment",
        "slack",
        "network",
        "rules",
        "store",
    }
    assert schema["additionalProperties"] is False and schema["required"] == ["brands"]
    assert brand["properties"]["terms"]["description"].startswith("Whole words")
    assert source["properties"]["every"]["default"] == "10m"
    assert re.fullmatch(source["properties"]["every"]["pattern"], "1h30m")
    assert schema["$defs"]["SentimentSpec"]["properties"]["threads"]["maximum"] == 64
