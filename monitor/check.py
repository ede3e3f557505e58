"""`check`: everything that can be known to be wrong before the first run, each with what to do about it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.amounts import number
from monitor.app import Sources, load_config, utc_now
from monitor.cli.problems import Block, mistake, shown
from monitor.cli.words import near, unread
from monitor.config import Config
from monitor.credentials import SLACK_APP_TOKEN, SLACK_BOT_TOKEN, Secret, secret
from monitor.errors import ConfigError, MonitorError, Problem, SourceError, StoreError
from monitor.rulebook import proven_rules, rule_files
from monitor.rules.load import RuleSet, load_rules
from monitor.rules.people.rota import Team
from monitor.rules.readership import readership
from monitor.rules.rule import Status
from monitor.slack.handshake import Handshake
from monitor.slack.health import Health, Member, Seen, Wanted
from monitor.sources.parser import Parser
from monitor.store import Store, stats
from monitor.store.peek import Peek
from monitor.store.readings import readings


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of the report. `status` is the exit status it asks for: 0 fine (with a `warning`, perhaps), 1 a
    problem, 2 a mistake in the configuration or the rules, as a rule with its `block`: the line that is at fault."""

    status: int
    text: str
    warning: bool = False
    block: Block | None = None


def _mistakes(problems: Iterable[Problem]) -> Iterator[Finding]:
    return (Finding(2, "\n".join(block.lines), block=block) for block in shown(problems, indent=6))


def _notes(warnings: Sequence[Problem]) -> Iterator[Finding]:
    return (Finding(0, mistake(warning), warning=True) for warning in warnings)


def findings(path: Path | None, online: bool) -> Iterator[Finding]:
    """Look at one thing after the other, so that a slow one does not hide the others' results."""
    try:
        config = load_config(path)
    except ConfigError as error:
        yield from _mistakes((*error.problems, *_rules_at_least(error)))
        return
    brands, sources = number(len(config.brands), "brand"), number(len(config.sources), "source")
    yield Finding(0, f"{near(config.file)}: {brands}, {sources}")
    yield from _notes(config.warnings)
    rules = yield from _rules(config)
    channels = _channels(config, rules)
    if rules:
        yield Finding(0, f"alerts go to {', '.join(channels)}")
    yield from _credentials(config)
    yield from _model(config)
    yield from _store(config)
    yield from _readers(config, rules)
    yield from _sources(config, online)
    if online:
        drills = [config.slack.drill_channel] if config.slack.drill_channel else []
        yield from _slack(config, wanted([*channels, *drills], rules.teams.values() if rules else ()))


def rules_or_problems(path: Path | None) -> tuple[RuleSet | None, Sequence[Problem]]:
    """The rules, or all that is wrong with them, and with the configuration where that is broken."""
    try:
        config = load_config(path)
    except ConfigError as error:
        return None, (*error.problems, *_rules_at_least(error))
    try:
        return proven_rules(config, utc_now().date(), time.perf_counter), ()
    except ConfigError as error:
        return None, error.problems


def _rules_at_least(error: ConfigError) -> Sequence[Problem]:
    """What is wrong with the rules where monitor.yaml cannot be read: those in the usual place, the brands unknown."""
    folder = Path(error.problems[0].file).parent / "rules"
    try:
        if folder.is_dir():
            load_rules(rule_files(folder), None, str(folder))
    except ConfigError as more:
        return more.problems
    return ()


def _rules(config: Config) -> Generator[Finding, None, RuleSet | None]:
    try:
        rules = proven_rules(config, utc_now().date(), time.perf_counter)
    except ConfigError as error:
        yield from _mistakes(error.problems)
        return None
    yield from _notes(rules.warnings)
    live = sum(rule.status is Status.LIVE for rule in rules.rules)
    tests = sum(len(file.tests) for file in rules.tests)
    counted = f"{number(len(rules.rules), 'rule')}, {live} of them live, {number(tests, 'test')} passed"
    text = f"{near(config.rules)}: {counted}"
    yield Finding(0, text if live else f"{text}: nothing will ever alert", warning=not live)
    return rules


def _channels(config: Config, rules: RuleSet | None) -> list[str]:
    """All that a message may go to."""
    channels = {team.channel for team in rules.teams.values()} if rules else set()
    return sorted(channels | {config.slack.channel, config.slack.fallback_channel or config.slack.channel})


def _credentials(config: Config) -> Iterator[Finding]:
    try:
        bot, app = secret(SLACK_BOT_TOKEN), secret(SLACK_APP_TOKEN)
    except ConfigError as error:
        yield Finding(2, str(error))
        return
    if bot and app and _is_app_token(bot) and _is_bot_token(app):
        what = f"{SLACK_BOT_TOKEN} and {SLACK_APP_TOKEN} are mixed up: the first must hold xoxb-…, the second xapp-…"
        yield Finding(1, f"{what}; they come from {bot.origin} and {app.origin}")
        return
    yield _bot_token(bot)
    if app is not None or bot is not None:
        yield _app_token(app, bot)


