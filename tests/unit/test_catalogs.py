"""Catalogs: no text is missing, unused, or without one of its places; `scripts/texts` brings them up to date."""

from __future__ import annotations

import ast

import pytest

from monitor.wording.languages import ENGLISH, LANGUAGES
from tests.fakes.texts import KEYWORDS, ROOT, faults


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != ENGLISH])
def test_every_text_is_translated_and_none_is_unused(language: str) -> None:
    assert faults(language) == []


def test_no_text_hides_in_an_f_string() -> None:
    """There the texts are not found, and would be said in English whatever the language."""
    hidden = []
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                calls = [inside for inside in ast.walk(node) if isinstance(inside, ast.Call)]
                names = [getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls]
                hidden += [f"{path.relative_to(ROOT)}:{node.lineno}" for name in names if name in KEYWORDS]
    assert hidden == []
