"""How text is compared: one folded form for terms and posts, with the way back to the original.

Folding makes equal what readers take for the same name: case, accents, full-width and decorated letters, ligatures,
curly quotes, characters of no width. It also knows where words end, in scripts with and without spaces, and which parts
of a text are addresses. It knows nothing of brands, and look-alikes of other scripts (Cyrillic а for a) stay different.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

APOSTROPHES = "'’‘‛ʼ′´`＇"
QUOTES = '"“”„‟«»″＂'
HYPHENS = "-‐‑‒–−﹣－"
#: Letters that Unicode does not decompose though readers take the mark on them for an accent.
LETTERS = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe"}

#: Where words are not set apart by spaces. Korean has spaces, but its particles are written onto the name.
SPACELESS = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # Chinese, Japanese
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),  # Hangul syllables
    (0xF900, 0xFAFF),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)


class _Folds(dict[int, str]):
    """The table for `str.translate`, filled as characters are met, up to a limit that hostile text cannot exceed."""

    LIMIT = 20_000

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < self.LIMIT:
            self[code] = folded
        return folded


def _fold_character(char: str) -> str:
    if char in APOSTROPHES:
        return "'"
    if char in QUOTES:
        return '"'
    category = unicodedata.category(char)
    if char in HYPHENS or char.isspace() or category == "Cc":
        return " "
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return ""
    if "\uac00" <= char <= "\ud7a3":
        return char  # decomposed, a syllable would begin with another, shorter one
    if category in ("So", "No") and not unicodedata.decomposition(char).startswith("<circle>"):
        return char  # "Acme™" must not become "acmetm", nor "Acme²" "acme2"
    letters = unicodedata.normalize("NFKD", char)
    if len(letters) > 4:
        return char
    letters = unicodedata.normalize("NFKD", _without_accents(letters).casefold())
    folded = "".join(LETTERS.get(letter, letter) for letter in _without_accents(letters))
    return folded if folded == char else folded.translate(_FOLDS)


def _without_accents(text: str) -> str:
    """Only the general combining marks go: the vowel signs of other scripts are letters."""
    return "".join(char for char in text if not "\u0300" <= char <= "\u036f")


_FOLDS = _Folds()
_RUNS = re.compile("  +")


def fold(text: str) -> str:
    """`text` in the form that is compared; any run of white space and hyphens is one space."""
    return _RUNS.sub(" ", text.translate(_FOLDS))


class Form:
    """A text with its folded form. The way back to the original costs something and is found only when asked for."""

    __slots__ = ("_origins", "folded", "original")

    def __init__(self, original: str) -> None:
        self.original = original
        self.folded = fold(original)
        self._origins: array[int] | range | None = None
        if original.isascii() and len(self.folded) == len(original):
            self._origins = range(len(original))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `folded[start:end]` (not empty) stands in `original`, with the marks that belong to its last letter."""
        if self._origins is None:
            self._origins = self._find_origins()
        last = self._origins[end - 1] + 1
        following = self._origins[end] if end < len(self._origins) else len(self.original)
        return self._origins[start], max(last, following)

    def _find_origins(self) -> array[int]:
        origins = array("I")
        after_space = False
        for index, char in enumerate(self.original):
            for letter in _FOLDS[ord(char)]:
                if not (letter == " " and after_space):
                    origins.append(index)
                after_space = letter == " "
        return origins


# -- words -------------------------------------------------------------------------------------------------------


class _Kind(Enum):
    OTHER = 0
    WORD = 1
    SPACELESS = 2
    MARK = 3


@lru_cache(maxsize=4096)
def _kind(char: str) -> _Kind:
    if unicodedata.category(char)[0] == "M":
        return _Kind.MARK
    if not (char.isalpha() or char.isdecimal()):
        return _Kind.OTHER
    code = ord(char)
    return _Kind.SPACELESS if any(first <= code <= last for first, last in SPACELESS) else _Kind.WORD


