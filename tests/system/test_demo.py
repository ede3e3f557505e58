"""The demo: within half a minute a reader sees posts, judgements and one alert; nothing is left outside its folder."""

from __future__ import annotations

from pathlib import Path

from tests.system.test_cli import run


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

    config = tmp_path / "brand-monitor-demo" / "monitor.yaml"
    shown = run("--config", str(config), "escalations", "show", "1", cwd=tmp_path)
    assert shown.returncode == 0 and "Router update 4.2" in shown.stdout
    resolved = run("--config", str(config), "escalations", "resolve", "1", "--outcome", "answered", cwd=tmp_path)
    assert "resolved now" in resolved.stdout


def test_the_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "brand-monitor-demo").mkdir()
    (tmp_path / "brand-monitor-demo" / "thesis.txt").write_text("mine")
    played = run("demo", cwd=tmp_path)
    assert played.returncode == 1 and "name a new folder" in played.stderr
    assert (tmp_path / "brand-monitor-demo" / "thesis.txt").read_text() == "mine"
