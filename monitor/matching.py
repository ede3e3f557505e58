"""Which brands a post mentions, whose own post it is, and which topics it touches: terms found in folded text.

A term is a word, a phrase ("acme corp": any white space or hyphens between its words), a prefix ("router*") or a hashtag
("#acmefail": only as the whole hashtag). Case, accents and the like do not count (`textform`), but a term is never found
inside a longer word: neither in "acmeology" nor, as the case of letters does not count, in "AcmeFail".

Of addresses in a text only what names somebody counts. A handle is found by `handles` alone: `acme` is not found in
@acme. A link is found by `domains`, subdomains included; its host is read as words too (`acme` is found in
https://acme.example/x), its path never is (not in https://news.example/acme-down). The post's own address is no part of
its text. Hashtags are words: `acme` is found in #Acme.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import ahocorasick

from monitor.config import Brand
from monitor.model import Match, Post
from monitor.textform import Address, Form, addresses, fold, handle, host, joined, snippet

ANY = "*"

Owner = TypeVar("Owner")


# -- terms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Owner]):
    owner: Owner
    term: str
    length: int
    prefix: bool
    hashtag: bool


class _Lexicon(Generic[Owner]):
    """Any number of terms, each with its owner, all searched for in one pass over a text."""

    def __init__(self, terms: Iterable[tuple[str, Owner]]) -> None:
        entries: defaultdict[str, list[_Entry[Owner]]] = defaultdict(list)
        for term, owner in terms:
            key = fold(term.strip().removesuffix("*")).strip()
            if key:
                prefix = term.rstrip().endswith("*")
                entries[key].append(_Entry(owner, term, len(key), prefix, key.startswith("#")))
        self._automaton = ahocorasick.Automaton()
        for key, found in entries.items():
            self._automaton.add_word(key, tuple(found))
        self._automaton.make_automaton()
        self._empty = not entries

    def search(self, form: Form) -> Iterator[tuple[int, int, _Entry[Owner]]]:
        """Where the terms stand in the original text, as `(start, end, entry)`, by their ends."""
        if self._empty:
            return
        text = form.folded
        for last, entries in self._automaton.iter(text):
            for entry in entries:
                start, end = last - entry.length + 1, last + 1
                if _stands_alone(text, start, end, entry):
                    yield *form.span(start, end), entry


def _stands_alone(text: str, start: int, end: int, entry: _Entry[Owner]) -> bool:
    # What follows a letter decides whether # begins a hashtag, not whether # itself is part of a word.
    first = "a" if entry.hashtag else text[start]
    if start and joined(text[start - 1], first):
        return False
    if entry.prefix or end == len(text):
        return True
    return not joined(text[end - 1], text[end]) and not (entry.hashtag and text[end] == "_")


class _Areas:
    """Stretches of a text, for asking whether one of them holds another stretch."""

    def __init__(self, areas: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(areas):
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1]) if self._ends else end)

    def hold(self, start: int, end: int) -> bool:
        index = bisect_right(self._starts, start)
        return index > 0 and end <= self._ends[index - 1]


def _in_words(addresses: Iterable[Address], start: int) -> Callable[[int, int], bool]:
    raise NotImplementedError


# -- brands ------------------------------------------------------------------------------------------------------


class _Role(Enum):
    NAME = "name"
    EXCLUDE = "exclude"
    CONTEXT = "context"
