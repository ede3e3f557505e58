"""How messages look: pure rendering of an escalation into Slack's blocks, which the console draws as well.

Text from outside stands only in typed `rich_text` elements, where Slack parses nothing, and escaped in a message's
`text`. Our own words are mrkdwn. Sending is the business of `slack.client` and `slack.console`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from monitor.amounts import number
from monitor.model import (
    Discussion,
    Escalation,
    EscalationView,
    FiredRule,
    Guideline,
    Label,
    Mention,
    Severity,
    State,
)
from monitor.slack.blocks import (
    LONGEST_SECTION,
    Block,
    context,
    fitting,
    header,
    link,
    mrkdwn,
    plain,
    quote,
    rich,
    section,
)
from monitor.slack.text import bars, clean, escape, host_of, one_line, safe_link, shorten

#: The channel of what was printed on the terminal; no channel in Slack has such an id.
CONSOLE = "console"
#: The command with which people act on escalations.
ESCALATIONS = "brand-monitor escalations"
LONGEST_TEXT = 300
MOST_QUOTES = 5
#: How long a quotation may be; the next is tried where a message came out too long.
QUOTE_LENGTHS = (300, 150, 70, 30)
MOST_REASONS = 8
MOST_GUIDELINE_LINES = 12

SEVERITY_MARKS = {Severity.LOW: "🔵", Severity.MEDIUM: "🟡", Severity.HIGH: "🟠", Severity.CRITICAL: "🔴"}
STATE_MARKS = {
    State.PENDING: "⏳", State.HELD: "🌙", State.ACKNOWLEDGED: "👀", State.SNOOZED: "💤", State.RESOLVED: "✅",
    State.DROPPED: "⚪",
}  # fmt: skip
ENDED = (State.RESOLVED, State.DROPPED)

_MENTIONED = re.compile(r"[SUW][A-Z0-9]{2,30}")


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is the notification, one escaped line. The console heads a card with `subject` and colours it by `tone`: a
    severity, "settled" or "notice"."""

    text: str
    blocks: tuple[Block, ...] = ()
    subject: str = "Notice"
    tone: str = "notice"


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where a message stands: its channel and its `ts`, the two names that Slack knows it by."""

    channel: str
    ts: str


# -- the messages ------------------------------------------------------------------------------------------------


def render_root(
    view: EscalationView, now: datetime, *, lead: str = "", notes: Sequence[str] = (), notify: Sequence[str] = ()
) -> Message:
    """The one message of an escalation, as things stand now; with `lead`, which says why, what a further team is told.

    `notes` are sentences about this very message; `notify` are ids of user groups or members from the configuration.
    """
    escalation = view.escalation
    settled = escalation.state in ENDED
    subject = f"{_mark(escalation)} {_words(escalation)}: {escalation.brand}"

    def blocks(quote_length: int) -> list[Block]:
        made = [
            header(subject),
            rich(section(link(_title(view), view.discussion.url if view.discussion else None, bold=True))),
            mrkdwn(*_called(notify), *([f"*{escape(lead, 1000)}*"] if lead else []), _status(escalation)),
        ]
        if view.mentions and not settled:
            made.append(_quotes(view.mentions, _title(view), quote_length))
        made.append(mrkdwn(*_development(view)))
        if view.rules and not settled:
            made.append(mrkdwn(*_why(view.rules)))
        if view.guideline and not settled:
            made += _guideline(view.guideline, quote_length * 3, now)
        return [*made, *context(*notes, _command(escalation))]

    return Message(_notification(view, subject), fitting(blocks, QUOTE_LENGTHS), subject, _tone(escalation))


def render_reply(
    view: EscalationView,
    mentions: Sequence[Mention],
    *,
    text: str = "",
    new: int | None = None,
    notes: Sequence[str] = (),
    notify: Sequence[str] = (),
) -> Message:
    """News in the thread: `text`, then the latest of `new` mentions; without either, how things stand."""
    escalation = view.escalation
    shown = mentions[-MOST_QUOTES:]
    news = _news(mentions, len(mentions) if new is None else new)
    lines = [f"*{escape(line, 1000)}*" for line in (text, news) if line] or [_status(escalation)]

    def blocks(quote_length: int) -> list[Block]:
        made = [mrkdwn(*_called(notify), *lines)]
        if shown:
            made.append(_quotes(shown, _title(view), quote_length))
        return [*made, *context(*notes, " · ".join(_numbers(view)))]

    said = " ".join(part for part in (text, news) if part) or _words(escalation)
    subject = f"{_mark(escalation)} {escalation.brand}: “{_title(view)}”"
    line = one_line(f"{_mark(escalation)} {escalation.brand}: {said} – “{_title(view)}”", LONGEST_TEXT)
    return Message(escape(line, LONGEST_TEXT), fitting(blocks, QUOTE_LENGTHS), subject, _tone(escalation))


def render_notice(text: str, *, notes: Sequence[str] = ()) -> Message:
    """A few plain sentences to the operators or to a rule's owner."""
    blocks = (mrkdwn(escape(text, LONGEST_SECTION)), *context(*notes))
    return Message(escape(one_line(text, LONGEST_TEXT), LONGEST_TEXT), blocks)


