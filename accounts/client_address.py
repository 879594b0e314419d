"""The address that a request counts for, behind proxies that the operator named.

X-Forwarded-For is a list to which each proxy adds whom it saw at the right end; what
stands left of our own proxies' entries is the client's own claim. So it is read from
the right, and only when the connection itself comes from a trusted proxy
(https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

IPV6_PREFIX = 64  # bits: what one household or one rented machine gets
UNIX_SOCKET = "unix"  # in TRUSTED_PROXIES: whoever connects over a Unix socket
UNKNOWN = "unknown"  # a Unix socket that is not trusted names nobody


def client_network(request: HttpRequest) -> str:
    """Return the IPv4 address, or the /64 network of an IPv6 one, as text."""
    names = settings.TRUSTED_PROXIES
    address = _client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=[parse_network(name) for name in names if name != UNIX_SOCKET],
        is_socket_trusted=UNIX_SOCKET in names,
    )
    if address is None:
        return UNKNOWN
    if address.version == 6:
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def parse_network(text: str) -> Network:
    """Return the network of an address or of a network in CIDR form.

    Raises:
        ValueError: it is neither.
    """
    return ipaddress.ip_network(text)


def _client_address(
    remote: str, forwarded: str, *, trusted: list[Network], is_socket_trusted: bool
) -> Address | None:
    """Return whom the outermost trusted proxy saw, or who connected."""
    address = _parse(remote)
    is_proxy = is_socket_trusted if address is None else _is_in(address, trusted)
    for entry in reversed(forwarded.split(",")):
        seen = _parse(entry)
        # No address there: count for the proxy that should have written one.
        if not is_proxy or seen is None:
            break
        address, is_proxy = seen, _is_in(seen, trusted)
    return address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    text = text.strip()
    # Some proxies add the port: 192.0.2.1:4711 or [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address
