"""`guidelines`, and what `status` and `check` say of those whom nobody has read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.test_cli import run

TEAMS = """\
social: {channel: "#brand-alerts", members: {anna: U0123456789, bruno: U0234567890}}
legal: {channel: "#brand-legal"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("guidelines")
    assert run("init", cwd=made).returncode == 0
    (made / "rules" / "teams.yaml").write_text(TEAMS, "utf-8")
    (made / "posts.jsonl").write_text("", "utf-8")
    assert run("ingest", "posts.jsonl", cwd=made).returncode == 0
    return made


def test_reading_one_is_recorded_and_told(folder: Path) -> None:
    listed = run("guidelines", cwd=folder)
    assert listed.returncode == 0, listed.stderr
    assert "playbooks/angry-thread.md  When a thread turns angry" in listed.stdout
    assert "not yet read by anna, bruno" in listed.stdout
    assert "has not been read by anna, bruno" in run("status", cwd=folder).stdout
    checked = run("check", cwd=folder).stdout
    assert "note  playbooks/angry-thread.md (version " in checked

    read = run("guidelines", "read", "playbooks/angry-thread.md", "--by", "anna", cwd=folder)
    assert read.returncode == 0
    assert "In the first 15 minutes" in read.stdout
    assert "noted as read by anna" in read.stdout
    assert "was read before by anna" in run("guidelines", "read", "angry-thread", "--by", "anna", cwd=folder).stdout

    [one] = json.loads(run("guidelines", "--json", cwd=folder).stdout)
    assert list(one["read"]) == ["anna"] and one["unread"] == ["bruno"]
    [status] = json.loads(run("status", "--json", cwd=folder).stdout)["guidelines"]
    assert status == one


def test_one_that_does_not_exist(folder: Path) -> None:
    refused = run("guidelines", "read", "playbooks/angry-thred.md", "--by", "anna", cwd=folder)
    assert refused.returncode == 2
    assert 'did you mean "playbooks/angry-thread.md"?' in refused.stderr
