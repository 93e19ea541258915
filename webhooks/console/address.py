"""Where a browser is, so that one who guesses passwords does not stop everybody else."""

import ipaddress

from core.addresses import is_loopback
from webhooks.routes import Request

_HOME_NETWORK = 64  # bits of an IPv6 address that are one household or office


def address_of(request: Request, proxy: str = "") -> str:
    """The address of a browser; "" where nobody knows.

    The web server in front of us, on this machine or at `proxy`, is believed what it says: of a chain of
    addresses the last, which it wrote itself.
    """
    peer = request.remote or ""
    if is_loopback(peer) or (proxy and peer == proxy):
        told = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip()
        return _network(told) or _network(peer)
    return _network(peer)


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if address.version == 4:  # noqa: PLR2004 - IP's own
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, _HOME_NETWORK), strict=False))
