"""The script of a drill: a crisis as JSON lines, each post with the time after the start at which it appears.

Lines are those of `monitor.jsonlines`, but with `at` for `published_at`, and checked more strictly: a script is written
by hand, and a drill of an hour must not end at a slip. All mistakes are told at once. It opens no file itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from monitor.config import Brand
from monitor.durations import duration
from monitor.errors import BadPost, ConfigError, Problem
from monitor.fields import did_you_mean
from monitor.jsonlines import object_from_line, post_from_object
from monitor.model import Author, Post

#: Any source; as in `own_accounts` of the configuration.
ANY = "*"
BRAND = "{brand}"
#: A drill that lasts longer than a working day is a slip.
LONGEST = timedelta(hours=12)
HEADER = ("drill", "language", "targets")
KEYS = (
    "at", "source", "text", "answer", "author", "conversation_id", "engagement", "language", "native_id", "parent_id",
    "title", "url",
)  # fmt: skip
PARTS = {"author": ("id", "handle", "name", "followers"), "engagement": ("likes", "reposts", "replies")}

_EPOCH = "1970-01-01T00:00:00Z"
_PLACE = re.compile(r"\{[A-Za-z_ ]{1,30}\}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Targets:
    """How soon each should have happened: `called` counts from the first negative post until the first alert stood in
    the channel, all others from each alert. None: that is not asked."""

    called: timedelta | None = timedelta(minutes=10)
    acknowledged: timedelta | None = timedelta(minutes=15)
    guideline: timedelta | None = timedelta(minutes=20)
    answered: timedelta | None = timedelta(minutes=45)
    resolved: timedelta | None = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Line:
    """`answer`: one of the brand's own accounts speaks. The post's time is set, and its brand named, when it plays."""

    at: timedelta
    post: Post
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """`lines` in the order in which they play."""

    name: str
    title: str
    lines: tuple[Line, ...]
    language: str | None = None
    targets: Targets = field(default_factory=Targets)

    @property
    def length(self) -> timedelta:
        return self.lines[-1].at

    def cast(self, brand: Brand, start: datetime) -> Script:
        """With the times of a drill that begins at `start`, with `brand` where the script leaves room for it, and with
        its own accounts for our answers; those for which it has none are left out."""
        word = spoken(brand)
        lines = []
        for line in self.lines:
            post, author = replace(line.post, published_at=start + line.at), line.post.author
            if line.answer:
                own = own_account(brand, post.source)
                if own is None:
                    continue
                author = Author(own, own, brand.name, author.followers)
            author = replace(author, handle=_named(author.handle, word), name=_named(author.name, word))
            lines.append(
                replace(
                    line,
                    post=replace(
                        post, text=_named(post.text, word) or "", title=_named(post.title, word), author=author
                    ),
                )
            )
        return replace(self, title=_named(self.title, word) or "", lines=tuple(lines))


def spoken(brand: Brand) -> str:
    """The brand as people write it, so that matching finds it: its name where that is one of its terms, else the first
    plain word among them, else a hashtag, a site or a handle."""
    terms = [term for term in brand.terms if term.strip("#*")]
    if brand.name.casefold() in (term.casefold() for term in terms):
        return brand.name
    plain = [term for term in terms if not term.startswith("#") and not term.endswith("*")]
    if plain:
        return plain[0] if plain[0] != plain[0].lower() else plain[0].capitalize()
    handles = [f"@{handle}" for names in brand.handles.values() for handle in names]
    return next(iter([*(term.removesuffix("*") for term in terms), *brand.domains, *handles]), brand.name)


def own_account(brand: Brand, source: str) -> str | None:
    """An account of the brand's own on this source."""
    for known, accounts in brand.own_accounts.items():
        if known.casefold() in (source.casefold(), ANY) and accounts:
            return accounts[0]
    return None


def _named(text: str | None, word: str) -> str | None:
    return text.replace(BRAND, word) if text else text


# -- reading -----------------------------------------------------------------------------------------------------


