"""When the daemon reads its configuration and rules anew: on SIGHUP, and when files of the rules folder change.

Reading and running the rules' tests takes its time and is done beside everything else, in a thread of its own; what
comes of it is handed to the scheduler, which takes it over between two of its steps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from monitor.app import App, Prepared
from monitor.rulebook import Watch
from monitor.systemd import notify_reloading

#: The folder is looked at this often (seconds). What has changed must rest for as long: editors write in steps.
LOOK_EVERY = 2.0
#: What could not be read or taken over because the database was locked or full is tried again in so many seconds.
AGAIN_AFTER = 5.0


class Reloading:
    """`ask` is called by a signal handler and so takes no lock, `step` by the scheduler; `ready` wakes it."""

    def __init__(self, app: App, ready: Callable[[], None]) -> None:
        self._app = app
        self._ready = ready
        self._asked = False
        self._watch = app.watch
        self._look_at = 0.0
        self._whole = False
        self._again_at: float | None = None
        self._thread: threading.Thread | None = None
        self._found: Prepared | Exception | None = None

    def ask(self) -> None:
        self._asked = True
        self._ready()

    def again(self, now: float) -> None:
        """What was begun last has failed for a reason that passes: begin it again a little later."""
        self._again_at = now + AGAIN_AFTER

    def step(self, now: float) -> Prepared | Exception | None:
        """Begin to read where it is time (`now`: seconds of a clock that never goes back); return what was read."""
        if self._thread is not None:
            if self._thread.is_alive():
                return None
            self._thread = None
            found, self._found = self._found, None
            return found
        if self._asked:
            self._asked = False
            self._watch.changed()
            notify_reloading()
            self._begin(whole=True)
        elif self._again_at is not None and now >= self._again_at:
            self._begin(whole=self._whole)
        elif now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            if self._watch.folder != self._app.config.rules:
                self._watch = Watch(self._app.config.rules)
            elif self._watch.changed():
                # monitor.yaml may be half edited: it is read when somebody asks for it.
                self._begin(whole=False)
        return None

    def _begin(self, *, whole: bool) -> None:
        # What is still to be done again is done with it.
        self._whole = whole or (self._again_at is not None and self._whole)
        self._again_at = None
        self._thread = threading.Thread(target=self._read, args=[self._whole], name="reload", daemon=True)
        self._thread.start()

    def _read(self, whole: bool) -> None:
        try:
            self._found = self._app.prepare(None if whole else self._app.config)
        except Exception as error:
            self._found = error
        finally:
            self._ready()
