"""The rules folder on disk: whatever lies in it, it is read as a whole or refused with words, and never for ever."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from monitor import rulebook
from monitor.config import parse_config
from monitor.errors import ConfigError
from monitor.rulebook import Watch, proven_rules, read_rules, rule_files
from monitor.rules.load import MOST_FILES, MOST_PROBLEMS
from tests.fakes.rules_folder import FOLDER, TESTS
from tests.fakes.world import CONFIG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {**FOLDER, "tests/angry.yaml": TESTS}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def told(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        rule_files(folder)
    return str(raised.value).replace(f"{folder}{os.sep}", "").splitlines()


def test_what_is_no_rule_costs_no_rule_its_place(folder: Path) -> None:
    before = rule_files(folder)
    for beside in (".git/objects", "pictures"):
        (folder / beside).mkdir(parents=True)
        for number in range(MOST_FILES):
            (folder / beside / f"{number}").touch()
    (folder / ".git" / "half.yaml").write_text("x", "utf-8")
    (folder / ".#angry.yaml").symlink_to("ann@example.com:1234")
    assert rule_files(folder) == before


def test_no_rule_is_left_out_for_there_being_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "MOST_FILES", 4)
    assert told(folder) == [
        f"{folder}: holds more than 4 files of rules; write the path of a folder with nothing else in it"
    ]
    monkeypatch.undo()
    monkeypatch.setattr(rulebook, "LARGEST_FOLDER", 300)
    assert "is it the right folder?" in told(folder)[0]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def nowhere(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


@pytest.mark.parametrize("make", [pipe, device, loop, nowhere])
def test_what_is_no_file_is_told_and_not_opened(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder / "odd.yaml")
    assert told(folder) == ["odd.yaml: is no file but something else of this name, or a link to nothing; delete it"]


@pytest.mark.parametrize("name", [b"bad\xff.yaml", b"red\x1b[31m.yaml", b"two\nlines.yaml", "a\u202eb.yaml".encode()])
def test_a_name_that_nobody_can_read_is_told_in_a_line_that_everybody_can(folder: Path, name: bytes) -> None:
    (folder / os.fsdecode(name)).write_text(FOLDER["angry.yaml"], "utf-8")
    (line,) = told(folder)
    assert line.isprintable() and line.endswith("has characters in its name that nobody sees; rename it")


def test_a_file_may_end_its_lines_as_it_likes(folder: Path) -> None:
    before = rule_files(folder)
    path = folder / "angry.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert rule_files(folder) == before


def test_a_right_to_read_that_is_given_back_is_noticed(folder: Path) -> None:
    path = folder / "angry.yaml"
    path.chmod(0)
    watch = Watch(folder)
    time.sleep(0.01)  # the file system's clock
    path.chmod(0o644)
    watch.changed()
    assert watch.changed()


# -- bounds ------------------------------------------------------------------------------------------------------

HUGE = {
    "a key again and again": "a: b\n" * 50_000,
    "unknown names": f"match: {{brands: [{'zz,' * 50_000}zz]}}\n",
    "words that are read as truths": "".join(f"k{number}: yes\n" for number in range(20_000)),
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_many_mistakes_are_told_in_bounded_time_and_number(folder: Path, text: str) -> None:
    (folder / "huge.yaml").write_text(text, "utf-8")
    config = parse_config(CONFIG.replace("rules/", f"{folder}/"), folder / "monitor.yaml")
    began = time.process_time()
    with pytest.raises(ConfigError) as raised:
        read_rules(config)
    assert time.process_time() - began < 60
    assert len(raised.value.problems) <= MOST_PROBLEMS + 1


def test_a_fault_of_our_own_is_told_like_a_mistake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object, **named: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(rulebook, "prove", fails)
    config = parse_config(CONFIG.replace("rules/", f"{folder}/"), folder / "monitor.yaml")
    with pytest.raises(ConfigError, match=r"brand-monitor itself fails on these rules .*too deep"):
        proven_rules(config, date(2026, 3, 30), time.perf_counter)