# -- what they say -----------------------------------------------------------------------------------------------


def _mark(escalation: Escalation) -> str:
    return STATE_MARKS.get(escalation.state, SEVERITY_MARKS[escalation.severity])


def _words(escalation: Escalation) -> str:
    if escalation.state is State.OPEN:
        return escalation.severity.capitalize()
    if escalation.state in ENDED:
        return escalation.state.capitalize()
    return f"{escalation.state.capitalize()} · {escalation.severity}"


def _tone(escalation: Escalation) -> str:
    return "settled" if escalation.state in ENDED else escalation.severity.value


def _title(view: EscalationView) -> str:
    title = view.discussion.title if view.discussion else f"Talk about {view.escalation.brand}"
    return one_line(title, 200) or "Untitled"


def _notification(view: EscalationView, subject: str) -> str:
    line = f"{subject} – “{one_line(_title(view), 120)}”"
    if view.discussion:
        line += f", {number(view.discussion.mentions, 'mention')}, {_share(view.discussion)} negative"
    return escape(one_line(line, LONGEST_TEXT), LONGEST_TEXT)


def _status(escalation: Escalation) -> str:
    who = _person(escalation.assignee)
    match escalation.state:
        case State.PENDING:
            line = "*Pending*: nobody has been told yet"
        case State.HELD:
            line = "*Held*" + (f" until {_when(escalation.held_until)}" if escalation.held_until else "")
        case State.OPEN:
            line = f"*Open*{_since(escalation.opened_at)}, nobody has taken it yet"
            line += f" · given to {who}" if who else ""
            line += f" · tier {escalation.tier}" if escalation.tier > 1 else ""
        case State.ACKNOWLEDGED:
            by = _person(escalation.acknowledged_by)
            line = f"*Acknowledged*{f' by {by}' if by else ''}{_at(escalation.acknowledged_at)}"
            line += f" · *{who}* has it" if who and who != by else ""
        case State.SNOOZED:
            line = "*Snoozed*" + (f" until {_when(escalation.snoozed_until)}" if escalation.snoozed_until else "")
            line += f" · *{who}* has it" if who else ""
        case _:
            by = _person(escalation.resolved_by)
            line = f"*{escalation.state.capitalize()}*{f' by {by}' if by else ''}{_at(escalation.resolved_at)}"
            line += f": {escalation.outcome.value}" if escalation.outcome else ""
            line += f"\n“{escape(one_line(escalation.note, 500), 600)}”" if escalation.note else ""
    return line


def _person(name: str | None) -> str:
    return escape(one_line(name or "", 60), 80)


def _since(time: datetime | None) -> str:
    return f" since {_when(time)}" if time else ""


def _at(time: datetime | None) -> str:
    return f", {_when(time)}" if time else ""


def _when(time: datetime) -> str:
    """Slack shows the reader's own time."""
    return f"<!date^{int(time.timestamp())}^{{date_short_pretty}} {{time}}|{time.astimezone(UTC):%d %b %H:%M} UTC>"


def _share(discussion: Discussion) -> str:
    return f"{discussion.negative_share:.0%}"


def _numbers(view: EscalationView) -> list[str]:
    talk = view.discussion
    if talk is None:
        # The names are those of the counts, in the plural already: "mentions", "negative".
        return [f"{count:,} {escape(one_line(name, 30), 40)}" for name, count in list(view.counts.items())[:6]]
    return [
        f"*{number(talk.mentions, 'mention')}*",
        f"*{talk.negative:,} negative* ({_share(talk)})",
        number(talk.authors, "author"),
        *([f"reach {number(talk.reach)}"] if talk.reach else []),
    ]


def _development(view: EscalationView) -> list[str]:
    lines = [" · ".join(_numbers(view))]
    if talk := view.discussion:
        chart = f"`{bars(talk.trend)}` " if any(talk.trend) else ""
        source = escape(one_line(talk.source, 60), 80)
        lines.append(f"{chart}{talk.pace:.1f} an hour · on {source}{_since(talk.started_at)}")
        lines.append(_answers(talk))
    return [line for line in lines if line] or ["No figures yet"]


def _answers(talk: Discussion) -> str:
    if not talk.answers:
        return "💬 No answer of ours yet"
    last = f", last at {_when(talk.answered_at)}" if talk.answered_at else ""
    return f"💬 {number(talk.answers, 'answer')} of ours{last}"


