"""The guidelines, who keeps and who has read them: as the answer to `/brand guidelines`, and one as a modal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.model import Guideline
from monitor.rules.readership import Readership
from monitor.slack.answers import Answer, Line, answer, bold, text, when
from monitor.slack.blocks import Block, context, fitting, header, plain
from monitor.slack.elements import actions, button, modal
from monitor.slack.guide import whole_guideline
from monitor.slack.tags import Deed, Tag
from monitor.slack.text import one_line
from monitor.wording.words import Words

MOST_LISTED = 20
#: How many names of those who have (not) read it are shown.
MOST_NAMED = 12


def render_guidelines(found: Sequence[Readership], now: datetime, words: Words, install: str) -> Answer:
    title = words.say("Guidelines")
    if not found:
        said = words.say("There is none yet. A guideline is a file in `playbooks/` of the rules folder.")
        return answer(title, text(said))

    def blocks(most: int) -> list[Block]:
        made: list[Block] = [header(title)]
        for one in found[:MOST_LISTED]:
            made.append(text(*_lines(one, now, words, most)))
            if install:
                read = Tag(Deed.READ_GUIDELINE, 0, 0, install, version=one.version)
                made.append(actions(button(words.say("Read…"), read)))
        return made

    made = fitting(blocks, (MOST_NAMED, 5, 1))[1:]
    small = []
    if (more := len(found) - MOST_LISTED) > 0:
        small.append(words.many("{count} more is not shown.", "{count} more are not shown.", more))
    return answer(title, *made, small=small)


def _lines(one: Readership, now: datetime, words: Words, most: int) -> list[Line]:
    about = [
        words.say("version {version}", version=one.version),
        words.say("kept by {owner}", owner=one_line(one.owner, 80)),
        words.say("review by {date}", date=one.review_by)
        + (" – " + words.say("overdue") + " ⚠️" if one.overdue else ""),
    ]
    rules = ", ".join(one_line(rule, 70) for rule in one.rules[:5]) + ("…" if len(one.rules) > 5 else "")
    lines: list[Line] = [
        [bold(one_line(one.title, 150)), plain(f" ({one_line(one.path, 80)})")],
        " · ".join(about),
        words.say("for the rules {rules}", rules=rules) if rules else words.say("no rule names it"),
    ]
    if one.read:
        read = [f"{one_line(name, 40)} ({when(at, now, words)})" for name, at in one.read.items()]
        lines.append("✅ " + words.say("read by {names}", names=_some(read, most, words)))
    if one.unread:
        names = [one_line(name, 40) for name in one.unread]
        lines.append("⏳ " + words.say("not yet read by {names}", names=_some(names, most, words)))
    if one.others:
        others = [one_line(name, 40) for name in one.others]
        who = _some(others, most, words)
        known = one.read or one.unread
        lines.append(words.say("also read by {names}", names=who) if known else words.say("read by {names}", names=who))
    return lines


def _some(names: Sequence[str], most: int, words: Words) -> str:
    more = len(names) - most
    shown = ", ".join(names[:most])
    return shown if more <= 0 else words.say("{names} and {count} more", names=shown, count=more)


def unread_lines(found: Iterable[Readership], words: Words) -> list[str]:
    """A sentence for each guideline that somebody should have read and has not."""
    return [
        words.say("{path} has not been read by {names}", path=one.path, names=_some(one.unread, 5, words))
        for one in found
        if one.unread
    ]


def guideline_form(guideline: Guideline, tag: Tag, read_at: datetime | None, now: datetime, words: Words) -> Block:
    """The whole guideline; with a button for whoever has not read this version yet."""
    blocks = whole_guideline(guideline, (), now, words)
    if read_at:
        blocks += context("✅ " + words.say("You read this version at {time}.", time=when(read_at, now, words)))
    submit = None if read_at else words.say("I have read it")
    close = words.say("Close") if read_at else words.say("Not yet")
    return modal(words.say("Guideline"), blocks, callback_id=str(tag.deed), tag=tag, submit=submit, close=close)
