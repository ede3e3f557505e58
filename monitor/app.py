"""Puts the parts together from a configuration, and reads the clock: the only place that does either."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.carry_out import act
from monitor.config import Config, config_schema, parse_config
from monitor.credentials import SLACK_BOT_TOKEN, secret
from monitor.deliver import Delivery
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.escalate import Escalate
from monitor.escalation.machine import Decision, Event
from monitor.ingest import Commit, Counts, Ingest
from monitor.matching import Matcher, TopicMatcher
from monitor.model import Post
from monitor.rules.language import rules_schema
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.teams import teams_schema
from monitor.rules.testfile import tests_schema
from monitor.rules.topics import topics_schema
from monitor.sentiment import SentimentModel, load_model
from monitor.sources.configured import feed_sources, fetcher
from monitor.sources.feeds import FeedSource
from monitor.sources.parser import Parser
from monitor.store import Store, escalations, facts
from monitor.store.clock import set_back
from monitor.store.follows import Follow
from monitor.store.lock import held

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
            self.rules, self.rules_problem = self._rules_in_force(config)
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
            set_back(connection, by)
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
        try:
            config = load_config(self.config.file)
            rules = read_rules(config, self.clock().date())
            sources = Sources(config, self._parser)
            sender = messenger(config, self.install_id())
        except ConfigError as error:
            self.note_rules(str(error))
            raise
        for key in ("store", "sentiment"):
            if getattr(config, key) != getattr(self.config, key):
                log.warning("`%s:` has changed; that takes effect at the next start.", key)
        # Written before it is in force: where it cannot be written, nothing has changed.
        self.note_rules("", rules)
        self.config, self.rules, self.sources = config, rules, sources
        self._build()
        self.delivery.use(sender, config.slack.fallback_channel)
        with self.store.write() as connection:
            self.escalate.reroute(connection)
        self.delivery.retry_blocked(self.clock())

    def note_rules(self, problem: str | None = None, rules: RuleSet | None = None) -> None:
        """Remember the rules in force, for a start with broken ones, and what is wrong with those of the folder. The
        daemon does, since `status` speaks of the rules that it follows."""
        rules, now = rules or self.rules, self.clock()
        with self.store.write() as connection:
            facts.remember(connection, "rules_problem", self.rules_problem if problem is None else problem, now)
            before = facts.recall(connection, "rules_hash")
            if before is None or before[0] != rules.hash:
                facts.remember(connection, "rules_in_force", dict(rules.files), now)
                facts.remember(connection, "rules_hash", rules.hash, now)
                why = f"{len(rules.rules)} rules, content {rules.hash[:12]}"
                escalations.log(connection, now, "rules", "loaded", why)

    def _rules_in_force(self, config: Config) -> tuple[RuleSet, str]:
        """The rules of the folder; where they are broken, the last good ones and what is wrong: monitoring goes on."""
        try:
            return read_rules(config, self.clock().date()), ""
        except ConfigError as error:
            with self.store.read() as connection:
                stored = facts.recall(connection, "rules_in_force")
            if stored is None or not isinstance(stored[0], dict):
                raise
            log.error("The rules are broken; those of %s stay in force:\n%s", f"{stored[1]:%Y-%m-%d %H:%M} UTC", error)
            brands = [brand.name for brand in config.brands]
            return load_rules(stored[0], brands, str(config.rules)), str(error)


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

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), 0, 0, "", f"cannot be read: {error.strerror}"))

    try:
        found = folder.is_dir()
    except OSError as error:
        unreadable(error)
        raise ConfigError(problems) from error
    if not found:
        what = "there is no such folder; `brand-monitor init` writes one, `rules:` in the configuration names another"
        raise ConfigError([Problem(str(folder), 0, 0, "", what)])
    paths = [Path(top, name) for top, _, names in os.walk(folder, onerror=unreadable) for name in names]
    for path in sorted(paths)[:MOST_RULE_FILES]:
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


def act_from_shell(path: Path | None, number: int, event: Event, who: str) -> tuple[Decision, bool]:
    """Apply what a person did on the command line to escalation `number`; say whether a daemon will tell of it."""
    config = load_config(path)
    store = Store(config.store, create=False)
    try:
        with store.write() as connection:
            escalation = escalations.by_id(connection, number)
            if escalation is None:
                raise MonitorError(f"There is no escalation {number}; `escalations list --all` lists them.")
            return act(connection, escalation, event, f"{who} (command line)", utc_now()), held(config.store)
    finally:
        store.close()


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
