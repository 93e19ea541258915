"""Addresses: which only this machine reaches, and on the way to which nobody reads along."""

import pytest

from core.addresses import is_confidential, is_loopback


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example.cn", False),
        ("192.168.1.1", False),
        ("", False),
    ],
)
def test_only_this_machine_reaches_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("url", "confidential"),
    [
        ("https://register.example.cn", True),
        ("http://127.0.0.1:8081/institution/renmin", True),
        ("http://[::1]:8081", True),
        ("http://register.example.cn", False),
        ("http://127.0.0.1@register.example.cn", False),
        ("https://", False),
        ("//127.0.0.1", False),
        ("http://[::1", False),
    ],
)
def test_nobody_reads_along_over_https_or_on_this_machine(url: str, confidential: bool) -> None:
    assert is_confidential(url) is confidential
