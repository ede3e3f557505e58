"""The demo: within half a minute a reader sees posts, judgements and one alert; nothing is left outside its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.system.test_cli import ROOT, run


def test_the_demo(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    played = run("demo", "--seconds", "28", cwd=tmp_path, HOME=str(tmp_path / "home"))
    assert played.returncode == 0, played.stderr
    told = played.stdout
    for sign in ("giulia", "luca", "High: Acme", "Why: Negative discussion about Acme", "escalations ack 1", "answer"):
        assert sign in told, told
    assert told.count("You take it?") == 1, "one alert for one discussion"
    assert "Traceback" not in played.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brand-monitor-demo", "home"]
    assert list((tmp_path / "home").iterdir()) == []

    lines = [line for line in told.splitlines() if line[2:3] == line[5:6] == ":"]
    assert len(lines) == 14 and max(map(len, lines)) <= 100 and "-0.00" not in told
    assert [line[-9:] for line in lines if "nadia" in line or "acme_support" in line] == ["[1/2 neg]", "[7/8 neg]"]

    def escalations(*arguments: str) -> str:
        config = str(tmp_path / "brand-monitor-demo" / "monitor.yaml")
        done = run("--config", config, "escalations", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = escalations("show", "1")
    assert shown.count("Router update 4.2") == 1, "the thread's title is not told again with every post"
    assert "nobody has it yet" in shown and "Said (3 of 8)" in shown and "escalations ack 1" in shown
    assert "bob has it" in escalations("assign", "1", "bob", "--anyone", "--by", "anna")
    assert "bob has it" in (shown := escalations("show", "1")) and "anna (command line) gives it to bob" in shown
    assert "escalations ack 1" not in shown
    outcome = ("--outcome", "not about us", "--note", "another Acme", "--by", "anna")
    assert "resolved now" in escalations("resolve", "1", *outcome)
    shown = escalations("show", "1")
    assert "high, resolved by anna, bob had it: not about us “another Acme”" in shown and "To act" not in shown
    assert "anna (command line) resolves it: not about us “another Acme”" in shown
    assert "No escalation is alive" in escalations()
    assert json.loads(escalations("--all", "--json"))[0]["outcome"] == "not about us"


def test_a_demo_that_was_interrupted_claims_no_alert(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "monitor", "demo"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as played:
        assert played.stdout
        before = next(line for line in played.stdout if "carla" in line)
        played.send_signal(signal.SIGINT)
        told = before + played.stdout.read()
    assert played.returncode == 0 and "before anything could alert" in told and "escalations show" not in told


def test_the_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "brand-monitor-demo").mkdir()
    (tmp_path / "brand-monitor-demo" / "thesis.txt").write_text("mine")
    played = run("demo", cwd=tmp_path)
    assert played.returncode == 1 and "name a new folder" in played.stderr
    assert (tmp_path / "brand-monitor-demo" / "thesis.txt").read_text() == "mine"
