"""Puts the parts together from a configuration, and reads the clock: the only place that does either."""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.config import Config, config_schema, parse_config
from monitor.credentials import SLACK_APP_TOKEN, SLACK_BOT_TOKEN, secret
from monitor.deliver import Delivery
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.escalate import Escalate, reroute
from monitor.inforce import at_start, refuse, take_over
from monitor.ingest import Commit, Counts, Ingest
from monitor.matching import Matcher, TopicMatcher
from monitor.model import Post
from monitor.render import Renderer
from monitor.rulebook import Watch, proven_rules
from monitor.rulegit import Change, last_change
from monitor.rules.language import rules_schema
from monitor.rules.load import RuleSet
from monitor.rules.people.teams import teams_schema
from monitor.rules.testing.testfile import tests_schema
from monitor.rules.topics import topics_schema
from monitor.sentiment import SentimentModel, load_model
from monitor.sources.configured import feed_sources, fetcher
from monitor.sources.feeds import FeedSource
from monitor.sources.parser import Parser
from monitor.store import Store, facts
from monitor.store.clock import set_back
from monitor.store.follows import Follow

log = logging.getLogger("monitor")

CONFIG_FILE = "monitor.yaml"
CONFIG_VARIABLE = "BRAND_MONITOR_CONFIG"
#: How often the comments on a post that mentions a brand are read.
FOLLOW_EVERY = timedelta(minutes=10)


def utc_now() -> datetime:
    return datetime.now(UTC)


