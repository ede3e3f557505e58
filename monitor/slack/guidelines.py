"""All guidelines, who keeps and who has read them: the answer to `/brand guidelines`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.rules.readership import Readership
from monitor.slack.answers import Answer, answer
from monitor.slack.blocks import Block, fitting, header, plain
from monitor.slack.elements import actions, button
from monitor.slack.guide import review
from monitor.slack.lines import Line, bold, text
from monitor.slack.tags import Deed, Tag
from monitor.slack.text import one_line
from monitor.slack.times import when
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
        words.say("owner {who}", who=one_line(one.owner, 80)),
        review(one.review_by, now, words),
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
    return shown if more <= 0 else words.many("{names} and {count} more", "{names} and {count} more", more, names=shown)


def unread_lines(found: Iterable[Readership], words: Words) -> list[str]:
    """A sentence for each guideline that somebody should have read and has not."""
    return [
        words.say("{path} has not been read by {names}", path=one.path, names=_some(one.unread, 5, words))
        for one in found
        if one.unread
    ]
