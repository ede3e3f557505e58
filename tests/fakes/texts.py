"""The texts in the code, as Babel extracts them, and what is wrong with a catalog of them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from monitor.wording.catalogs import catalog_file

ROOT = Path(__file__).parents[2]
#: Calls whose first argument, or first two, are texts.
KEYWORDS = {"say": None, "many": (1, 2)}
#: What a program needs to read a catalog; who wrote what and when is in the history.
HEADER = """msgid ""
msgstr ""
"Project-Id-Version: brand-monitor\\n"
"Language: {language}\\n"
"Plural-Forms: {plurals};\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
PLACE = re.compile(r"\{(\w+)\}")


def template() -> Catalog:
    """All texts that the code says."""
    catalog = Catalog(domain="brand-monitor", project="brand-monitor", charset="utf-8")
    found = extract_from_dir(str(ROOT / "monitor"), [("**.py", "python")], keywords=KEYWORDS, comment_tags=("i18n:",))
    for _, _, text, comments, _ in found:
        catalog.add(text, auto_comments=comments)
    return catalog


def up_to_date(language: str) -> bytes:
    """The catalog with the texts that the code says, and no others; new ones are not translated yet."""
    with catalog_file(language).open("rb") as file:
        catalog = read_po(file, language)
    catalog.update(template(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    texts = BytesIO()
    write_po(texts, catalog, width=120, sort_output=True, no_location=True, omit_header=True)
    return HEADER.format(language=language, plurals=catalog.plural_forms.rstrip(";")).encode() + texts.getvalue()


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
