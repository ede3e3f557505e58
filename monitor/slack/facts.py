"""What the figures of an escalation say, in a few lines of mrkdwn: how it stands, how it develops, why it alerted.

Whatever comes from outside is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.model import ENDED, Condition, Discussion, Escalation, EscalationView, FiredRule, Label, Mention, State
from monitor.slack.signs import sign_of
from monitor.slack.speech import mrkdwn_of, unmarked
from monitor.slack.text import bars, capital, escape, one_line
from monitor.wording.names import CONDITIONS, OUTCOMES, SEVERITIES, STATES
from monitor.wording.text import text_from_json
from monitor.wording.words import Words

#: Lines that say why; the fewest where a message came out too long.
MOST_REASONS, FEWEST_REASONS = 8, 3


# -- names -------------------------------------------------------------------------------------------------------


def title(view: EscalationView, words: Words) -> str:
    """What it is about, on one line, not escaped."""
    if view.discussion is None:
        return unmarked(words).say("Talk about {brand}", brand=one_line(view.escalation.brand, 100))
    return one_line(view.discussion.title, 200) or words.say("Untitled")


def subject(escalation: Escalation, words: Words) -> str:
    """How it stands and for which brand, without markup: "🔴 Critical: Acme"."""
    return f"{sign_of(escalation.state, escalation.severity)} {standing(escalation, words)}: {escalation.brand}"


def subject_line(view: EscalationView, words: Words) -> str:
    """The same with what it is about."""
    return one_line(f"{subject(view.escalation, words)} – “{title(view, words)}”", 300)


def standing(escalation: Escalation, words: Words) -> str:
    severity = words.text(SEVERITIES[escalation.severity])
    if escalation.state is State.OPEN:
        return capital(severity)
    state = capital(words.text(STATES[escalation.state]))
    return state if escalation.state in ENDED else f"{state} · {severity}"


def name(text: str | None) -> str:
    """A person, a team or the like, escaped."""
    return escape(one_line(text or "", 60), 80)


# -- how it stands -----------------------------------------------------------------------------------------------


def status(escalation: Escalation, words: Words) -> str:
    """Who has it since when, and whom it was given to."""
    who, team = name(escalation.assignee), name(escalation.team)
    parts: list[str] = []
    match escalation.state:
        case State.PENDING:
            parts.append(words.say("*Pending*: nobody has been told yet"))
        case State.HELD:
            until = escalation.held_until
            parts.append(words.say("*Held* until {until}", until=until) if until else words.say("*Held*"))
        case State.OPEN:
            since = escalation.open_since
            parts.append(words.say("*Open* since {since}", since=since) if since else words.say("*Open*"))
            before = words.say("nobody has it now, *{who}* had it", who=who) if who else ""
            parts.append(before or words.say("nobody has taken it yet"))
            parts += [words.say("tier {tier}", tier=escalation.tier)] if escalation.tier > 1 else []
        case State.ACKNOWLEDGED:
            by, at = name(escalation.acknowledged_by), escalation.acknowledged_at
            if by and at and who and who != by:
                parts.append(words.say("*{who}* has it, given by {by}, {at}", who=who, by=by, at=at))
            elif by and at:
                parts.append(words.say("*Acknowledged* by {who}, {at}", who=by, at=at))
            else:
                parts.append(words.say("*{who}* has it", who=who) if who else words.say("*Acknowledged*"))
        case State.SNOOZED:
            until = escalation.snoozed_until
            parts.append(words.say("*Snoozed* until {until}", until=until) if until else words.say("*Snoozed*"))
            parts += [words.say("*{who}* has it", who=who)] if who else []
        case State.RESOLVED:
            return _resolved(escalation, words)
        case State.DROPPED:
            parts.append(words.say("*Dropped*: it was over before anybody was told"))
    parts += [words.say("handed over to team *{team}*", team=team)] if team else []
    return " · ".join(parts)


def _resolved(escalation: Escalation, words: Words) -> str:
    by, at = name(escalation.resolved_by), escalation.resolved_at
    line = words.say("*Resolved* by {who}, {at}", who=by, at=at) if by and at else words.say("*Resolved*")
    line += f": {words.text(OUTCOMES[escalation.outcome])}" if escalation.outcome else ""
    return line + (f"\n“{escape(one_line(escalation.note, 500), 600)}”" if escalation.note else "")


# -- how it develops ---------------------------------------------------------------------------------------------


def numbers(view: EscalationView, words: Words) -> list[str]:
    talk = view.discussion
    if talk is None:
        return _counts(view.counts, words)
    negative = words.many("{count} negative", "{count} negative", talk.negative)
    return [
        f"*{mentions(talk.mentions, words)}*",
        f"*{negative}* ({words.share(talk.negative_share)})",
        words.many("{count} author", "{count} authors", talk.authors),
        *([words.say("reach {reach}", reach=talk.reach)] if talk.reach else []),
    ]


def mentions(count: int, words: Words) -> str:
    return words.many("{count} mention", "{count} mentions", count)


def _counts(counts: Mapping[str, int], words: Words) -> list[str]:
    said: list[str] = []
    for key, count in list(counts.items())[:6]:
        if key == "mentions":
            said.append(mentions(count, words))
        elif key == "negative":
            said.append(words.many("{count} negative", "{count} negative", count))
        else:
            said.append(f"{words.number(count)} {escape(one_line(key, 30), 40)}")
    return said


def development(view: EscalationView, words: Words) -> list[str]:
    """Counts, pace and trend, and whether we have answered."""
    lines = [" · ".join(numbers(view, words))]
    if talk := view.discussion:
        chart = f"`{bars(talk.trend)}` " if any(talk.trend) else ""
        pace = words.say("{pace} an hour", pace=words.number(talk.pace, 1))
        where = words.say("on {source} since {since}", source=name(talk.source), since=talk.started_at)
        lines.append(f"{chart}{pace} · {where}")
        lines.append(answers(view.escalation, talk, words))
    return [line for line in lines if line] or [words.say("No figures yet")]


def answers(escalation: Escalation, talk: Discussion, words: Words) -> str:
    alerted, answered = escalation.open_since, escalation.answered_at
    if not talk.answers and not answered:
        return words.say("💬 No answer of ours yet")
    parts: list[str] = []
    if alerted and answered and answered >= alerted:
        after = words.span(answered - alerted)
        parts.append(words.say("*Answered* {after} after the alert", after=after))
    if talk.answers and talk.answered_at:
        last = talk.answered_at
        parts.append(
            words.many("{count} answer of ours, {at}", "{count} answers of ours, the last {at}", talk.answers, at=last)
        )
        if alerted and last < alerted and not answered:
            parts.append(words.say("none since {since}", since=alerted))
    elif talk.answers:
        parts.append(words.many("{count} answer of ours", "{count} answers of ours", talk.answers))
    return f"💬 {' · '.join(parts)}"


def news(new: Sequence[Mention], count: int, shown: int, words: Words) -> str:
    """How many mentions are new, of which `new` are known and `shown` are quoted; "" for none."""
    if not count:
        return ""
    if count > len(new):
        said = words.many("{count} new mention", "{count} new mentions", count)
        return words.say("{news}, the latest {shown}", news=said, shown=shown)
    negative = sum(mention.sentiment is not None and mention.sentiment.label is Label.NEGATIVE for mention in new)
    ours = sum(mention.answer for mention in new)
    parts: list[str] = []
    if count > ours:
        parts.append(words.many("{count} new mention", "{count} new mentions", count - ours))
    if negative:
        parts.append(words.many("{count} negative", "{count} negative", negative))
    if ours:
        parts.append(words.many("{count} new answer of ours", "{count} new answers of ours", ours))
    return ", ".join(parts)


# -- why it alerted ----------------------------------------------------------------------------------------------


def why(rules: Sequence[FiredRule], most: int, words: Words) -> list[str]:
    lines: list[str] = []
    for rule in rules:
        lines.append(words.say("*Why:* {rule}", rule=escape(one_line(rule.title or rule.rule_id, 100), 120)))
        lines += [_reason(reason, words) for reason in rule.reasons]
    if (more := len(lines) - most) > 0:
        lines = [*lines[: most - 1], words.many("… and {count} more line", "… and {count} more lines", more + 1)]
    return lines


def _reason(reason: Condition, words: Words) -> str:
    key = words.text(CONDITIONS.get(reason.name) or reason.name.replace("_", " "))
    condition = escape(one_line(key, 40), 60)
    said: Mapping[str, Any] = reason.said or {}
    found, asked = (
        mrkdwn_of(text_from_json(said[part]) if part in said else one_line(english, 100), words, 120)
        for part, english in (("found", reason.found), ("asked", reason.asked))
    )
    said_so = words.say("{condition}: *{found}* (asked: {asked})", condition=condition, found=found, asked=asked)
    return f"• {said_so}"
