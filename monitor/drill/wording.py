"""A drill's figures in plain words: lines for a terminal and for a message. Pure; colours are put on elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from monitor.amounts import number
from monitor.drill.report import Measure, Report, Verdict

MARKS = {Verdict.MET: "✓", Verdict.MISSED: "✗", Verdict.OPEN: "…", Verdict.UNASKED: "–"}
TITLES = {
    "called": "Alert in the channel",
    "acknowledged": "Somebody has it",
    "guideline": "Guideline read",
    "answered": "First answer of ours",
    "resolved": "Resolved",
}
_LEFT = {Verdict.MISSED: "never", Verdict.OPEN: "not yet"}
#: What the verdict says of a target that was missed, by whether it happened at all.
_LATE = {
    "called": "the alert came {late} late",
    "acknowledged": "it was taken {late} late",
    "guideline": "the guideline was read {late} late",
    "answered": "our answer came {late} late",
    "resolved": "it was resolved {late} late",
}
_NEVER = {
    "called": "nobody was told",
    "acknowledged": "nobody took {it}",
    "guideline": "nobody read the guideline",
    "answered": "nobody answered {it}",
    "resolved": "nobody resolved {it}",
}


def length(time: timedelta) -> str:
    """ "45s", "3m 10s", "1h 02m"."""
    seconds = round(abs(time.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m" + (f" {seconds % 60:02}s" if seconds % 60 else "")
    return f"{seconds // 3600}h" + (f" {seconds % 3600 // 60:02}m" if seconds % 3600 // 60 else "")


def offset(time: timedelta) -> str:
    """Minutes and seconds after the start, as a stop watch shows them: "3:10", "1:02:00"."""
    seconds = max(0, int(time.total_seconds()))
    hours = f"{seconds // 3600}:{seconds % 3600 // 60:02}" if seconds >= 3600 else str(seconds // 60)
    return f"{hours}:{seconds % 60:02}"


def verdict(report: Report) -> str:
    """One sentence for whoever reads nothing else."""
    course = report.course
    if not report.alerts:
        judged = f"{report.negative} of {number(report.mentions, 'post')} about {course.brand} were negative"
        if any(step.kind == "fired" for step in report.steps):
            return f"Nobody was told: a rule fired, but its alert was not sent before the end; {judged}."
        return f"No rule fired: {judged}. {course.nearest}".strip()
    asked = [one for one in report.measures if one.verdict is not Verdict.UNASKED]
    met = [one for one in asked if one.verdict is Verdict.MET]
    missed = [_missed(one) for one in asked if one.verdict is Verdict.MISSED]
    left = [TITLES[one.name].lower() for one in asked if one.verdict is Verdict.OPEN]
    if not asked:
        return "No target was set."
    every = f"All {len(asked)} targets met" if len(asked) > 1 else "The one target was met"
    head = every if len(met) == len(asked) else f"{len(met)} of {len(asked)} targets met"
    parts = [f"{head}{_praise(report) if not missed and not left else ''}"]
    if missed:
        parts.append(_all(missed))
    if left:
        parts.append(f"it ended too early to tell about: {', '.join(left)}")
    return ": ".join(parts[:2]) + ("; " + parts[2] if len(parts) > 2 else "") + "."


def _praise(report: Report) -> str:
    taken = next((one for one in report.measures if one.name == "acknowledged"), None)
    if taken is None or taken.took is None:
        return ""
    return f": {taken.who or 'somebody'} had it {length(taken.took)} after the alert"


def _missed(one: Measure) -> str:
    if one.difference is None:
        return _NEVER[one.name].format(it=_all(f"#{number}" for number in one.missing) or "it")
    return _LATE[one.name].format(late=length(one.difference))


def _all(names: Iterable[str]) -> str:
    """ "a, b and c"."""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def measure(one: Measure) -> tuple[str, str, str, str, str, str]:
    """Mark, title, how long it took, the target, the difference, and who."""
    took = length(one.took) if one.took is not None else _LEFT.get(one.verdict, "–")
    took += f" ({', '.join(f'#{number}' for number in one.missing)})" if one.missing else ""
    target = f"within {length(one.target)}" if one.target is not None else "no target"
    late = one.difference
    difference = "" if late is None else f"{length(late)} {'late' if late > timedelta() else 'to spare'}"
    return MARKS[one.verdict], TITLES[one.name], took, target, difference, one.who


def people(report: Report) -> Iterator[tuple[str, str, str]]:
    """Name, when called, what came of it."""
    for one in report.people:
        called = "not called" if one.called_after is None else f"called at {offset(one.called_after)} (tier {one.tier})"
        if one.took is None:
            did = "did nothing"
        else:
            did = f"{one.did} {length(one.took)} {'later' if one.called_after is not None else 'after the alert'}"
        yield one.name, called, did


def summary(report: Report) -> list[str]:
    """The lines of the message in the drill channel."""
    lines = [f"The drill “{report.course.title}” is over.", verdict(report), ""]
    if report.alerts:
        for one in report.measures:
            mark, title, took, target, difference, who = measure(one)
            lines.append(
                f"{mark} {title}: {took}, {target}" + "".join(f", {part}" for part in (difference, who) if part)
            )
        lines += ["", *(f"{name}: {called}, {did}" for name, called, did in people(report))]
    return lines


def timeline(report: Report) -> Sequence[tuple[str, str]]:
    return [(offset(step.after), step.text) for step in report.steps]