def _bot_token(token: Secret | None) -> Finding:
    if token is None:
        what = f"no {SLACK_BOT_TOKEN}: messages go to the console. The README says how to get one."
        return Finding(0, what, warning=True)
    if _is_bot_token(token):
        return Finding(0, f"{SLACK_BOT_TOKEN} comes from {token.origin}")
    what = "is no bot token: those begin with xoxb- (OAuth & Permissions page)"
    if _is_app_token(token):
        what += f"; it is an app token, which belongs into {SLACK_APP_TOKEN}"
    return Finding(1, f"{SLACK_BOT_TOKEN} from {token.origin} {what}")


def _app_token(token: Secret | None, bot: Secret | None) -> Finding:
    if token is None:
        what = f"no {SLACK_APP_TOKEN}: messages are posted, but there are no buttons, no /brand and no App Home."
        return Finding(0, f"{what} The README says how to get one.", warning=True)
    if not _is_app_token(token):
        what = "is no app token: those begin with xapp- (Basic Information page, App-Level Tokens)"
        if _is_bot_token(token):
            what += f"; it is a bot token, which belongs into {SLACK_BOT_TOKEN}"
        return Finding(1, f"{SLACK_APP_TOKEN} from {token.origin} {what}")
    if bot is None:
        what = f"{SLACK_APP_TOKEN} is of no use without {SLACK_BOT_TOKEN}: the README says how to get that one."
        return Finding(0, what, warning=True)
    return Finding(0, f"{SLACK_APP_TOKEN} comes from {token.origin}")


def _is_bot_token(token: Secret) -> bool:
    return token.value.startswith(("xoxb-", "xoxe.xoxb-"))


def _is_app_token(token: Secret) -> bool:
    return token.value.startswith("xapp-")


def _model(config: Config) -> Iterator[Finding]:
    from monitor.sentiment import load_model

    try:
        model = load_model(config.sentiment.model, config.sentiment.threads, config.sentiment.batch)
        model.judge(["a first text"])
        yield Finding(0, f"sentiment model {model.id}")
    except MonitorError as error:
        yield Finding(1, str(error))


def _store(config: Config) -> Iterator[Finding]:
    if not config.store.exists():
        parent = config.store.parent
        if parent.is_dir():
            yield Finding(0, f"{near(config.store)}: will be made at the first run")
        else:
            what = "its folder does not exist; the service makes /var/lib/brand-monitor itself, any other must be made"
            yield Finding(0, f"{near(config.store)}: {what}", warning=True)
        return
    try:
        store = Store(config.store)
        with store.read() as connection:
            posts = stats.count_posts(connection)
        store.prove_writable()
        store.close()
        yield Finding(0, f"{near(config.store)}: {number(posts, 'post')}")
    except MonitorError as error:
        yield Finding(1, str(error))


def _readers(config: Config, rules: RuleSet | None) -> Iterator[Finding]:
    """Whoever is called should know the guideline before that happens."""
    if not (rules and config.store.exists()):
        return
    try:
        with Peek(config.store).read() as connection:
            found = readership(rules, readings(connection), utc_now().date())
    except StoreError:
        # Told already.
        return
    for line in unread(found):
        yield Finding(0, f"{line}: /brand guidelines, or `brand-monitor guidelines read`", warning=True)


def _sources(config: Config, online: bool) -> Iterator[Finding]:
    if not config.sources:
        yield Finding(0, "no sources: posts come by `brand-monitor ingest` alone", warning=True)
        return
    with Parser() as parser:
        try:
            configured = Sources(config, parser).configured
        except ConfigError as error:
            yield from _mistakes(error.problems)
            return
        yield Finding(0, number(len(configured), "feed"))
        for source in configured if online else ():
            try:
                result = source.poll({}, utc_now())
                notes = f" ({'; '.join(result.notes)})" if result.notes else ""
                yield Finding(
                    0,
                    f"{source.key}: {number(len(result.posts), 'entry', 'entries')}{notes}",
                    warning=bool(result.notes),
                )
            except SourceError as error:
                yield Finding(1, f"{source.key}: {error}")


def wanted(channels: Sequence[str], teams: Iterable[Team]) -> Wanted:
    """What `channels` and `teams` say must be in Slack, each once."""
    members: dict[str, Member] = {}
    groups: dict[str, str] = {}
    for team in teams:
        if team.user_group:
            groups.setdefault(team.user_group, team.id)
        turns = team.rota.order if team.rota else ()
        for name, id in team.members.items():
            members.setdefault(id, Member(id, name, team.id, rota=name in turns))
    return Wanted(list(dict.fromkeys(channels)), groups, list(members.values()))


def _slack(config: Config, wanted: Wanted) -> Iterator[Finding]:
    """Ask Slack, with the tokens that are what they should be."""
    try:
        bot, app = secret(SLACK_BOT_TOKEN), secret(SLACK_APP_TOKEN)
    except ConfigError:
        return
    app_id = ""
    if bot and not _is_app_token(bot):
        health = Health(bot.value, api_url=config.slack.api_url)
        yield from map(_seen, health.look(wanted))
        app_id = health.app_id
    if app and _is_app_token(app):
        yield from map(_seen, Handshake(app.value, api_url=config.slack.api_url).look(app_id))


def _seen(seen: Seen) -> Finding:
    return Finding(1 if seen.problem else 0, seen.text, warning=seen.note)
