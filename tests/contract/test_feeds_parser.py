"""The processes that read documents: killed when one takes too long, replaced, shared fairly, and gone in the end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from monitor.errors import BadDocument, MonitorError, SourceUnavailable
from monitor.sources.deadline import Deadline
from monitor.sources.parser import Parser
from tests.contract.conftest import FeedMaker
from tests.fakes.feed_server import FeedServer, Page, item, rss

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
ACME = rss(item("1", title="Acme"))
#: 32 KB over which one of feedparser's regular expressions takes seconds, several times.
ENDLESS = rss(*(item(str(n), title="x", author="a" * 32_000) for n in range(10)))
URL = "http://feeds.example/feed.xml"


def read(parser: Parser, body: bytes = ACME, seconds: float = 20.0) -> int:
    return len(parser.parse(body, "text/xml", URL, Deadline(seconds)).entries)


def children() -> set[int]:
    """Of this process: the processes that read documents, zombies too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().rsplit(")", 1)
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid():
            found.add(int(name.split()[0]))
    return found


def ended(process: int) -> bool:
    """Gone, or waiting for its parent to notice."""
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


def until(condition: Callable[[], bool]) -> None:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < 10, "it never came to pass"


@pytest.fixture
def before() -> Iterator[set[int]]:
    """The children there were before; in the end there are no others."""
    there = children()
    yield there
    assert children() - there == set()


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[MonitorError]]:
    errors: list[MonitorError] = []

    def run() -> None:
        try:
            work()
        except MonitorError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_read(
    server: FeedServer, feed: FeedMaker, before: set[int]
) -> None:
    with Parser(processes=1, seconds=1.0) as parser:
        assert read(parser) == 1
        start = time.monotonic()
        with pytest.raises(BadDocument, match="takes too long"):
            read(parser, ENDLESS)
        assert time.monotonic() - start < 3
        assert read(parser) == 1


def test_the_poll_s_own_deadline_holds_for_reading_too(before: set[int]) -> None:
    with Parser(processes=1) as parser:
        read(parser)
        with pytest.raises(BadDocument, match="takes too long"):
            read(parser, ENDLESS, seconds=0.3)


def test_others_are_read_while_a_document_takes_all_its_time(before: set[int]) -> None:
    with Parser(processes=2, seconds=2) as parser:
        slow, errors = in_thread(lambda: read(parser, ENDLESS))
        assert [read(parser) for _ in range(3)] == [1, 1, 1]
        assert slow.is_alive()
        slow.join()
        assert isinstance(errors[0], BadDocument)


def test_who_finds_no_process_free_waits_no_longer_than_its_deadline(before: set[int]) -> None:
    with Parser(processes=1, seconds=2) as parser:
        read(parser)
        slow, _ = in_thread(lambda: read(parser, ENDLESS))
        until(lambda: parser._free.empty())
        with pytest.raises(SourceUnavailable, match="other feeds took too long"):
            read(parser, seconds=0.05)
        assert read(parser) == 1, "it is read when the other one has been given up"
        slow.join()


def test_a_crash_is_the_document_s_fault_and_the_next_is_read(before: set[int]) -> None:
    with Parser(processes=1) as parser:
        read(parser)
        (child,) = children() - before
        slow, errors = in_thread(lambda: read(parser, ENDLESS))
        until(lambda: parser._free.empty())
        os.kill(child, 11)
        slow.join()
        assert "crashed" in str(errors[0])
        assert read(parser) == 1


def test_memory_is_bounded(before: set[int]) -> None:
    with Parser(processes=1, memory=96 * 2**20) as parser:
        with pytest.raises(BadDocument):
            read(parser, rss(*(item(str(n), title="x" * 9999) for n in range(3000))))
        assert read(parser) == 1


def test_a_process_that_has_grown_or_is_idle_ends_and_is_replaced(before: set[int]) -> None:
    for parser in (Parser(processes=1, resident=1), Parser(processes=1, idle=0.2)):
        with parser:
            for _ in range(3):
                assert read(parser) == 1
                (child,) = children() - before
                until(partial(ended, child))


def test_without_documents_there_is_no_process(before: set[int]) -> None:
    with Parser():
        assert children() == before


def test_closing_ends_the_work_at_once(before: set[int]) -> None:
    parser = Parser(processes=1, seconds=60)
    read(parser)
    slow, errors = in_thread(lambda: read(parser, ENDLESS, seconds=60))
    until(lambda: parser._free.empty())
    start = time.monotonic()
    parser.close()
    parser.close()
    slow.join()
    assert time.monotonic() - start < 3
    assert isinstance(errors[0], SourceUnavailable)
    with pytest.raises(SourceUnavailable):
        read(parser, seconds=0.1)


@pytest.mark.parametrize("executable", ["/bin/false", "/nowhere/python"])
def test_a_process_that_does_not_start_is_no_fault_of_the_feed(
    before: set[int], monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with Parser() as parser, pytest.raises(SourceUnavailable, match="does not start"):
        read(parser)


def test_it_knows_no_secrets_and_little_else(before: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    with Parser(processes=1) as parser:
        read(parser)
        (child,) = children() - before
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        status = Path(f"/proc/{child}/status").read_text()
        files = {int(file.name) for file in Path(f"/proc/{child}/fd").iterdir()}
    names = {line.partition(b"=")[0].decode() for line in environment if line}
    assert names <= {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH"}
    assert files == {0, 1, 2}, "its own channel and nothing of ours"
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 60_000, f"{resident} kB: it imports more than it needs"


def test_it_ends_with_the_daemon_however_that_ends() -> None:
    script = (
        "import os, sys, threading\n"
        "from monitor.sources.parser import Parser\n"
        "from monitor.sources.deadline import Deadline\n"
        "parser = Parser(processes=1)\n"
        "parser.parse(sys.stdin.buffer.read(), '', 'http://a.example/', Deadline(20))\n"
        "print(parser._all[0]._running[0].pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], input=ACME, stdout=subprocess.PIPE, check=False)
    until(lambda: ended(int(ran.stdout)))


def test_a_poll_of_an_endless_document_keeps_its_cursor(server: FeedServer, feed: FeedMaker) -> None:
    server.put("/feed.xml", Page(ACME), Page(ENDLESS), Page(rss(item("2", title="Acme two"))))
    source = feed(seconds=3)
    cursor = source.poll({}, NOON).cursor
    with pytest.raises(BadDocument):
        source.poll(cursor, NOON)
    assert [post.title for post in source.poll(cursor, NOON).posts] == ["Acme two"]
