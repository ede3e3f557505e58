"""Secrets: from a credential file or the environment, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.credentials import secret
from monitor.errors import ConfigError

NAME = "SLACK_BOT_TOKEN"


def folder(path: Path, text: str) -> dict[str, str]:
    (path / NAME.lower()).write_text(text, "utf-8")
    return {"CREDENTIALS_DIRECTORY": str(path)}


def test_the_environment(tmp_path: Path) -> None:
    found = secret(NAME, {NAME: " xoxb-1\n"})
    assert found is not None and (found.value, found.origin) == ("xoxb-1", "the environment variable SLACK_BOT_TOKEN")


def test_a_credential_goes_before_the_environment(tmp_path: Path) -> None:
    found = secret(NAME, {NAME: "xoxb-1", **folder(tmp_path, "xoxb-2\n")})
    assert found is not None and found.value == "xoxb-2"


def test_a_blank_credential_is_none(tmp_path: Path) -> None:
    assert secret(NAME, folder(tmp_path, "\n")) is None
    found = secret(NAME, {NAME: "xoxb-1", **folder(tmp_path, "\n")})
    assert found is not None and found.value == "xoxb-1"


def test_nothing_given() -> None:
    assert secret(NAME, {}) is None


@pytest.mark.parametrize("value", ["xoxb-1 xoxb-2", "xoxb-\x001", "xoxb-1\nxoxb-2"])
def test_what_can_be_no_token_is_refused_unseen(value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="paste the token alone") as error:
        secret(NAME, folder(tmp_path, value))
    assert "xoxb" not in str(error.value)


def test_it_is_never_shown() -> None:
    assert "xoxb-1" not in f"{secret(NAME, {NAME: 'xoxb-1'})} {secret(NAME, {NAME: 'xoxb-1'})!r}"
