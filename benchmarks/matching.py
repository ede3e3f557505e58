"""How long matching takes a post, for 10, 1,000 and 5,000 terms: `python benchmarks/matching.py [POSTS.jsonl]`.

Without a file (JSON lines with `text`) posts are made up. Prints microseconds a post, and how many posts matched.
"""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime

from monitor.config import Brand
from monitor.matching import Matcher
from monitor.model import Post

SYLLABLES = [
    "ba",
    "co",
    "di",
    "fu",
    "ga",
    "he",
    "ji",
    "ko",
    "lu",
    "ma",
    "ne",
    "pi",
    "qua",
    "ro",
    "su",
    "té",
    "vu",
    "xa",
    "yo",
    "zü",
]


def main(path: str | None) -> None:
    random.seed(1)
    posts = [Post("x", str(i), text, datetime(2026, 1, 1, tzinfo=UTC)) for i, text in enumerate(texts(path))]
    print(f"{len(posts)} posts of {sum(len(post.text) for post in posts) / len(posts):.0f} characters")
    for count in (10, 1_000, 5_000):
        brands = [
            Brand(
                name=f"Brand {index}",
                terms=tuple(" ".join(words(random.choice((1, 1, 2)), 4)) for _ in range(10)),
                handles={"x": (f"brand{index}",)},
                domains=(f"brand{index}.example",),
            )
            for index in range(count // 10)
        ]
        matcher = Matcher(brands)
        started = time.perf_counter()
        matched = sum(bool(matcher.find(post, lambda: None)) for post in posts)
        spent = time.perf_counter() - started
        print(f"{count:>5} terms: {spent / len(posts) * 1e6:5.1f} µs a post, {matched} matched")


def words(count: int, longest: int = 6) -> list[str]:
    return ["".join(random.choices(SYLLABLES, k=random.randint(3, longest))) for _ in range(count)]


def texts(path: str | None) -> list[str]:
    if path is None:
        ends = ("", " https://example.org/a", " @someone", " 🔥")
        return [" ".join(words(20)) + random.choice(ends) for _ in range(20_000)]
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
