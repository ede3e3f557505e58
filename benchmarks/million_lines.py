"""Whether `ingest` runs in bounded memory however much it reads.

    python benchmarks/million_lines.py [--lines 1000000] [--mentions 0.5]

Pipes JSON lines (`--mentions` percent of them mention the brand) into `brand-monitor ingest -` with the bundled model
and prints the resident memory of that process at every tenth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monitor.starter import write_starter


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def line(number: int, every: int) -> str:
    subject = "Acme" if number % every == 0 else "the weather"
    text = f"I have to say that {subject} was awful again this morning, for the third time ({number})"
    post = {"source": "forum", "native_id": str(number), "text": text, "published_at": "2026-03-30T10:00:00Z"}
    return json.dumps(post | {"conversation_id": f"t{number // 100}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--mentions", type=float, default=0.5, help="percent")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_starter(folder)
        config = str(folder / "monitor.yaml")
        command = [sys.executable, "-m", "monitor", "--config", config, "ingest", "-"]
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        for number in range(options.lines):
            process.stdin.write(line(number, round(100 / options.mentions)) + "\n")
            if (number + 1) % (options.lines // 10) == 0:
                print(f"{number + 1:>9,} lines  {resident_mb(process.pid):4.0f} MB", flush=True)
        process.stdin.close()
        process.wait()
        took = time.monotonic() - start
        print(
            f"{options.lines / took:,.0f} lines/s, database {(folder / 'brand-monitor.db').stat().st_size / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
