"""Connects to public addresses only, so that no feed or redirect makes us ask the machines of our own network.

The check is on the address, when connecting and on the connected socket: names, redirects, DNS that changes its answer
and odd spellings of an address (decimal, octal, IPv6 forms) cannot get round it. `allow_hosts` lifts it for some hosts.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Iterable
from typing import Any

from monitor.errors import SourceRefused
from monitor.sources.deadline import Deadline

#: Addresses of one name that are tried.
MOST_ADDRESSES = 6

# `is_global` alone lets these through, or did in some release: multicast, reserved and translated addresses.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
)

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


def is_public(address: str) -> bool:
    """Whether a numeric address can be reached by everybody, not only in this network or on this machine."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _TRANSLATED or ip.ipv4_mapped:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _GLOBAL_UNICAST:
            return False
    refused = any(ip in network for network in _REFUSED if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not refused


class Guard:
    """`allow_hosts`: `host` or `host:port`, exactly as in the URLs, that may be at any address."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(host.strip().lower() for host in allow_hosts)

    def connect(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connected socket; SourceRefused where no address of `host` may be used, else OSError."""
        allowed = self._allows(host, port)
        found = _resolve(host, port, deadline)
        usable = [info for info in found if allowed or is_public(info[4][0])][:MOST_ADDRESSES]
        if not usable:
            raise _refusal(host, found[0][4][0])
        failure: OSError | None = None
        for rest, info in zip(range(len(usable), 0, -1), usable, strict=True):
            try:
                return self._open(host, info, deadline.left() / rest, allowed)
            except OSError as error:
                failure = error
        assert failure is not None
        raise failure

    def _allows(self, host: str, port: int) -> bool:
        return not self._allowed.isdisjoint({host, f"[{host}]", f"{host}:{port}", f"[{host}]:{port}"})

    def _open(self, host: str, info: AddressInfo, seconds: float, allowed: bool) -> socket.socket:
        family, kind, protocol, _, address = info
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(seconds)
            opened.connect(address)
            peer = opened.getpeername()[0]
            if not allowed and not is_public(peer):
                raise _refusal(host, peer)
        except BaseException:
            opened.close()
            raise
        return opened


def _refusal(host: str, address: str) -> SourceRefused:
    return SourceRefused(
        f"{host} is at {address}, which is not a public address, so it is not read;"
        " if you mean it, write the host under network: allow_hosts."
    )


def _resolve(host: str, port: int, deadline: Deadline) -> list[AddressInfo]:
    """The addresses of `host`. getaddrinfo takes no timeout, hence a thread, which ends when the resolver does."""
    answer: queue.SimpleQueue[list[AddressInfo] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error)

    try:
        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    except RuntimeError as error:
        raise OSError("no thread is left to resolve its name") from error
    try:
        found = answer.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(found, OSError):
        raise found
    if isinstance(found, UnicodeError) or not found:
        raise socket.gaierror("the name has no address")
    return found
