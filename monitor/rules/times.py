"""Many moments in order, counted between any two of them in a time that hardly grows with how many there are.

Moments are whole microseconds since 1970: eight bytes each, compared exactly. What they stand for is not known here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from monitor.model import Coverage

#: A late moment moves those after it in its block, and no others.
BLOCK = 4096
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEFORE_ALL = -(2**63)


def micros(time: datetime) -> int:
    return (time - EPOCH) // _MICROSECOND


def length(time: timedelta) -> int:
    return time // _MICROSECOND


def moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


class Times:
    """Moments in ascending order, in blocks. One that comes late costs little more than one that comes in order.

    A moment's rank is how many were ever held before it, also those that have been dropped since: only differences of
    ranks mean anything.
    """

    __slots__ = ("_before", "_blocks", "_starts", "last")

    def __init__(self, times: Iterable[int] = ()) -> None:
        self._blocks = [array("q")]
        #: The first moment of each block; the first block takes whatever comes before the second.
        self._starts = [_BEFORE_ALL]
        #: The rank of each block's first moment.
        self._before = [0]
        self.last = _BEFORE_ALL
        for time in times:
            self.add(time)

    def __len__(self) -> int:
        return self._before[-1] + len(self._blocks[-1]) - self._before[0]

    def __iter__(self) -> Iterator[int]:
        for block in self._blocks:
            yield from block

    def add(self, time: int) -> None:
        if time < self.last:
            self._add_late(time)
            return
        self.last = time
        block = self._blocks[-1]
        if len(block) < BLOCK:
            block.append(time)
        else:
            self._before.append(self._before[-1] + BLOCK)
            self._starts.append(time)
            self._blocks.append(array("q", (time,)))

    def _add_late(self, time: int) -> None:
        n = bisect_right(self._starts, time) - 1
        block = self._blocks[n]
        insort_right(block, time)
        if n + 1 < len(self._before):
            self._before[n + 1 :] = [before + 1 for before in self._before[n + 1 :]]
        if len(block) > BLOCK:
            half = BLOCK // 2
            self._blocks.insert(n + 1, block[half:])
            self._starts.insert(n + 1, block[half])
            self._before.insert(n + 1, self._before[n] + half)
            del block[half:]

    def drop(self, until: int) -> None:
        """Forget moments up to `until`; a few of them may stay, so that dropping costs little."""
        n = bisect_right(self._starts, until) - 1
        if n > 0:
            del self._blocks[:n], self._starts[:n], self._before[:n]
            self._starts[0] = _BEFORE_ALL
        block = self._blocks[0]
        old = bisect_right(block, until)
        if old > len(block) // 2:
            del block[:old]
            self._before[0] += old

    def rank(self, time: int) -> int:
        """The rank that a moment after `time` would have: how many are at `time` or earlier."""
        if time >= self.last:
            return self._before[-1] + len(self._blocks[-1])
        n = bisect_right(self._starts, time) - 1
        return self._before[n] + bisect_right(self._blocks[n], time)

    def count(self, start: int, end: int) -> int:
        """How many lie in (start, end]."""
        return self.rank(end) - self.rank(start)

    def at(self, rank: int) -> int:
        """The moment of this rank."""
        n = bisect_right(self._before, rank) - 1
        return self._blocks[n][rank - self._before[n]]


class Reaches:
    """Numbers at moments, ascending by moment; asked for the largest of a stretch. In blocks, as `Times`."""

    __slots__ = ("_blocks", "_largest", "_starts")

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], array[int]]] = [(array("q"), array("q"))]
        self._starts = [_BEFORE_ALL]
        self._largest = [0]

    def __len__(self) -> int:
        return sum(len(times) for times, _ in self._blocks)

    def add(self, time: int, reach: int) -> None:
        n = bisect_right(self._starts, time) - 1
        times, reaches = self._blocks[n]
        place = bisect_right(times, time)
        if place == len(times) == BLOCK and n + 1 == len(self._blocks):
            self._blocks.append((array("q", (time,)), array("q", (reach,))))
            self._starts.append(time)
            self._largest.append(reach)
            return
        times.insert(place, time)
        reaches.insert(place, reach)
        self._largest[n] = max(self._largest[n], reach)
        if len(times) > BLOCK:
            half = BLOCK // 2
            self._blocks.insert(n + 1, (times[half:], reaches[half:]))
            self._starts.insert(n + 1, times[half])
            del times[half:], reaches[half:]
            self._largest[n : n + 1] = [max(reaches), max(self._blocks[n + 1][1])]

    def drop(self, until: int) -> None:
        """Forget what stands at `until` or earlier; a block of it may stay."""
        n = bisect_right(self._starts, until) - 1
        if n > 0:
            del self._blocks[:n], self._starts[:n], self._largest[:n]
            self._starts[0] = _BEFORE_ALL

    def largest(self, start: int, end: int) -> int | None:
        """The largest number in (start, end]; None where there is none."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end) - 1
        found = self._largest[first + 1 : last]
        for n in {first, last}:
            times, reaches = self._blocks[n]
            found += reaches[bisect_right(times, start) : bisect_right(times, end)]
        return max(found, default=None)


class Covered:
    """The time that was read completely, by whichever source: disjoint stretches in order."""

    __slots__ = ("_ends", "_starts", "_sums")

    def __init__(self, coverage: Iterable[Coverage] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((micros(c.start), micros(c.end)) for c in coverage if c.complete and c.start < c.end):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)
        #: How much is covered before each stretch.
        self._sums = [0]
        for start, end in zip(self._starts, self._ends, strict=True):
            self._sums.append(self._sums[-1] + end - start)

    def length(self, start: int, end: int) -> int:
        """How much of (start, end] is covered."""
        return self._until(end) - self._until(start) if start < end else 0

    def _until(self, time: int) -> int:
        n = bisect_right(self._starts, time)
        return self._sums[n - 1] + min(time, self._ends[n - 1]) - self._starts[n - 1] if n else 0

    def count(self, times: Times, start: int, end: int) -> int:
        """How many of `times` lie in the covered part of (start, end]."""
        found = 0
        for n in range(max(0, bisect_right(self._starts, start) - 1), len(self._starts)):
            since, until = max(self._starts[n], start), min(self._ends[n], end)
            if self._starts[n] >= end:
                break
            if since < until:
                found += times.count(since, until)
        return found


#: Where no condition asks for it.
NOTHING = Covered()
