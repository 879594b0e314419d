"""`manage.py sponsor_key` on the real paymaster: in order, or what to do (R71)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from eth_account import Account

from onchain.protocol.abi import call_data, decode
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import checksum_address, to_address
from wallet_site import chain_state

NEW_KEY = "0x" + "4e" * 32
NEW = Account.from_key(NEW_KEY).address


@pytest.fixture
def on_chain(node_url: str, settings) -> None:
    settings.NODE_URL = node_url


def run(**options: str) -> str:
    out = StringIO()
    call_command("sponsor_key", stdout=out, **options)
    return out.getvalue()


def test_the_local_paymaster_is_in_order(on_chain, settings):
    words = run()

    signer = Account.from_key(settings.SPONSOR_PRIVATE_KEY).address
    assert f"It accepts:    {signer}" in words
    assert f"Sponsor's key: {signer}" in words
    assert "Everything is in order." in words
    assert settings.SPONSOR_PRIVATE_KEY not in words


def test_a_key_that_the_paymaster_does_not_accept_is_said(on_chain, settings):
    settings.SPONSOR_PRIVATE_KEY = NEW_KEY

    with pytest.raises(CommandError, match="It accepts another key"):
        run()


def test_an_owner_that_is_a_key_of_this_site_is_said(on_chain, settings, node_url):
    node = chain_state.connect(url=node_url).node
    paymaster = to_address(settings.PAYMASTER_ADDRESS)
    owner = node.call(paymaster, call_data("owner()"))[12:]

    with pytest.raises(CommandError, match="Its owner is a key of this site"):
        run(signer=checksum_address(owner))


def test_the_steps_withdraw_the_deposit_to_the_owner(on_chain, settings, node_url):
    node = chain_state.connect(url=node_url).node
    paymaster = to_address(settings.PAYMASTER_ADDRESS)

    words = run(rotate_to=NEW)

    (withdrawal,) = (word for word in words.split() if word.startswith("0x205c2878"))
    to, wei = decode(("address", "uint256"), bytes.fromhex(withdrawal[10:]))
    owner = node.call(paymaster, call_data("owner()"))[12:]
    balance = node.call(ENTRY_POINT, call_data("balanceOf(address)", paymaster))
    assert (to_address(checksum_address(owner)), wei) == (
        bytes.fromhex(to[2:]),
        int.from_bytes(balance, "big"),
    )
    # The owner can send exactly this.
    sent = bytes.fromhex(withdrawal[2:])
    assert node.call(paymaster, sent, sender=to_address(checksum_address(owner))) == b""
    assert NEW in words


def test_an_address_without_a_paymaster_is_said(on_chain):
    with pytest.raises(CommandError, match="There is no VerifyingPaymaster"):
        run(paymaster="0x" + "12" * 20)


@pytest.mark.parametrize("options", [{"paymaster": "0x1"}, {"rotate_to": "cold"}])
def test_what_is_no_address_is_refused(settings, options):
    with pytest.raises(CommandError):
        run(**options)


def test_without_a_paymaster_there_is_nothing_to_check(settings):
    settings.PAYMASTER_ADDRESS = ""

    with pytest.raises(CommandError, match="nothing to check"):
        run()


def test_a_node_that_is_away_is_said_without_its_address(settings):
    settings.NODE_URL = "http://127.0.0.1:1/secret"

    with pytest.raises(CommandError, match="did not answer") as caught:
        run()

    assert "secret" not in str(caught.value)
