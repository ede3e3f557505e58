"""How the command line says things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.amounts import number
from monitor.cli.words import ago, author, clean, near, score, size, span, table, width
from monitor.model import Author, Mention, Post, Sentiment

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
POST = Post(source="forum", native_id="1", text="Acme", published_at=NOW, author=Author(name="Ma\x1b[2Jrio"))


def mention(negative: float = 0.0, positive: float = 0.0, *, judged: bool = True, answer: bool = False) -> Mention:
    sentiment = Sentiment(negative, 1 - negative - positive, positive, "a model") if judged else None
    return Mention(1, POST, "Acme", ("acme",), "Acme", NOW, 1, sentiment, answer=answer)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(number(1, "rule"), "1 rule", id="one"),
        pytest.param(number(0, "rule"), "0 rules", id="none"),
        pytest.param(number(2000, "entry", "entries"), "2,000 entries", id="another plural"),
        pytest.param(ago(None, NOW), "never", id="never"),
        pytest.param(ago(NOW - timedelta(minutes=3), NOW), "3 min ago", id="past"),
        pytest.param(ago(NOW + timedelta(hours=2), NOW), "in 2 h", id="future"),
        pytest.param(span(timedelta(seconds=119)), "119 s", id="seconds up to two minutes"),
        pytest.param(size(999), "999 B", id="bytes"),
        pytest.param(size(3_100_000), "3.1 MB", id="megabytes"),
        pytest.param(score(mention(0.9, 0.03)), "-0.87", id="negative"),
        pytest.param(score(mention(0.302, 0.3)), "+0.00", id="never minus nothing"),
        pytest.param(score(mention(judged=False)), "", id="not judged"),
        pytest.param(score(mention(judged=False, answer=True)), "answer", id="answer of ours"),
        pytest.param(author(POST, 24), "Ma [2Jrio", id="hostile author"),
        pytest.param(clean("one\ntwo", 7), "one two", id="just as wide"),
        pytest.param(clean("one\ntwo", 6), "one t…", id="cut"),
        pytest.param(clean("漢字漢字", 6), "漢字…", id="wide characters"),
        pytest.param(clean("e\u0301e\u0301e\u0301", 3), "e\u0301e\u0301e\u0301", id="accents of their own"),
        pytest.param(clean("anything", 0), "…", id="no room"),
    ],
)
def test_says(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("{here}/rules/a.yaml", "rules/a.yaml", id="below"),
        pytest.param("{here}/../a.yaml", "../a.yaml", id="beside"),
        pytest.param("/a.yaml", "/a.yaml", id="far away"),
        pytest.param("rules/a.yaml", "rules/a.yaml", id="as it was written"),
        pytest.param("", "", id="no file"),
    ],
)
def test_paths_are_short(path: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert near(path.format(here=tmp_path)) == expected


def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    rows = [["id", "brand", "title"], ["7", "漢字", "a title that is too long"], ["12", "Acme", ""]]
    lines = list(table(rows, right=[0]))
    assert lines == ["id  brand  title", " 7  漢字   a title that…", "12  Acme"]
    assert max(map(width, lines)) == 24
