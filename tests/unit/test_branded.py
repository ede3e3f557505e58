"""The starter that is written for a brand: it loads, warns of nothing and is proven, whatever the brand is called."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from monitor.app import load_config
from monitor.config import parse_config
from monitor.errors import ConfigError
from monitor.rulebook import proven_rules
from monitor.starter import write_starter
from monitor.starter.branded import slug_of

TODAY = date(2026, 3, 30)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        pytest.param("Zephyr", "zephyr", id="plain"),
        pytest.param("Müller & Söhne", "muller-sohne", id="umlauts and an ampersand"),
        pytest.param("l'Oréal", "loreal", id="apostrophe"),
        pytest.param("no", "no", id="a truth to YAML"),
        pytest.param("3", "3", id="a number of one digit"),
        pytest.param("1e3", "1e3", id="a number"),
        pytest.param('The "Best": #1, {ever} [x] \\ 100%', "the-best-1-ever-x-100", id="all marks of YAML"),
        pytest.param("Pizza 🍕👨‍👩‍👧", "pizza", id="emoji"),
        pytest.param("acme-acme", "acme-acme", id="nearly the example"),
        pytest.param("Яндекс", "brand", id="no Latin letter"),
        pytest.param("Hospital Lawyers on Fire, hiring", "hospital-lawyers-on-fire-hiring", id="words of topics"),
        pytest.param("ab " * 100, "-".join(["ab"] * 13), id="long"),
    ],
)
def test_a_starter_for_any_brand_is_proven_as_it_is(tmp_path: Path, name: str, slug: str) -> None:
    files = [path.relative_to(tmp_path) for path, _ in write_starter(tmp_path, name)]
    config = load_config(tmp_path / "monitor.yaml")
    assert config.brand_names == (" ".join(name.split()),) and config.warnings == ()
    assert config.brands[0].terms == (" ".join(name.lower().split()),)
    rules = proven_rules(config, TODAY, time.monotonic)
    ends = ("legal-safety", "loud-voice", "negative-thread", "spike")
    assert [rule.id for rule in rules.rules] == [f"{slug}-{end}" for end in ends] and rules.warnings == ()
    assert all(rule.match.brands == config.brand_names for rule in rules.rules)
    assert {Path("rules") / folder / f"{slug}-{end}.yaml" for end in ends for folder in ("", "tests")} <= set(files)
    texts = [(tmp_path / path).read_text("utf-8") for path in files if path.parent.name != ".schema"]
    assert "acme" in name or not any("acme" in text.casefold() for text in texts)


def test_what_is_a_comment_in_it_may_be_the_first_edit(tmp_path: Path) -> None:
    write_starter(tmp_path, 'Müller: "Söhne" #1')
    text = (tmp_path / "monitor.yaml").read_text("utf-8")
    comments = [line for line in text.splitlines() if line.startswith(("  # - {", "    # "))]
    assert len(comments) > 12
    for line in comments:
        edited = parse_config(text.replace(line, line.replace("# ", "", 1)), tmp_path / "monitor.yaml")
        assert edited.warnings == ()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("", "a name needs a letter or a digit", id="empty"),
        pytest.param("🍕 & _", "a name needs a letter or a digit", id="no letter"),
        pytest.param("“Best”", "curly quotes are part of the text; write straight ones", id="curly quotes"),
        pytest.param("a" * 501, "is longer than 500 characters; shorten it", id="too long"),
        pytest.param("E*Trade", "write the name without it", id="a star"),
        pytest.param("Be\x07ll", "cannot be read; type it anew", id="a control character"),
        pytest.param("Be\udcffll", "cannot be read; type it anew", id="not UTF-8"),
        pytest.param("xoxb-123", "a secret must not stand in this file", id="a token"),
    ],
)
def test_a_name_that_cannot_stand_in_the_file_is_refused_and_nothing_written(
    tmp_path: Path, name: str, says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        write_starter(tmp_path, name)
    (problem,) = refused.value.problems
    assert problem.file == "--brand" and says in problem.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 100, "a-" * 50, "x" * 39 + " yz", "ß" * 30])
def test_a_slug_leaves_room_for_the_rest_of_the_id(name: str) -> None:
    assert len(slug_of(name)) <= 40 and not slug_of(name).endswith("-")
