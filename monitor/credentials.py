"""Secrets: from systemd credentials (`$CREDENTIALS_DIRECTORY/slack_bot_token`) or the environment (`SLACK_BOT_TOKEN`).

They are read when they are used, never stored, and a `Secret` never shows its value in a log, an error or a repr.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import ConfigError, Problem

SLACK_BOT_TOKEN = "SLACK_BOT_TOKEN"
SLACK_APP_TOKEN = "SLACK_APP_TOKEN"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    value: str
    origin: str

    def __repr__(self) -> str:
        return f"<secret from {self.origin}>"


def secret(name: str, environment: Mapping[str, str] = os.environ) -> Secret | None:
    """The secret `name`, or None where it is not given. A credential file goes before the environment.

    Raises `ConfigError` for a credential file that cannot be read and for a value that can be no token.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    found = Secret(environment.get(name, "").strip(), f"the environment variable {name}")
    if folder and (file := Path(folder, name.lower())).exists():
        try:
            # The unit has an empty default: it stands for no credential.
            if value := file.read_text("utf-8").strip():
                found = Secret(value, str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([Problem(str(file), 0, 0, name, f"the credential cannot be read: {error}")]) from error
    if not found.value:
        return None
    if any(character.isspace() or not character.isprintable() for character in found.value):
        what = "holds a space or a line break inside; paste the token alone"
        raise ConfigError([Problem(found.origin, 0, 0, name, what)])
    return found
