"""Guidelines: which there are, who has read which, and that somebody has read one."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from monitor.commands.reader import Reader
from monitor.errors import MonitorError
from monitor.escalation.acts import Channel, Person
from monitor.model import Guideline
from monitor.rules.load import RuleSet
from monitor.rules.readership import Readership, readership
from monitor.slack.answers import Answer, sentence
from monitor.slack.blocks import Block, plain
from monitor.slack.guide import guideline_form
from monitor.slack.home import ToRead
from monitor.slack.lines import bold
from monitor.slack.tags import Tag
from monitor.slack.text import one_line
from monitor.store.readings import log_reading, readings


def reading(connection: sqlite3.Connection, rules: RuleSet, now: datetime) -> tuple[Readership, ...]:
    """Of every guideline of these rules."""
    return readership(rules, readings(connection), now.date())


def to_read(connection: sqlite3.Connection, rules: RuleSet, reader: Reader, now: datetime) -> list[ToRead]:
    """What a person should have read, because a rule that names it calls a team of theirs, and has not."""
    known = {(one.path, one.version) for one in readings(connection) if _theirs(one.slack_id, one.name, reader)}
    return [
        ToRead(one.title, one.version, one.rules)
        for one in reading(connection, rules, now)
        if set(one.teams) & set(reader.teams) and (one.path, one.version) not in known
    ]


def form(connection: sqlite3.Connection, rules: RuleSet, tag: Tag, reader: Reader, now: datetime) -> Block:
    """Raises `MonitorError` where no guideline has this version any more."""
    guideline = _of(rules, tag, reader)
    mine = [
        one.at
        for one in readings(connection)
        if (one.path, one.version) == (guideline.path, guideline.version) and _theirs(one.slack_id, one.name, reader)
    ]
    return guideline_form(guideline, tag, now, reader.words, read_at=min(mine, default=None))


def record(connection: sqlite3.Connection, rules: RuleSet, tag: Tag, reader: Reader, now: datetime) -> Answer:
    """Once a person and version; two files with the same words are read both at once."""
    words = reader.words
    try:
        guideline = _of(rules, tag, reader)
    except MonitorError as error:
        return sentence(str(error))
    who = Person(reader.name, Channel.SLACK, reader.slack_id)
    for path, one in rules.guidelines.items():
        if one.version == guideline.version:
            log_reading(connection, path, one.version, who, now)
    return sentence([plain("✅ "), bold(one_line(guideline.title, 150)), plain(": " + words.say("noted as read."))])


def _of(rules: RuleSet, tag: Tag, reader: Reader) -> Guideline:
    for guideline in rules.guidelines.values():
        if tag.version and guideline.version == tag.version:
            return guideline
    raise MonitorError(
        reader.words.say("This guideline has changed since, or is gone; /brand guidelines shows the current ones.")
    )


def _theirs(slack_id: str | None, name: str, reader: Reader) -> bool:
    """From the command line only a name is known."""
    return slack_id == reader.slack_id if slack_id else name == reader.name
