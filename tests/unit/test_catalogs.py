"""Catalogs: no text is missing, unused, or without one of its places; `scripts/texts` brings them up to date."""

from __future__ import annotations

import pytest

from monitor.wording.languages import ENGLISH, LANGUAGES
from tests.fakes.texts import faults


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != ENGLISH])
def test_every_text_is_translated_and_none_is_unused(language: str) -> None:
    assert faults(language) == []
