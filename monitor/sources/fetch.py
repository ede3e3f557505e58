"""A GET that cannot be held up, blown up or led astray: total deadline, bounded body, public addresses, few redirects.

No proxies and no .netrc: nothing of the environment is read but the system's certificates. One connection a request:
hosts are asked again in minutes only. It does not understand what it fetched, and tries nothing twice.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from functools import cached_property

from monitor import __version__
from monitor.errors import (
    AccessDenied,
    BadDocument,
    RateLimited,
    SourceError,
    SourceGone,
    SourceRefused,
    SourceUnavailable,
)
from monitor.sources.address import Address, parse_address, redact
from monitor.sources.deadline import Deadline, TimedSocket
from monitor.sources.guard import Guard
from monitor.sources.headers import retry_after
from monitor.sources.unpack import TooLarge, Unpacker

PIECE = 65536
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one poll: `seconds` in all, `body` in bytes after decompression, `redirects` in hops."""

    seconds: float = 20.0
    body: int = 15 * 2**20
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of 2xx, or 304 with no body. `permanent`: where the leading permanent redirects lead, if there are any.
    `cut`: less came than was announced."""

    status: int
    url: str
    headers: Message
    body: bytes = b""
    cut: bool = False
    permanent: str | None = None


class Fetcher:
    """Shared by all feeds and threads. `contact`, in the User-Agent, is for those whose servers are asked."""

    def __init__(
        self,
        guard: Guard,
        *,
        contact: str | None = None,
        limits: Limits = Limits(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._clock = clock
        printable = "".join(c for c in contact or "" if c.isascii() and c.isprintable())
        self._user_agent = f"brand-monitor/{__version__}" + (f" (+{printable})" if printable else "")

    def deadline(self) -> Deadline:
        """For one poll that begins now."""
        return Deadline(self._limits.seconds, self._clock)

    def get(
        self, start: Address, conditions: Mapping[str, str], owner: Address, deadline: Deadline, now: datetime
    ) -> Answer:
        """Ask for `start`, with `conditions` and, where they belong, the `owner`'s credentials. Raises SourceErrors."""
        here, permanent, leading = start, None, True
        visited: set[str] = set()
        with self._mapped(start):
            while here.url not in visited and len(visited) <= self._limits.redirects:
                visited.add(here.url)
                with ExitStack() as opened:
                    response = self._ask(here, conditions, owner, deadline, opened)
                    target = response.headers.get("Location")
                    if response.status not in REDIRECTS or not target:
                        return self._answer(response, here, permanent, now)
                    leading = leading and response.status in PERMANENT
                # What parse_address refuses of a redirect is the redirect's fault, not the configuration's.
                here = _redirected(start, here, target)
                permanent = here.url if leading else permanent
        why = "round in a circle" if here.url in visited else f"on more than {self._limits.redirects} times"
        raise SourceRefused(f"{redact(start.url)} is redirected {why}; check the address in a browser.")

    def _ask(
        self,
        address: Address,
        conditions: Mapping[str, str],
        owner: Address,
        deadline: Deadline,
        opened: ExitStack,
    ) -> http.client.HTTPResponse:
        connected = opened.enter_context(self._guard.connect(address.host, address.port, deadline))
        if address.scheme == "https":
            connected.settimeout(deadline.left())
            connected = opened.enter_context(self._tls.wrap_socket(connected, server_hostname=address.host))
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.sock = TimedSocket(connected, deadline).as_socket()
        headers = {
            "Host": address.host_header,
            "User-Agent": self._user_agent,
            "Accept": ACCEPT,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
            **conditions,
        }
        if owner.authorization and owner.trusts(address):
            headers["Authorization"] = owner.authorization
        connection.request("GET", address.path, headers=headers)
        return opened.enter_context(connection.getresponse())

    def _answer(
        self, response: http.client.HTTPResponse, address: Address, permanent: str | None, now: datetime
    ) -> Answer:
        if response.status == 304:
            return Answer(304, address.url, response.headers, permanent=permanent)
        if not 200 <= response.status < 300:
            raise _failure(response.status, response.headers, address.url, now)
        shown = redact(address.url)
        coding = response.headers.get("Content-Encoding", "")
        unpacker = Unpacker(coding, self._limits.body)
        try:
            cut = _read(response, unpacker)
        except TooLarge as error:
            size = f"{self._limits.body / 2**20:g} MiB"
            raise BadDocument(f"{shown} is larger than {size}, which no feed should be.") from error
        if unpacker.unreadable:
            raise BadDocument(f"{shown} is compressed as {redact(coding)}, which was not offered to it.")
        body, cut = bytes(unpacker.body), cut or not unpacker.whole
        return Answer(response.status, address.url, response.headers, body, cut, permanent)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    @contextmanager
    def _mapped(self, address: Address) -> Iterator[None]:
        """Third-party errors as ours."""
        shown = redact(address.url)
        try:
            yield
        except SourceError:
            raise
        except TimeoutError as error:
            text = f"{shown} did not answer completely within {self._limits.seconds:g} seconds"
            raise SourceUnavailable(f"{text}; it is tried again later.") from error
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message or "it cannot be verified"
            raise SourceUnavailable(
                f"The certificate of {shown} is not accepted: {why}; its owner must mend it."
            ) from error
        except ssl.SSLError as error:
            raise SourceUnavailable(f"No secure connection to {shown}: {error.reason or error}.") from error
        except socket.gaierror as error:
            raise SourceUnavailable(f"The host name of {shown} was not found; check its spelling.") from error
        except OSError as error:
            raise SourceUnavailable(f"The connection to {shown} failed: {error.strerror or error}.") from error
        except (http.client.HTTPException, ValueError) as error:
            raise SourceUnavailable(f"{shown} gave an answer that is not proper HTTP.") from error


def _read(response: http.client.HTTPResponse, unpacker: Unpacker) -> bool:
    """Read the body; whether less came than was announced."""
    try:
        while piece := response.read1(PIECE):
            unpacker.feed(piece)
    except http.client.IncompleteRead as error:
        unpacker.feed(error.partial)
        unpacker.finish()
        return True
    unpacker.finish()
    return bool(response.length)


def _redirected(start: Address, here: Address, target: str) -> Address:
    try:
        return parse_address(target, here)
    except SourceRefused as error:
        raise SourceRefused(f"{redact(start.url)} redirects to a place that is not read: {error}") from error


def _failure(status: int, headers: Message, url: str, now: datetime) -> SourceError:
    """The error that an HTTP status means."""
    shown = f"{redact(url)} answered {status} {http.client.responses.get(status, '')}".rstrip()
    wait = retry_after(headers.get("Retry-After"), now)
    if status in (401, 403):
        return AccessDenied(f"{shown}: it may not be read; it may need a user and password, or block programs.")
    if status == 410:
        return SourceGone(f"{shown}: its publisher ended it; take it out of the configuration.")
    if status == 429 or (status == 503 and wait is not None):
        return RateLimited(f"{shown}: it asks for fewer requests.", retry_after=wait)
    hint = "check the address" if status == 404 else "it is tried again later"
    return SourceUnavailable(f"{shown}: {hint}.", retry_after=wait)
