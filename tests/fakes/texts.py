"""The texts in the code, as Babel extracts them, and what is wrong with a catalog of them."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from monitor.wording.catalogs import catalog_file

ROOT = Path(__file__).parents[2]
#: Calls whose first argument, or first two, are texts.
KEYWORDS = {"say": None, "many": (1, 2)}
PLACE = re.compile(r"\{(\w+)\}")


def template() -> Catalog:
    """All texts that the code says."""
    catalog = Catalog(domain="brand-monitor", project="brand-monitor", charset="utf-8")
    found = extract_from_dir(str(ROOT / "monitor"), [("**.py", "python")], keywords=KEYWORDS, comment_tags=("i18n:",))
    for _, _, text, comments, _ in found:
        catalog.add(text, auto_comments=comments)
    return catalog


def faults(language: str) -> list[str]:
    """Texts that are missing, unused, fuzzy, empty, or whose places differ from the English ones."""
    with catalog_file(language).open("rb") as file:
        catalog = read_po(file, language)
    wanted = {_key(message) for message in template() if message.id}
    there = {_key(message): message for message in catalog if message.id}
    missing = [f"missing: {key}" for key in sorted(wanted - there.keys())]
    unused = [f"unused: {key}" for key in sorted(there.keys() - wanted)]
    return [*missing, *unused, *(fault for key in sorted(wanted & there.keys()) for fault in _faults(key, there[key]))]


def _key(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple) else message.id)


def _faults(key: str, message: Message) -> list[str]:
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    said = message.string if isinstance(message.string, tuple) else (message.string,)
    if message.fuzzy:
        return [f"fuzzy: {key}"]
    if not all(said):
        return [f"not translated: {key}"]
    places = set().union(*(PLACE.findall(text) for text in ids))
    return [f"other places: {key}" for text in said if set(PLACE.findall(text)) - places or (
        len(ids) == 1 and places - set(PLACE.findall(text))
    )]  # fmt: skip
