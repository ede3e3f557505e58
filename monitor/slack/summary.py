"""How the one message looks that stands for many in a storm: how many of what, the worst by name, what to do with all.

Pure. Titles and names from outside are escaped; links are ordinary web addresses.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.escalation.storm import Crowd, Folded, StormView
from monitor.model import ENDED, Severity, State
from monitor.slack.blocks import Block, context, fitting, header, mrkdwn
from monitor.slack.elements import actions, button, confirmed
from monitor.slack.messages import ESCALATIONS, LONGEST_TEXT, Message
from monitor.slack.signs import SEVERITY_SIGNS, sign_of
from monitor.slack.speech import calls
from monitor.slack.tags import Deed, Tag
from monitor.slack.text import escape, one_line, safe_link
from monitor.wording.names import MANY_IN_STATE, MANY_SEVERE, counted
from monitor.wording.words import Words

#: How long a title may be; the next is tried where the message came out too long, links last.
TITLE_LENGTHS = (120, 80, 50, 30)
LONGEST_LINK = 300
MOST_BRANDS = 6


def render_summary(
    storm: StormView,
    words: Words,
    *,
    outbox_id: int,
    install: str | None = None,
    notes: Sequence[str] = (),
    notify: Sequence[str] = (),
) -> Message:
    """The summary as things stand now. `outbox_id` and `install` are for its buttons; without the latter it has none.
    `notify` are ids of user groups or members from the configuration."""
    subject = _headline(storm, words)

    def blocks(title_length: int) -> list[Block]:
        links = LONGEST_LINK if title_length > TITLE_LENGTHS[-1] else 0
        made = [header(subject), mrkdwn(*calls(notify), *_figures(storm, words))]
        if storm.worst and _alive(storm):
            made.append(mrkdwn(words.say("*The worst of them:*")))
            made += [_line(one, storm, words, title_length, links, outbox_id, install) for one in storm.worst]
        made += _for_all(storm, words, outbox_id, install)
        return [*made, *context(*notes, *_rest(storm, words, install))]

    text = " · ".join([subject, *(_severities(storm, words) if _alive(storm) else ()), *_brands(storm, words)])
    shown = fitting(blocks, TITLE_LENGTHS)
    return Message(escape(one_line(text, LONGEST_TEXT), LONGEST_TEXT), shown, subject, _tone(storm))


# -- what it says ------------------------------------------------------------------------------------------------


def _headline(storm: StormView, words: Words) -> str:
    waiting = storm.states.get(State.OPEN, 0)
    if not storm.total:
        return words.say("⚡ All of these discussions have messages of their own")
    if not _alive(storm):
        return words.many("✅ {count} discussion, resolved", "✅ {count} discussions, all resolved", storm.total)
    match storm.crowd:
        case Crowd.NOTICES:
            return words.many(
                "🔔 {count} discussion that another team handles",
                "🔔 {count} discussions that other teams handle",
                storm.total,
            )
        case Crowd.CALLS if waiting:
            return words.many(
                "⏰ {count} discussion that nobody has taken", "⏰ {count} discussions that nobody has taken", waiting
            )
        case Crowd.CALLS:
            return words.many("👀 {count} discussion, taken", "👀 {count} discussions, all taken", storm.total)
    return words.many("⚡ {count} discussion at once", "⚡ {count} discussions at once", storm.total)


def _alive(storm: StormView) -> int:
    return sum(count for state, count in storm.states.items() if state not in ENDED)


def _figures(storm: StormView, words: Words) -> list[str]:
    lines = [
        " · ".join(_states(storm, words)),
        " · ".join(_severities(storm, words)),
        " · ".join(escape(text, 120) for text in _brands(storm, words)),
    ]
    if storm.homes:
        where = escape(one_line(", ".join(storm.homes), 300), 400)
        lines.append(words.say("Handled in {channels}", channels=where))
    if storm.apart:
        lines.append(
            words.many("{count} more has a message of its own", "{count} more have messages of their own", storm.apart)
        )
    return [line for line in lines if line]


def _states(storm: StormView, words: Words) -> list[str]:
    """Those that nobody has taken first."""
    counts = storm.states
    taken = sum(counts.get(state, 0) for state in (State.ACKNOWLEDGED, State.SNOOZED))
    ended = sum(counts.get(state, 0) for state in ENDED)
    waiting = storm.total - taken - ended
    open_ = words.text(counted(MANY_IN_STATE[State.OPEN], waiting))
    return [
        *([f"*{open_}*"] if waiting else []),
        *([words.many("{count} taken", "{count} taken", taken)] if taken else []),
        *([words.text(counted(MANY_IN_STATE[State.RESOLVED], ended))] if ended else []),
    ]


def _severities(storm: StormView, words: Words) -> list[str]:
    """The worst first."""
    found = ((one, storm.severities.get(one, 0)) for one in reversed(Severity))
    return [f"{SEVERITY_SIGNS[one]} {words.text(counted(MANY_SEVERE[one], count))}" for one, count in found if count]


def _brands(storm: StormView, words: Words) -> list[str]:
    """Not escaped."""
    shown = [f"{one_line(name, 60)}: {words.number(count)}" for name, count in list(storm.brands.items())[:MOST_BRANDS]]
    more = len(storm.brands) - MOST_BRANDS
    return [*shown, words.many("{count} more brand", "{count} more brands", more)] if more > 0 else shown


def _rest(storm: StormView, words: Words, install: str | None) -> list[str]:
    if not _alive(storm):
        return []
    if storm.crowd is Crowd.NOTICES:
        return [words.say("To see them all: `/brand open`")]
    every = words.say(
        "To see them all: `/brand open`, the Home tab of this app, or `{command}`", command=f"{ESCALATIONS} list"
    )
    return [words.say("*Show* gives one a message of its own."), every] if install and storm.worst else [every]


def _tone(storm: StormView) -> str:
    if not _alive(storm):
        return "settled"
    return max(storm.severities, key=lambda one: one.rank).value


# -- the worst, one by one -----------------------------------------------------------------------------------------


def _line(
    one: Folded,
    storm: StormView,
    words: Words,
    title_length: int,
    longest_link: int,
    outbox_id: int,
    install: str | None,
) -> Block:
    title = one_line(one.title, title_length) or words.say("Talk about {brand}", brand=one_line(one.brand, 60))
    text = escape(title, title_length * 2)
    link = safe_link(one.url)
    if link and len(link) <= longest_link:
        text = f"<{link.replace('&', '&amp;')}|{text}>"
    lines = [f"{sign_of(one.state, one.severity)} *{text}*", " · ".join(_about(one, storm, words))]
    line = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines), "verbatim": True}}
    if install is None or one.state in ENDED or storm.crowd is Crowd.NOTICES:
        return line
    return line | {"accessory": button(words.say("Show"), Tag(Deed.SHOW, one.escalation_id, outbox_id, install))}


def _about(one: Folded, storm: StormView, words: Words) -> list[str]:
    parts = [escape(one_line(one.brand, 40), 60)] if len(storm.brands) > 1 else []
    if one.mentions is not None:
        parts.append(words.many("{count} mention", "{count} mentions", one.mentions))
        parts.append(words.say("{share} negative", share=words.share(one.negative_share)))
        parts += [words.say("reach {reach}", reach=one.reach)] if one.reach else []
    if one.assignee and one.state not in ENDED:
        parts.append(words.say("{who} has it", who=escape(one_line(one.assignee, 60), 80)))
    return parts or [words.say("about the whole brand")]


# -- what to do with all of them -----------------------------------------------------------------------------------


def _for_all(storm: StormView, words: Words, outbox_id: int, install: str | None) -> list[Block]:
    alive, waiting = _alive(storm), storm.states.get(State.OPEN, 0)
    if install is None or not alive or storm.crowd is Crowd.NOTICES:
        return []
    pressed = [button(words.say("Resolve all…"), Tag(Deed.RESOLVE_ALL, 0, outbox_id, install))]
    if waiting:
        ask = words.many(
            "You take on {count} discussion that nobody has taken.",
            "You take on {count} discussions that nobody has taken.",
            waiting,
        )
        label = words.say("Acknowledge all")
        all_ = button(label, Tag(Deed.ACKNOWLEDGE_ALL, 0, outbox_id, install), primary=True)
        pressed.insert(0, confirmed(all_, label, ask, words.say("Acknowledge"), words.say("Cancel")))
    return [actions(*pressed)]
