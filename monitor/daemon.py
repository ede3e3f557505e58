"""The daemon: a scheduler (the main thread), polls in threads of their own, one ingest thread, one delivery thread; and
what people do in Slack (`monitor.inbound.talking`).

    scheduler ──▶ poll threads ──bounded queue──▶ ingest: store, judge, escalate ──outbox──▶ delivery ──▶ Slack
                                                          clicks: carry out ──────┘  ▲────── talking ◀─────┘

SIGTERM and SIGINT drain and stop within `STOP_WITHIN` seconds, SIGHUP reloads. systemd's watchdog is fed only while
the inner loops move on; whether Slack or a source can be reached has no part in it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from queue import Empty, Queue, SimpleQueue
from types import FrameType

from monitor import __version__
from monitor.app import App, Prepared
from monitor.errors import MonitorError, StoreError
from monitor.inbound.talking import Talking
from monitor.ingest import Commit, Counts
from monitor.model import Post
from monitor.poll import Outcome, Polling
from monitor.reloading import Reloading
from monitor.store import facts
from monitor.store.lock import hold
from monitor.systemd import notify, watchdog_seconds

log = logging.getLogger("monitor.daemon")

#: Outcomes of polls that wait for the ingest thread.
QUEUE = 32
#: The loops look around at least so often (seconds): the command line may have changed the database.
TICK = 1.0
#: After the database could not be written (a full disk, say) it is tried again in so many seconds.
STORE_RETRY = 5.0
STOP_WITHIN = 10.0
#: No batch of posts is begun when less of the time to stop is left (seconds).
LAST_BATCH = 4.0
#: How often the daemon notes for `status` what waits in its queue.
NOTE_QUEUE = timedelta(seconds=30)
#: A clock is steered by fractions of a second; more than this was set.
SET_BACK = timedelta(seconds=5)
#: A loop that has not moved for so long (seconds) is stuck, and the watchdog is no longer fed.
STUCK = 120.0
#: The journal's names for how bad it is.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Stopped(BaseException):
    """Raised between two batches of posts when there is no more time: what is not committed is read again.

    No `Exception`, since nothing has failed: whoever handles failures must let it pass.
    """


class Daemon:
    def __init__(self, app: App) -> None:
        self._app = app
        self._outcomes: Queue[Outcome] = Queue(maxsize=QUEUE)
        self._polling = Polling(app.store, self._outcomes, lambda follow: app.sources.follow(follow))
        #: What a signal's handler touches must not lock, or two signals at once stop everything for ever: a handler
        #: may interrupt another one, or the scheduler, that holds the lock of an Event.
        self._asked_to_stop = ""
        self._wake = SimpleQueue[None]()
        self._stop = threading.Event()
        self._reloading = Reloading(app, self._wake_up)
        self._deliver_now = threading.Event()
        self._talking = Talking(app, self._deliver_now.set, lambda: self._beat("clicks"))
        self._drain_until = float("inf")
        self._beats: dict[str, float] = {}
        self._queue_noted_at: datetime | None = None
        #: False after `run` if a thread was left behind: then the process must end without waiting for it.
        self.drained = True
        self._looked_at = (app.clock(), time.monotonic())

    # -- life ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until told to stop. Raises `StoreError` where another daemon works on the same database."""
        with hold(self._app.store.path), self._signals():
            self._app.note_rules()
            self._polling.configure(self._app.sources.configured, self._app.clock())
            self._remember_start()
            threads = [
                threading.Thread(target=self._ingest_loop, name="ingest", daemon=True),
                threading.Thread(target=self._delivery_loop, name="delivery", daemon=True),
            ]
            for thread in threads:
                thread.start()
            self._talking.start()
            notify("READY=1", f"STATUS={self._in_words()}")
            log.info("brand-monitor %s is running: %s", __version__, self._in_words())
            try:
                self._schedule_loop()
            finally:
                notify("STOPPING=1")
                self._drain(threads)
                log.info("stopped")

    def stop(self) -> None:
        """Ask the daemon to drain and stop; callable from any thread."""
        self._asked_to_stop = self._asked_to_stop or "a caller"
        self._wake_up()

    def _wake_up(self) -> None:
        self._wake.put(None)

    def run_once(self) -> None:
        """One cycle: poll every source that is due, judge, fire due timers, deliver what is ready."""
        with hold(self._app.store.path):
            now = self._app.clock()
            self._app.note_rules()
            self._polling.configure(self._app.sources.configured, now, at_once=True)
            self._app.settle()
            # A source that has been polled is due after `now`: the cycle ends when none is left and none under way.
            while self._polling.start_due(self._app.clock(), due_by=now) or self._polling.under_way():
                with suppress(Empty):
                    # A database that cannot be written ends the cycle; what was due is due at the next.
                    self._polling.commit(self._outcomes.get(timeout=0.1), self._take, self._app.clock())
            self._app.settle(at_once=True)
            self._deliver_all_ready()

    def _deliver_all_ready(self) -> None:
        patience = timedelta(seconds=5)
        while (due := self._app.delivery.step(self._app.clock())) is not None:
            wait = due - self._app.clock()
            if wait > patience:
                break
            time.sleep(max(0.0, wait.total_seconds()))

    # -- the scheduler -------------------------------------------------------------------------------------------

    def _schedule_loop(self) -> None:
        watchdog = watchdog_seconds()
        while not self._asked_to_stop:
            due = None
            try:
                self._mind_the_rules()
                self._mind_the_clock()
                due = self._polling.start_due(self._app.clock())
            except StoreError as error:
                log.error("%s", error)
            except Exception:
                log.exception("the scheduler met an error it does not know; it goes on")
            if watchdog and self._moving():
                notify("WATCHDOG=1")
            wait = TICK if due is None else (due - self._app.clock()).total_seconds()
            with suppress(Empty):
                self._wake.get(timeout=min(TICK, max(0.05, wait)))
                while True:
                    self._wake.get_nowait()
        log.info("asked to stop by %s", self._asked_to_stop)

    def _mind_the_clock(self) -> None:
        """Notice that the clock was set back, so that nothing waits until it has caught up."""
        clock, monotonic = self._app.clock(), time.monotonic()
        before = self._looked_at
        back = before[0] - clock + timedelta(seconds=monotonic - before[1])
        if clock < before[0] and back > SET_BACK:
            log.warning("the clock was set back by %s; what is to come moves with it", back)
            self._app.clock_set_back(back)
            self._polling.clock_set_back(back)
        # Only now: where the database could not be written, it is noticed again.
        self._looked_at = (clock, monotonic)

    def _moving(self) -> bool:
        return all(time.monotonic() - beat < STUCK for beat in self._beats.values())

    def _mind_the_rules(self) -> None:
        """Take over what was read anew, if it is good; have it read where that was asked for or the files changed."""
        found = self._reloading.step(time.monotonic())
        if found is None:
            return
        try:
            if isinstance(found, Prepared):
                self._app.take_over(found)
                self._polling.configure(self._app.sources.configured, self._app.clock())
                self._talking.take_over()
                log.info("reloaded: %s", self._in_words())
            elif isinstance(found, StoreError):
                raise found
            elif isinstance(found, MonitorError):
                log.error("not reloaded, all stays as it was:\n%s", found)
            else:
                log.error("not reloaded, for a reason it does not know; all stays as it was", exc_info=found)
        except StoreError:
            # A full disk, say: what was asked for is still to be done.
            self._reloading.again(time.monotonic())
            raise
        finally:
            self._deliver_now.set()
            notify("READY=1", f"STATUS={self._in_words()}")

    # -- ingest --------------------------------------------------------------------------------------------------

    def _ingest_loop(self) -> None:
        busy = False
        while not (self._stop.is_set() and self._outcomes.empty()) and time.monotonic() < self._drain_until:
            self._beat("ingest")
            try:
                with suppress(Empty):
                    self._commit(self._outcomes.get(timeout=0.001 if busy else TICK / 2))
                    self._deliver_now.set()
                # Of thousands of timers that are due at once some are fired at a time.
                busy = self._settle()
                self._note_queue()
            except Stopped:
                log.info("stopped among many posts; those that are not stored are read again")
                return
            except StoreError as error:
                log.error("%s", error)
                self._stop.wait(STORE_RETRY)
            except Exception:
                log.exception("the ingest thread met an error it does not know; it goes on")
                self._stop.wait(STORE_RETRY)

    def _commit(self, outcome: Outcome) -> None:
        """Commit one outcome, however long the database cannot be written; its source is not polled meanwhile."""
        while True:
            try:
                self._polling.commit(outcome, self._take, self._app.clock())
                self._wake_up()
                return
            except StoreError as error:
                log.error("%s", error)
                if self._stop.is_set():
                    return
                self._beat("ingest")
                self._stop.wait(STORE_RETRY)

    def _note_queue(self) -> None:
        now = self._app.clock()
        before = self._queue_noted_at
        if before is None or not before <= now < before + NOTE_QUEUE:
            self._queue_noted_at = now
            waiting, polls = self._outcomes.qsize(), self._polling.under_way()
            with self._app.store.write() as connection:
                facts.remember(connection, "queue", {"waiting": waiting, "polls_under_way": polls}, now)

    def _take(self, posts: Sequence[Post], commit: Commit) -> Counts:
        return self._app.take(posts, commit, self._between_batches)

    def _between_batches(self) -> None:
        """What is due, and what the batch before has brought, does not wait for the last of many posts."""
        self._beat("ingest")
        if time.monotonic() > self._drain_until - LAST_BATCH:
            raise Stopped
        self._deliver_now.set()
        try:
            self._settle()
        except Exception:
            # Not the fault of the posts that are being stored; it is tried again soon.
            log.exception("what was due among many posts failed")

    def _settle(self) -> bool:
        """Whether anything was due."""
        if not self._app.settle():
            return False
        self._deliver_now.set()
        return True

    def _beat(self, loop: str) -> None:
        self._beats[loop] = time.monotonic()

    # -- delivery ------------------------------------------------------------------------------------------------

    def _delivery_loop(self) -> None:
        while not self._stop.is_set() or time.monotonic() < self._drain_until:
            self._beat("delivery")
            self._deliver_now.clear()
            try:
                due = self._app.delivery.step(self._app.clock())
            except StoreError as error:
                log.error("%s", error)
                due = self._app.clock() + timedelta(seconds=STORE_RETRY)
            except Exception:
                log.exception("the delivery thread met an error it does not know; it goes on")
                due = self._app.clock() + timedelta(seconds=STORE_RETRY)
            wait = TICK if due is None else (due - self._app.clock()).total_seconds()
            if self._stop.is_set() and wait > 0.1:
                return
            if wait > 0:
                self._deliver_now.wait(min(TICK, wait))

    # -- stopping ------------------------------------------------------------------------------------------------

    def _drain(self, threads: list[threading.Thread]) -> None:
        self._stop.set()
        self._talking.stop()
        self._drain_until = time.monotonic() + STOP_WITHIN - 2
        ingest, delivery = threads
        ingest.join(STOP_WITHIN - 2)
        self._deliver_now.set()
        delivery.join(max(0.1, self._drain_until + 1 - time.monotonic()))
        self._talking.thread.join(max(0.1, self._drain_until + 1 - time.monotonic()))
        for thread in (*threads, self._talking.thread):
            if thread.is_alive():
                self.drained = False
                log.warning(
                    "the %s thread did not finish in time; what it had not committed is done again", thread.name
                )

    def _signals(self) -> AbstractContextManager[None]:
        def on_stop(number: int, frame: FrameType | None) -> None:
            self._asked_to_stop = signal.Signals(number).name
            self._wake_up()

        def on_hup(number: int, frame: FrameType | None) -> None:
            self._reloading.ask()

        return _handling({signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_hup})

    def _remember_start(self) -> None:
        now = self._app.clock()
        with self._app.store.write() as connection:
            started = f"{now:%Y-%m-%d %H:%M} UTC"
            facts.remember(connection, "daemon", {"pid": os.getpid(), "started": started, "version": __version__}, now)

    def _in_words(self) -> str:
        app = self._app
        found = {"brand": app.config.brands, "source": app.sources.configured, "rule": app.rules.rules}
        return ", ".join(f"{len(all_)} {noun}{'' if len(all_) == 1 else 's'}" for noun, all_ in found.items())


@contextmanager
def _handling(handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    """The handlers are in place while the block runs; only the main thread may have any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def set_up_logging() -> None:
    """To standard error: with systemd's priorities under systemd, readable on a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(_Journal("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("urllib3", "slack_sdk", "transformers", "huggingface_hub"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


class _Journal(logging.Formatter):
    """`<N>` before every line, which the journal takes for its priority."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{PRIORITIES.get(record.levelno, 5)}>"
        return "\n".join(mark + line for line in super().format(record).splitlines())
