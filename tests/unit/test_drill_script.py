"""A drill's script: what a line says, and every slip in it at once, with its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor.config import Brand
from monitor.drill.script import Targets, moment, parse_script, spoken
from monitor.drill.shelf import read_script, shipped
from monitor.errors import ConfigError

START = datetime(2026, 3, 30, 10, tzinfo=UTC)
ACME = Brand("Acme", terms=("acme",), own_accounts={"forum": ("acme_help",)})


def script(*lines: dict[str, object]) -> bytes:
    return "\n".join(json.dumps(line) for line in lines).encode()


def problems(*lines: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_script(script(*lines), "d", "d.jsonl")
    return str(raised.value).splitlines()


def test_a_script_plays_in_the_order_of_its_times_about_the_brand() -> None:
    found = parse_script(
        script(
            {"drill": "{brand} is down", "language": "en", "targets": {"acknowledged": "5m", "resolved": None}},
            {"at": "1m30s", "source": "forum", "text": "{brand} again!", "title": "About {brand}"},
            {"at": "0s", "source": "x", "text": "hello", "language": "it", "author": {"handle": "{brand}_fan"}},
        ),
        "d",
        "d.jsonl",
    )
    assert found.targets == Targets(acknowledged=timedelta(minutes=5), resolved=None)
    assert (found.language, found.length) == ("en", timedelta(seconds=90))
    cast = found.cast(ACME, START)
    assert cast.title == "Acme is down"
    assert [(line.post.published_at, line.post.text, line.post.language) for line in cast.lines] == [
        (START, "hello", "it"),
        (START + timedelta(seconds=90), "Acme again!", "en"),
    ]
    assert cast.lines[1].post.title == "About Acme" and cast.lines[0].post.author.handle == "Acme_fan"
    assert len({line.post.native_id for line in cast.lines}) == 2


def test_without_a_header_the_file_names_the_drill_and_targets_are_usual() -> None:
    found = parse_script(script({"at": "5s", "source": "x", "text": "hello"}), "d", "d.jsonl")
    assert (found.title, found.language, found.targets) == ("d", None, Targets())


def test_our_answers_come_from_an_own_account_or_are_left_out() -> None:
    lines = [{"at": "5s", "source": source, "text": "Sorry", "answer": True} for source in ("forum", "x")]
    found = parse_script(script(*lines), "d", "d.jsonl").cast(ACME, START)
    assert [line.post.author.handle for line in found.lines] == ["acme_help"]


@pytest.mark.parametrize(
    ("brand", "word"),
    [
        (Brand("Acme", terms=("#acmefail", "acme")), "Acme"),
        (Brand("Acme Telecom", terms=("#acmefail", "acme*", "acme")), "Acme"),
        (Brand("Acme Telecom", terms=("ACME",)), "ACME"),
        (Brand("Acme", terms=("acmephone*",)), "acmephone"),
        (Brand("Acme", domains=("acme.example",)), "acme.example"),
        (Brand("Acme", handles={"x": ("acmehelp",)}), "@acmehelp"),
    ],
    ids=["name", "plain word", "as written", "prefix", "site", "handle"],
)
def test_the_brand_is_written_so_that_it_is_found(brand: Brand, word: str) -> None:
    assert spoken(brand) == word


GOOD = {"at": "5s", "source": "forum", "text": "hello"}
SLIPS = {
    "no time": ({**GOOD, "at": None}, "at: is missing"),
    "no unit": ({**GOOD, "at": 90}, "at: a duration needs its unit; write 90m"),
    "clock time": ({**GOOD, "at": True}, "at: must be a time in quotes"),
    "too long": ({**GOOD, "at": "13h"}, "more than 12 hours"),
    "absolute": ({**GOOD, "published_at": "2026-03-30T10:00:00Z"}, 'write "at": "90s"'),
    "unknown key": ({**GOOD, "txt": "hello"}, 'txt: unknown key; did you mean "text"?'),
    "unknown key inside": ({**GOOD, "author": {"folowers": 3}}, 'author.folowers: unknown key; did you mean'),
    "no text": ({"at": "5s", "source": "forum"}, "source or text is missing"),
    "a count in words": ({**GOOD, "author": {"followers": "many"}}, 'author.followers is "many": write a whole number'),
    "answer": ({**GOOD, "answer": "yes"}, "answer must be true"),
    "placeholder": ({**GOOD, "text": "{Brand} is down"}, "written as {brand}"),
    "parent": ({**GOOD, "parent_id": "p9"}, 'no post of forum here has the native_id "p9"'),
    "header late": ({"drill": "x"}, "drill: unknown key"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "said"), SLIPS.values(), ids=list(SLIPS))
def test_a_slip_is_told_with_its_line_and_mend(line: dict[str, object], said: str) -> None:
    found = problems(GOOD, line)
    assert found[0].startswith("d.jsonl:2: ") and said in " ".join(found)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"drill": "x", "lang": "en"}, 'lang: unknown key; did you mean "language"?'),
        ({"drill": 7}, "drill must be a text"),
        ({"language": "english"}, "language is no language code"),
        ({"targets": {"acknowleged": "5m"}}, 'targets.acknowleged: unknown key; did you mean "acknowledged"?'),
        ({"targets": {"called": "soon"}}, "targets.called: "),
        ({"targets": []}, ""),
    ],
    ids=["unknown key", "title", "language", "unknown target", "no time", "empty list"],
)
def test_a_slip_in_the_header_is_told(header: dict[str, object], said: str) -> None:
    if said:
        assert problems(header, GOOD)[0].startswith(f"d.jsonl:1: {said}")
    else:
        assert parse_script(script(header, GOOD), "d", "d.jsonl").targets == Targets()


def test_all_slips_are_told_at_once() -> None:
    named = {**GOOD, "native_id": "p1"}
    found = problems(named, {**GOOD, "at": "x", "txt": 1}, named, {**GOOD, "parent_id": "p7"})
    assert [one.split(": ")[0] for one in found] == ["d.jsonl:2", "d.jsonl:2", "d.jsonl:3", "d.jsonl:4"]
    assert "line 1 has" in found[2]


def test_lines_that_are_no_json_and_empty_files_are_told() -> None:
    with pytest.raises(ConfigError, match=r"^d\.jsonl:2: The line ends too early"):
        parse_script(script(GOOD) + b'\n{"at": "5s", ', "d", "d.jsonl")
    with pytest.raises(ConfigError, match="holds no post"):
        parse_script(b"\n\n", "d", "d.jsonl")


def test_the_shipped_scripts_are_found_by_name_and_are_as_long_as_a_crisis() -> None:
    scripts = shipped()
    assert {one.language for one in scripts} == {"en", "it"}
    for one in scripts:
        assert 25 <= len(one.lines) <= 40 and timedelta(minutes=20) <= one.length <= timedelta(minutes=40)
        assert read_script(one.name).lines == one.lines
        assert max(line.post.author.followers or 0 for line in one.lines) > 100_000
    with pytest.raises(ConfigError, match=r'did you mean "broken-update\.en"'):
        read_script("broken-udpate.en")


def test_a_faster_clock_runs_ahead_of_the_wall() -> None:
    assert moment(START, 10, START + timedelta(minutes=1)) == START + timedelta(minutes=10)
