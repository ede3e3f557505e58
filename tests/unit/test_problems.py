"""How mistakes are shown: the line with a caret under the place, nothing that harms a terminal, no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.problems import as_json, coloured, counted, shown
from monitor.cli.words import width
from monitor.errors import Problem
from monitor.yamlfile import holds_secret


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def excerpt(line: str, *columns: int) -> list[str]:
    problems = [Problem("a.yaml", 3, column, "key", "is odd") for column in columns]
    (block,) = shown(problems, {"a.yaml": ["", "", line]}.__getitem__)
    assert len(block.lines) == len(problems) + len(block.excerpt)
    return list(block.excerpt)


SEVERITY = "severity: High  # why not"


@pytest.mark.parametrize(
    ("line", "column", "carets"),
    [
        pytest.param(SEVERITY, 1, "^^^^^^^^^^^^^^", id="a key with its value"),
        pytest.param(SEVERITY, 11, "          ^^^^", id="a word"),
        pytest.param("match:", 1, "^^^^^", id="a key alone"),
        pytest.param("match: {a: b}", 1, "^^^^^", id="a key with a mapping"),
        pytest.param("match: {within: 1 h, b: 2}", 9, "        ^^^^^^^^^^^", id="a value in braces"),
        pytest.param("a: ['one, two', b]", 5, "    ^^^^^^^^^^", id="a text in quotes"),
        pytest.param("a: [b", 4, "   ^", id="a bracket"),
        pytest.param("title: " + 50 * "x", 1, "^^^^^", id="a key with a long value"),
        pytest.param("a: b", 5, "    ^", id="the end of the line"),
        pytest.param("\ta: b", 2, "    ^^^^", id="behind a tab"),
        pytest.param("日本: 語", 5, "      ^^", id="behind wide characters"),
        pytest.param("e\u0301e\u0301: x", 6, "   ^", id="behind accents of their own"),
        pytest.param("a: \x1b[2J x", 3, "  ^", id="behind a control character"),
    ],
)
def test_a_caret_stands_under_the_place(line: str, column: int, carets: str) -> None:
    assert excerpt(line, column)[1] == f"      | {carets}"


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        pytest.param("\ta: b", "→   a: b", id="tab"),
        pytest.param("a:\xa0b", "a:␣b", id="no-break space"),
        pytest.param("a: \x1b]0;x\x07\x00", "a: �]0;x��", id="control characters"),
        pytest.param("a: \u202eb\u200b", "a: �b�", id="characters that turn the direction or are not seen"),
        pytest.param("feed: https://a.example/x?key=1&b=2, b: 1", "feed: https://a.example/x?… b: 1", id="query"),
    ],
)
def test_the_line_is_shown_harmlessly(line: str, seen: str) -> None:
    assert excerpt(line, 1)[0] == f"    3 | {seen}"


@pytest.mark.parametrize(
    "line",
    [
        "token: abc",
        "  {slack_token: abc}",
        'feed: "https://me:password@a.example/"',
        "feed: https://key@a.example/",
        "# xoxb-1-a",
        "api-key = 7",
        "hook: https://hooks.slack.com/services/T0/B0/x",
    ],
)
def test_a_secret_is_never_repeated(line: str) -> None:
    assert holds_secret(line)
    assert excerpt(line, 1) == ["    3 | (this line holds a secret and is not shown)"]


def test_problems_of_one_line_share_it() -> None:
    assert excerpt("a: {b: 1, c: 2}", 5, 11, 5) == ["    3 | a: {b: 1, c: 2}", "      |     ^^^^  ^^^^"]


def test_a_long_line_is_cut_around_the_places() -> None:
    line = "".join(f"k{number:03}: 日, " for number in range(60))
    found = excerpt(line, 1, line.index("k030") + 1, line.index("k059") + 1)
    assert len(found) == 6 and all(width(text) <= 80 for text in found)
    for text, carets, key in zip(found[::2], found[1::2], ("k000", "k030", "k059"), strict=True):
        before = carets[: carets.index("^")]
        start = next(n for n in range(len(text)) if width(text[:n]) == len(before) and text[n:].startswith(key))
        assert text[start : start + 4] == key
    assert found[0].endswith("…") and found[2].startswith("    3 | …") and not found[4].endswith("…")


def test_a_problem_without_a_place_or_a_file_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: b\n")
    problems = [
        Problem(str(tmp_path / "a.yaml"), 0, 0, "", "is empty"),
        Problem(str(tmp_path / "a.yaml"), 9, 1, "", "is far away"),
        Problem(str(tmp_path / "b.yaml"), 1, 1, "", "is not there"),
        Problem(str(tmp_path), 1, 1, "", "is a folder"),
        Problem("", 1, 1, "", "is nowhere"),
    ]
    assert [block.excerpt for block in shown(problems)] == [()] * 5


def test_lines_are_counted_as_yaml_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes("\ufeffone: 1\r\ntwo: 2\rthree: 3\u2028four: 4\n".encode())
    seen = [next(shown([Problem("a.yaml", line, 1, "", "x")])).excerpt[0] for line in (1, 2, 3, 4)]
    assert [text[8:] for text in seen] == ["one: 1", "two: 2", "three: 3", "four: 4"]


def test_a_line_alone_where_no_column_is_known() -> None:
    assert excerpt("a: b", 0) == ["    3 | a: b"]


def test_colours_mark_the_place_and_the_carets(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = shown([Problem("a.yaml", 1, 1, "a", "is odd")], lambda file: ["a: b"])
    assert list(coloured(block)) == [
        "\x1b[1ma.yaml:1:1\x1b[0m: a: is odd",
        "\x1b[34m    1 |\x1b[0m a: b",
        "\x1b[34m      |\x1b[0m\x1b[31m\x1b[1m ^^^^\x1b[0m",
    ]
    monkeypatch.setenv("NO_COLOR", "1")
    assert list(coloured(block)) == list(block.lines)


def test_mistakes_are_counted() -> None:
    problems = [Problem("a.yaml", 1, 1, "", "x"), Problem("a.yaml", 2, 1, "", "x"), Problem("b.yaml", 1, 1, "", "x")]
    assert (counted(problems), counted(problems[:1])) == ("3 mistakes in 2 files.", "1 mistake in 1 file.")


def test_a_problem_as_json() -> None:
    assert as_json(Problem("a.yaml", 1, 2, "a.b", "is odd")) == {
        "file": "a.yaml", "line": 1, "column": 2, "key": "a.b", "message": "is odd", "warning": False,
    }  # fmt: skip
