"""A look into a database without opening it for writing: not a byte of it changes, whoever works on it meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from monitor.errors import StoreError
from monitor.store import schema


class Peek:
    """One that is missing, or of another version, is taken for an empty one: there is nothing to see in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view, for as long as the block lasts."""
        connection = self._opened() or _empty()
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be read: {error}.") from error
        finally:
            connection.close()

    def _opened(self) -> sqlite3.Connection | None:
        if not self._path.exists():
            return None
        # Without a write-ahead log nobody works on it, and to make one would be writing.
        log = self._path.with_name(self._path.name + "-wal")
        address = f"file:{quote(str(self._path))}?mode=ro" + ("" if log.exists() else "&immutable=1")
        try:
            connection = sqlite3.connect(address, uri=True, isolation_level=None)
            ours = connection.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID
            if ours and schema.version(connection) == len(schema.MIGRATIONS):
                return connection
            connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be read: {error}.") from error
        return None


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection)
    return connection
