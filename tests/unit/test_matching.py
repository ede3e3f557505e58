from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Brand, Context
from monitor.matching import Matcher, TopicMatcher
from monitor.model import Author, Match, Post

ACME = Brand(
    name="Acme",
    terms=("acme", "acme corp", "#acmefail", "broadband*", "アクメ", "에크미", "C++", "@acme_world"),
    handles={"x": ("acme_help", "acme@m.example"), "reddit": ("acme_official",), "*": ("acmeteam",)},
    domains=("acme.example",),
    exclude=("acme of perfection", "acme.tumblr.example"),
    own_accounts={"x": ("acme_help",), "*": ("@AcmeTeam", "77")},
)
GLOBEX = Brand(name="Globex", terms=("globex",), competitor=True)
FOUND = {
    "possessive": ("Acme's", "acme"),
    "curly possessive": ("Acme’s", "acme"),
    "hashtag": ("#Acme", "acme"),
    "brackets": ("(Acme)", "acme"),
    "comma": ("Acme, why", "acme"),
    "hyphen": ("Acme-Router", "acme"),
    "underscore": ("_acme_", "acme"),
    "slash": ("Acme/Initech", "acme"),
    "accents": ("Àcmé", "acme"),
    "decomposed accents": ("Acme\u0301", "acme"),
    "full width": ("ＡＣＭＥ", "acme"),
    "hidden characters": ("A\u200bc\u00adme", "acme"),
    "emoji": ("🔥Acme🔥", "acme"),
    "trademark": ("Acme™", "acme"),
    "among Chinese": ("我喜欢Acme手机", "acme"),
    "inside Japanese": ("昨日アクメは", "アクメ"),
    "Korean with a particle": ("에크미는", "에크미"),
    "symbols": ("I write C++.", "C++"),
    "prefix": ("Broadbands", "broadband*"),
    "whole hashtag": ("so #AcmeFail!", "#acmefail"),
    "host of a link": ("https://acme.tv/x", "acme"),
    "second time outside the exclusion": ("the acme of perfection is Acme", "acme"),
}
NOT_FOUND = {
    "longer word": "acmeology",
    "end of a word": "xacme",
    "digits": "acme5",
    "mixed case": "AcmeFail",
    "longer hashtag": "#acmefailing #acmefail_2",
    "no hashtag": "foo#acmefail",
    "part of a longer word with accents": "acméology",
    "vowel sign": "アクメ\u3099",
    "exclusion": "the Acme of  Perfection",
    "excluded host": "https://acme.tumblr.example/x",
    "handle": "@acme",
    "handle of somebody": "@acme_down u/acme @acmehelp",
    "handle of another source": "u/acme_official",
    "bare handle": "acmeteam",
    "same handle elsewhere": "@acmeteam@other.example",
    "path of a link": "https://news.example/acme-down?acme#acmefail",
    "path without scheme": "news.example/acme",
    "other host": "notacme.example",
    "user of a link": "https://acme.example@evil.example/",
}
ADDRESSES = {
    "handle": ("@Acme_Help hi", ("@acme_help",)),
    "handle and dot": ("thanks @acme_help.Bye", ("@acme_help",)),
    "Mastodon handle": ("@acme@M.example", ("@acme@m.example",)),
    "any source": ("cc @acmeteam", ("@acmeteam",)),
    "handle among the terms": ("@acme_world", ("@acme_world",)),
    "domain": ("shop.ACME.example", ("acme.example", "acme")),
    "domain with path": ("acme.example/x", ("acme.example", "acme")),
    "host that only begins so": ("acme.example.evil.com", ("acme",)),
}


def post(text: str, *, title: str | None = None, source: str = "x", author: Author | None = None) -> Post:
    return Post(source, "1", text, datetime(2026, 3, 30, tzinfo=UTC), title=title, author=author or Author())


def find(
    text: str, *brands: Brand, title: str | None = None, language: str | None = None, source: str = "x"
) -> list[Match]:
    return list(Matcher(brands or (ACME, GLOBEX)).find(post(text, title=title, source=source), lambda: language))


