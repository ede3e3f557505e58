"""How fast posts go through the whole pipeline, and where the time goes.

    python benchmarks/pipeline.py [--posts 20000] [--threads 2]

Posts as JSON lines, 30 % of them mentions in a few thousand discussions, through `ingest` with the bundled model and
the starter rules into a new database. Prints posts/s, mentions judged/s, peak memory and the share of each part.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.app import App, load_config
from monitor.ingest import Counts
from monitor.jsonlines import post_to_line, read_posts
from monitor.model import Author, Engagement, Post
from monitor.starter import write_starter

OPENINGS = (
    "Since yesterday evening", "I have to say that", "Does anybody know whether", "For the third time this week",
    "Da ieri sera", "Devo dire che", "Qualcuno sa se", "Honestly", "My neighbour told me that", "Per la terza volta",
)  # fmt: skip
ENDINGS = (
    "does not work at all and nobody picks up the phone, what a disgrace.",
    "is really fast here, I am very happy with it.",
    "opens a new shop in our town next month, they said.", "non funziona più e nessuno risponde, che vergogna.",
    "va benissimo, sono davvero contento del servizio.",
    "changes its tariffs in autumn, has somebody seen the new list?",
    "apre un nuovo negozio in centro il mese prossimo.", "was down again for two hours, I want my money back.",
)  # fmt: skip
SUBJECTS = (
    "the bakery around the corner",
    "il treno delle otto",
    "my old bicycle",
    "the library",
    "la piscina comunale",
)


def posts(count: int, seed: int = 7) -> Iterator[Post]:
    chance = random.Random(seed)
    end = datetime.now(UTC)
    for number in range(count):
        mention = chance.random() < 0.3
        subject = "Acme" if mention else chance.choice(SUBJECTS)
        yield Post(
            source="forum",
            native_id=str(number),
            text=f"{chance.choice(OPENINGS)} {subject} {chance.choice(ENDINGS)} ({number})",
            published_at=end - timedelta(hours=12) * (1 - number / count),
            author=Author(id=str(chance.randrange(count // 4)), followers=int(chance.paretovariate(1.1) * 20)),
            conversation_id=f"t{int(chance.paretovariate(0.6)) % (count // 8)}",
            engagement=Engagement(likes=chance.randrange(20)),
        )


class Stopwatch:
    """Time spent in parts of the program, by name; a part inside another counts for the inner one alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watch(self, owner: Any, method: str, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                took = time.perf_counter() - start
                self.seconds[name] += took - self._inner.pop()
                self._inner[-1] += took

        setattr(owner, method, timed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.posts, options.threads)


def measure(folder: Path, count: int, threads: int) -> None:
    import monitor.ingest
    import monitor.store.mentions

    write_starter(folder)
    config = "brands: [{name: Acme, terms: [acme]}]\nslack: {channel: '#alerts'}\nrules: rules/\nstore: b.db\n"
    (folder / "monitor.yaml").write_text(config + f"sentiment: {{threads: {threads}}}\n", "utf-8")
    lines = folder / "posts.jsonl"
    lines.write_text("".join(post_to_line(post) + "\n" for post in posts(count)), "utf-8")

    app = App(load_config(folder / "monitor.yaml"))
    watch = Stopwatch()
    watch.watch(app.model, "judge", "sentiment model")
    watch.watch(app.ingest._matcher, "find", "matching")
    watch.watch(app.ingest._topics, "topics", "topics")
    watch.watch(monitor.ingest, "detect", "language detection")
    watch.watch(monitor.store.mentions, "save", "storing")
    watch.watch(app.escalate, "consider", "rules and escalations")
    app.model.judge(["warm up"])
    watch.seconds.clear()

    counts = Counts()
    start = time.perf_counter()
    with lines.open("rb") as file:
        chunk = []
        for _, _, post in read_posts(file):
            assert isinstance(post, Post)
            chunk.append(post)
            if len(chunk) == 1024:
                counts += app.take(chunk)
                chunk = []
        counts += app.take(chunk)
    app.settle()
    total = time.perf_counter() - start
    app.close()

    model = watch.seconds["sentiment model"]
    watch.seconds["reading lines, commits, the rest"] = total - sum(watch.seconds.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{counts.posts:,} posts, {counts.mentions:,} mentions in {total:.1f} s")
    print(f"{counts.posts / total:,.0f} posts/s, {counts.mentions / total:,.0f} mentions judged/s, peak {peak:.0f} MB")
    for name, seconds in sorted(watch.seconds.items(), key=lambda pair: -pair[1]):
        print(f"{seconds:8.2f} s  {seconds / total:6.1%}  {name}")
    print(f"everything but the model: {(total - model) / total:.1%} of the time (goal: under 20 %)")


if __name__ == "__main__":
    main()
