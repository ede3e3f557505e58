"""Asks Slack whether clicks would reach us: opens a socket with the app token, waits for its greeting, hangs up.

A daemon that runs meanwhile stays connected. What people click in the moment that both are may come here and be lost;
Slack then tells them to try again.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from slack_sdk.socket_mode.builtin.connection import Connection, ConnectionState

from monitor.errors import DeliveryError, DeliveryRefused
from monitor.slack.api import SlackApi
from monitor.slack.health import Seen
from monitor.slack.refusals import of_app_token

#: Seconds until Slack must have greeted.
PATIENCE = 10.0

_DEAF = (
    "Slack's socket does not answer, so no click reaches brand-monitor: this machine must be allowed to reach "
    "wss-primary.slack.com and wss-backup.slack.com on port 443; ask whoever looks after its firewall or proxy."
)
_OTHER_APP = (
    "SLACK_APP_TOKEN belongs to another Slack app ({theirs}) than SLACK_BOT_TOKEN ({ours}), so no click reaches "
    "brand-monitor: take both tokens from the same app at https://api.slack.com/apps."
)
_SEVERAL = (
    "{count} programs are connected to this Slack app, and every click reaches one of them alone. Beside brand-monitor "
    "and this check there should be none: end the others, or give each an app of its own."
)


class Handshake(SlackApi):
    """Looks with the app token."""

    def look(self, app_id: str = "") -> Iterator[Seen]:
        """`app_id` is that of the bot token's app, if it is known."""
        try:
            # Not the SDK's method of that name: it sends the token among the arguments, which Slack refuses.
            url = str(self._call(self._client.api_call, api_method="apps.connections.open").get("url") or "")
        except DeliveryRefused as error:
            yield Seen(str(error) if error.code == "bad_request" else of_app_token(error.code), problem=True)
            return
        except DeliveryError as error:
            yield Seen(str(error), problem=True)
            return
        heard = _greeting(url)
        theirs = str((heard.get("connection_info") or {}).get("app_id") or "")
        connected = heard.get("num_connections")
        if heard.get("type") != "hello":
            reason = heard.get("reason")
            yield Seen(of_app_token(reason) if isinstance(reason, str) else _DEAF, problem=True)
        elif app_id and theirs and theirs != app_id:
            yield Seen(_OTHER_APP.format(ours=app_id, theirs=theirs), problem=True)
        elif isinstance(connected, int) and connected > 2:
            yield Seen(_SEVERAL.format(count=connected), note=True)
        else:
            yield Seen("Slack: clicks and commands reach this machine")


def _greeting(url: str) -> dict[str, Any]:
    """What Slack says first over the socket at `url`; nothing where it says nothing. The address is a secret."""
    heard: list[str] = []
    spoken = threading.Event()

    def hear(text: str) -> None:
        heard.append(text)
        spoken.set()

    def hung_up(*reason: object) -> None:
        spoken.set()

    # Outside the tree of loggers: the SDK logs addresses.
    logger = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)
    proxy = load_http_proxy_from_env(logger)
    connection = Connection(
        url, logger, proxy=proxy, receive_timeout=PATIENCE,
        on_message_listener=hear, on_error_listener=hung_up, on_close_listener=hung_up,
    )  # fmt: skip
    connection.connect()
    if (wire := connection.sock) is None:
        return {}
    # From here on it is how long the listening thread takes to notice that it may go.
    wire.settimeout(0.1)
    state = ConnectionState()  # type: ignore[no-untyped-call]
    listening = threading.Thread(target=connection.run_until_completion, args=(state,), daemon=True)
    listening.start()
    spoken.wait(PATIENCE)
    state.terminated = True
    listening.join(PATIENCE)
    connection.close()
    try:
        said = json.loads(heard[0]) if heard else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
