"""`/brand status`: what `brand-monitor status` says, in some ten lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.commands.reader import Reader
from monitor.outgoing import MessageState
from monitor.rules.load import RuleSet
from monitor.rules.rule import Status as RuleStatus
from monitor.slack.answers import Answer, answer
from monitor.slack.blocks import plain
from monitor.slack.home import Health
from monitor.slack.lines import Line, bold, text
from monitor.slack.text import one_line
from monitor.slack.times import since, until, when
from monitor.status import Status, status
from monitor.store import Store
from monitor.wording.names import MANY_IN_STATE, counted
from monitor.wording.words import Words

#: A source is read every ten minutes by default; one that was not for so long is worth a look.
LATELY = timedelta(hours=1)
MOST_PROBLEMS, MOST_GAPS = 5, 3


def standing(store: Store, rules: RuleSet, reader: Reader, now: datetime, unread: Iterable[str] = ()) -> Answer:
    """`rules` are those in force; `unread`: sentences about guidelines that somebody has not read."""
    words = reader.words
    found = status(store, now, words)
    lines = [
        _line("🟢" if not found.problems else "🔴", words.say("Monitoring"), _running(found, now, words)),
        _line("📡", words.say("Sources"), _sources(found, now, words)),
        _line("🕳️", words.say("Gaps"), _gaps(found, now, words)),
        _line("💬", words.say("Mentions"), _mentions(found, now, words)),
        _line("🚨", words.say("Escalations"), _escalations(found, words)),
        _line("✉️", words.say("Messages"), _messages(found, now, words)),
        _line("📜", words.say("Rules"), _rules(found, rules, now, words)),
        _line("🔇", words.say("Mutes"), _mutes(found, now, words)),
        *(_line("📖", words.say("Guidelines"), one) for one in unread),
    ]
    blocks = [text(*lines)]
    if found.problems:
        problems: list[Line] = [f"• {one_line(problem, 400)}" for problem in found.problems[:MOST_PROBLEMS]]
        if (more := len(found.problems) - MOST_PROBLEMS) > 0:
            problems.append(words.many("… and {count} more:", "… and {count} more:", more) + " brand-monitor status")
        blocks.append(text([bold(words.say("To mend"))], *problems))
    return answer(words.say("How the monitoring stands"), *blocks)


def health(store: Store, reader: Reader, now: datetime) -> Health:
    """The same in a line."""
    found = status(store, now, reader.words)
    return Health(len(found.sources), _read_lately(found, now), found.problems)


def _line(mark: str, name: str, said: str) -> Line:
    return [plain(f"{mark} "), bold(f"{name}:"), plain(f" {said}")]


def _running(found: Status, now: datetime, words: Words) -> str:
    if not found.running:
        return words.say("not running")
    try:
        started = datetime.fromisoformat(str(found.daemon.get("started", "")))
    except ValueError:
        return words.say("running")
    return words.say("running {since}", since=since(started, now, words))


def _read_lately(found: Status, now: datetime) -> int:
    return sum(one.last_success is not None and now - one.last_success <= LATELY for one in found.sources)


def _sources(found: Status, now: datetime, words: Words) -> str:
    if not found.sources:
        return words.say("none; posts come in by other ways")
    return words.many(
        "{read} of {count} read in the last hour",
        "{read} of {count} read in the last hour",
        len(found.sources),
        read=_read_lately(found, now),
    )


def _gaps(found: Status, now: datetime, words: Words) -> str:
    if not found.gaps:
        return words.say("none in the last 7 days")
    counted = words.many("{count} in the last 7 days", "{count} in the last 7 days", len(found.gaps))
    shown = []
    names = {source.source: source.name for source in found.sources}
    for gap in found.gaps[:MOST_GAPS]:
        start, end = (when(datetime.fromisoformat(gap[key]), now, words) for key in ("start", "end"))
        source = one_line(names.get(gap["source"], gap["source"]), 60)
        shown.append(f"{source} {start} – {end}")
    return f"{counted}: {'; '.join(shown)}" + ("; …" if len(found.gaps) > MOST_GAPS else "")


def _mentions(found: Status, now: datetime, words: Words) -> str:
    said = words.say("{count} in all, {today} today (UTC)", count=found.mentions, today=found.mentions_today)
    if found.last_mention:
        said += ", " + words.say("the last {ago}", ago=words.ago(found.last_mention, now))
    return said


def _escalations(found: Status, words: Words) -> str:
    said = [words.text(counted(MANY_IN_STATE[state], count)) for state, count in found.escalations.items()]
    return ", ".join(said) or words.say("none")


def _messages(found: Status, now: datetime, words: Words) -> str:
    waiting = sum(
        count for state, count in found.outbox.items() if state not in (MessageState.SENT, MessageState.FOLDED)
    )
    if not waiting:
        return words.say("none waits to be sent")
    said = words.many("{count} waits to be sent", "{count} wait to be sent", waiting)
    if found.oldest_waiting:
        said += ", " + words.say("the oldest {since}", since=since(found.oldest_waiting, now, words))
    if blocked := found.outbox.get(MessageState.BLOCKED, 0):
        said += ", " + words.many("{count} of them refused by Slack", "{count} of them refused by Slack", blocked)
    return said


def _rules(found: Status, rules: RuleSet, now: datetime, words: Words) -> str:
    live = sum(rule.status is RuleStatus.LIVE for rule in rules.rules)
    counted = words.many("{count} rule, {live} of them live", "{count} rules, {live} of them live", len(rules.rules),
                         live=live)  # fmt: skip
    if not found.rules:
        return counted
    return counted + ", " + words.say("in force {since}", since=since(found.rules["at"], now, words))


def _mutes(found: Status, now: datetime, words: Words) -> str:
    said = [
        f"{mute.rule_id} {until(mute.until, now, words)} ({one_line(mute.who, 40)})"
        for mute in found.mutes[:5]
    ]  # fmt: skip
    return "; ".join(said) + ("; …" if len(found.mutes) > 5 else "") if said else words.say("none")
