"""R38: limits count for who connected, or whom our own proxies saw."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from accounts.client_address import client_network


def seen(settings, remote, forwarded="", proxies=()):
    settings.TRUSTED_PROXIES = list(proxies)
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return client_network(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("", "unknown"),
    ],
)
def test_a_direct_connection_counts_for_itself(remote, network, settings):
    assert seen(settings, remote) == network


@pytest.mark.parametrize("remote", ["192.0.2.1", "10.0.0.1", ""])
def test_nobody_else_is_believed(remote, settings):
    proxies = [] if remote != "192.0.2.1" else ["10.0.0.0/8"]

    with_claim = seen(settings, remote, "198.51.100.7", proxies)

    assert with_claim == seen(settings, remote)


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        pytest.param("198.51.100.7", "198.51.100.7", id="one-hop"),
        pytest.param("203.0.113.9, 198.51.100.7", "198.51.100.7", id="a-claim-before"),
        pytest.param("198.51.100.7, 10.9.9.9", "198.51.100.7", id="two-proxies"),
        pytest.param("10.1.1.1, 198.51.100.7", "198.51.100.7", id="a-proxy-claimed"),
        pytest.param("198.51.100.7:4711", "198.51.100.7", id="with-a-port"),
        pytest.param("[2001:db8::1]:4711", "2001:db8::/64", id="ipv6-with-a-port"),
        pytest.param("2001:db8::1", "2001:db8::/64", id="ipv6"),
        pytest.param("198.51.100.7, unknown", "10.0.0.1", id="no-address"),
        pytest.param("198.51.100.7,", "10.0.0.1", id="an-empty-entry"),
        pytest.param("10.2.2.2", "10.2.2.2", id="inside-the-proxies"),
        pytest.param("", "10.0.0.1", id="no-header"),
    ],
)
def test_behind_a_trusted_proxy_the_last_foreign_address_counts(
    forwarded, network, settings
):
    assert seen(settings, "10.0.0.1", forwarded, ["10.0.0.0/8"]) == network


def test_a_proxy_on_a_unix_socket_is_believed_only_when_named(settings):
    assert seen(settings, "", "198.51.100.7", ["10.0.0.0/8"]) == "unknown"
    assert seen(settings, "", "198.51.100.7", ["unix"]) == "198.51.100.7"
    assert seen(settings, "192.0.2.1", "198.51.100.7", ["unix"]) == "192.0.2.1"
