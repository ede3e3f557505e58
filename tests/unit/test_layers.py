"""Imports run downwards: vocabulary, decisions, adapters, services, edges; adapters never import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Module prefix → layer; the longest prefix that fits decides.
LAYERS = {
    "monitor": 0,
    "monitor.errors": 0,
    "monitor.model": 0,
    "monitor.outgoing": 0,
    "monitor.wording": 1,
    "monitor.amounts": 1,
    "monitor.mends": 1,
    "monitor.naming": 1,
    "monitor.figures": 1,
    "monitor.durations": 1,
    "monitor.yamlsyntax": 1,
    "monitor.yamlfile": 1,
    "monitor.fields": 1,
    "monitor.schemas": 1,
    "monitor.checking": 1,
    "monitor.config": 1,
    "monitor.matching": 1,
    "monitor.textform": 1,
    "monitor.discussions": 1,
    "monitor.jsonlines": 1,
    "monitor.schedule": 1,
    "monitor.rules": 1,
    "monitor.timeline": 1,
    "monitor.escalation": 1,
    "monitor.slack": 1,
    "monitor.slack.api": 2,
    "monitor.slack.client": 2,
    "monitor.slack.handshake": 2,
    "monitor.slack.health": 2,
    "monitor.slack.directory": 2,
    "monitor.slack.socket": 2,
    "monitor.slack.speaking": 2,
    "monitor.slack.console": 2,
    "monitor.language": 2,
    "monitor.sources": 2,
    "monitor.sentiment": 2,
    "monitor.store": 2,
    "monitor.ingest": 3,
    "monitor.carry_out": 3,
    "monitor.acting": 3,
    "monitor.inbound": 3,
    "monitor.inbound.talking": 4,
    "monitor.rejudge": 3,
    "monitor.judge": 3,
    "monitor.escalate": 3,
    "monitor.explain": 3,
    "monitor.deliver": 3,
    "monitor.render": 3,
    "monitor.told": 3,
    "monitor.storms": 3,
    "monitor.poll": 3,
    "monitor.status": 3,
    "monitor.commands": 3,
    "monitor.simulate": 3,
    "monitor.play": 3,
    "monitor.prove": 3,
    "monitor.rulegit": 2,
    "monitor.backtest": 4,
    "monitor.check": 4,
    "monitor.demo_world": 4,
    "monitor.credentials": 2,
    "monitor.systemd": 2,
    "monitor.starter": 2,
    "monitor.pages": 2,
    "monitor.rulebook": 4,
    "monitor.inforce": 4,
    "monitor.reloading": 4,
    "monitor.app": 4,
    "monitor.daemon": 4,
    "monitor.desk": 4,
    "monitor.drill": 4,
    "monitor.drill.script": 1,
    "monitor.drill.report": 1,
    "monitor.drill.wording": 1,
    "monitor.demo": 4,
    "monitor.cli": 4,
    "monitor.__main__": 4,
}
MODULES = sorted(path for path in (ROOT / "monitor").rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> tuple[str, int]:
    prefix = max((p for p in LAYERS if module == p or module.startswith(p + ".")), key=len)
    assert prefix != "monitor" or module == "monitor", f"{module} stands in no layer"
    return prefix, LAYERS[prefix]


def imports_of(path: Path) -> set[str]:
    known = {name_of(module) for module in MODULES}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = node.module or ""
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names}
    return {name for name in found if name == "monitor" or name.startswith("monitor.")}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_downwards(path: Path) -> None:
    mine, layer = layer_of(name_of(path))
    for imported in sorted(imports_of(path)):
        other, its_layer = layer_of(imported)
        assert its_layer <= layer, f"{name_of(path)} (layer {layer}) imports {imported} (layer {its_layer})"
        if layer == 2 and its_layer == 2:
            assert mine.split(".")[1] == other.split(".")[1], f"adapter {name_of(path)} imports adapter {imported}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_stay_under_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 400


@pytest.mark.parametrize("path", [p for p in MODULES if not name_of(p).startswith("monitor.store")], ids=name_of)
def test_all_sql_stands_in_the_store(path: Path) -> None:
    assert ".execute(" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", [p for p in MODULES if layer_of(name_of(p))[1] <= 1], ids=name_of)
def test_decisions_read_no_clock(path: Path) -> None:
    text = path.read_text("utf-8")
    for clock in (".now(", ".utcnow(", "time.time(", "time.monotonic(", "random.random(", ".today("):
        assert clock not in text, f"{name_of(path)} uses {clock}"
