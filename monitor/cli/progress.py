"""Taking in JSON lines from a file or a pipe, with a progress bar on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from monitor.model import Post

if TYPE_CHECKING:
    from monitor.app import App

#: So many bad lines are told one by one; all of them are counted and set aside.
TOLD = 20
CHUNK = 1024


def ingest_lines(app: App, file: BinaryIO) -> int:
    """Feed every line of `file` through the pipeline; return how many were bad."""
    from monitor.ingest import Counts
    from monitor.jsonlines import read_posts

    counts, bad = Counts(), 0
    chunk: list[Post] = []
    with _progress(file) as advance, _Rejected(file) as rejected:
        for number, line, result in read_posts(file):
            if isinstance(result, Post):
                chunk.append(result)
                if len(chunk) == CHUNK:
                    counts += app.take(chunk)
                    chunk.clear()
                    advance(f"{counts.mentions:,} mentions")
                continue
            bad += 1
            rejected.keep(line)
            if bad <= TOLD:
                click.echo(f"line {number}: {result}", err=True)
        counts += app.take(chunk)
        app.settle()
        advance(f"{counts.mentions:,} mentions")
    if bad > TOLD:
        click.echo(f"… and {bad - TOLD:,} more bad lines", err=True)
    click.echo(
        f"{counts.posts:,} posts: {counts.mentions:,} new mentions, {counts.answers:,} answers of ours, "
        f"{counts.known:,} known before ({counts.edited:,} of them edited), {bad:,} bad lines"
        + (f" set aside in {rejected.path}" if bad and rejected.path else "")
    )
    return bad


class _Rejected:
    """Where bad lines go, as they came: `FILE.rejected`, or nowhere for standard input."""

    def __init__(self, file: BinaryIO) -> None:
        name = getattr(file, "name", None)
        self.path = Path(name + ".rejected") if isinstance(name, str) and name not in ("-", "<stdin>") else None
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Rejected:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def keep(self, line: bytes) -> None:
        if self.path is None:
            return
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.write(line.rstrip(b"\n") + b"\n")


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Any]:
    """A function to call now and then with a few words; it draws a bar where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    try:
        total: int | None = os.fstat(file.fileno()).st_size or None
    except OSError:
        total = None
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total)

        def advance(words: str) -> None:
            try:
                progress.update(task, completed=file.tell(), description=words)
            except OSError:
                progress.update(task, advance=0, description=words)

        yield advance
