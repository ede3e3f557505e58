"""Posts, updates and looks for messages in Slack: the adapter over slack_sdk's WebClient.

One call, one request: it never retries, sleeps or decides what follows (`monitor.escalation.outbox` does), and raises
only `DeliveryError`s, each with what to click to mend it. The token appears in no error and no log.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from monitor.errors import DeliveryError, DeliveryFailed, DeliveryLimited, DeliveryRefused, DeliveryUnknown
from monitor.slack.messages import CONSOLE, Delivered, Message
from monitor.slack.refusals import in_words

EVENT_TYPE = "brand_monitor"
PAGE = 200
DEFAULT_RETRY_AFTER = timedelta(seconds=30)
#: To post, and to look whether a post arrived; private channels need groups:read and groups:history as well.
SCOPES = ("chat:write", "channels:read", "channels:history")

_LIMITED = frozenset({"ratelimited", "rate_limited"})
#: Slack had not read the request.
_NOT_READ = frozenset({"request_timeout", "team_added_to_org"})
_AMBIGUOUS = frozenset({"fatal_error", "internal_error", "service_unavailable"})
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{5,}")
_CODE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SlackCheck:
    """Who we are in Slack, and what is wrong, each in a sentence that says how to mend it."""

    workspace: str
    bot: str
    problems: tuple[str, ...]


class SlackMessenger:
    """`install` is this database's own random id: another installation's outbox ids are not ours."""

    def __init__(self, token: str, *, install: str, api_url: str = WebClient.BASE_URL, timeout: int = 15) -> None:
        self._install = install
        self._identity: tuple[str, str] | None = None
        self._last_date: datetime | None = None
        self._client = WebClient(
            token,
            base_url=api_url,
            timeout=timeout,
            # The SDK's default handler posts again after a reset connection: the message would stand there twice.
            retry_handlers=[],
            # Stands outside the tree of loggers: the SDK logs whole answers, we log our own sentences.
            logger=logging.Logger("slack_sdk", level=logging.CRITICAL + 1),
        )

    @property
    def server_time(self) -> datetime | None:
        """What Slack's clock showed when it last answered."""
        return self._last_date

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
            granted = _header(answer, "x-oauth-scopes")
            missing = [scope for scope in SCOPES if granted and scope not in re.split(r"[,\s]+", granted)]
            problems = [in_words("missing_scope", scope=scope) for scope in missing]
            if "channels:read" not in missing:
                problems += self._channel_problems(channels)
        except DeliveryError as error:
            return SlackCheck("", "", (str(error),))
        return SlackCheck(str(answer.get("team", "")), str(answer.get("user", "")), tuple(problems))

    # -- one request ---------------------------------------------------------------------------------------------

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        channel = str(arguments.get("channel", ""))
        try:
            answer = method(**arguments)
        except SlackApiError as error:
            self._note_date(error.response)
            raise _refusal(error.response, channel) from None
        except SlackClientError as error:
            message = f"The request to Slack cannot be made: {error}. Check `slack.api_url`."
            raise DeliveryRefused(message, code="bad_request") from None
        except URLError as error:
            if _never_left(error.reason):
                raise DeliveryFailed(f"Slack cannot be reached: {error.reason}. It is tried again by itself.") from None
            raise DeliveryUnknown(f"The connection to Slack broke: {error.reason}.") from None
        except (OSError, HTTPException, ValueError, LookupError, AttributeError) as error:
            # The SDK lets through whatever a cut or garbled answer raises in urllib, http.client, codecs and json.
            raise DeliveryUnknown(f"Slack's answer broke off or cannot be read ({type(error).__name__}).") from None
        self._note_date(answer)
        return answer

    def _pages(self, method: Callable[..., SlackResponse], key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """All items of all pages; raises `DeliveryUnknown` where a page is missing."""
        cursor, read = "", set()
        while cursor not in read:
            read.add(cursor)
            answer = self._call(method, limit=PAGE, **({"cursor": cursor} if cursor else {}), **arguments)
            yield from answer.get(key) or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor and not answer.get("has_more"):
                return
        raise DeliveryUnknown("Slack's list breaks off before its end.")

    def _note_date(self, answer: SlackResponse) -> None:
        with suppress(ValueError):
            self._last_date = parsedate_to_datetime(_header(answer, "date")).astimezone(UTC)

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


def _refusal(answer: SlackResponse, channel: str) -> DeliveryError:
    code = answer.get("error") if isinstance(answer.data, dict) else None
    if answer.status_code == 429 or code in _LIMITED:
        return DeliveryLimited("Slack asks for a pause: too many requests.", retry_after=_retry_after(answer))
    if code in _NOT_READ:
        return DeliveryFailed(f"Slack did not read the request ({code}). It is tried again by itself.")
    if answer.status_code >= 500 or answer.status_code == 408 or code in _AMBIGUOUS:
        return DeliveryUnknown(f"Slack failed ({code if _is_code(code) else answer.status_code}).")
    if _is_code(code):
        needed = str(answer.get("needed") or "")
        return DeliveryRefused(in_words(str(code), channel=channel, scope=needed), code=str(code))
    if answer.status_code == 200:
        return DeliveryUnknown("Slack's answer broke off or cannot be read.")
    code = f"http_{answer.status_code}"
    return DeliveryRefused(in_words(code), code=code)


def _is_code(code: object) -> bool:
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def _header(answer: SlackResponse, name: str) -> str:
    return next((str(value) for key, value in answer.headers.items() if key.lower() == name), "")


def _retry_after(answer: SlackResponse) -> timedelta:
    seconds = _header(answer, "retry-after").strip()
    return timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,6}", seconds) else DEFAULT_RETRY_AFTER


def _never_left(reason: object) -> bool:
    """Whether a connection failed before a request could be sent over it."""
    if isinstance(reason, socket.gaierror | ConnectionRefusedError | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in _NO_ROUTE
