"""URLs: one spelling, credentials kept apart, and what of them may be shown. It opens nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin, urlsplit

from monitor.errors import SourceRefused

#: Longer URLs are refused: only a hostile or broken page makes them.
MAX_URL = 4096
#: Characters of a URL in a message.
SHOWN = 200
PORTS = {"http": 80, "https": 443}

_USERINFO = re.compile(r"//[^/?#\\]*@")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,252})|[0-9a-f:.]{2,45}")
_SAFE = "/?%:@!$&'()*+,;=~"
_STRAY_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page is. `path` holds the query too; `authorization` is the header made of the URL's user and password,
    and is in none of the other fields."""

    scheme: str
    host: str
    port: int
    path: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The one spelling, without credentials: fit for keys, messages and the database."""
        return f"{self.scheme}://{self.host_header}{self.path}"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def trusts(self, other: Address) -> bool:
        """Whether this address's credentials may go to `other`: the same origin, or its turn to TLS."""
        origin = (self.scheme, self.host, self.port)
        return (other.scheme, other.host, other.port) in (origin, ("https", self.host, PORTS["https"]))


def parse_address(url: str, base: Address | None = None) -> Address:
    """The address that `url` names, seen from `base`; SourceRefused where it is no http or https URL."""
    try:
        # Half characters cannot be encoded; bad ports, brackets and NFKC tricks in the host raise ValueError.
        joined = urljoin(base.url, url.strip()) if base else url.strip()
        parts = urlsplit(joined)
        host, port, scheme = _host(parts.hostname or ""), parts.port, parts.scheme
        user, password = parts.username, parts.password
        path = quote(_STRAY_PERCENT.sub("%25", parts.path), safe=_SAFE.replace("?", "")) or "/"
        query = quote(_STRAY_PERCENT.sub("%25", parts.query), safe=_SAFE)
    except ValueError as error:
        raise SourceRefused(f"{redact(url)} is no URL that can be read.") from error
    if scheme not in PORTS:
        raise SourceRefused(f"{redact(url)} is neither http nor https; only those are read.")
    if host is None or len(joined) > MAX_URL:
        raise SourceRefused(f"{redact(url)} is no URL that can be read.")
    authorization = None
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}"
        authorization = "Basic " + b64encode(pair.encode("utf-8", "replace")).decode()
    address = Address(scheme, host, port or PORTS[scheme], path + (f"?{query}" if query else ""), authorization)
    # Escaping makes it longer, and what was taken once must be taken again.
    if len(address.url) > MAX_URL:
        raise SourceRefused(f"{redact(url)} is no URL that can be read.")
    return address


def web_url(url: str | None) -> str | None:
    """`url` as a link, without credentials, where it is an absolute http or https URL, else None."""
    try:
        address = parse_address(url or "")
        fragment = quote(urlsplit(url or "").fragment, safe=_SAFE)
    except (SourceRefused, UnicodeEncodeError):
        return None
    link = address.url + (f"#{fragment}" if fragment else "")
    return link if len(link) <= MAX_URL else None


def redact(url: str) -> str:
    """`url` as it may be shown: without user and password, on one line, cut where it is very long."""
    shown = _UNSAFE.sub("", _USERINFO.sub("//", url))
    return shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"


def _host(name: str) -> str | None:
    name = name.rstrip(".")
    if not name.isascii():
        name = name.encode("idna").decode("ascii").lower()
    return name if _HOST.fullmatch(name) else None
