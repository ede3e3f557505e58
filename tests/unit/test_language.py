from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.language import detect

TOLD = {
    "en": "My internet has been down since this morning and nobody answers the phone",
    "it": "Da stamattina internet non funziona e nessuno risponde al telefono",
    "fr": "Internet ne marche plus depuis ce matin et personne ne répond au téléphone",
    "de": "Seit heute Morgen geht das Internet nicht und niemand geht ans Telefon",
    "es": "Desde esta mañana no funciona internet y nadie contesta al teléfono",
    "pt": "Desde hoje de manhã a internet não funciona e ninguém atende o telefone",
    "ar": "الإنترنت لا يعمل منذ الصباح ولا أحد يرد على الهاتف",
    "hi": "सुबह से इंटरनेट काम नहीं कर रहा है",
    "ja": "今朝からインターネットが使えません",
}
UNKNOWN = {
    "empty": "",
    "a brand": "Acme",
    "a word": "ok",
    "figures and signs": "100 % !!! 🔥🔥🔥 12345 67890",
    "only addresses": "https://example.org/this/is/the/way @somebody #nothingworks u/somebody_there www.example.org",
}


@pytest.mark.parametrize(("language", "text"), TOLD.items(), ids=TOLD.keys())
def test_languages_are_told(language: str, text: str) -> None:
    assert detect(text) == language


def test_capitals_links_and_names_do_not_mislead() -> None:
    text = "SEIT HEUTE MORGEN GEHT DAS INTERNET NICHT\nhttps://example.org/the/internet/is/down @the_operator #outage"
    assert detect(text) == "de"


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_nothing_is_guessed(text: str) -> None:
    assert detect(text) is None


@pytest.mark.parametrize("text", ["\x00\ud800 ab" * 1000, "a" * 1_000_000, "@" * 100_000, "é\u0301" * 100_000])
def test_hostile_text_is_survived(text: str) -> None:
    detect(text)


def test_threads_may_ask_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(detect, list(TOLD.values()) * 20)) == list(TOLD) * 20


def test_nothing_is_fetched_or_written(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from monitor.language import detect\n"
        "assert detect('nobody answers the phone since this morning') == 'en'"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(root)}
    environment.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=tmp_path, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
