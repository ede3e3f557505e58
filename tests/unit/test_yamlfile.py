"""YAML as people write it: plain values with their places; every trap is one clear problem with its mend."""

from __future__ import annotations

import pytest

from monitor.errors import ConfigError
from monitor.yamlfile import dotted, parse_yaml, refuse_secrets


def problems(text: str) -> list[str]:
    try:
        document = parse_yaml(text, "rule.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    found = sorted((*document.problems, *document.misread), key=lambda problem: (problem.line, problem.column))
    return [str(problem) for problem in found]


def test_values_follow_the_core_schema_of_yaml_1_2() -> None:
    text = """
text: two words
quoted: "no"
numbers: [7, -7, 012, 0x1f, 0o17, 0.5, .5, -1.5e3]
words: [off, on, 10m, 2027-05-31, .nan, .inf, 1_000, "22:00", v1.2.3]
truths: [true, False]
nothing: [~, null]
block: |
  one
  two
1: a number is a name where a key stands
"""
    assert parse_yaml(text, "f").value == {
        "text": "two words",
        "quoted": "no",
        "numbers": [7, -7, 12, 31, 15, 0.5, 0.5, -1500.0],
        "words": ["off", "on", "10m", "2027-05-31", ".nan", ".inf", "1_000", "22:00", "v1.2.3"],
        "truths": [True, False],
        "nothing": [None, None],
        "block": "one\ntwo\n",
        "1": "a number is a name where a key stands",
    }


def test_every_entry_knows_its_place() -> None:
    document = parse_yaml("a: 1\nlist:\n  - {b: 2, c: 3}\n  - last\n", "f")
    places = {path: document.where(path) for path in [("a",), ("list", 0, "c"), ("list", 1), ("list", 0, "d"), ("e",)]}
    assert places == {
        ("a",): (1, 1),
        ("list", 0, "c"): (3, 12),
        ("list", 1): (4, 5),
        ("list", 0, "d"): (3, 5),
        ("e",): (0, 0),
    }
    assert str(document.problem(("list", 0, "c"), "is odd")) == "f:3:12: list[0].c: is odd"
    assert str(document.problem((), "is odd")) == "f: is odd"
    assert dotted(("a", 0, "b\nc" + "d" * 99)).startswith("a[0].b cddd") and len(dotted(("d" * 99,))) == 60


TRAPS = {
    "hash": ("channel: #alerts", '1:9: channel: YAML reads nothing here, because # begins a comment; write "#alerts"'),
    "hash in a list": (
        "terms:\n  - #fail\n",
        '2:4: terms[0]: YAML reads nothing here, because # begins a comment; write "#fail"',
    ),
    "hash in brackets": (
        "terms: [#fail, b]\nowner: me",
        '1:9: YAML reads nothing from this # on, because it begins a comment; write "#fail" in quotes',
    ),
    "time of day": ("open: 22:00", '1:7: open: YAML reads 22:00 as a number; write "22:00" in quotes'),
    "Norway": ("languages: [de, no]", '1:17: languages[1]: YAML reads no as false; write "no" in quotes'),
    "Norway as a key": ("it: [a]\nNo: [b]", '2:1: No: YAML reads No as false; write "No" in quotes'),
    "a lone y": ("a: y", '1:4: a: YAML reads y as true; write "y" in quotes'),
    "duplicate key": ("a: 1\nb: 2\na: 3", "3:1: a: this key stands twice, first in line 1; keep one"),
    "duplicate key inside": ("a: {b: 1, b: 2}", "1:11: a.b: this key stands twice, first in line 1; keep one"),
    "nothing": ("owner:\nb: 1", "1:7: owner: nothing is written here; write a value, or delete the line"),
    "nothing but a comment": ("owner:   # later\nb: 1", "1:7: owner: nothing is written here"),
    "comma for a point": ("a: {at_most: -0,5}", "1:14: a.at_most: write -0.5, with a point"),
    "percentage with a comma": ("a: {at_least: 62,5%}", "1:15: a.at_least: write 0.625 for 62,5%"),
    "comma for thousands": ("a: {at_least: 10,000,000, b: 1}", "1:15: a.at_least: write 10000000, without a comma"),
    "list below its brackets": (
        "a: 1\nsources: []   # none yet\n  # for example\n\n  - {feed: b}",
        "5:3: to write entries here, delete the [] in line 2",
    ),
    "list below its brackets, not indented": ("a: []\n- b", "2:1: to write entries here, delete the [] in line 1"),
    "keys below their braces": ("a: {}\n  b: 1", "2:3: to write entries here, delete the {} in line 1"),
    "tab": ("a:\n\tb: 1", "2:1: a tab stands where YAML wants spaces"),
    "at sign": ("a: @acme", "1:4: a value that begins with @, ` or % needs quotes"),
    "percent sign": ("a: %x", "1:4: a value that begins with @, ` or % needs quotes"),
    "colon in a value": ("title: Bad: {brand}", "1:11: a value with a colon in it needs quotes"),
    "value begins with a brace": (
        "title: {brand} is bad",
        "1:16: this line is not indented like those it belongs to, or a value that begins",
    ),
    "key is a mapping": ("{brand}: x", "1:1: a key must be one word"),
    "open quote": ("a: 'x\nb: 1", "1:4: the quote that begins here is not closed"),
    "open bracket": ("a: [b\nc: d", "1:4: the [ or { that begins here is not closed"),
    "no colon": ("a: b\nowner\nc: d", "2:1: this line is no `key: value`; add the colon"),
    "wrong indent": ("a:\n    b: 1\n  c: 2", "3:3: this line is not indented like those it belongs to"),
    "first line indented": ("  a: 1\nb: 2", "2:1: this line is not indented like those it belongs to"),
    "list behind its key": ("a: - b", "1:4: a list begins on its own line"),
    "backslash": (r'a: "C:\dir"', "1:8: a backslash in double quotes must be doubled"),
    "two documents": ("a: 1\n---\nb: 2", "2:1: a second document begins here with ---"),
    "after the end": ("a: 1\n...\nb", "3:1: this line is not indented"),
    "other syntax": ("a: [1, ]]", "1:9: "),
    "empty": ("", "rule.yaml: the file is empty"),
    "only a comment": ("# only a comment\n", "rule.yaml: the file is empty"),
    "a list": ("- a\n- b", "1:1: the file must hold `key: value` lines, and no dash before the first"),
    "object tag": ("a: !!python/object/apply:os.system [x]", "1:4: a: a value that begins with ! needs quotes"),
    "any tag": ("a: !important", "1:4: a: a value that begins with ! needs quotes"),
    "anchor": ("a: &base {b: 1}\nc: *base", "1:4: a value that begins with & needs quotes; anchors"),
    "alias": ("a: *acme", "1:4: a value that begins with * needs quotes; aliases"),
    "merge key": ("a: {<<: {b: 1}}", "1:5: a: merge keys (<<) are not read here"),
    "infinite": ("a: 1e999", "1:4: a: this number is too large"),
    "huge integer": ("a: " + "9" * 5000, "1:4: a: this number is too large"),
    "escaped NUL": ('a: 1\nb: "\\0"', "2:4: b: there is a control character (U+0000) here"),
    "lone surrogate": ('a: "\\ud800"', "1:4: a: there is a control character (U+D800) here"),
    "terminal escape": ("a: 1\nb: \x1b[31m", "2: there is a control character (U+001B) in this line"),
    "undecodable byte": ("a: b\udcff", "1: there is a control character (U+DCFF) in this line"),
}


def test_a_word_that_other_readers_take_for_a_truth_is_not_called_one() -> None:
    assert problems("languages: [no]") == ['rule.yaml:1:13: languages[0]: YAML reads no as false; write "no" in quotes']


def test_a_key_that_may_be_empty_becomes_none() -> None:
    document = parse_yaml("sources:   # none yet\na: {sources: }", "f", may_be_empty=[("sources",)])
    assert document.value["sources"] is None
    assert [problem.key for problem in document.problems] == ["a.sources"]
    assert parse_yaml("sources: #a", "f", may_be_empty=[("sources",)]).problems


@pytest.mark.parametrize(("text", "expected"), TRAPS.values(), ids=list(TRAPS))
def test_a_trap_is_an_error_with_its_place_and_its_mend(text: str, expected: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(expected if expected.startswith("rule.yaml") else f"rule.yaml:{expected}")


LAUGHS = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a, *a, *a, *a, *a]\n" for n in range(9))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LAUGHS, id="billion laughs"),
        pytest.param("a: &a\n  b: *a", id="cycle"),
        pytest.param("a: " + "[" * 100_000, id="deep brackets"),
        pytest.param("a: " + "{a: " * 50_000, id="deep braces"),
        pytest.param("- " * 100_000, id="deep dashes"),
        pytest.param("\n".join(" " * n + "a:" for n in range(500)), id="deep indents"),
        pytest.param("a: b\n" * 2_000_000, id="10 MB"),
        pytest.param("\0" * 1000, id="binary"),
    ],
)
def test_a_hostile_file_ends_in_one_problem(text: str) -> None:
    assert len(problems(text)) == 1


def test_all_traps_are_told_at_once() -> None:
    found = problems("a: #b\nc: [no, 22:00]\nd:\na: 1\n")
    assert [line.split(": ")[0] for line in found] == [
        f"rule.yaml:{place}" for place in ("1:3", "2:5", "2:9", "3:3", "4:1")
    ]


@pytest.mark.parametrize(
    "text",
    ["token: xoxb-1234-abcd", "# old: xapp-1-A0-b", "a: [\n  xoxp-9-z", "plain text xoxe-1-2", "glued toxoxb-1-2"],
)
def test_a_slack_token_is_refused_wherever_it_stands_and_never_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        refuse_secrets(text, "f")
    assert "a secret must not stand in this file" in str(raised.value)
    assert "xox" not in str(raised.value) and "xapp" not in str(raised.value)
    with pytest.raises(ConfigError, match="a secret must not stand in this file"):
        parse_yaml(text, "f")