def joined(before: str, after: str) -> bool:
    """Whether two neighbouring characters of a folded text belong to one word.

    Between letters of a script without spaces nobody can tell, so there they never do; a mark always belongs to the
    character before it. Hyphens, underscores and apostrophes part words; changes of case do not.
    """
    if not (before and after):
        return False
    kind = _kind(after)
    return kind is _Kind.MARK or (kind is _Kind.WORD and _kind(before) in (_Kind.WORD, _Kind.MARK))


# -- addresses ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """A host or an account in the original text at `[start, end)`.

    `name` is the host in ASCII lower case, or the folded handle without `@` or `u/`. `parts` are the stretches that
    are no words: all of a handle; of a link all but its host.
    """

    is_host: bool
    name: str
    start: int
    end: int
    parts: tuple[tuple[int, int], ...]


# Possessive runs that begin only where none stands before keep every pattern linear on hostile text.
_PATH = r"[/?#][!#-;=?-~]*+"
_ADDRESS = re.compile(
    rf"""https?://(?P<authority>[^\s/?#<>"]*+)(?:{_PATH})?
    |(?<![\w.+-])(?:[@＠](?P<handle>[\w.-]++(?:@[\w.-]++)?)|(?<!/)/?u/(?P<user>[\w-]++))
    |(?<![\w.-])(?P<host>[\w-]*+\.[\w.-]*+)(?::\d++)?(?:{_PATH})?""",
    re.IGNORECASE | re.VERBOSE,
)
LONGEST_HOST = 253
_HINTS = ("@", "＠", ".", "/")


def addresses(text: str) -> Iterator[Address]:
    """Links, bare hosts (also after an e-mail's @) and handles of `text`, in order."""
    if not any(hint in text for hint in _HINTS):
        return
    for found in _ADDRESS.finditer(text):
        group = found.lastgroup
        assert group is not None
        start, end = found.span(group)
        if group in ("handle", "user"):
            end = start + len(found[group].rstrip(".-"))
            if start < end:
                whole = (found.start(), end)
                yield Address(False, handle(text[start:end]), *whole, (whole,))
            continue
        if group == "authority":
            start += found[group].rfind("@") + 1
            end = start + len(text[start:end].partition(":")[0].rstrip(".,;!)'"))
        else:
            start += len(found[group]) - len(found[group].rpartition("..")[2].lstrip(".-"))
            end = start + len(text[start:end].rstrip(".-"))
        name = host(text[start:end]) if end - start <= LONGEST_HOST else ""
        if group == "authority" or _is_public_name(name):
            yield Address(True, name, start, end, ((found.start(), start), (end, found.end())))


def _is_public_name(name: str) -> bool:
    """Whether a bare word with dots can be a host: `acme.example` but not `3.5` or `e.g`."""
    top = name.rpartition(".")
    return bool(top[0]) and len(top[2]) > 1 and (top[2].isalpha() or top[2].startswith("xn--"))


def handle(text: str) -> str:
    """A handle as compared: without `@`, `u/` or `/u/` before it, any case."""
    name = unicodedata.normalize("NFKC", text.strip()).casefold()
    return name.removeprefix("/").removeprefix("u/").removeprefix("@")


@lru_cache(maxsize=1024)
def host(text: str) -> str:
    """A host as compared: lower case, in the ASCII form of internationalised names where it has one."""
    name = text.strip().lower()
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


# -- snippets ----------------------------------------------------------------------------------------------------

SNIPPET = 200
_BEFORE = 80
_SLACK = 24
_JOINERS = "\u200c\u200d"


def snippet(text: str, start: int) -> str:
    """About 200 characters of `text` around `start`, on one line, cut between words, without control characters."""
    left = max(0, min(start - _BEFORE, len(text) - SNIPPET))
    right = min(len(text), left + SNIPPET)
    window = text[left:right]
    if left:
        blank = re.search(r"\s", window[: min(_SLACK, start - left)])
        window = "…" + window[blank.end() if blank else 0 :].lstrip()
    if right < len(text):
        tail = window[-_SLACK:]
        blank_end = max((match.start() for match in re.finditer(r"\s", tail)), default=len(tail))
        window = window[: len(window) - len(tail) + blank_end].rstrip() + "…"
    return "".join(char for char in " ".join(window.split()) if char.isprintable() or char in _JOINERS)
