"""Taking in JSON lines from a file or a pipe, with a progress bar on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from monitor.amounts import number
from monitor.cli.words import near
from monitor.model import Post

if TYPE_CHECKING:
    from monitor.app import App

#: So many bad lines are told one by one; all of them are counted and set aside.
TOLD = 20
#: Posts and characters after which what was read is taken in.
CHUNK, CHARACTERS = 1024, 4_000_000

Tell = Callable[[str], None]


def ingest_lines(app: App, file: BinaryIO) -> int:
    """Feed every line of `file` through the pipeline; return how many were bad."""
    from monitor.ingest import Counts
    from monitor.jsonlines import read_posts

    counts, bad = Counts(), 0
    chunk: list[Post] = []
    size = 0
    with _progress(file) as (advance, tell), _Rejected(file, tell) as rejected:
        for line_number, line, result in read_posts(file):
            if isinstance(result, Post):
                chunk.append(result)
                size += len(line)
                if len(chunk) == CHUNK or size > CHARACTERS:
                    counts += app.take(chunk)
                    chunk.clear()
                    size = 0
                    advance(number(counts.mentions, "mention"))
                continue
            bad += 1
            rejected.keep(line)
            if bad <= TOLD:
                tell(f"line {line_number}: {result}")
        counts += app.take(chunk)
        app.settle(at_once=True)
        advance(number(counts.mentions, "mention"))
    if bad > TOLD:
        click.echo(f"… and {number(bad - TOLD, 'more bad line')}", err=True)
    click.echo(
        f"{number(counts.posts, 'post')}: {number(counts.mentions, 'new mention')}, "
        f"{number(counts.answers, 'answer')} of ours, {counts.known:,} known before ({counts.edited:,} of them edited),"
        f" {number(bad, 'bad line')}" + (f" set aside in {rejected.path}" if bad and rejected.path else "")
    )
    return bad


class _Rejected:
    """Where bad lines go, as they came: `FILE.rejected`; nowhere for standard input or where it cannot be written."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        self._tell = tell
        name = getattr(file, "name", None)
        # A pipe or a terminal (`<(…)`, /dev/stdin) has no place beside it.
        self.path = Path(name + ".rejected") if isinstance(name, str) and Path(name).is_file() else None
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Rejected:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def keep(self, line: bytes) -> None:
        if self.path is None:
            return
        try:
            if self._file is None:
                # Unbuffered: what cannot be written is known here, not when the file is closed.
                self._file = self.path.open("wb", buffering=0)
            self._file.write(line.rstrip(b"\n") + b"\n")
        except OSError as error:
            self._tell(f"{near(self.path)} cannot be written ({error.strerror}): bad lines are not set aside.")
            self.path = None


@contextmanager
def _progress(file: BinaryIO) -> Iterator[tuple[Tell, Tell]]:
    """Two functions: one to call now and then with a few words, one that prints a line to standard error. Where that is
    a terminal, the first draws a bar and the second prints above it."""
    if not sys.stderr.isatty():
        yield lambda words: None, lambda line: click.echo(line, err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    try:
        total: int | None = os.fstat(file.fileno()).st_size or None
    except OSError:
        total = None
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)

        def advance(words: str) -> None:
            try:
                progress.update(task, completed=file.tell(), description=words)
            except OSError:
                progress.update(task, advance=0, description=words)

        yield advance, lambda line: console.print(line, soft_wrap=True)
