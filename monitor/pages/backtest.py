"""The page of a backtest: what its charts and lists show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from monitor.pages import render
from monitor.rules.backtesting import summary
from monitor.rules.backtesting.hindsight import Backtest, Side, Tally, Told
from monitor.rules.backtesting.opinions import Opinion

#: With more days than this a bar stands for a week.
MOST_DAYS = 100
#: No list of a page is longer; the JSON has all.
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Bar:
    """A day or a week: how many messages of the old and the new rules, those by what people said of them."""

    first: date
    last: date
    old: int
    confirmed: int
    unknown: int
    dismissed: int

    @property
    def new(self) -> int:
        return self.confirmed + self.unknown + self.dismissed

    @property
    def name(self) -> str:
        return f"{self.first:%a %d %b}" if self.first == self.last else f"{self.first:%d %b} – {self.last:%d %b}"

    @property
    def weekend(self) -> bool:
        return self.first == self.last and self.first.weekday() >= 5


def page(report: Backtest) -> str:
    """One HTML file that needs nothing else."""
    spans = _spans(report.days)
    bars = _bars(report, spans)
    return render(
        "backtest",
        report=report,
        summary=summary,
        bars=bars,
        most=max(max(bar.old, bar.new) for bar in bars),
        ticks=[bars[0], bars[len(bars) // 2], bars[-1]] if len(bars) > 2 else bars,
        weekly=len(spans) < len(report.days),
        sparks={row.rule_id: _spark(row.old, row.new, spans) for row in report.rules},
        sides=[*([("old", report.old)] if report.old else []), ("new" if report.old else "these", report.new)],
        lists=_lists(report),
        listed=MOST_LISTED,
        Opinion=Opinion,
    )


def _lists(report: Backtest) -> list[tuple[str, str, Sequence[Told], bool]]:
    """Title, what it means, the messages, and whether it is open at first."""
    found: list[tuple[str, str, Sequence[Told], bool]] = []
    if report.old is not None:
        found += [
            ("New", "The new rules would have told of these, the old ones not.", report.added, True),
            ("Gone", "The old rules would have told of these, the new ones not.", report.gone, True),
        ]
    all_of_them = "All that the new rules would have told" if report.old else "What these rules would have told"
    found.append((all_of_them, "One line is one message.", report.new.told, report.old is None))
    if report.new.tests:
        found.append(("In test", "These rules would have fired without telling anybody.", report.new.tests, False))
    return found


def _spans(days: Sequence[date]) -> list[tuple[date, date]]:
    length = 7 if len(days) > MOST_DAYS else 1
    return [(days[n], days[min(n + length, len(days)) - 1]) for n in range(0, len(days), length)]


def _bars(report: Backtest, spans: Iterable[tuple[date, date]]) -> list[Bar]:
    said = Counter((told.message.at.date(), told.opinion) for told in report.new.told)

    def count(opinion: Opinion, first: date, last: date) -> int:
        return sum(number for (day, of), number in said.items() if of is opinion and first <= day <= last)

    return [
        Bar(first, last, _in_span(_days(report.old), first, last), *(count(o, first, last) for o in (
            Opinion.CONFIRMED, Opinion.UNKNOWN, Opinion.DISMISSED)))
        for first, last in spans
    ]  # fmt: skip


def _days(side: Side | None) -> Mapping[date, int]:
    return side.tally.days if side is not None else {}


def _spark(old: Tally | None, new: Tally | None, spans: Iterable[tuple[date, date]]) -> list[tuple[int, int]]:
    """A rule's alerts of each span under the old and the new rules."""
    return [
        (_in_span(old.days if old else {}, first, last), _in_span(new.days if new else {}, first, last))
        for first, last in spans
    ]


def _in_span(days: Mapping[date, int], first: date, last: date) -> int:
    return sum(number for day, number in days.items() if first <= day <= last)
