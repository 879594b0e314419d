"""Which endpoint serves which chain."""

from __future__ import annotations

import pytest

from onchain.clients.factory import (
    bundler_for,
    bundlers_for,
    node_for,
    paymaster_service_for,
)


@pytest.mark.parametrize("make", [node_for, bundler_for])
def test_every_client_has_a_timeout(make, settings):
    settings.CLIENT_TIMEOUT = 3.5

    assert make(settings.CHAIN_ID).rpc.timeout == 3.5


@pytest.mark.parametrize("make", [node_for, bundler_for])
def test_a_chain_without_an_endpoint_has_no_client(make, settings):
    with pytest.raises(LookupError, match="no endpoint is configured for chain 1"):
        make(1)


def test_the_urls_of_settings_are_in_no_repr(settings):
    settings.NODE_URL = settings.BUNDLER_URL = "https://node.example.org/v2/key"

    clients = [make(settings.CHAIN_ID) for make in (node_for, bundler_for)]

    assert "example.org" not in repr(clients)


@pytest.mark.parametrize(
    ("second", "count"), [("", 1), ("https://other.example.org/v2/key", 2)]
)
def test_a_second_bundler_follows_the_first_and_estimates_in_its_place(
    settings, second: str, count: int
):
    settings.SECOND_BUNDLER_URL = second

    bundlers = bundlers_for(settings.CHAIN_ID)
    substitute = bundler_for(settings.CHAIN_ID).substitute

    assert [bundler.rpc.url for bundler in bundlers] == [
        *([settings.BUNDLER_URL, second][:count])
    ]
    assert (substitute.url if substitute else "") == second
    assert "example.org" not in repr([bundlers, substitute])


def test_a_paymaster_service_is_made_of_its_settings(settings):
    settings.CLIENT_TIMEOUT = 3.5
    settings.PAYMASTER_URL = "https://paymaster.example.org/v2/key"
    settings.PAYMASTER_CONTEXT = {"policyId": "1"}

    service = paymaster_service_for(settings.CHAIN_ID)

    assert (service.rpc.url, service.rpc.timeout) == (settings.PAYMASTER_URL, 3.5)
    assert service.context == {"policyId": "1"}
    assert "example.org" not in repr(service)


def test_without_a_paymaster_service_there_is_no_client(settings):
    settings.PAYMASTER_URL = ""

    assert paymaster_service_for(settings.CHAIN_ID) is None
    with pytest.raises(LookupError):
        paymaster_service_for(1)
