"""Which library turns the HTML of feed entries into text: time and memory for usual and for hostile markup.

    python -m benchmarks.html_to_text        # needs nh3 and selectolax beside the monitor's own dependencies

Each case runs in a process of its own, which is given ten seconds: some builders of trees crash or take minutes.
"""

from __future__ import annotations

import html
import os
import re
import resource
import signal
import time
from collections.abc import Callable

import nh3
from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from monitor.sources.html_text import BLOCKS, clean, to_text

PARAGRAPH = (
    "<div><p>Il servizio di <b>Acme</b> non funziona &egrave; <a href='https://x.example/?a=1&b=2'>giù</a> da"
    " <i>tre</i> giorni.</p><ul><li>uno</li><li>due</li></ul><img src=x alt='a photo'><script>alert(1)</script><br/>"
    "fine</div>"
)
CASES = {
    "1 KB": PARAGRAPH * 4,
    "10 KB": PARAGRAPH * 40,
    "200 KB": PARAGRAPH * 800,
    "100,000 nested div": "<div>" * 100_000 + "x",
    "100,000 nested b": "<b>" * 100_000 + "x",
    "20,000 nested tables": "<table><tr><td>" * 20_000 + "x",
    "100,000 <": "<" * 100_000,
    "200,000 entities": "<p>" + "&amp;" * 200_000,
    "30,000 attributes": "<a " + " ".join(f"a{n}=1" for n in range(30_000)) + ">x",
}


def lxml_events(markup: str) -> str:
    return to_text(markup)


def lxml_tree(markup: str) -> str:
    root = etree.fromstring(markup.encode(), etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True))
    pieces: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        pieces.append("\n" if element.tag in BLOCKS else "")
        pieces.append((element.text if event == "start" else element.tail) or "")
    return clean("".join(pieces))


def selectolax(markup: str) -> str:
    body = LexborHTMLParser(markup).body
    nodes = body.traverse(include_text=True) if body else ()
    pieces = (node.text_content or "" if node.tag == "-text" else "\n" * (node.tag in BLOCKS) for node in nodes)
    return clean("".join(pieces))


def nh3_and_re(markup: str) -> str:
    kept = nh3.clean(markup, tags=set(BLOCKS), attributes={}, link_rel=None)
    return clean(html.unescape(re.sub(r"<[^>]+>", "\n", kept)))


def measure(convert: Callable[[str], str], markup: str) -> None:
    """In a child: print milliseconds a document and the most memory; say so where it dies."""
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        times = max(1, min(200, 200_000 // len(markup)))
        start = time.perf_counter()
        for _ in range(times):
            convert(markup)
        spent = (time.perf_counter() - start) / times * 1000
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{spent:9.2f} ms {memory:4} MiB", end="", flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(f"  killed by {signal.Signals(status & 0x7F).name:8}", end="")


def main() -> None:
    for name, markup in CASES.items():
        print(f"{name:22}", end="", flush=True)
        for convert in (lxml_events, lxml_tree, selectolax, nh3_and_re):
            print(f"  {convert.__name__}", end="", flush=True)
            measure(convert, markup)
        print()


if __name__ == "__main__":
    main()
