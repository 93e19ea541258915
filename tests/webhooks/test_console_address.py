"""Where a browser is: its own address, or what the web server in front of us says of it."""

from dataclasses import dataclass, field

import pytest
from multidict import CIMultiDict

from webhooks.console.address import address_of

PROXY = "10.0.0.9"


@dataclass
class Asked:
    remote: str | None
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # it says so itself
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        (PROXY, "198.51.100.1", "198.51.100.1"),
        ("10.0.0.8", "198.51.100.1", "10.0.0.8"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, x" * 500, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        (None, "198.51.100.1", ""),
    ],
)
def test_whose_word_is_taken(peer: str | None, forwarded: str, address: str) -> None:
    headers = CIMultiDict({"X-Forwarded-For": forwarded} if forwarded else {})
    assert address_of(Asked(peer, headers), PROXY) == address  # type: ignore[arg-type]


def test_of_several_lines_the_last_is_the_web_servers_own() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.1")])
    assert address_of(Asked("127.0.0.1", headers)) == "198.51.100.1"  # type: ignore[arg-type]
