"""`/brand report`: the figures of some days, in sentences that a manager can pass on. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from monitor.escalation.acts import Correction
from monitor.figures import BrandFigures, Figures, GapFigures, RuleFigures, Times
from monitor.slack.answers import Answer, answer
from monitor.slack.blocks import plain
from monitor.slack.lines import Line, bold, text
from monitor.slack.text import one_line
from monitor.wording.names import MANY_ENDED, SEVERITIES, counted
from monitor.wording.words import Words

MOST_BRANDS, MOST_RULES, MOST_GAPS = 8, 10, 8


def render_report(now: Figures, before: Figures, competitors: Collection[str], words: Words) -> Answer:
    """`before`: the stretch of the same length that went before, to compare with."""
    length = now.until - now.since
    title = words.say("The last {length}", length=length)
    ours = [brand for brand in now.brands if brand.brand not in competitors]
    others = [brand for brand in now.brands if brand.brand in competitors]
    past = {brand.brand: brand for brand in before.brands}
    said: list[Line] = [_brand(one, past.get(one.brand), words) for one in ours[:MOST_BRANDS]]
    said += [_brand(one, past.get(one.brand), words, words.say("competitor")) for one in others[:MOST_BRANDS]]
    blocks = [
        text([bold(words.say("What was said"))], *(said or [words.say("Nothing: no mention at all.")])),
        text([bold(words.say("Alerts"))], *_alerts(now, before, words)),
    ]
    if sum(now.alerts.values()):
        blocks.append(text([bold(words.say("How fast"))], *_speed(now, words)))
    if now.rules:
        blocks.append(text([bold(words.say("How often the rules were right"))], *_rules(now, words)))
    blocks.append(text([bold(words.say("What was not seen"))], *_gaps(now, words)))
    small = [words.say("From {since} to {until}, compared with the {length} before.",
                       since=now.since, until=now.until, length=length)]  # fmt: skip
    if sum(now.alerts.values()):
        small.append(
            words.say(
                "Told counts from when a rule fired, its first wait and the team's closed hours included; all else from"
                " when it was told. Median: half were faster."
            )
        )
    return answer(title, *blocks, small=small)


def _brand(one: BrandFigures, before: BrandFigures | None, words: Words, note: str = "") -> Line:
    parts = [
        words.many("{count} mention", "{count} mentions", one.mentions),
        words.many(
            "{count} negative ({share})",
            "{count} negative ({share})",
            one.negative,
            share=words.share(one.negative_share),
        ),
        words.many(
            "in {count} discussion ({begun} of them new)",
            "in {count} discussions ({begun} of them new)",
            one.discussions,
            begun=one.begun,
        ),
    ]
    if not note:
        parts.append(words.many("{count} answer of ours", "{count} answers of ours", one.answers))
    if before and before.mentions:
        change = (one.mentions - before.mentions) / before.mentions
        sign = "+" if change > 0 else ""
        parts.append(
            words.say(
                "before: {mentions}, {share} negative ({change})",
                mentions=words.many("{count} mention", "{count} mentions", before.mentions),
                share=words.share(before.negative_share),
                change=f"{sign}{words.share(change)}",
            )
        )
    return [bold(one_line(one.brand, 40)), plain(f"{f' ({note})' if note else ''}: {', '.join(parts)}")]


def _alerts(now: Figures, before: Figures, words: Words) -> list[Line]:
    total, earlier = sum(now.alerts.values()), sum(before.alerts.values())
    if not total:
        lines: list[Line] = [words.say("None; {before} in the time before.", before=earlier)]
    else:
        alerts = words.many("{count} alert", "{count} alerts", total)
        severe = ", ".join(f"{words.text(SEVERITIES[one])} {words.number(n)}" for one, n in now.alerts.items())
        lines = [words.say("{alerts} (before: {before}), by severity: {severities}",
                           alerts=alerts, before=earlier, severities=severe)]  # fmt: skip
        ends = [words.text(counted(MANY_ENDED[outcome], count)) for outcome, count in now.outcomes.items()]
        if now.alive:
            ends.append(words.many("{count} still open", "{count} still open", now.alive))
        lines.append(words.say("How they ended: {ends}", ends=", ".join(ends)) if ends else "")
    if now.dropped:
        lines.append(
            words.many(
                "{count} more was over before anybody was told.",
                "{count} more were over before anybody was told.",
                now.dropped,
            )
        )
    return [line for line in lines if line]


def _speed(now: Figures, words: Words) -> list[Line]:
    return [
        _times(words.say("Told"), now.told, words),
        _times(words.say("Taken by somebody"), now.taken, words),
        _times(words.say("Answered in public"), now.answered, words),
        _times(words.say("Resolved"), now.resolved, words),
    ]


def _times(name: str, times: Times, words: Words) -> Line:
    of = words.say("{count} of {all}", count=times.count, all=times.of)
    if times.median is None or times.worst is None:
        return [bold(name), plain(f": {of}")]
    if times.count == 1:
        return [bold(name), plain(f": {of}, " + words.say("after {length}", length=times.worst))]
    said = words.say("median {median}, worst {worst}", median=times.median, worst=times.worst)
    return [bold(name), plain(f": {of}, {said}")]


def _rules(now: Figures, words: Words) -> list[Line]:
    lines = [_rule(rule, words) for rule in now.rules[:MOST_RULES]]
    if (more := len(now.rules) - MOST_RULES) > 0:
        lines.append(words.many("… and {count} more rule", "… and {count} more rules", more))
    said = []
    for correction, count in now.corrections.items():
        if correction == Correction.NOT_NEGATIVE:
            said.append(words.many("{count} as not negative", "{count} as not negative", count))
        elif correction == Correction.NOT_ABOUT_US:
            said.append(words.many("{count} as not about us", "{count} as not about us", count))
    if said:
        lines.append(words.say("Mentions that people corrected: {counts}", counts=", ".join(said)))
    return lines


def _rule(rule: RuleFigures, words: Words) -> Line:
    parts = [words.many("{count} alert", "{count} alerts", rule.alerts)]
    if rule.precision is not None:
        right = rule.resolved - rule.wrong
        parts.append(
            words.many(
                "{right} of {count} resolved was right ({share})",
                "{right} of {count} resolved were right ({share})",
                rule.resolved,
                right=right,
                share=words.share(rule.precision),
            )
        )
    if rule.corrected:
        parts.append(words.many("{count} mention corrected", "{count} mentions corrected", rule.corrected))
    return [bold(one_line(rule.rule_id, 70)), plain(f": {', '.join(parts)}")]


def _gaps(now: Figures, words: Words) -> list[Line]:
    if not now.gaps:
        return [
            words.many("No gap in {count} source.", "No gap in {count} sources.", now.sources)
            if now.sources
            else words.say("No source is read; posts come in by other ways.")
        ]
    lines: list[Line] = [_gap(gap, now.until - now.since, words) for gap in now.gaps[:MOST_GAPS]]
    if (more := len(now.gaps) - MOST_GAPS) > 0:
        lines.append(words.many("… and {count} more source", "… and {count} more sources", more))
    return lines


def _gap(gap: GapFigures, of: timedelta, words: Words) -> Line:
    said = words.many(
        "{count} gap, {length} in all ({share} of the time)",
        "{count} gaps, {length} in all ({share} of the time)",
        gap.count,
        length=gap.length,
        share=_share_of(gap.length, of, words),
    )
    longest = "" if gap.count == 1 else ", " + words.say("the longest {length}", length=gap.longest)
    return [bold(one_line(gap.name, 60)), plain(f": {said}{longest}")]


def _share_of(part: timedelta, whole: timedelta, words: Words) -> str:
    share = part / whole
    return words.share(share) if not 0 < share < 0.01 else f"<{words.share(0.01)}"