def parse_script(content: bytes, name: str, file: str) -> Script:
    """What `content`, the script called `name`, says; `file` names it in problems. Raises `ConfigError` with all."""
    problems: list[Problem] = []
    head: dict[str, Any] = {}
    lines: list[tuple[int, Line]] = []

    def attempt(number: int, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except BadPost as error:
            problems.append(Problem(file, number, 0, "", str(error).removesuffix(".")))
        except _Faults as error:
            problems.extend(Problem(file, number, 0, "", fault) for fault in error.faults)
        return None

    # As a line ends: with a line feed alone, for texts may hold other separators.
    written = [(number, text) for number, text in enumerate(content.split(b"\n"), 1) if text.strip()]
    for place, (number, text) in enumerate(written):
        found = attempt(number, lambda text=text: object_from_line(text))  # type: ignore[misc]
        if found is None:
            continue
        if place == 0 and not {"at", "text", "source"} & found.keys():
            head = attempt(number, lambda found=found: _header(found)) or {}  # type: ignore[misc]
            continue
        line = attempt(number, lambda found=found, number=number: _line(found, number))  # type: ignore[misc]
        if line is not None:
            lines.append((number, line))
    problems += [Problem(file, number, 0, "", fault) for number, fault in _together(lines)]
    if not lines and not problems:
        problems.append(Problem(file, 0, 0, "", "holds no post; every line is one, as `brand-monitor ingest` takes it"))
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    language = head.get("language")
    spoken_in = (line if line.post.language else _in_language(line, language) for _, line in lines)
    return Script(
        name=name,
        title=head.get("drill") or name,
        lines=tuple(sorted(spoken_in, key=lambda line: line.at)),
        language=language,
        targets=head.get("targets") or Targets(),
    )


class _Faults(Exception):
    """Everything that is wrong with one line."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = faults


def _in_language(line: Line, language: str | None) -> Line:
    return replace(line, post=replace(line.post, language=language))


def _header(found: Mapping[str, Any]) -> dict[str, Any]:
    faults = list(_unknown(found, HEADER))
    head: dict[str, Any] = {}
    for key in ("drill", "language"):
        value = found.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            faults.append(f'{key} must be a text in "quotes"')
        elif value is not None:
            head[key] = " ".join(value.split())
    if head.get("language") and not re.fullmatch("[a-z]{2,3}", head["language"]):
        faults.append('language is no language code; write two small letters, for example "en"')
    targets = found.get("targets") or {}
    if not isinstance(targets, Mapping):
        faults.append('targets must be an object, for example {"acknowledged": "15m"}')
    else:
        known = [one.name for one in fields(Targets)]
        faults += _unknown(targets, known, "targets.")
        times: dict[str, timedelta | None] = {}
        for key in targets.keys() & set(known):
            try:
                times[key] = None if targets[key] is None else _length(targets[key])
            except ValueError as error:
                faults.append(f"targets.{key}: {error}")
        head["targets"] = Targets(**times)
    if faults:
        raise _Faults(faults)
    return head


def _line(found: Mapping[str, Any], number: int) -> Line:
    faults = list(_unknown({key: found[key] for key in found if key != "published_at"}, KEYS))
    if "published_at" in found:
        faults.append('published_at: a drill has its own clock; write "at": "90s", the time after its start')
    for part, known in PARTS.items():
        if isinstance(found.get(part), Mapping):
            faults += _unknown(found[part], known, f"{part}.")
    at = timedelta()
    try:
        if found.get("at") is None:
            raise ValueError('is missing: write when the post appears after the start, for example "at": "1m30s"')
        at = _length(found["at"])
        if at > LONGEST:
            raise ValueError("lies more than 12 hours after the start; shorten the drill")
    except ValueError as error:
        faults.append(f"at: {error}")
    answer = found.get("answer", False)
    if not isinstance(answer, bool):
        faults.append("answer must be true, where one of your own accounts speaks, or be left out")
    for key in ("text", "title"):
        for place in _PLACE.findall(str(found.get(key) or "")):
            if place != BRAND:
                faults.append(f"{key}: nothing is put in the place of {place}; the brand's name is written as {BRAND}")
    post = None
    try:
        given = {key: value for key, value in found.items() if key not in ("at", "answer", "published_at")}
        post = post_from_object(
            {**given, "native_id": given.get("native_id") or f"drill-{number}", "published_at": _EPOCH}
        )
    except BadPost as error:
        what = str(error).removesuffix(".")
        faults.append("source or text is missing: every post needs both" if " is missing: every" in what else what)
    if faults or post is None:
        raise _Faults(faults)
    return Line(at, post, bool(answer))


def _length(value: object) -> timedelta:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("must be a time in quotes such as 30s, 10m or 1m30s")
    return duration(str(value))


def _unknown(found: Mapping[str, Any], known: Collection[str], path: str = "") -> Iterator[str]:
    for key in found:
        if key not in known:
            yield f"{path}{key}: unknown key{did_you_mean(key, known)}"


def _together(lines: Sequence[tuple[int, Line]]) -> Iterator[tuple[int, str]]:
    """What is wrong with the posts as a whole: two of one name, answers to nothing."""
    names: dict[tuple[str, str], int] = {}
    for number, line in lines:
        identity = (line.post.source, line.post.native_id)
        first = names.setdefault(identity, number)
        if first != number:
            yield number, f'native_id: line {first} has "{line.post.native_id}" already; two posts would be one'
    for number, line in lines:
        parent = line.post.parent_id
        if parent and (line.post.source, parent) not in names:
            yield number, f'parent_id: no post of {line.post.source} here has the native_id "{parent}"'


def moment(started: datetime, speed: float, now: datetime) -> datetime:
    """What the clock of a drill shows that began at `started` and runs `speed` times as fast as the clock on the wall,
    which shows `now`."""
    return (started + (now - started) * speed).astimezone(UTC)
