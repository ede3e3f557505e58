"""A secret in monitor.yaml: refused, with where it belongs, and never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import parse_config
from monitor.errors import ConfigError

ACME = "brands: [{name: Acme, terms: [acme]}]\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("slack: {token: hunter2}", id="token"),
        pytest.param("slack: {bot_token: hunter2}", id="bot token"),
        pytest.param("SLACK_BOT_TOKEN: hunter2", id="the name of the variable"),
        pytest.param("X_BEARER_TOKEN: hunter2", id="another network's token"),
        pytest.param("network: {password: hunter2}", id="password"),
        pytest.param("network: {contact: xoxb-hunter2}", id="token in the wrong place"),
        pytest.param("# xapp-1-hunter2", id="token in a comment"),
        pytest.param("slack: {channel: #xoxb-hunter2", id="token in a broken file"),
        pytest.param("sources: [{feed: 'https://me:hunter2@a.example/'}]", id="password in an address"),
        pytest.param("sources: [{feed: 'ftp://a.example/?key=hunter2'}]", id="key in an address of the wrong kind"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(ACME + text, Path("monitor.yaml"))
    found = str(raised.value).splitlines()
    assert found and all(line.startswith("monitor.yaml:2:") for line in found)
    assert "hunter2" not in "\n".join(found)
    if "ftp" not in text and "me:" not in text:
        assert "environment variable" in found[0] and "credential" in found[0]
