"""The real daemon with two things of the test's: its clock runs fast, and a model that judges by plain words.

    python -m tests.system.daemon_under_test CONFIG START SPEED

START is the POSIX time at which the fast clock and the real one agree.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor.app import App, load_config
from monitor.daemon import Daemon, set_up_logging
from tests.fakes.sentiment import PlainWords


def fast_clock(start: float, speed: float) -> float:
    """POSIX time of a clock that has run `speed` times as fast since `start`."""
    return start + (time.time() - start) * speed


def main(config: Path, start: float, speed: float) -> None:
    set_up_logging()
    app = App(
        load_config(config),
        model=PlainWords(),
        clock=lambda: datetime.fromtimestamp(fast_clock(start, speed), UTC),
    )
    try:
        Daemon(app).run()
    finally:
        app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
