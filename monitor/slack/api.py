"""One request to Slack's Web API, over slack_sdk's WebClient; what it answers, or why not.

It never retries, sleeps or decides what follows (`monitor.escalation.outbox` does), and raises only `DeliveryError`s,
each with what to click to mend it. The token appears in no error and no log.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from monitor.errors import DeliveryError, DeliveryFailed, DeliveryLimited, DeliveryRefused, DeliveryUnknown
from monitor.slack.refusals import in_words

PAGE = 200
DEFAULT_RETRY_AFTER = timedelta(seconds=30)

_LIMITED = frozenset({"ratelimited", "rate_limited"})
#: Slack had not read the request.
_NOT_READ = frozenset({"request_timeout", "team_added_to_org"})
_AMBIGUOUS = frozenset({"fatal_error", "internal_error", "service_unavailable"})
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_CODE = re.compile(r"[a-z][a-z0-9_]*")


class SlackApi:
    """The Web API as seen with one token; adapters that ask for something inherit it."""

    def __init__(self, token: str, *, api_url: str = WebClient.BASE_URL, timeout: int = 15) -> None:
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
                raise DeliveryFailed(f"Slack cannot be reached: {error.reason}.") from None
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
            self._last_date = parsedate_to_datetime(header(answer, "date")).astimezone(UTC)


def _refusal(answer: SlackResponse, channel: str) -> DeliveryError:
    code = answer.get("error") if isinstance(answer.data, dict) else None
    if answer.status_code == 429 or code in _LIMITED:
        return DeliveryLimited("Slack asks for a pause: too many requests.", retry_after=_retry_after(answer))
    if code in _NOT_READ:
        return DeliveryFailed(f"Slack did not read the request ({code}).")
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


def header(answer: SlackResponse, name: str) -> str:
    return next((str(value) for key, value in answer.headers.items() if key.lower() == name), "")


def _retry_after(answer: SlackResponse) -> timedelta:
    seconds = header(answer, "retry-after").strip()
    return timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,6}", seconds) else DEFAULT_RETRY_AFTER


def _never_left(reason: object) -> bool:
    """Whether a connection failed before a request could be sent over it."""
    if isinstance(reason, socket.gaierror | ConnectionRefusedError | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in _NO_ROUTE
