"""`drill` and `escalations --drill` as people type them: a short crisis in a fresh folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.test_cli import ROOT, run

POSTS = [
    {"drill": "{brand} is down", "targets": {"called": "1m", "acknowledged": None, "answered": None, "guideline": None,
     "resolved": None}},
    *({"at": f"{n}s", "source": "forum", "conversation_id": "t", "author": {"handle": f"a{n}"},
       "text": "{brand} is an awful company, worst service I have ever seen!"} for n in range(1, 6)),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("drilled")
    assert run("init", cwd=made).returncode == 0
    (made / "short.jsonl").write_text("\n".join(map(json.dumps, POSTS)) + "\n", "utf-8")
    return made


def test_without_a_file_it_lists_what_there_is(folder: Path, tmp_path: Path) -> None:
    listed = run("drill", cwd=folder)
    assert (
        listed.returncode == 0
        and "broken-update.en  An update of Acme locks its customers out (en, 33 posts" in listed.stdout
    )
    assert "fuga-di-dati.it" in run("drill", cwd=tmp_path).stdout, "even before there is a configuration"


def test_slips_are_told_before_anything_is_played(folder: Path) -> None:
    (folder / "bad.jsonl").write_text('{"at": "5", "source": "x", "text": "a"}\n{"at": "5s", "sauce": "x"}\n', "utf-8")
    refused = run("drill", "bad.jsonl", cwd=folder)
    assert (
        refused.returncode == 2 and "bad.jsonl:1: at: " in refused.stderr and "bad.jsonl:2: sauce: " in refused.stderr
    )
    assert "no such file" in run("drill", "nothing.jsonl", cwd=folder).stderr
    assert not list(folder.glob("*.db"))


def test_a_drill_from_its_first_post_to_its_figures(folder: Path) -> None:
    played = run("drill", "short.jsonl", "--speed", "60", cwd=folder)
    assert played.returncode == 0, played.stdout + played.stderr
    for sign in (
        "🧪 DRILL  Acme is down",
        "escalations --drill ack 1",
        "🧪 DRILL · 🟠 High: Acme",
        "The one target was met",
    ):
        assert sign in played.stdout, played.stdout
    again = run("drill", "--report", "--json", cwd=folder)
    figures = json.loads(again.stdout)
    assert again.returncode == 0 and figures["met"] and figures["alerts"] == 1
    assert not (folder / "brand-monitor.db").exists(), "the live database is none of its business"
    listed = run("escalations", "--drill", cwd=folder)
    assert "Negative discussion about Acme" in listed.stdout
    read = run("escalations", "--drill", "guideline", "1", "--by", "anna", cwd=folder)
    assert "When a thread turns angry" in read.stdout and "Say" in read.stdout and "version" in read.stdout
    late = run("escalations", "--drill", "ack", "1", cwd=folder)
    assert late.returncode == 1 and "The drill is over" in late.stderr
    assert "not answer" not in late.stderr and run("escalations", cwd=folder).returncode == 1


def test_people_act_while_it_plays_and_ctrl_c_ends_it_with_the_figures_so_far(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "monitor", "drill", "broken-update.en", "--speed", "60"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as played:
        assert played.stdout
        for line in played.stdout:
            if line.strip().endswith("escalations --drill ack 1"):
                break
        acted = run("escalations", "--drill", "ack", "1", "--by", "anna", cwd=folder)
        assert "acknowledged now, anna has it" in acted.stdout, acted.stdout + acted.stderr
        answered = run("escalations", "--drill", "answer", "1", "We are sorry", "--by", "anna", cwd=folder)
        assert "nothing was published" in answered.stdout
        for line in played.stdout:
            if "anna answers" in line:
                break
        played.send_signal(signal.SIGINT)
        told = played.stdout.read()
    assert played.returncode == 1 and "ended early" in told and "anna takes it" in told and "Traceback" not in told


def test_a_live_channel_must_be_asked_for(folder: Path) -> None:
    config = folder / "live.yaml"
    config.write_text('brands: [{name: Acme, terms: [acme]}]\nslack: {drill_channel: "#brand-legal"}\n', "utf-8")
    refused = run("--config", "live.yaml", "drill", "short.jsonl", cwd=folder, SLACK_BOT_TOKEN="xoxb-1")
    assert refused.returncode == 1 and "Real alerts go to #brand-legal" in refused.stderr


def test_answers_outside_a_drill_are_not_published(folder: Path) -> None:
    run("ingest", "-", cwd=folder)
    told = run("escalations", "answer", "1", "Sorry", cwd=folder)
    assert told.returncode == 1 and "publishes nothing" in told.stderr
    (folder / "brand-monitor.db").unlink()
