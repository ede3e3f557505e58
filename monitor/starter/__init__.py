"""The starter files that `init` copies: monitor.yaml from beside this module, and the example rules."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import MonitorError
from monitor.starter.branded import branded

HERE = Path(__file__).parent
SCHEMAS = ".schema"


def starter_files() -> dict[str, bytes]:
    """Path in the new folder → content."""
    # An installed package carries the rules beside this module; in a source tree they stand at its root.
    rules = next(folder for folder in (HERE / "rules", HERE.parents[1] / "rules") if folder.is_dir())
    files = {"monitor.yaml": (HERE / "monitor.yaml").read_bytes()}
    for path in sorted(rules.rglob("*")):
        if path.is_file() and path.suffix in (".yaml", ".md", ".json"):
            files[f"rules/{path.relative_to(rules).as_posix()}"] = path.read_bytes()
    return files


def write_starter(folder: Path, brand: str | None = None) -> list[tuple[Path, bool]]:
    """Write the starter files, those for `brand` if given, into `folder`; return each path and whether it was written
    (else it was there already).

    The schemas for editors are nobody's to edit and are brought up to date. Raises `MonitorError` where the folder
    cannot be written, and `ConfigError` where monitor.yaml cannot take the brand's name.
    """
    done: list[tuple[Path, bool]] = []
    files = starter_files() if brand is None else branded(starter_files(), brand)
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.name == SCHEMAS and path.exists() and path.read_bytes() != content:
                path.write_bytes(content)
            else:
                with path.open("xb") as file:
                    file.write(content)
            done.append((path, True))
        except FileExistsError:
            done.append((path, False))
        except OSError as error:
            raise MonitorError(f"{path} cannot be written: {error.strerror}. Name a folder of yours.") from error
    return done
