"""What git knows of a rules folder: who changed it last, and how it was at a revision. Without git, nothing.

Git is asked with a deadline and with nothing of the user's configuration that could run a program.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import MonitorError
from monitor.rules.load import LARGEST_FILE, MOST_FILES, to_be_read

DEADLINE = 10.0
_QUIET = (
    "--no-optional-locks", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "diff.external=", "-c", "log.showSignature=false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """The last commit that touched the folder; `edited`: files have been changed since and not committed."""

    author: str
    commit: str
    edited: bool

    def __str__(self) -> str:
        return f"{self.author}, commit {self.commit[:10]}" + (", with changes since" if self.edited else "")


def last_change(folder: Path) -> Change | None:
    """Who changed the rules last, where git knows."""
    log = _git(folder, "log", "-1", "--format=%an <%ae>%x00%H", "--", ".")
    if log is None or b"\0" not in log:
        return None
    author, commit = log.decode("utf-8", "replace").strip().split("\0", 1)
    return Change(author, commit, bool(_git(folder, "status", "--porcelain", "--", ".")))


def files_at(folder: Path, revision: str) -> dict[str, str]:
    """The texts of the folder's rule files as of `revision`, by their path in it. Raises `MonitorError`."""
    if revision.startswith("-"):
        raise MonitorError(f"{revision} is no revision of git.")
    if _git(folder, "rev-parse", "--git-dir") is None:
        raise MonitorError(f"{folder} is no folder that git keeps; name another folder of rules instead of a revision.")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise MonitorError(f"Git knows no revision {revision} in {folder}; `git log` lists those it knows.")
    name = commit.decode().strip()
    listed = _git(folder, "ls-tree", "-r", "-z", "--name-only", name, "--", ".") or b""
    files: dict[str, str] = {}
    for path in sorted(filter(to_be_read, listed.decode("utf-8", "replace").split("\0")))[:MOST_FILES]:
        content = _git(folder, "show", f"{name}:./{path}")
        if content is not None and len(content) <= LARGEST_FILE:
            files[path] = content.decode("utf-8", "replace")
    if not files:
        raise MonitorError(f"There are no rules in {folder} as of {revision}.")
    return files


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails, is not installed or takes too long."""
    command = ["git", *_QUIET, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
