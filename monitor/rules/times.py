"""Many moments in order, counted between any two of them in a time that hardly grows with how many there are.

Moments are whole microseconds since 1970: eight bytes each, compared exactly. What they stand for is not known here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model import Coverage

#: A late moment moves those after it in its block, and no others.
BLOCK = 4096
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BEFORE_ALL = -(2**63)
_NONE: list[Any] = []


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

    __slots__ = ("_before", "_blocks", "_starts", "_tail", "_tail_before", "_tail_start", "last")

    def __init__(self, times: Iterable[int] = ()) -> None:
        #: The last block; most subjects never need another one.
        self._tail = array("q")
        #: A block takes what comes at its start or later; the first takes whatever is earlier, too.
        self._tail_start = _BEFORE_ALL
        #: The rank of the block's first moment.
        self._tail_before = 0
        #: The blocks before the last, with their starts and ranks; lists of its own from the second block on.
        self._blocks: list[array[int]] = _NONE
        self._starts: list[int] = _NONE
        self._before: list[int] = _NONE
        self.last = _BEFORE_ALL
        for time in times:
            self.add(time)

    def __len__(self) -> int:
        first = self._before[0] if self._before else self._tail_before
        return self._tail_before + len(self._tail) - first

    def __iter__(self) -> Iterator[int]:
        for block in (*self._blocks, self._tail):
            yield from block

    def add(self, time: int) -> None:
        if time < self.last:
            self._add_late(time)
            return
        self.last = time
        if len(self._tail) < BLOCK:
            self._tail.append(time)
        else:
            self._begin(array("q", (time,)))

    def _begin(self, tail: array[int]) -> None:
        if not self._blocks:
            self._blocks, self._starts, self._before = [], [], []
        self._blocks.append(self._tail)
        self._starts.append(self._tail_start)
        self._before.append(self._tail_before)
        self._tail_before += len(self._tail)
        self._tail_start = tail[0]
        self._tail = tail

    def _add_late(self, time: int) -> None:
        half = BLOCK // 2
        if time >= self._tail_start:
            insort_right(self._tail, time)
            if len(self._tail) > BLOCK:
                later = self._tail[half:]
                del self._tail[half:]
                self._begin(later)
            return
        n = bisect_right(self._starts, time) - 1
        block = self._blocks[n]
        insort_right(block, time)
        self._tail_before += 1
        self._before[n + 1 :] = [before + 1 for before in self._before[n + 1 :]]
        if len(block) > BLOCK:
            self._blocks.insert(n + 1, block[half:])
            self._starts.insert(n + 1, block[half])
            self._before.insert(n + 1, self._before[n] + half)
            del block[half:]

    def drop(self, until: int) -> None:
        """Forget moments up to `until`; a few of them may stay, so that dropping costs little."""
        n = len(self._blocks) if until >= self._tail_start else bisect_right(self._starts, until) - 1
        if n > 0:
            del self._blocks[:n], self._starts[:n], self._before[:n]
        block = self._blocks[0] if self._blocks else self._tail
        old = bisect_right(block, until)
        if old <= len(block) // 2:
            old = 0
        del block[:old]
        if self._blocks:
            self._starts[0] = _BEFORE_ALL
            self._before[0] += old
        else:
            self._tail_start = _BEFORE_ALL
            self._tail_before += old

    def rank(self, time: int) -> int:
        """The rank that a moment after `time` would have: how many are at `time` or earlier."""
        if time >= self._tail_start:
            return self._tail_before + bisect_right(self._tail, time)
        n = bisect_right(self._starts, time) - 1
        return self._before[n] + bisect_right(self._blocks[n], time)

    def count(self, start: int, end: int) -> int:
        """How many lie in (start, end]."""
        # As `rank` twice, without calling it where all lie in the last block: this is asked most of all.
        if start >= self._tail_start <= end:
            tail = self._tail
            return (len(tail) if end >= self.last else bisect_right(tail, end)) - bisect_right(tail, start)
        return self.rank(end) - self.rank(start)

    def has(self, number: int, start: int, end: int) -> bool:
        """Whether at least `number`, one or more, lie in (start, end]."""
        if end >= self.last and number <= len(self._tail):
            return self._tail[-number] > start
        return self.count(start, end) >= number

    def at(self, rank: int) -> int:
        """The moment of this rank."""
        if rank >= self._tail_before:
            return self._tail[rank - self._tail_before]
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
        n = -1
        times, reaches = self._blocks[-1]
        if not times or time >= times[-1]:
            if len(times) == BLOCK:
                times, reaches = array("q"), array("q")
                self._blocks.append((times, reaches))
                self._starts.append(time)
                self._largest.append(reach)
            times.append(time)
            reaches.append(reach)
        else:
            n = bisect_right(self._starts, time) - 1
            times, reaches = self._blocks[n]
            place = bisect_right(times, time)
            times.insert(place, time)
            reaches.insert(place, reach)
        if reach > self._largest[n]:
            self._largest[n] = reach
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
        n = bisect_right(self._starts, start) - 1
        if n >= 0 and start <= end <= self._ends[n]:
            return end - start
        return self._until(end) - self._until(start) if start < end else 0

    def _until(self, time: int) -> int:
        n = bisect_right(self._starts, time)
        return self._sums[n - 1] + min(time, self._ends[n - 1]) - self._starts[n - 1] if n else 0

    def count(self, times: Times, start: int, end: int) -> int:
        """How many of `times` lie in the covered part of (start, end]."""
        first = max(0, bisect_right(self._starts, start) - 1)
        if first < len(self._starts) and self._starts[first] <= start <= end <= self._ends[first]:
            return times.count(start, end)
        found = 0
        for n in range(first, bisect_left(self._starts, end)):
            since, until = max(self._starts[n], start), min(self._ends[n], end)
            if since < until:
                found += times.count(since, until)
        return found


#: Where no condition asks for it.
NOTHING = Covered()
