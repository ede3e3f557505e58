"""The guide to the rules is right: its files, taken together, are a good folder whose tests hold."""

from __future__ import annotations

import re
import time
from pathlib import Path

from monitor.prove import prove
from monitor.rules.load import load_rules

GUIDE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?:yaml|markdown)\n(?:# |<!-- )rules/(\S+)(?: -->)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {found[1]: found[2] for found in BLOCK.finditer(GUIDE)}


def test_its_files_are_a_good_folder() -> None:
    assert sorted(FILES) == [
        "acme-router-fire.yaml", "playbooks/fire.md", "teams.yaml", "tests/acme-router-fire.yaml", "topics.yaml",
    ]  # fmt: skip
    rules = load_rules(FILES, ["Acme"])
    assert rules.warnings == ()
    assert prove(rules, ["Acme"], "rules", time.perf_counter).problems == ()


def test_its_mute_can_be_written_into_its_rule() -> None:
    mutes = next(line.strip() for line in GUIDE.splitlines() if line.startswith("    mutes: "))
    rule = FILES["acme-router-fire.yaml"] + mutes + "\n"
    (read,) = load_rules({**FILES, "acme-router-fire.yaml": rule}, ["Acme"]).rules
    assert len(read.mutes) == 1
