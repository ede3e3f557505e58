"""Which process is the daemon of a database: the one that holds a lock on the file beside it while it lives."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StoreError

TRIES = 20


def lock_file(store: Path) -> Path:
    """Says nothing by merely being there: a killed daemon leaves it behind, unlocked."""
    return store.with_name(store.name + ".lock")


def held(store: Path) -> bool:
    """Whether a daemon works on this database now."""
    try:
        with lock_file(store).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def hold(store: Path) -> Iterator[None]:
    """Be the daemon of this database while the block runs. Raises `StoreError` if another process is.

    Whoever asks `held` has the lock for a moment, too: it is tried for a second.
    """
    path = lock_file(store)
    try:
        file = path.open("ab")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    with file:
        for _ in range(TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(1 / TRIES)
        else:
            what = f"A daemon works on this database already ({path} is locked)."
            raise StoreError(f"{what} Stop it first, or use another `store:`.")
        yield
