"""The catalogs that come with the package, one a language beside English, and the `Words` that speak from them.

They are `.po` files, which translators edit; they are compiled in memory when a language is first asked for, so that
nothing generated stands beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from monitor.wording.languages import ENGLISH, FOLDER, LANGUAGES
from monitor.wording.words import Words

DOMAIN = "brand-monitor"


def words(language: str = ENGLISH, zone: tzinfo = UTC, moment: Callable[[datetime], str] | None = None) -> Words:
    """`language` as somebody's Slack says it, "it-IT", is understood; one that no catalog has is English."""
    code = language.replace("_", "-").split("-")[0].casefold()
    known = code if code in LANGUAGES else ENGLISH
    return Words(known, zone, _catalog(known), moment)


def catalog_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def _catalog(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalog_file(language).open("rb") as file:
        catalog = read_po(file, language)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
