"""The scripts that come with brand-monitor, and those that people write: read from where they stand."""

from __future__ import annotations

from pathlib import Path

from monitor import starter
from monitor.drill.script import Script, parse_script
from monitor.errors import ConfigError, MonitorError, Problem
from monitor.fields import did_you_mean

ENDING = ".jsonl"
#: A script is a few dozen posts; more than this is a wrong file.
LARGEST = 5_000_000


def shipped() -> list[Script]:
    """All that come with brand-monitor, by name."""
    return [_read(path) for path in sorted(_folder().glob(f"*{ENDING}"))]


def read_script(name: str) -> Script:
    """The script in the file `name`, or the shipped one of that name. Raises `ConfigError`."""
    path = Path(name)
    if path.is_file():
        return _read(path)
    ours = _folder() / (name.removesuffix(ENDING) + ENDING)
    if path.name == name and ours.is_file():
        return _read(ours)
    names = [known.stem for known in _folder().glob(f"*{ENDING}")]
    what = "there is no such file, and none of that name is shipped" + did_you_mean(name, names)
    raise ConfigError([Problem(name, 0, 0, "", what)])


def _folder() -> Path:
    return Path(starter.__file__).parent / "drills"


def _read(path: Path) -> Script:
    try:
        if path.stat().st_size > LARGEST:
            raise MonitorError(f"{path} is larger than 5 MB: no drill is so long.")
        return parse_script(path.read_bytes(), path.name.removesuffix(ENDING), str(path))
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}")]) from error
