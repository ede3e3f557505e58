"""The unit file is one that systemd takes without a word, and the service it describes is hardened."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.credentials import SLACK_APP_TOKEN, SLACK_BOT_TOKEN

UNIT = Path(__file__).parents[2] / "systemd" / "brand-monitor.service"

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that exists: verify looks for it."""
    text = UNIT.read_text("utf-8").replace("/opt/brand-monitor/bin/brand-monitor", shutil.which("true") or "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text, "utf-8")
    return copy


@needs_systemd
def test_verify_has_nothing_to_say(unit: Path) -> None:
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr, verified.stdout) == (0, "", "")


@needs_systemd
def test_exposure_is_low(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-2000:]


@pytest.mark.parametrize("name", [SLACK_BOT_TOKEN.lower(), SLACK_APP_TOKEN.lower()])
def test_every_token_is_a_credential_that_may_be_missing(name: str) -> None:
    lines = UNIT.read_text("utf-8").splitlines()
    assert f"SetCredential={name}:\\n" in lines
    assert f"LoadCredential={name}:/etc/brand-monitor/credentials/{name}" in lines
