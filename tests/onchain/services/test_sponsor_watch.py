"""Watching the operator's paymaster (R57, R71)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from eth_account import Account

from onchain.clients.errors import ClientError, TransientClientError
from onchain.models import PaymasterDeposit
from onchain.protocol.abi import selector
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import Address, to_address
from onchain.services import sponsor_watch, sponsorship
from onchain.services.sponsor_watch import OwnKeys
from tests.factories import RELAYER_KEY, SPONSOR_KEY, World

COLD = Address(b"\xc0" * 20)
OTHER = Address(b"\x0e" * 20)
KEYS = OwnKeys.of(relayer=RELAYER_KEY, sponsor=SPONSOR_KEY)


def tell(world: World, *, deposit_wei: int, owner: bytes, signer: bytes) -> None:
    """Let the chain say this of the paymaster."""
    paymaster = sponsorship.paymaster_address()
    world.node.call_answers |= {
        (ENTRY_POINT, selector("balanceOf(address)")): deposit_wei.to_bytes(32, "big"),
        (paymaster, selector("owner()")): owner.rjust(32, b"\0"),
        (paymaster, selector("verifyingSigner()")): signer.rjust(32, b"\0"),
    }


def watch(world: World) -> PaymasterDeposit:
    sponsor_watch.watch_configured(chain=world.chain, node=world.node, keys=KEYS)
    return PaymasterDeposit.objects.get()


def later(seconds: int) -> None:
    row = PaymasterDeposit.objects.get()
    read_at = row.read_at - timedelta(seconds=seconds)
    PaymasterDeposit.objects.update(read_at=read_at)


def test_the_keys_addresses_are_theirs():
    assert KEYS.sponsor == to_address(Account.from_key(SPONSOR_KEY).address)
    assert KEYS.relayer == to_address(Account.from_key(RELAYER_KEY).address)


def test_a_paymaster_in_order_is_noted(world: World, settings):
    settings.SPONSOR_DEPOSIT_FLOOR_WEI = 10
    tell(world, deposit_wei=10, owner=COLD, signer=KEYS.sponsor)

    row = watch(world)

    assert (row.deposit_wei, row.owner, row.problem) == (10, COLD, "")
    assert row.verifying_signer == KEYS.sponsor
    assert row.accepts_our_key


@pytest.mark.parametrize(
    ("facts", "words", "accepts"),
    [
        ({"deposit_wei": 9}, "Its deposit is low", True),
        ({"owner": KEYS.relayer}, "Its owner is a key of this site", True),
        ({"owner": KEYS.sponsor}, "Its owner is a key of this site", True),
        ({"signer": OTHER}, "It accepts another key", False),
    ],
    ids=["deposit", "relayer owns it", "sponsor owns it", "signer"],
)
def test_what_is_wrong_is_said(world: World, settings, facts, words, accepts):
    settings.SPONSOR_DEPOSIT_FLOOR_WEI = 10
    tell(world, **{"deposit_wei": 10, "owner": COLD, "signer": KEYS.sponsor} | facts)

    row = watch(world)

    assert row.problem.startswith(words)
    assert row.accepts_our_key == accepts


def test_an_address_without_a_paymaster_is_said(world: World):
    tell(world, deposit_wei=0, owner=COLD, signer=KEYS.sponsor)
    paymaster = sponsorship.paymaster_address()
    del world.node.call_answers[paymaster, selector("owner()")]
    world.node.call_answers[paymaster, selector("verifyingSigner()")] = b""

    row = watch(world)

    assert row.problem.startswith("There is no VerifyingPaymaster")
    assert (row.owner, row.accepts_our_key) == (None, False)


def test_it_is_read_again_after_a_while_and_not_before(world: World):
    tell(world, deposit_wei=1, owner=COLD, signer=KEYS.sponsor)
    watch(world)
    tell(world, deposit_wei=2, owner=COLD, signer=KEYS.sponsor)
    asked = len(world.node.calls)

    assert watch(world).deposit_wei == 1
    assert len(world.node.calls) == asked
    later(sponsor_watch.READ_SECONDS + 1)
    assert watch(world).deposit_wei == 2


@pytest.mark.parametrize("code", ["node-refused", "execution-reverted"])
def test_a_node_that_refuses_leaves_what_was_read(world: World, code: str):
    tell(world, deposit_wei=1, owner=COLD, signer=KEYS.sponsor)
    watch(world)
    later(sponsor_watch.READ_SECONDS + 1)
    world.node.failure = ClientError(code, "too many requests")

    assert watch(world).deposit_wei == 1
    assert PaymasterDeposit.objects.get().accepts_our_key


def test_a_node_that_is_away_leaves_what_was_read(world: World):
    tell(world, deposit_wei=1, owner=COLD, signer=KEYS.sponsor)
    watch(world)
    later(sponsor_watch.READ_SECONDS + 1)
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        watch(world)

    assert PaymasterDeposit.objects.get().deposit_wei == 1


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1"], ids=["none", "a service"])
def test_what_is_not_ours_is_not_watched(world: World, settings, url: str):
    settings.PAYMASTER_ADDRESS = ""
    settings.PAYMASTER_URL = url

    sponsor_watch.watch_configured(chain=world.chain, node=world.node, keys=KEYS)

    assert world.node.calls == []
    assert not PaymasterDeposit.objects.exists()
