"""Which brands a post mentions, whose own post it is, and which topics it touches: terms found in folded text.

A term is a word, a phrase ("acme corp": any white space or hyphens between its words), a prefix ("router*") or a
hashtag ("#acmefail": only as the whole hashtag). Case, accents and the like do not count (`textform`), but a term is
never found inside a longer word: neither in "acmeology" nor, as case does not count, in "AcmeFail".

Of addresses in a text only what names somebody counts. A handle is found by `handles` alone: `acme` is not found in
@acme. A link is found by `domains`, subdomains included; its host is read as words too (`acme` is found in
https://acme.example/x), its path never is (not in https://news.example/acme-down). The post's own address is no part of
its text. Hashtags are words: `acme` is found in #Acme.
"""

from __future__ import annotations

import re
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
    """One term of an owner; `length` counts its folded characters."""

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


# -- brands ------------------------------------------------------------------------------------------------------


class _Role(Enum):
    NAME = "name"
    EXCLUDE = "exclude"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class _Hit:
    """A term found at `[start, end)` of the original text."""

    start: int
    end: int
    term: str


class Matcher:
    """Finds all brands in a post at once. Built once for a configuration; may be shared by threads."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._brands = tuple(brands)
        self._lexicon = _Lexicon(term for brand in brands for term in _terms(brand))
        self._domains: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        self._handles: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        self._own: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for brand in brands:
            for domain in brand.domains:
                self._domains[host(domain)].append((brand.name, domain))
            for source, name in _accounts(brand.handles):
                self._handles[source, name].append((brand.name, f"@{name}"))
            for term in brand.terms:
                if term.startswith("@"):
                    self._handles[ANY, handle(term)].append((brand.name, term))
            for account in _accounts(brand.own_accounts):
                self._own[account].append(brand.name)

    def find(self, post: Post, language: Callable[[], str | None]) -> tuple[Match, ...]:
        """The brands that the title or the text of `post` mentions, in the order of the configuration.

        `language` gives the post's language, None if nobody knows; it is asked only if a brand was found that is
        watched in some languages alone. A post of unknown language is never left out for its language. The terms of
        a match stand as configured, handles with an @, in the order in which they appear.
        """
        text = full_text(post)
        hits, in_context = self._hits(text, post.source.casefold())
        found = []
        for brand in self._brands if hits else ():
            if brand.name not in hits or (brand.context and brand.name not in in_context):
                continue
            if brand.languages and not _speaks(brand.languages, language()):
                continue
            ordered = sorted(hits[brand.name], key=lambda hit: hit.start)
            terms = tuple(dict.fromkeys(hit.term for hit in ordered))
            found.append(Match(brand.name, terms, snippet(text, ordered[0].start)))
        return tuple(found)

    def is_own(self, post: Post) -> tuple[str, ...]:
        """The brands for which the author of `post` is one of their own accounts."""
        author = post.author
        # Feeds give nothing but a name; where there is a handle, a name can be anybody's.
        names = [author.handle, author.id] if author.handle or author.id else [author.name]
        known = {handle(name) for name in names if name}
        sources = (post.source.casefold(), ANY)
        owners = {brand for source in sources for name in known for brand in self._own.get((source, name), ())}
        return tuple(brand.name for brand in self._brands if brand.name in owners)

    def _hits(self, text: str, source: str) -> tuple[dict[str, list[_Hit]], set[str]]:
        """What was found of each brand outside its exclusions, and the brands of which a context word was found."""
        found = list(self._lexicon.search(Form(text)))
        places = list(addresses(text)) if found or self._domains or self._handles else []
        no_words = _Areas(part for place in places for part in place.parts)
        hits: defaultdict[str, list[_Hit]] = defaultdict(list)
        excluded: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        in_context: set[str] = set()
        for start, end, entry in found:
            brand, role = entry.owner
            if role is _Role.EXCLUDE:
                excluded[brand].append((start, end))
            elif no_words.hold(start, start + 1):
                continue
            elif role is _Role.CONTEXT:
                in_context.add(brand)
            else:
                hits[brand].append(_Hit(start, end, entry.term))
        for place in places:
            for brand, term in self._named_by(place, source):
                hits[brand].append(_Hit(place.start, place.end, term))
        for brand, areas in excluded.items():
            exclusions = _Areas(areas)
            hits[brand] = [hit for hit in hits[brand] if not exclusions.hold(hit.start, hit.end)]
        return {brand: kept for brand, kept in hits.items() if kept}, in_context

    def _named_by(self, place: Address, source: str) -> Iterator[tuple[str, str]]:
        """The brands that an address stands for, each with the term as shown."""
        if place.is_host:
            labels = place.name.split(".")
            for first in range(len(labels) - 1):
                yield from self._domains.get(".".join(labels[first:]), ())
            return
        names = [place.name]
        if "@" not in place.name:
            # "@acme.Thanks": on most networks a dot or a hyphen ends a handle.
            names.append(re.split("[.-]", place.name, maxsplit=1)[0])
        for key in dict.fromkeys((asked, name) for asked in (source, ANY) for name in names):
            yield from self._handles.get(key, ())


def full_text(post: Post) -> str:
    """Title and text as one text: what is searched, and what a snippet is cut from."""
    return whole(post.title, post.text)


def whole(title: str | None, text: str) -> str:
    return f"{title}\n{text}" if title else text


def _terms(brand: Brand) -> Iterator[tuple[str, tuple[str, _Role]]]:
    of_role = (
        (_Role.NAME, tuple(term for term in brand.terms if not term.startswith("@"))),
        (_Role.EXCLUDE, brand.exclude),
        (_Role.CONTEXT, brand.context.any_of if brand.context else ()),
    )
    for role, terms in of_role:
        for term in terms:
            yield term, (brand.name, role)


def _accounts(by_source: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for source, names in by_source.items():
        for name in names:
            yield source.casefold(), handle(name)


def _speaks(languages: Sequence[str], language: str | None) -> bool:
    return language is None or _primary(language) in {_primary(known) for known in languages}


def _primary(language: str) -> str:
    """`pt` of `pt-BR`."""
    return language.replace("_", "-").partition("-")[0].lower()


# -- topics ------------------------------------------------------------------------------------------------------


class TopicMatcher:
    """Finds the topics of a text: named word lists by language; the list "*" is for every language."""

    def __init__(self, topics: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self.lists = topics
        self._lexicon = _Lexicon(
            (term, (topic, _primary(language)))
            for topic, lists in topics.items()
            for language, terms in lists.items()
            for term in terms
        )

    def topics(self, text: str, language: str | None) -> tuple[str, ...]:
        """The sorted names of the topics of which a word stands in `text`; if its language is unknown, of any list."""
        found = list(self._lexicon.search(Form(text)))
        if not found:
            return ()
        no_words = _Areas(part for place in addresses(text) for part in place.parts)
        topics = {
            topic
            for start, _, entry in found
            for topic, of_language in (entry.owner,)
            if (of_language == ANY or _speaks((of_language,), language)) and not no_words.hold(start, start + 1)
        }
        return tuple(sorted(topics))
