"""What is shown to one person: words that nobody else sees, a form, App Home, the answer to a command.

Best effort, unlike `slack.client`: nothing of it is kept or tried again. One call, one request; raises only
`DeliveryError`s.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.webhook import WebhookClient, WebhookResponse

from monitor.errors import DeliveryFailed, DeliveryRefused
from monitor.slack.api import SlackApi


class Speaking(SlackApi):
    def whisper(
        self, user: str, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = (), thread_ts: str | None = None
    ) -> None:
        """`text` (escaped) to `user` alone, where they are looking; without a channel, as a message from the app."""
        given = {"text": text, "blocks": list(blocks) or None}
        if channel:
            self._call(self._client.chat_postEphemeral, channel=channel, user=user, thread_ts=thread_ts, **given)
        else:
            self._call(self._client.chat_postMessage, channel=user, unfurl_links=False, **given)

    def open_form(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Within three seconds of the click that brought the trigger."""
        self._call(self._client.views_open, trigger_id=trigger_id, view=view)

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        self._call(self._client.views_publish, user_id=user, view=view)

    def respond(self, url: str, text: str, blocks: Sequence[dict[str, Any]] = ()) -> None:
        """Answer a command at the address that came with it."""
        if not _of_slack(url, self._client.base_url):
            raise DeliveryFailed("The address to which a command is to be answered is none of Slack's.")
        respond(url, text, blocks)


def _of_slack(url: str, api_url: str) -> bool:
    """Only there anything is sent: whoever could forge an envelope must not make this machine ask others."""
    try:
        given, api = urlsplit(url), urlsplit(api_url)
        host = given.hostname or ""
    except ValueError:
        return False
    at_home = (given.scheme, given.netloc) == (api.scheme, api.netloc)
    return at_home or (given.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com")))


def respond(url: str, text: str, blocks: Sequence[dict[str, Any]] = (), timeout: int = 15) -> None:
    """Answer a command, to whoever typed it alone. The address is the right to answer: it stands in no error."""
    logger = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)
    client = WebhookClient(url, timeout=timeout, retry_handlers=[], logger=logger)
    try:
        answer: WebhookResponse = client.send(text=text, blocks=list(blocks) or None, response_type="ephemeral")
    except Exception as error:
        raise DeliveryFailed(f"The answer to a command did not arrive ({type(error).__name__}).") from None
    if answer.status_code != 200:
        code = f"http_{answer.status_code}"
        raise DeliveryRefused(f"Slack did not take the answer to a command (HTTP {answer.status_code}).", code=code)
