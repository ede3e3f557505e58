"""Puts the parts together from a configuration, and reads the clock: the only place that does either."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.config import Config, config_schema, parse_config
from monitor.credentials import SLACK_BOT_TOKEN, secret
from monitor.deliver import Delivery
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.escalate import Escalate
from monitor.escalation.machine import Decision, Event
from monitor.ingest import Commit, Counts, Ingest
from monitor.matching import Matcher, TopicMatcher
from monitor.model import Post
from monitor.rules.language import rule_schema
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.teams import teams_schema
from monitor.rules.topics import topics_schema
from monitor.sentiment import SentimentModel, load_model
from monitor.sources.configured import feed_sources, fetcher
from monitor.sources.feeds import FeedSource
from monitor.sources.parser import Parser
from monitor.store import Store, escalations, facts
from monitor.store.lock import held
from monitor.store.sources import Follow

log = logging.getLogger("monitor")

CONFIG_FILE = "monitor.yaml"
CONFIG_VARIABLE = "BRAND_MONITOR_CONFIG"
#: How often the comments on a post that mentions a brand are read.
FOLLOW_EVERY = timedelta(minutes=10)
#: A rule folder holds a few dozen small files; more than this is a wrong path.
MOST_RULE_FILES = 2000
LARGEST_RULE_FILE = 1_000_000


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
    ) -> None:
        self.clock = clock
        self.config = config
        self.model = model or load_model(config.sentiment.model, config.sentiment.threads, config.sentiment.batch)
        self.store = Store(config.store)
        self._parser = Parser()
        try:
            self.sources = Sources(config, self._parser)
            self.rules = self._rules_in_force(config)
            self._build()
            self.delivery = Delivery(
                self.store, messenger(config, self.install_id()), fallback_channel=config.slack.fallback_channel
            )
        except BaseException:
            self.close()
            raise

    @classmethod
    def load(cls, config: Path | None) -> App:
        return cls(load_config(config))

    def _build(self) -> None:
        config = self.config
        own = [brand.name for brand in config.brands if not brand.competitor]
        competitors = [brand.name for brand in config.brands if brand.competitor]
        self.escalate = Escalate(self.rules, config.slack.channel, [*own, *competitors], competitors)
        self.ingest = Ingest(
            self.store, Matcher(config.brands), TopicMatcher(self.rules.topics), self.model, self.escalate
        )

    # -- work ----------------------------------------------------------------------------------------------------

    def take(
        self, posts: Sequence[Post], commit: Commit | None = None, progress: Callable[[], None] = lambda: None
    ) -> Counts:
        return self.ingest.take(posts, self.clock(), commit, progress)

    def settle(self) -> None:
        """Do what is due by now: timers, and the rules about whole brands."""
        with self.store.write() as connection:
            self.escalate.fire_timers(connection, self.clock())

    def install_id(self) -> str:
        """A random name of this database, so that two installations never take each other's messages for their own."""
        with self.store.write() as connection:
            known = facts.recall(connection, "install")
            if known is None:
                facts.remember(connection, "install", secrets.token_hex(8), self.clock())
                known = facts.recall(connection, "install")
            assert known is not None
            return str(known[0])

    def close(self) -> None:
        self._parser.close()
        self.store.close()

    # -- rules ---------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read configuration and rules anew; raise `ConfigError`, with everything as it was, if they are not good."""
        try:
            config = load_config(self.config.file)
            rules = read_rules(config, self.clock().date())
            sources = Sources(config, self._parser)
        except ConfigError as error:
            self._note_problem(str(error))
            raise
        for key in ("store", "sentiment"):
            if getattr(config, key) != getattr(self.config, key):
                log.warning("`%s:` has changed; that takes effect at the next start.", key)
        self.config, self.rules, self.sources = config, rules, sources
        self._build()
        self._note_rules(config, rules)
        self._note_problem("")

    def _rules_in_force(self, config: Config) -> RuleSet:
        """The rules of the folder; where they are broken, the last good ones, loudly: monitoring goes on."""
        try:
            rules = read_rules(config, self.clock().date())
        except ConfigError as error:
            with self.store.read() as connection:
                stored = facts.recall(connection, "rules_in_force")
            if stored is None or not isinstance(stored[0], dict):
                raise
            log.error("The rules are broken; those of %s stay in force:\n%s", f"{stored[1]:%Y-%m-%d %H:%M} UTC", error)
            self._note_problem(str(error))
            return load_rules(stored[0], [brand.name for brand in config.brands], str(config.rules))
        self._note_rules(config, rules)
        self._note_problem("")
        return rules

    def _note_rules(self, config: Config, rules: RuleSet) -> None:
        with self.store.write() as connection:
            before = facts.recall(connection, "rules_hash")
            if before is None or before[0] != rules.hash:
                now = self.clock()
                facts.remember(connection, "rules_in_force", rule_files(config.rules), now)
                facts.remember(connection, "rules_hash", rules.hash, now)
                why = f"{len(rules.rules)} rules, content {rules.hash[:12]}"
                escalations.log(connection, now, "rules", "loaded", why)

    def _note_problem(self, problem: str) -> None:
        with self.store.write() as connection:
            facts.remember(connection, "rules_problem", problem, self.clock())