def _why(rules: Sequence[FiredRule]) -> list[str]:
    lines: list[str] = []
    for rule in rules:
        title = escape(one_line(rule.title or rule.rule_id, 100), 120)
        lines.append(f"*Why:* {title}")
        for reason in rule.reasons:
            asked, found = (escape(one_line(text, 100), 120) for text in (reason.asked, reason.found))
            lines.append(f"• {escape(reason.name.replace('_', ' '), 40)}: *{found}* (asked: {asked})")
    if len(lines) > MOST_REASONS:
        lines = [*lines[: MOST_REASONS - 1], f"…and {len(lines) - MOST_REASONS + 1} more lines"]
    return lines


def _guideline(guideline: Guideline, length: int, now: datetime) -> list[Block]:
    lines = [_without_markdown(line) for line in clean(guideline.body).split("\n")]
    body = "\n".join(lines[:MOST_GUIDELINE_LINES]) + ("\n…" if len(lines) > MOST_GUIDELINE_LINES else "")
    about = [
        f"Guideline {guideline.path}, version {guideline.version}",
        f"owner {guideline.owner}" if guideline.owner else "",
        f"approved by {guideline.approved_by}" if guideline.approved_by else "",
        f"review by {guideline.review_by}{_overdue(guideline.review_by, now)}" if guideline.review_by else "",
    ]
    title = plain(f"What to do: {one_line(guideline.title, 150)}\n", bold=True)
    return [
        rich(section(title, plain(shorten(body, length)))),
        *context(escape(" · ".join(one_line(part, 120) for part in about if part), 500)),
    ]


def _without_markdown(line: str) -> str:
    line = re.sub(r"^#+\s*", "", line).replace("**", "")
    return re.sub(r"^[-*+]\s+", "• ", line)


def _overdue(review_by: str, now: datetime) -> str:
    try:
        return " – overdue" if date.fromisoformat(review_by) < now.date() else ""
    except ValueError:
        return ""


def _command(escalation: Escalation) -> str:
    if escalation.state in ENDED:
        return f"Escalation {escalation.id}"
    if escalation.state is State.ACKNOWLEDGED:
        return f"When it is settled: `{ESCALATIONS} resolve {escalation.id}`"
    return f"You take it? `{ESCALATIONS} ack {escalation.id}`"


def _news(mentions: Sequence[Mention], count: int) -> str:
    if not count:
        return ""
    if count > len(mentions):
        return f"{number(count, 'new mention')}, the latest {len(mentions[-MOST_QUOTES:])}"
    negative = sum(mention.sentiment is not None and mention.sentiment.label is Label.NEGATIVE for mention in mentions)
    answers = sum(mention.answer for mention in mentions)
    parts = [number(count - answers, "new mention")] if count > answers else []
    parts += [f"{negative} negative"] if negative else []
    parts += [f"{number(answers, 'new answer')} of ours"] if answers else []
    return ", ".join(parts)


def _called(notify: Sequence[str]) -> list[str]:
    """Mentions of user groups and members; what is no id of either is left out."""
    ids = [id for id in notify if _MENTIONED.fullmatch(id)]
    return [" ".join(f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>" for id in ids)] if ids else []


# -- quotations --------------------------------------------------------------------------------------------------


def _quotes(mentions: Sequence[Mention], thread: str, length: int) -> Block:
    elements: list[Block] = []
    for mention in mentions[:MOST_QUOTES]:
        elements += [_byline(mention), quote(_said(mention, thread, length))]
    return rich(*elements)


def _byline(mention: Mention) -> Block:
    author, url = mention.post.author, safe_link(mention.post.url)
    name = f"@{author.handle.removeprefix('@')}" if author.handle else author.name or "somebody"
    facts = [number(author.followers, "follower")] if author.followers is not None else []
    if mention.answer:
        facts.append("our answer")
    elif mention.sentiment:
        facts.append(f"{mention.sentiment.label} {mention.sentiment.confidence:.0%}")
    where = host_of(url) if url else one_line(mention.post.source, 60)
    return section(
        plain(one_line(name, 60), bold=True), plain("".join(f" · {fact}" for fact in facts) + " · "), link(where, url)
    )


def _said(mention: Mention, thread: str, length: int) -> str:
    """Title and text; a title that is the thread's, which the message names anyway, is left out."""
    text, title = clean(mention.post.text), one_line(mention.post.title or "", 200)
    if title and not title.startswith(thread.rstrip("…")) and not text.startswith(title):
        text = f"{title}\n{text}" if text else title
    snippet = clean(mention.snippet)
    if len(text) > length and snippet not in text[:length]:
        text = f"…{snippet.removeprefix('…')}"
    return "\n".join(shorten(text, length).split("\n")[:6])
