"""Catalogs: no text is missing, unused, or without one of its places; `scripts/texts` brings them up to date."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from monitor.wording.catalogs import catalog_file
from monitor.wording.languages import ENGLISH, LANGUAGES
from tests.fakes.texts import KEYWORDS, ROOT, faults, up_to_date

MODULES = sorted((ROOT / "monitor").rglob("*.py"))


TRANSLATED = [language for language in LANGUAGES if language != ENGLISH]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_unused(language: str) -> None:
    assert faults(language) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalog_is_as_the_script_writes_it(language: str) -> None:
    """With no date or address in it that changes by itself."""
    assert catalog_file(language).read_bytes() == up_to_date(language)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_hides_from_the_catalogs(path: Path) -> None:
    """Babel finds no call inside an f-string, and of an f-string no text."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {call for formatted in ast.walk(tree) if isinstance(formatted, ast.JoinedStr) for call in said(formatted)}
    put_together = {call for call in said(tree) if isinstance(call.args[0], ast.JoinedStr | ast.BinOp)}
    assert [call.lineno for call in hidden | put_together] == []


def said(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in KEYWORDS]
