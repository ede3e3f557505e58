"""`/brand mute` and `/brand unmute`: silence for a while, by those whom the rule calls, with a reason, on record."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from monitor.commands.reader import Reader
from monitor.commands.typed import Muting
from monitor.durations import duration_text
from monitor.escalation.acts import Channel, Person
from monitor.fields import closest
from monitor.rules.load import RuleSet
from monitor.slack.answers import Answer, answer, sentence
from monitor.slack.blocks import plain
from monitor.slack.lines import Line, bold, text, to_type
from monitor.slack.text import one_line
from monitor.slack.times import until, when
from monitor.store import escalations, mutes
from monitor.wording.words import Words

#: Whoever wants silence for longer wants the rule to be off.
LONGEST = timedelta(days=90)
MOST_LISTED = 20


def usage(words: Words) -> Line:
    return to_type(words.say("Write it like this:"), words.say("/brand mute RULE for 4h because works on the line"))


def listed(connection: sqlite3.Connection, reader: Reader, now: datetime) -> Answer:
    """What is muted, until when, by whom and why."""
    words = reader.words
    found = mutes.in_force(connection, now)
    lines = [_line(mute, now, words) for mute in found[:MOST_LISTED]] or [words.say("No rule is muted.")]
    if (more := len(found) - MOST_LISTED) > 0:
        lines.append(words.many("{count} more is not shown.", "{count} more are not shown.", more))
    return answer(words.say("Muted rules"), text(*lines, usage(words)))


def _line(mute: mutes.Mute, now: datetime, words: Words) -> Line:
    who, end = one_line(mute.who, 60), until(mute.until, now, words)
    if mute.since > now:
        start = when(mute.since, now, words)
        said = words.say("from {start} on, {until}, by {who}", start=start, until=end, who=who)
    else:
        said = words.say("{until}, by {who}", until=end, who=who)
    why = f": “{one_line(mute.why, 200)}”" if mute.why else ""
    file = words.say("in its file") if mute.origin == mutes.FILE else ""
    return [bold(mute.rule_id), plain(f" {said}{why}{f' ({file})' if file else ''}")]


def mute(connection: sqlite3.Connection, asked: Muting, rules: RuleSet, reader: Reader, now: datetime) -> Answer:
    words = reader.words
    if refusal := _refusal(connection, asked.rule, rules, reader):
        return refusal
    if asked.length is None or not timedelta() < asked.length <= LONGEST:
        longest = words.say(
            "Say for how long: 30m, 4h, 2d, at most {longest}. For longer, its file can say `status: off`.",
            longest=LONGEST,
        )
        return sentence(longest, usage(words))
    if not asked.why:
        return sentence(words.say("Say why, for whoever wonders at the silence."), usage(words))
    mutes.add(connection, mutes.Mute(asked.rule, now, now + asked.length, reader.name, asked.why))
    end = mutes.muted_until(connection, asked.rule, now) or now
    why = f"{asked.rule} for {duration_text(asked.length)}: {asked.why}"
    escalations.log(connection, now, _who(reader), "muted", why)
    said = words.say(
        "posts nothing {until}. What it holds back is told then; what stands in Slack is kept up to date.",
        until=until(end, now, words),
    )
    ends = to_type(words.say("To end it sooner:"), f"/brand unmute {asked.rule}")
    return sentence([bold(asked.rule), plain(f" {said}")], ends)


def unmute(connection: sqlite3.Connection, rule: str, rules: RuleSet, reader: Reader, now: datetime) -> Answer:
    words = reader.words
    if refusal := _refusal(connection, rule, rules, reader):
        return refusal
    ended = mutes.end(connection, rule, now)
    left = mutes.muted_until(connection, rule, now)
    if ended:
        escalations.log(connection, now, _who(reader), "unmuted", rule)
    if left:
        said = words.say("stays silent {until}: that mute stands in its file.", until=until(left, now, words))
    elif ended:
        said = words.say("may post again; what was held back is told now.")
    else:
        said = words.say("was not muted.")
    return sentence([bold(rule), plain(f" {said}")])


def _refusal(connection: sqlite3.Connection, rule: str, rules: RuleSet, reader: Reader) -> Answer | None:
    """Why this person may not, or None. A rule is silenced by those whom it calls, or by its owner: they know what is
    missed meanwhile. Where no team of its has members or a group, nobody can be told apart, and everybody may; so may
    every member of a team for a rule that is no longer in a file."""
    words = reader.words
    known = {one.id: one for one in rules.rules}
    if rule not in known:
        if rule in escalations.known_rules(connection):
            if reader.teams or not any(team.members or team.user_group for team in rules.teams.values()):
                return None
            return sentence(words.say("Only members of a team may mute a rule that is no longer in a file."))
        close = closest(rule, known)
        said = words.say("There is no rule {rule}.", rule=one_line(rule, 70))
        if close:
            return sentence([plain(f"{said} "), *to_type(words.say("Did you mean"), close, "?")])
        return sentence(said, words.say("There are: {rules}", rules=", ".join(sorted(known)[:20]) or "–"))
    called = list(dict.fromkeys(tier.team for tier in known[rule].escalate))
    teams = [rules.teams[team] for team in called if team in rules.teams]
    # An owner is known by their id, or by the name that they have in a team: in Slack people choose their names.
    named = {name: id for team in rules.teams.values() for name, id in team.members.items()}
    owner = known[rule].owner
    mine = set(called) & set(reader.teams) or named.get(owner, owner) == reader.slack_id
    if mine or not any(team.members or team.user_group for team in teams):
        return None
    who = ", ".join(called)
    return sentence(
        words.say("Only the teams that {rule} calls ({teams}) and its owner may mute it.", rule=rule, teams=who)
    )


def _who(reader: Reader) -> str:
    return str(Person(reader.name, Channel.SLACK, reader.slack_id))
