"""Very many moments in blocks give what a plain sorted list gives; here with small blocks, so that few make many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Coverage
from monitor.rules import times
from monitor.rules.times import Covered, Reaches, Times, micros, moment

NUMBERS = st.integers(0, 60)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "BLOCK", 4)
        yield


@given(st.lists(NUMBERS, max_size=60), st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1), st.integers(-1, 60))
def test_counts_as_a_sorted_list_does(numbers: list[int], stretches: list[tuple[int, int]], until: int) -> None:
    held = Times(numbers)
    assert list(held) == sorted(numbers) and len(held) == len(numbers)
    assert [held.at(rank) for rank in range(len(numbers))] == sorted(numbers)
    held.drop(until)
    assert [n for n in held if n > until] == sorted(n for n in numbers if n > until)
    for one, other in stretches:
        start, end = max(until, min(one, other)), max(until, one, other)
        assert held.count(start, end) == len([n for n in numbers if start < n <= end])
    later = [*numbers, *range(until + 1, 61)]
    for number in later[len(numbers) :]:
        held.add(number)
    assert held.count(until, 60) == len([n for n in later if n > until])


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 9)), max_size=60), NUMBERS, NUMBERS, st.integers(-1, 60))
def test_finds_the_largest_as_a_list_does(said: list[tuple[int, int]], one: int, other: int, until: int) -> None:
    reaches = Reaches()
    for time, reach in said:
        reaches.add(time, reach)
    assert len(reaches) == len(said)
    reaches.drop(until)
    start, end = max(until, min(one, other)), max(until, one, other)
    assert reaches.largest(start, end) == max((reach for time, reach in said if start < time <= end), default=None)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), max_size=9), st.lists(NUMBERS), NUMBERS, NUMBERS)
def test_covers_as_a_set_of_hours_does(
    stretches: list[tuple[int, int, bool]], numbers: list[int], start: int, end: int
) -> None:
    hour, zero = timedelta(hours=1), datetime(2026, 3, 29, tzinfo=UTC)
    covered = Covered(Coverage(zero + a * hour, zero + b * hour, complete) for a, b, complete in stretches)
    read = {h for a, b, complete in stretches if complete for h in range(a + 1, b + 1)}
    inside = read & set(range(start + 1, end + 1))
    first, last = micros(zero + start * hour), micros(zero + end * hour)
    assert covered.length(first, last) == len(inside) * micros(moment(0) + hour)
    counted = covered.count(Times(micros(zero + n * hour) for n in numbers), first, last)
    assert counted == len([n for n in numbers if n in inside])


def test_a_moment_keeps_its_microseconds() -> None:
    time = datetime(2038, 1, 19, 3, 14, 8, 999_999, tzinfo=UTC)
    assert moment(micros(time)) == time
    assert micros(time.astimezone(tz=None)) == micros(time)
