"""The operator's own paymaster: what it signs, and for how long (R57)."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from onchain.clients.errors import ClientError
from onchain.models.operation_states import Status
from onchain.protocol.paymaster import verifying_paymaster_hash
from onchain.services import sponsorship
from tests.factories import SPONSOR_KEY, World
from tests.fakes import CHAIN_ID


def test_the_sponsor_signs_the_operation_that_the_account_signs(world: World):
    op = world.prepare().to_protocol()
    digest = verifying_paymaster_hash(
        op,
        chain_id=CHAIN_ID,
        paymaster=op.paymaster.address,
        valid_until=int.from_bytes(op.paymaster.data[:32], "big"),
        valid_after=int.from_bytes(op.paymaster.data[32:64], "big"),
    )

    signer = Account.recover_message(
        encode_defunct(digest), signature=op.paymaster.data[64:]
    )

    assert signer == Account.from_key(SPONSOR_KEY).address


def test_the_sponsors_word_ends_with_the_operation(world: World):
    op = world.prepare()

    assert int.from_bytes(bytes(op.paymaster_data)[:32], "big") == op.valid_until


def test_a_sponsor_that_cannot_pay_leaves_it_to_the_account(world: World):
    estimate = world.bundler.estimate

    def empty_deposit(op):
        if op.paymaster is not None:
            raise ClientError("AA31", "paymaster deposit too low")
        return estimate(op)

    world.bundler.estimate = empty_deposit

    op = world.prepare()

    assert op.status == Status.AWAITING_SIGNATURES
    assert (op.is_sponsored, op.unsponsored_reason) == (False, "unusable")


def test_what_the_sponsor_failed_before_is_paid_by_the_account(world: World):
    world.bundler.refusal = ClientError("AA34", "signature error")
    op = world.submit()

    again = world.prepare_again(op)

    assert (again.is_sponsored, again.unsponsored_reason) == (False, "unusable")


def test_without_a_paymaster_there_is_no_sponsor(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""

    op = world.prepare()

    assert sponsorship.own(chain=world.chain, private_key=SPONSOR_KEY) is None
    assert sponsorship.stub(private_key=SPONSOR_KEY) is None
    assert (op.is_sponsored, op.unsponsored_reason) == (False, "")


def test_a_sponsors_key_is_not_printed(world: World):
    sponsor = sponsorship.own(chain=world.chain, private_key=SPONSOR_KEY)

    assert SPONSOR_KEY not in repr(sponsor)


def test_an_operation_without_a_paymaster_is_never_sponsored(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""
    op = world.prepare()

    with pytest.raises(ValueError, match="no paymaster"):
        sponsorship.signed(
            op=op.to_protocol(),
            chain=world.chain,
            valid_until=1,
            private_key=SPONSOR_KEY,
        )
