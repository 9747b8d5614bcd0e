"""Addresses and networks: read strictly, the same in each way of writing them."""

from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from youworker_app.core.addresses import Networks, find_address, parse_network
from youworker_app.core.settings import ServerSettings, what_is_wrong


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (" 10.0.0.1 ", "10.0.0.1"),
        ("10.0.0.1:443", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:0a00:1", "10.0.0.1"),
        ("[::ffff:10.0.0.1]:443", "10.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(text: str, address: str) -> None:
    assert find_address(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "_hidden", "10.0.0", "010.0.0.1", "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:1234567", "[::1", "[::1]x", "[]",
     "localhost", "10.0.0.1, 10.0.0.2", "1" * 70, "::1::", "10.0.0.1\0"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert find_address(text) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("::1", "::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.5", "10.0.0.5/32"),
    ],
)
def test_a_network_is_read(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


WRONG = [
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/",
    "10.0.0",
    "x",
    "fe80::1%eth0",
    "2001:db8::1/32",
    "/8",
    "*",
]


@pytest.mark.parametrize("setting", ["TRUSTED_PROXIES", "ALLOWED_ADDRESSES"])
@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_network_stops_the_start(monkeypatch: pytest.MonkeyPatch, setting: str, text: str) -> None:
    monkeypatch.setenv(f"YOUWORKER_SERVER_{setting}", f"192.168.0.0/16,{text}")
    with pytest.raises(ValidationError) as refused:
        ServerSettings()
    assert what_is_wrong(refused.value).startswith(f"YOUWORKER_SERVER_{setting}: ")


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "::ffff:0:0/96"])
def test_nobody_can_trust_everybody(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_TRUSTED_PROXIES", text)
    with pytest.raises(ValidationError, match="trusts everybody"):
        ServerSettings()


def test_an_address_is_in_its_networks_alone() -> None:
    networks = Networks(["10.0.0.0/8", "2001:db8::/32"])
    assert find_address("::ffff:10.1.2.3") in networks
    assert find_address("2001:db8:1::1") in networks
    assert find_address("11.0.0.1") not in networks
    assert find_address("::10.1.2.3") not in networks
    assert None not in networks
    assert not Networks()
