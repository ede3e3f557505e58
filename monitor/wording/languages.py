"""Which languages are spoken: English, in which the texts stand in the code, and those that have a catalog."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "locale"
ENGLISH = "en"
#: Every language that can be asked for.
LANGUAGES = (ENGLISH, *sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