class App:
    """One configuration at work. Its parts are replaced as a whole by `reload`."""

    def __init__(
        self,
        config: Config,
        *,
        model: SentimentModel | None = None,
        clock: Callable[[], datetime] = utc_now,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.clock = clock
        self.stopwatch = stopwatch
        self.config = config
        self.model = model or load_model(config.sentiment.model, config.sentiment.threads, config.sentiment.batch)
        self.store = Store(config.store)
        self._parser = Parser()
        try:
            self.sources = Sources(config, self._parser)
            # Before the rules are read: what changes while they are is not missed.
            self.watch = Watch(config.rules)
            in_force = at_start(config, self.store, clock().date(), stopwatch)
            self.rules, self.rules_problem = in_force.rules, in_force.problem
            self._build()
            install = self.install_id()
            self.delivery = Delivery(
                self.store,
                messenger(config, install),
                fallback_channel=config.slack.fallback_channel,
                renderer=Renderer(install, config.language, buttons=buttons()),
            )
        except BaseException:
            self.close()
            raise

    @classmethod
    def load(cls, config: Path | None) -> App:
        return cls(load_config(config))

    def _build(self) -> None:
        config = self.config
        self.escalate = Escalate(self.rules, config.slack.channel, config.brand_names, config.competitors)
        self.ingest = Ingest(
            self.store, Matcher(config.brands), TopicMatcher(self.rules.topics), self.model, self.escalate
        )

    # -- work ----------------------------------------------------------------------------------------------------

    def take(
        self, posts: Sequence[Post], commit: Commit | None = None, progress: Callable[[], None] = lambda: None
    ) -> Counts:
        return self.ingest.take(posts, self.clock(), commit, progress)

    def settle(self, *, at_once: bool = False) -> int:
        """Do what is due by now: the rules about whole brands (`at_once`, or every half minute) and timers; return how
        many timers there were."""
        now = self.clock()
        self.escalate.judge_brands(self.store, now, at_once=at_once)
        with self.store.write() as connection:
            return self.escalate.fire_timers(connection, now)

    def clock_set_back(self, by: timedelta) -> None:
        """The clock went back `by`: what is to happen happens that much earlier by the new time."""
        with self.store.write() as connection:
            set_back(connection, by, self.clock())
        self.delivery.clock_set_back(by)

    def install_id(self) -> str:
        """A random name of this database, so that two installations never take each other's messages for their own."""
        with self.store.write() as connection:
            known = facts.recall(connection, "install")
            if known is None:
                made = secrets.token_hex(8)
                facts.remember(connection, "install", made, self.clock())
                return made
            return str(known[0])

    def close(self) -> None:
        self._parser.close()
        self.store.close()

    # -- rules ---------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read configuration and rules anew; raise `ConfigError`, with everything as it was, if they are not good."""
        self.take_over(self.prepare())

    def prepare(self, config: Config | None = None) -> Prepared:
        """What a reload will put into force: `config`, or its file read anew, and rules whose tests hold. It changes
        nothing but the note of what is wrong, takes its time, and may be called by any thread. Raises `ConfigError`."""
        try:
            config = config or load_config(self.config.file)
            rules = proven_rules(config, self.clock().date(), self.stopwatch, before=self.rules)
            sources, speaking = Sources(config, self._parser), messenger(config, self.install_id())
            return Prepared(config, rules, last_change(config.rules), sources, speaking, buttons())
        except ConfigError as error:
            with self.store.write() as connection:
                refuse(connection, self.config, self.rules, str(error), self.clock())
            raise

    def take_over(self, prepared: Prepared) -> None:
        config = prepared.config
        for key in ("store", "sentiment"):
            if getattr(config, key) != getattr(self.config, key):
                log.warning("`%s:` has changed; that takes effect at the next start.", key)
        # Written before it is in force: where it cannot be written, nothing has changed.
        with self.store.write() as connection:
            take_over(connection, config, prepared.rules, prepared.change, self.clock())
            reroute(connection, prepared.rules.teams, self.clock())
        self.config, self.rules, self.rules_problem, self.sources = config, prepared.rules, "", prepared.sources
        self._build()
        renderer = Renderer(self.install_id(), config.language, buttons=prepared.buttons)
        self.delivery.use(prepared.messenger, config.slack.fallback_channel, renderer)
        self.delivery.retry_blocked(self.clock())

    def note_rules(self) -> None:
        """Store which rules are in force, and what is wrong with those of the folder. The daemon does that when it
        starts, since `status` speaks of the rules that it follows; what is alive is handled by the people of now."""
        now, change = self.clock(), last_change(self.config.rules)
        with self.store.write() as connection:
            if self.rules_problem:
                refuse(connection, self.config, self.rules, self.rules_problem, now)
            else:
                take_over(connection, self.config, self.rules, change, now)
            reroute(connection, self.rules.teams, now)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a reload replaces."""

    config: Config
    rules: RuleSet
    change: Change | None
    sources: Sources
    messenger: Any
    buttons: bool


# -- parts that commands use alone -------------------------------------------------------------------------------


def load_config(path: Path | None) -> Config:
    """The configuration at `path`, or the one found by default; raises `ConfigError`."""
    return parse_config(*read_config(path))


def read_config(path: Path | None) -> tuple[str, Path]:
    """The text of the configuration and where it stands."""
    chosen = path or Path(CONFIG_FILE)
    if path is None and not chosen.exists() and (variable := os.environ.get(CONFIG_VARIABLE)):
        chosen = Path(variable)
    try:
        return chosen.read_text("utf-8"), chosen
    except FileNotFoundError:
        what = "there is no such file; `brand-monitor init` writes one, `--config FILE` names another"
    except UnicodeDecodeError:
        what = "is not UTF-8 text; save it again with the encoding UTF-8"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(str(chosen), 0, 0, "", what)])


class Sources:
    """The sources of a configuration; all share one fetcher and the processes of `parser`. Raises `ConfigError` for a
    feed list that cannot be read."""

    def __init__(self, config: Config, parser: Parser) -> None:
        self._parser = parser
        self._fetcher = fetcher(config.network)
        self.configured = feed_sources(config, parser, self._fetcher)

    def follow(self, follow: Follow) -> FeedSource:
        """The comments on a post, as a source."""
        return FeedSource(
            follow.url,
            follow.name,
            FOLLOW_EVERY,
            self._fetcher,
            self._parser,
            conversation_id=follow.conversation_id,
            parent_id=follow.parent_id,
        )


def open_store(config: Path | None, *, create: bool = True) -> Store:
    return Store(load_config(config).store, create=create)


def talks() -> dict[str, bool]:
    """Which of Slack's tokens there are: with both, people can act there."""
    return {"app_token": secret(SLACK_APP_TOKEN) is not None, "bot_token": secret(SLACK_BOT_TOKEN) is not None}


def buttons() -> bool:
    """Whether messages get buttons: only where somebody will hear of a click."""
    return all(talks().values())


def messenger(config: Config, install: str) -> Any:
    """Slack where a token is given, else the terminal."""
    token = secret(SLACK_BOT_TOKEN)
    if token is None:
        from monitor.slack.console import ConsoleMessenger

        return ConsoleMessenger()
    from monitor.slack.client import SlackMessenger

    return SlackMessenger(token.value, install=install, api_url=config.slack.api_url)


SCHEMAS: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "config": config_schema,
    "rules": rules_schema,
    "teams": teams_schema,
    "topics": topics_schema,
    "tests": tests_schema,
}


def schema_text(what: str) -> str:
    """The JSON Schema of `config`, `rules`, `teams`, `topics` or `tests`, as a file holds it."""
    return json.dumps(SCHEMAS[what](), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas to where the starter files look for them; `folder` is the rules folder."""
    paths = [folder / ".schema" / f"{what}.json" for what in SCHEMAS]
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(schema_text(path.stem), "utf-8")
    except OSError as error:
        raise MonitorError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return paths
