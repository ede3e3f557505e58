"""How messages look: pure rendering of an escalation into Slack's blocks, which the console draws as well.

Read from above: what it is, how bad it is and who has it, what is said, why it alerted, what to do. Text from outside
stands only in typed `rich_text` elements, where Slack parses nothing, and escaped in mrkdwn and in a message's `text`.
Our own words are mrkdwn, in the language of whoever reads them. Sending is the business of `slack.client` and
`slack.console`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import ENDED, Escalation, EscalationView, Mention, State
from monitor.slack import facts
from monitor.slack.blocks import LONGEST_SECTION, Block, context, fitting, header, link, mrkdwn, rich, section
from monitor.slack.buttons import Buttons, buttons
from monitor.slack.guide import excerpt
from monitor.slack.quotes import MOST_QUOTES, quotes
from monitor.slack.signs import sign_of
from monitor.slack.speech import calls, mrkdwn_of, plain_of
from monitor.slack.text import escape, one_line
from monitor.wording.text import Text
from monitor.wording.words import Words

#: The channel of what was printed on the terminal; no channel in Slack has such an id.
CONSOLE = "console"
#: The command with which people act on escalations.
ESCALATIONS = "brand-monitor escalations"
LONGEST_TEXT = 300
UNTAKEN = (State.PENDING, State.HELD, State.OPEN)
#: How long a quotation may be; the next is tried where a message came out too long. 0: no more than must be said.
QUOTE_LENGTHS = (300, 150, 70, 30, 0)

#: Sentences of ours that were put together earlier, or a mere string of old.
Said = Text | str


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


def render_root(
    view: EscalationView,
    now: datetime,
    words: Words,
    *,
    lead: Sequence[Said] = (),
    notes: Sequence[Said] = (),
    notify: Sequence[str] = (),
    where: Buttons | None = None,
) -> Message:
    """The one message of an escalation, as things stand now; with `lead`, which says why, what a further team is told.

    `notes` are sentences about this very message; `notify` are ids of user groups or members from the configuration;
    `where` it stands is needed for its buttons.
    """
    escalation = view.escalation
    settled, taken = escalation.state in ENDED, escalation.state not in UNTAKEN
    subject, title = facts.subject(escalation, words), facts.title(view, words)
    pressed = buttons(view, where, words)

    def blocks(quote_length: int) -> list[Block]:
        made = [
            header(subject),
            rich(section(link(title, view.discussion.url if view.discussion else None, bold=True))),
            mrkdwn(*calls(notify), *([] if taken else _bold(lead, words)), facts.status(escalation, words)),
            mrkdwn(*facts.development(view, words)),
        ]
        if view.mentions and quote_length and not settled:
            made.append(quotes(view.mentions, title, quote_length, words))
        if view.rules and not settled:
            most = facts.MOST_REASONS if quote_length else facts.FEWEST_REASONS
            made.append(mrkdwn(*facts.why(view.rules, most, words)))
        if view.guideline and not settled:
            read_by = view.read_by if quote_length else ()
            made += excerpt(view.guideline, read_by, quote_length * 3, now, words, button=bool(pressed))
        small = "" if pressed else _command(escalation, words)
        # What was said while nobody had it is true no more, but says why this team was told.
        then = [" ".join(_notes(lead, words))] if taken else []
        return [*made, *pressed, *context(*_notes(notes, words), *then, small or _number(escalation, words))]

    text = _notification(view, subject, () if taken else lead[:1], words)
    return Message(text, fitting(blocks, QUOTE_LENGTHS), subject, _tone(escalation))


def render_reply(
    view: EscalationView,
    mentions: Sequence[Mention],
    words: Words,
    *,
    said: Sequence[Said] = (),
    new: int | None = None,
    notes: Sequence[Said] = (),
    notify: Sequence[str] = (),
) -> Message:
    """News in the thread: what is `said`, then the latest of `new` mentions; without either, how things stand."""
    escalation, title = view.escalation, facts.title(view, words)
    shown = mentions[-MOST_QUOTES:]
    news = facts.news(mentions, len(mentions) if new is None else new, len(shown), words)
    lines = [*_bold(said, words), *([f"*{news}*"] if news else [])] or [facts.status(escalation, words)]

    def blocks(quote_length: int) -> list[Block]:
        made = [mrkdwn(*calls(notify), *lines)]
        if shown and quote_length:
            made.append(quotes(shown, title, quote_length, words))
        return [*made, *context(*_notes(notes, words), " · ".join(facts.numbers(view, words)))]

    sign = sign_of(escalation.state, escalation.severity)
    spoken = [*(plain_of(one, words) for one in said), news]
    line = " ".join(part for part in spoken if part) or facts.standing(escalation, words)
    text = one_line(f"{sign} {escalation.brand}: {line} – “{title}”", LONGEST_TEXT)
    subject = f"{sign} {escalation.brand}: “{title}”"
    return Message(escape(text, LONGEST_TEXT), fitting(blocks, QUOTE_LENGTHS), subject, _tone(escalation))


def render_notice(said: Sequence[Said], words: Words, *, notes: Sequence[Said] = ()) -> Message:
    """A few plain sentences, a line each, to the operators, to a rule's owner, or to another team."""
    blocks = (mrkdwn(*(mrkdwn_of(one, words, LONGEST_SECTION - 100) for one in said)), *context(*_notes(notes, words)))
    line = one_line(" ".join(plain_of(one, words) for one in said), LONGEST_TEXT)
    return Message(escape(line, LONGEST_TEXT), blocks, words.say("Notice"))


# -- their parts -------------------------------------------------------------------------------------------------


def _tone(escalation: Escalation) -> str:
    return "settled" if escalation.state in ENDED else escalation.severity.value


def _notification(view: EscalationView, subject: str, why: Sequence[Said], words: Words) -> str:
    said = "".join(f"{plain_of(one, words)} – " for one in why)
    line = f"{subject} – {said}“{one_line(facts.title(view, words), 120)}”"
    if talk := view.discussion:
        share = words.say("{share} negative", share=words.share(talk.negative_share))
        line += f", {facts.mentions(talk.mentions, words)}, {share}"
    return escape(one_line(line, LONGEST_TEXT), LONGEST_TEXT)


def _bold(said: Sequence[Said], words: Words) -> list[str]:
    # An asterisk inside would end the bold part.
    line = " ".join(mrkdwn_of(one, words) for one in said).replace("*", "")
    return [f"*{line}*"] if line.strip() else []


def _notes(notes: Sequence[Said], words: Words) -> list[str]:
    return [mrkdwn_of(note, words) for note in notes]


def _command(escalation: Escalation, words: Words) -> str:
    """What to type where there are no buttons; the id in it names the escalation as well."""
    if escalation.state in ENDED:
        return ""
    if escalation.state is State.ACKNOWLEDGED:
        return words.say("When it is settled: {command}", command=f"`{ESCALATIONS} resolve {escalation.id}`")
    return words.say("You take it? {command}", command=f"`{ESCALATIONS} ack {escalation.id}`")


def _number(escalation: Escalation, words: Words) -> str:
    return words.say("Escalation {id}", id=f"e{escalation.id}")
