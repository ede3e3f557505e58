from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.textform import SNIPPET, Form, addresses, fold, snippet

FOLDED = {
    "case": ("ACME", "acme"),
    "accents": ("Nestlé NESTLE\u0301", "nestle nestle"),
    "full width": ("Ａｃｍｅ＃１", "acme#1"),
    "mathematical and circled letters": ("𝐀𝐜𝐦𝐞 Ⓐⓒⓜⓔ", "acme acme"),
    "ligature": ("ﬁnance", "finance"),
    "sharp s": ("Straße STRASSE", "strasse strasse"),
    "Turkish i": ("Işık İstanbul", "isik istanbul"),
    "letters with a stroke": ("Ørsted Łódź Œuvre", "orsted lodz oeuvre"),
    "no width, soft hyphen, direction": ("a\u200bc\u00adm\ufeffe\u202e", "acme"),
    "quotes": ("L’Oréal “x” ´", "l'oreal \"x\" '"),
    "white space and hyphens": ("a\t\n b - c‑d\u00a0e\u2028f", "a b c d e f"),
    "trademark is no letter": ("Acme™ Acme² Acme®", "acme™ acme² acme®"),
    "vowel signs stay": ("कि กำ が", "कि กํา か\u3099"),
    "syllables stay whole": ("삼성", "삼성"),
    "Greek final sigma": ("ΣΟΦΟΣ σοφός", "σοφοσ σοφοσ"),
}
NAMED = {
    "link": ("see https://User@Sub.Acme.example:80/x?y, now", ["sub.acme.example"]),
    "bare host": ("acme.example/x and ACME.example.", ["acme.example", "acme.example"]),
    "after an ellipsis": ("well...acme.example", ["acme.example"]),
    "internationalised": ("https://müller.example/ xn--mller-kva.example", ["xn--mller-kva.example"] * 2),
    "e-mail": ("help@acme.example", ["acme.example"]),
    "no hosts": ("3.5 e.g. 10.30h . .. a.b", []),
    "link to nowhere": ("http:// https://@/x", ["", ""]),
    "handles": (
        "@Acme_x, ＠acme. (@acme@m.example) u/acme-x /u/Acme",
        ["acme_x", "acme", "acme@m.example", "acme-x", "acme"],
    ),
    "no handles": ("a@ @ foo/u/acme @-", []),
}


@pytest.mark.parametrize(("text", "folded"), FOLDED.values(), ids=FOLDED.keys())
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(("text", "names"), NAMED.values(), ids=NAMED.keys())
def test_addresses(text: str, names: list[str]) -> None:
    assert [address.name for address in addresses(text)] == names


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.data())
def test_a_span_leads_back_to_what_was_folded(text: str, data: st.DataObject) -> None:
    form = Form(text)
    if form.folded:
        start = data.draw(st.integers(0, len(form.folded) - 1))
        end = data.draw(st.integers(start + 1, len(form.folded)))
        first, last = form.span(start, end)
        assert 0 <= first < last <= len(text)
        assert form.folded[start:end].strip() in fold(text[first:last])


@given(st.text(max_size=700), st.data())
def test_a_snippet_is_short_clean_and_holds_the_place(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    marked = f"{text[:start]} acme {text[start:]}"
    cut = snippet(marked, start + 1)
    assert "acme" in cut
    assert len(cut) <= SNIPPET + 2
    assert all(char.isprintable() or char in "\u200c\u200d" for char in cut)


def test_a_snippet_is_cut_between_words() -> None:
    text = "word " * 100 + "Acme\x00\u202e broke\n" + "other " * 100
    cut = snippet(text, 500)
    assert cut.startswith("…word") and cut.endswith("other…") and "Acme broke other" in cut
