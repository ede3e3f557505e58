"""How fast the bundled model judges and what memory it holds: `python benchmarks/sentiment.py [POSTS.jsonl] [THREADS]`.

Without a file (JSON lines with `text`) texts are made up: 2,000 short ones. Then 200 long ones are judged, as articles
are. Prints megabytes resident and texts a second.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from monitor.sentiment import SentimentModel, load_model

PHRASES = ("the router of Acme", "is down again", "and nobody answers", "but I love it", "thank you so much", "really?")


def main(arguments: Sequence[str]) -> None:
    threads = int(arguments[1]) if len(arguments) > 1 else 1
    short = texts(arguments[0] if arguments else None)[:2_000]
    print(f"before: {resident():.0f} MB")
    started = time.perf_counter()
    model = load_model("bundled", threads, 32)
    print(f"loaded: {resident():.0f} MB, {time.perf_counter() - started:.2f} s, {threads} threads, {model.id}")
    judge(model, "short", short)
    judge(model, "long", [" ".join(short[i : i + 20]) for i in range(200)])


def judge(model: SentimentModel, name: str, batch: Sequence[str]) -> None:
    started = time.perf_counter()
    model.judge(batch)
    spent = time.perf_counter() - started
    print(f"{len(batch)} {name} texts: {len(batch) / spent:.0f} texts/s, {resident():.0f} MB")


def texts(path: str | None) -> list[str]:
    if path is None:
        chosen = random.Random(1)
        return [" ".join(chosen.choices(PHRASES, k=chosen.randint(2, 9))) for _ in range(2_000)]
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    main(sys.argv[1:])
