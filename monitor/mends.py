"""What to write instead of a number that people understand and a file does not."""

from __future__ import annotations

import re

_PERCENTAGE = re.compile(r"([-+]?[0-9]{1,9}([.,][0-9]{1,9})?) ?%")
_THOUSANDS = re.compile(r"([0-9]{1,6}) ?k", re.IGNORECASE)
#: Hyphens and dashes that word processors make of a minus.
MINUS = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))


def mended_number(text: str) -> str:
    """What to write for 0,5 or 10,000 or 50% or 10k; empty if `text` is no such number."""
    if percentage := _PERCENTAGE.fullmatch(text):
        return f"write {float(percentage[1].replace(',', '.')) / 100:g} for {text}"
    if thousands := _THOUSANDS.fullmatch(text):
        return f"write {thousands[1]}000"
    plain = text.translate(MINUS).replace(" ", "")
    if re.fullmatch(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3}){1,3}", plain):
        return f"write {plain.replace(',', '')}, without a comma"
    if re.fullmatch(r"[-+]?[0-9]{1,9},[0-9]{1,9}", plain):
        return f"write {plain.replace(',', '.')}, with a point"
    if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", plain):
        return f"write {plain}" + (", with a plain hyphen and no space" if plain != text else ", without quotes")
    return ""