# -- parts that commands use alone -------------------------------------------------------------------------------


def load_config(path: Path | None) -> Config:
    """The configuration at `path`, or the one found by default; raises `ConfigError`."""
    return parse_config(*read_config(path))


def read_config(path: Path | None) -> tuple[str, Path]:
    """The text of the configuration and where it stands."""
    import os

    chosen = path or Path(CONFIG_FILE)
    if path is None and not chosen.exists() and (variable := os.environ.get(CONFIG_VARIABLE)):
        chosen = Path(variable)
    try:
        return chosen.read_text("utf-8"), chosen
    except FileNotFoundError:
        what = "there is no such file; `brand-monitor init` writes one, `--config FILE` names another"
    except UnicodeDecodeError:
        what = "is not UTF-8 text; save it as UTF-8"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(str(chosen), 0, 0, "", what)])


def read_rules(config: Config, today: date | None = None) -> RuleSet:
    """The rules of the configured folder; raises `ConfigError`."""
    return load_rules(rule_files(config.rules), [brand.name for brand in config.brands], str(config.rules), today)


def rule_files(folder: Path) -> dict[str, str]:
    """The texts of the rule folder's YAML and Markdown files by their path in it; raises `ConfigError`."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        what = "there is no such folder; `brand-monitor init` writes one, `rules:` in the configuration names another"
        raise ConfigError([Problem(str(folder), 0, 0, "", what)])
    for path in sorted(folder.rglob("*"))[:MOST_RULE_FILES]:
        name = path.relative_to(folder).as_posix()
        if path.suffix not in (".yaml", ".yml", ".md") or any(part.startswith(".") for part in Path(name).parts):
            continue
        try:
            if not path.is_file():
                continue
            if path.stat().st_size > LARGEST_RULE_FILE:
                problems.append(Problem(str(path), 0, 0, "", "is larger than 1 MB; no rule needs that"))
                continue
            files[name] = path.read_text("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(str(path), 0, 0, "", "is not UTF-8 text; save it as UTF-8"))
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}"))
    if problems:
        raise ConfigError(problems)
    return files


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


def act(config_path: Path | None, number: int, event: Event, who: str) -> tuple[Decision, bool]:
    """Apply what a person did on the command line to escalation `number`; say whether a daemon will tell of it."""
    config = load_config(config_path)
    store = Store(config.store, create=False)
    try:
        # What happens to an escalation hangs on the snapshot it keeps, not on the rules of today.
        escalate = Escalate(NO_RULES, config.slack.channel, ())
        with store.write() as connection:
            escalation = escalations.by_id(connection, number)
            if escalation is None:
                raise MonitorError(
                    f"There is no escalation {number}; `brand-monitor escalations list --all` lists them."
                )
            return escalate.act(connection, escalation, event, f"{who} (command line)", utc_now()), held(config.store)
    finally:
        store.close()


NO_RULES = RuleSet(rules=(), teams={}, topics={}, guidelines={}, hash="", warnings=())


def messenger(config: Config, install: str) -> Any:
    """Slack where a token is given, else the terminal."""
    token = secret(SLACK_BOT_TOKEN)
    if token is None:
        from monitor.slack.console import ConsoleMessenger

        return ConsoleMessenger()
    from monitor.slack.client import SlackMessenger

    return SlackMessenger(token.value, install=install, api_url=config.slack.api_url)


def schema_of(what: str) -> Mapping[str, Any]:
    """The JSON Schema of `config`, `rule`, `teams` or `topics`."""
    return {"config": config_schema, "rule": rule_schema, "teams": teams_schema, "topics": topics_schema}[what]()
