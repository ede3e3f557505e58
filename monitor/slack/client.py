"""Posts, updates and looks for messages in Slack: the adapter over slack_sdk's WebClient.

One call, one request: it never retries, sleeps or decides what follows (`monitor.escalation.outbox` does), and raises
only `DeliveryError`s, each with what to click to mend it. The token appears in no error and no log.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from monitor.errors import DeliveryError, DeliveryRefused, DeliveryUnknown
from monitor.slack.api import SlackApi, header
from monitor.slack.messages import CONSOLE, Delivered, Message
from monitor.slack.refusals import in_words

EVENT_TYPE = "brand_monitor"
#: To post, and to look whether a post arrived; private channels need groups:read and groups:history as well.
SCOPES = ("chat:write", "channels:read", "channels:history")

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{5,}")


@dataclass(frozen=True, slots=True)
class SlackCheck:
    """Who we are in Slack, and what is wrong, each in a sentence that says how to mend it."""

    workspace: str
    bot: str
    problems: tuple[str, ...]


class SlackMessenger(SlackApi):
    """`install` is this database's own random id: another installation's outbox ids are not ours."""

    def __init__(self, token: str, *, install: str, api_url: str = WebClient.BASE_URL, timeout: int = 15) -> None:
        self._install = install
        self._identity: tuple[str, str] | None = None
        super().__init__(token, api_url=api_url, timeout=timeout)

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        """Post in `channel` (`#name` or id), or in the thread of its message `thread_ts`."""
        if thread_ts is not None:
            self._refuse_console(channel)
        answer = self._call(
            self._client.chat_postMessage,
            channel=channel,
            thread_ts=thread_ts,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"outbox_id": outbox_id, "install": self._install}},
            unfurl_links=False,
            unfurl_media=False,
            **_content(message),
        )
        return _delivered(answer)

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        """Replace the message `ts` of `channel` (an id); its metadata stay."""
        self._refuse_console(channel)
        return _delivered(self._call(self._client.chat_update, channel=channel, ts=ts, **_content(message)))

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        """Where our post of `outbox_id` stands; None after a complete read from `oldest` on without it.

        Of several the oldest stays and the others are deleted.
        """
        if channel == CONSOLE:
            return None
        id = self._channel_id(channel)
        window = {"channel": id, "oldest": f"{oldest.timestamp():.6f}", "inclusive": True, "include_all_metadata": True}
        try:
            if thread_ts is None:
                pages = self._pages(self._client.conversations_history, "messages", **window)
            else:
                pages = self._pages(self._client.conversations_replies, "messages", ts=thread_ts, **window)
            found = sorted((item["ts"] for item in pages if self._is_ours(item, outbox_id)), key=float)
        except DeliveryRefused as error:
            if error.code == "thread_not_found":
                return None
            raise
        for extra in found[1:]:
            try:
                self._call(self._client.chat_delete, channel=id, ts=extra)
            except DeliveryError as error:
                logging.getLogger(__name__).warning("A message stands twice in %s: %s", channel, error)
        return Delivered(id, found[0]) if found else None

    def check(self, channels: Sequence[str] = ()) -> SlackCheck:
        """Ask Slack whether the token, the app's permissions and the membership in `channels` suffice."""
        try:
            answer = self._call(self._client.auth_test)
            granted = header(answer, "x-oauth-scopes")
            missing = [scope for scope in SCOPES if granted and scope not in re.split(r"[,\s]+", granted)]
            problems = [in_words("missing_scope", scope=scope) for scope in missing]
            if "channels:read" not in missing:
                problems += self._channel_problems(channels)
        except DeliveryError as error:
            return SlackCheck("", "", (str(error),))
        return SlackCheck(str(answer.get("team", "")), str(answer.get("user", "")), tuple(problems))

    # -- who and where -------------------------------------------------------------------------------------------

    def _is_ours(self, item: dict[str, Any], outbox_id: int) -> bool:
        metadata = item.get("metadata") or {}
        payload = {"outbox_id": outbox_id, "install": self._install}
        if metadata.get("event_type") != EVENT_TYPE or metadata.get("event_payload") != payload:
            return False
        if self._identity is None:
            answer = self._call(self._client.auth_test)
            self._identity = str(answer.get("bot_id")), str(answer.get("user_id"))
        # Metadata are visible to other apps of the workspace, which could copy them.
        return item.get("bot_id") == self._identity[0] or item.get("user") == self._identity[1]

    def _channel_id(self, channel: str) -> str:
        """Histories are asked for by id, and only members may ask."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        for joined in self._joined():
            if joined.get("name") == channel.removeprefix("#"):
                return str(joined["id"])
        raise DeliveryRefused(in_words("not_in_channel", channel=channel), code="not_in_channel")

    def _joined(self) -> list[dict[str, Any]]:
        method, types = self._client.users_conversations, "public_channel,private_channel"
        try:
            return list(self._pages(method, "channels", types=types))
        except DeliveryRefused as error:
            if error.code != "missing_scope":
                raise
            return list(self._pages(method, "channels", types="public_channel"))

    def _channel_problems(self, channels: Sequence[str]) -> list[str]:
        joined = self._joined()
        problems = []
        for channel in channels:
            found = [item for item in joined if channel.removeprefix("#") in (item.get("name"), item.get("id"))]
            if not found:
                problems.append(in_words("not_in_channel", channel=channel))
            elif found[0].get("is_archived"):
                problems.append(in_words("is_archived", channel=channel))
        return problems

    @staticmethod
    def _refuse_console(channel: str) -> None:
        if channel == CONSOLE:
            message = "The first message was printed on the terminal; Slack gets a new one."
            raise DeliveryRefused(message, code="message_not_found")


def _content(message: Message) -> dict[str, Any]:
    blocks = list(message.blocks) or None
    return {"text": message.text, "blocks": blocks, "parse": "none", "link_names": False}


def _delivered(answer: SlackResponse) -> Delivered:
    if not answer.get("channel") or not answer.get("ts"):
        raise DeliveryUnknown("Slack's answer does not say where the message stands.")
    return Delivered(str(answer["channel"]), str(answer["ts"]))