@pytest.mark.parametrize(("text", "term"), FOUND.values(), ids=FOUND.keys())
def test_found(text: str, term: str) -> None:
    assert [(match.brand, match.terms) for match in find(text)] == [("Acme", (term,))]


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_not_found(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(("text", "terms"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_addresses(text: str, terms: tuple[str, ...]) -> None:
    assert set(find(text)[0].terms) == set(terms)


@pytest.mark.parametrize("text", ["u/acme_official", "/u/Acme_Official said", "@acme_official"])
def test_reddit_handles(text: str) -> None:
    assert find(text, source="reddit")[0].terms == ("@acme_official",)


@pytest.mark.parametrize("space", [" ", "  ", "\n", "\r\n\t", "-", " – ", "\u00a0", "\u2028"])
def test_a_phrase_spans_white_space_and_hyphens(space: str) -> None:
    assert find(f"at ACME{space}Corp.")[0].terms == ("acme", "acme corp")


def test_brands_stand_in_the_order_of_the_configuration_and_terms_in_that_of_the_text() -> None:
    matches = find("Globex has broadband, #acmefail has Acme and acme", title="C++ for all")
    assert [(match.brand, match.terms) for match in matches] == [
        ("Acme", ("C++", "broadband*", "#acmefail", "acme")),
        ("Globex", ("globex",)),
    ]


def test_the_snippet_shows_the_original_text_around_the_first_match() -> None:
    match = find("Straße ﬁ é\u0301 " * 40 + "ist Àcmé\u0000 kaputt? " + "nein " * 80)[0]
    assert "ist Àcmé kaputt?" in match.snippet
    assert match.snippet.startswith("…") and match.snippet.endswith("nein…")


def test_context_may_stand_anywhere() -> None:
    apple = Brand(name="Apple", terms=("apple",), context=Context(any_of=("iphone*", "app store")))
    assert find("an apple a day", apple) == []
    assert find("apple again", apple, title="The App-Store")[0].brand == "Apple"
    assert find("Apple's iPhones", apple)[0].terms == ("apple",)
    assert find("apple https://x.example/iphone", apple) == []


@pytest.mark.parametrize(
    ("language", "found"), [("it", True), ("PT-BR", True), ("de", False), ("i", False), (None, True)], ids=str
)
def test_languages(language: str | None, found: bool) -> None:
    brand = Brand(name="Acme", terms=("acme",), languages=("it", "pt"))
    assert bool(find("Acme", brand, language=language)) is found


def test_the_language_is_asked_only_where_it_decides() -> None:
    def asked() -> str:
        raise AssertionError("needless")

    brand = Brand(name="Globex", terms=("globex",), languages=("it",))
    assert Matcher([ACME, brand]).find(post("Acme"), asked)[0].brand == "Acme"


@pytest.mark.parametrize(
    ("source", "author", "own"),
    [
        pytest.param("x", Author(handle="Acme_Help"), True, id="handle"),
        pytest.param("X", Author(handle="@acme_help"), True, id="with @"),
        pytest.param("forum", Author(handle="acme_help"), False, id="same name elsewhere"),
        pytest.param("reddit", Author(handle="u/acmeteam"), True, id="any source"),
        pytest.param("x", Author(id="77"), True, id="id"),
        pytest.param("x", Author(id="7", handle="acme", name="acme_help"), False, id="display name proves nothing"),
        pytest.param("x", Author(), False, id="nobody"),
    ],
)
def test_own_accounts(source: str, author: Author, own: bool) -> None:
    assert Matcher([ACME, GLOBEX]).is_own(post("hi", source=source, author=author)) == (("Acme",) if own else ())


@pytest.mark.parametrize(
    ("text", "language", "topics"),
    [
        ("Total outage, my lawyer calls", "en", ("legal", "outage")),
        ("Il mio avvocato", "it-IT", ("legal",)),
        ("Il mio avvocato", "en", ()),
        ("avvocato or lawyers", None, ("legal",)),
        ("#outage", "fi", ("outage",)),
        ("https://x.example/outage", "en", ()),
        ("nothing", None, ()),
    ],
)
def test_topics(text: str, language: str | None, topics: tuple[str, ...]) -> None:
    matcher = TopicMatcher({"outage": {"*": ("outage",)}, "legal": {"en": ("lawyer*",), "it": ("avvocato",)}})
    assert matcher.topics(text, language) == topics


def test_nothing_to_look_for() -> None:
    assert TopicMatcher({}).topics("anything", None) == ()
    assert Matcher([]).find(post("anything"), lambda: None) == ()


ACCENTED = {"a": "Á", "c": "Ç", "m": "ṁ", "e": "ê"}
DRESSES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    ACCENTED.__getitem__,
    lambda letter: letter + "\u0301",
    lambda letter: chr(ord(letter) + 0xFEE0),
    lambda letter: letter + "\u200d",
)


@given(
    letters=st.lists(st.sampled_from(range(len(DRESSES))), min_size=4, max_size=4),
    before=st.text(st.sampled_from(" .,(#'\"/\n-🔥中あ"), max_size=4),
    after=st.text(st.sampled_from(" .,)'\"\n-!🔥中あ™"), max_size=4),
    noise=st.text(max_size=30).map(lambda text: " " + text + " "),
)
def test_however_it_is_decorated_the_name_is_found(letters: list[int], before: str, after: str, noise: str) -> None:
    name = "".join(DRESSES[choice](letter) for letter, choice in zip("acme", letters, strict=True))
    match = find(f"{noise.replace('/', ' ')} {before}{name}{after} ", Brand(name="Acme", terms=("acme",)))[0]
    assert match.terms == ("acme",)


@given(st.text(st.sampled_from("abcdeéßøıİﬁ가あक१"), min_size=3, max_size=8))
def test_a_name_of_any_letters_is_found_in_any_case(name: str) -> None:
    assert find(f"x {name.upper()}!", Brand(name="B", terms=(name,)))


@given(st.text(st.sampled_from("abcdeéßø"), min_size=1), st.text(st.sampled_from("abcdeéßø"), max_size=3))
def test_letters_around_a_name_hide_it(before: str, after: str) -> None:
    assert not find(f"{before}qqq{after} qqq{before}", Brand(name="B", terms=("qqq",)))


HOSTILE = {
    "combining marks": "acme" + "\u0301" * 100_000,
    "one long word": "a" * 1_000_000,
    "dots": "a." * 200_000,
    "at signs": "@a." * 100_000,
    "slashes": "/u/" * 100_000,
    "schemes": "https://" * 50_000,
    "white space": "acme" + " " * 1_000_000 + "corp",
    "names": "acme " * 50_000,
    "exclusions": "acme of perfection " * 10_000,
    "long expansions": "ﷺ" * 200_000,
    "lone surrogates": "\ud800acme\udfff" * 1_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_takes_bounded_time(text: str) -> None:
    started = time.process_time()
    find(text)
    assert time.process_time() - started < 3
