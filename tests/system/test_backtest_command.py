"""`rules backtest` as people run it: the summary, the JSON, the page, and how it ends where something is wrong."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.test_cli import run

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Starter rules, and a discussion of yesterday with six furious posts in it; `old/` asks for more of them."""
    folder = tmp_path_factory.mktemp("used")
    assert run("init", cwd=folder).returncode == 0
    posts = [
        {"source": "forum", "native_id": str(n), "text": "Acme is an awful company, the worst, never again!",
         "title": "<b>Never again</b>", "url": f"https://forum.example/t/1#{n}", "conversation_id": "t1",
         "published_at": (YESTERDAY + timedelta(minutes=n)).isoformat()}
        for n in range(6)
    ]  # fmt: skip
    assert run("ingest", "-", cwd=folder, stdin="\n".join(map(json.dumps, posts))).returncode == 0
    shutil.copytree(folder / "rules", folder / "old")
    thread = folder / "old" / "acme-negative-thread.yaml"
    thread.write_text(thread.read_text("utf-8").replace("at_least: 4, within", "at_least: 40, within"), "utf-8")
    return folder


def test_it_says_what_is_new_and_writes_a_page(used: Path) -> None:
    told = run("rules", "backtest", "--against", "old", "--html", "page.html", cwd=used)
    assert told.returncode == 0, told.stderr
    said = " ".join(told.stdout.split())
    assert "would have alerted once in 30 days (0.2 a week), the old ones never; 1 is new, none is gone." in said
    assert "d1" in told.stdout and "<b>Never again</b>" in told.stdout and "\nThe page is in page.html." in told.stdout
    page = (used / "page.html").read_text("utf-8")
    assert "&lt;b&gt;Never again&lt;/b&gt;" in page and "<b>" not in page and 'rel="noreferrer' in page
    assert all(0 < len(line) <= 160 or not line for line in told.stdout.splitlines())


def test_json_has_everything(used: Path) -> None:
    told = json.loads(run("rules", "backtest", "--against", "old/", "--since", "7d", "--json", cwd=used).stdout)
    assert set(told) == {
        "since", "until", "weeks", "mentions", "verdict", "notes", "new", "old", "rules", "added", "gone", "missed",
        "searched", "assumptions",
    }  # fmt: skip
    assert (told["mentions"], told["new"]["messages"], told["old"]["messages"]) == (6, 1, 0)
    (added,) = told["added"]
    assert (added["discussion"], added["title"], added["opinion"]) == (1, "<b>Never again</b>", "unknown")
    (alert,) = added["alerts"]
    assert alert["rule"] == "acme-negative-thread" and alert["reasons"][0]["found"] == "4"
    rules = {rule["id"]: rule for rule in told["rules"]}
    assert rules["acme-negative-thread"]["changed"] and rules["acme-negative-thread"]["added"] == 1
    assert sum(rules["acme-negative-thread"]["new"]["days"].values()) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["--since", "30"], 2, "write 30m for 30 minutes", id="no unit"),
        pytest.param(["--since", "0m"], 2, "between an hour and ten years", id="no time"),
        pytest.param(
            ["--against", "nowhere"], 1, "no folder nowhere to compare with", id="neither folder nor revision"
        ),
        pytest.param(
            ["--rule", "thread"], 2, "there is no rule thread; there are acme-legal-safety", id="no such rule"
        ),
        pytest.param(["--html", "no/page.html"], 1, "cannot be written to no/page.html: No such", id="no such folder"),
        pytest.param(["--since", "2h"], 1, "Try `--since", id="nothing of that time"),
    ],
)
def test_what_is_wrong_is_said_in_words(used: Path, arguments: list[str], status: int, says: str) -> None:
    ended = run("rules", "backtest", *arguments, cwd=used)
    assert ended.returncode == status and says in ended.stderr and "Traceback" not in ended.stderr


def test_broken_rules_end_with_status_2(used: Path, tmp_path: Path) -> None:
    shutil.copytree(used, tmp_path / "broken")
    (tmp_path / "broken" / "old" / "acme-spike.yaml").write_text("id: spike\nseverty: high\n", "utf-8")
    ended = run("rules", "backtest", "--against", "old", cwd=tmp_path / "broken")
    assert ended.returncode == 2 and "old/acme-spike.yaml:2:1: severty: unknown key" in ended.stderr
    assert "    2 | severty: high" in ended.stderr
