"""Where a request comes from: addresses, networks, and the real peer behind proxies. Opens nothing, asks nobody.

An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address everywhere: a rule for one holds for both.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_MOST_HOPS: Final = 32
_LONGEST: Final = 64  # characters of an address with its zone and port


@lru_cache(maxsize=4_096)
def find_address(text: str) -> Address | None:
    """The address that is written, with or without a port or a zone; None for anything else."""
    host = text.strip()
    if host.startswith("["):
        host, closed, port = host[1:].partition("]")
        if not closed or (port and not _is_port(port)):
            return None
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        return _plain(ipaddress.ip_address(host))
    except ValueError:
        return None


def _is_port(text: str) -> bool:
    return text[0] == ":" and text[1:].isascii() and text[1:].isdecimal() and len(text) <= 6


def _plain(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return address.ipv4_mapped or ipaddress.IPv6Address(int(address))


def parse_network(text: str) -> Network:
    """Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Raises ValueError, which says in a sentence what is wrong."""
    address, slash, bits = text.partition("/")
    if slash and not (bits.isascii() and bits.isdecimal()):
        raise ValueError(f"{text[:80]!r} has no number of bits after the slash, as 10.0.0.0/8 has")
    try:
        host = ipaddress.ip_address(address)
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text[:80]!r} is no network such as 10.0.0.0/8 or 2001:db8::/32") from None
    if "%" in text or network.network_address != host:
        raise ValueError(f"{text[:80]!r} is an address inside a network; the network is {network}")
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        inner = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((int(inner or 0), network.prefixlen - 96))
    return network


class Networks:
    """Some networks; an address is in one of them or in none."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        self._networks = tuple(map(parse_network, written))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


NOWHERE: Final = Networks()


def real_peer(peer: Address, forwarded: Sequence[str], trusted: Networks) -> Address | None:
    """Who asks, where `peer` holds the connection and the proxies in `trusted` wrote down whom they heard.

    `forwarded` are the values of X-Forwarded-For in their order. Read from the right, where the nearest proxy wrote: the
    first that is no trusted proxy is the one. What stands further left anybody could have written. When all are trusted it
    is the first of them. None when a proxy wrote something that is no address: then nobody knows.
    """
    found = peer
    for hop in _from_the_right(forwarded):
        if found not in trusted:
            break
        behind = find_address(hop) if len(hop) <= _LONGEST else None
        if behind is None:
            return None
        found = behind
    return found


def _from_the_right(forwarded: Sequence[str]) -> Iterable[str]:
    hops = (hop.strip() for value in reversed(forwarded) for hop in reversed(value.split(",")))
    return islice(hops, _MOST_HOPS)
