"""For all tests: nothing leaves this machine, and no credential of the developer's environment leaks in."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

import pytest

CREDENTIALS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "CREDENTIALS_DIRECTORY", "BRAND_MONITOR_CONFIG", "NOTIFY_SOCKET")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Any:
    """Connecting anywhere but to loopback is a failure of the test, not of the network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]
