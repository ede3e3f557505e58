"""`rules test`, `rules list`, `rules mute` and `rules unmute` as people and CI call them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.fakes.proofs import prove_all
from tests.fakes.world import CONFIG, TEAMS, THREAD

NAMED = "acme-negative-thread"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    assert run("init", cwd=folder).returncode == 0
    return folder


def test_the_starter_rules_are_proven_and_everything_is_reached(starter: Path) -> None:
    told = run("rules", "test", cwd=starter)
    assert told.returncode == 0, told.stdout
    assert "all passed" in told.stdout and "No test reaches" not in told.stdout


def test_a_failure_shows_what_happened_against_what_was_expected(starter: Path) -> None:
    file = starter / "rules" / "tests" / f"{NAMED}.yaml"
    good = file.read_text("utf-8")
    file.write_text(good.replace("{at: 30m, posts: 1, replies: 1}", "{at: 30m, posts: 2, replies: 1}"), "utf-8")
    try:
        told = run("rules", "test", NAMED, "--junit", "ci.xml", cwd=starter)
        checked = run("rules", "check", cwd=starter)
        answer = json.loads(run("rules", "test", "--json", cwd=starter).stdout)
    finally:
        file.write_text(good, "utf-8")
    assert told.returncode == 1
    for words in ("+3m30s     posted in #brand-alerts", "✗ posts: expected 2, found 1", f"tests/{NAMED}.yaml:"):
        assert words in told.stdout
    suite = ElementTree.fromstring((starter / "ci.xml").read_text("utf-8"))
    assert suite.get("failures") == "1" and "expected 2, found 1" in ElementTree.tostring(suite, encoding="unicode")
    assert checked.returncode == 2 and "posts: expected 2, found 1" in checked.stderr
    assert answer["ok"] is False and [test["passed"] for test in answer["tests"]].count(False) == 1


def test_a_live_rule_without_tests_is_a_mistake(starter: Path) -> None:
    file = starter / "rules" / "tests" / "acme-loud-voice.yaml"
    good = file.read_text("utf-8")
    file.unlink()
    try:
        told = run("rules", "check", cwd=starter)
    finally:
        file.write_text(good, "utf-8")
    assert told.returncode == 2
    assert "acme-loud-voice.yaml:" in told.stderr and "no test lets it fire" in told.stderr


def test_a_muted_rule_holds_its_alert_until_the_mute_ends(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "thread.yaml").write_text(THREAD.replace("wait_first: 30s", "wait_first: 0s"), "utf-8")
    (tmp_path / "rules" / "teams.yaml").write_text(TEAMS, "utf-8")
    prove_all(tmp_path / "rules")
    (tmp_path / "monitor.yaml").write_text(CONFIG, "utf-8")
    (tmp_path / "empty.jsonl").write_text("", "utf-8")
    (tmp_path / "posts.jsonl").write_text("".join(map(post, range(5))), "utf-8")
    mute = ("rules", "mute", "thread", "--for", "4h", "--because", "works on the line", "--by", "ada")

    assert "There is no database" in run(*mute, cwd=tmp_path).stderr
    assert run("ingest", "empty.jsonl", cwd=tmp_path).returncode == 0
    assert "posts nothing until" in run(*mute, cwd=tmp_path).stdout
    unknown = run("rules", "mute", "tread", "--for", "4h", "--because", "x", cwd=tmp_path)
    assert unknown.returncode == 2 and 'no rule tread; did you mean "thread"?' in unknown.stderr
    assert run("ingest", "posts.jsonl", cwd=tmp_path).returncode == 0
    listed = run("rules", "list", cwd=tmp_path).stdout
    assert re.search(r"thread is muted until [-0-9]+ [:0-9]+ UTC: works on the line \(ada\)", listed)
    assert "works on the line (ada)" in run("status", cwd=tmp_path).stdout
    assert "held" in run("escalations", cwd=tmp_path).stdout

    assert "may post again" in run("rules", "unmute", "thread", cwd=tmp_path).stdout
    cycle = run("run", "--once", cwd=tmp_path)
    assert "Negative discussion about Acme" in cycle.stdout, cycle.stderr
    (alert,) = json.loads(run("escalations", "--json", cwd=tmp_path).stdout)
    assert alert["state"] == "open"


def post(number: int) -> str:
    at = datetime.now(UTC) - timedelta(minutes=number)
    text, author = "Acme is the worst, I hate this disgrace", {"id": str(number)}
    line = {"source": "forum", "native_id": str(number), "text": text, "published_at": at.isoformat()}
    return json.dumps({**line, "conversation_id": "t1", "author": author}) + "\n"
