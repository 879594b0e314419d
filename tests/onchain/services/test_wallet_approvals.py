"""Approving an operation with a wallet: recovered, compared, or asked of a contract."""

from __future__ import annotations

import pytest

from onchain.errors import (
    AnotherAccountSigned,
    NotAwaitingSignature,
    SignatureRefused,
)
from onchain.models import OperationSignature, Owner, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import (
    gas,
    kept_signatures,
    signatories,
    submission,
    wallet_approvals,
)
from tests.factories import World, make_user
from tests.wallet_keys import SoftWallet, make_wallet_owner

CONTRACT = Address(b"\xc0" * 20)
YES = OLDER_MAGIC.ljust(32, b"\0")
State = wallet_approvals.State


@pytest.fixture
def wallet(world: World) -> SoftWallet:
    """A second owner of the person, a plain wallet; two of two must approve."""
    return owned_wallet(world)


def owned_wallet(world: World, **fields: object) -> SoftWallet:
    wallet = SoftWallet()
    fields = {"holder": world.wallet.user} | fields
    make_wallet_owner(wallet, safe=world.wallet.safe, **fields)
    Safe.objects.update(threshold=world.wallet.safe.owners.count())
    return wallet


def approve(world: World, op: UserOperation, wallet: SoftWallet, **changes: object):
    op = world.fresh(op)
    known = {
        "op": op,
        "user": world.wallet.user,
        "account": wallet.address,
        "signature": wallet.sign_hash(bytes(op.safe_operation_hash)),
    }
    return wallet_approvals.sign(**known | changes)


def states(world: World, op: UserOperation) -> list[State]:
    known = signatories.of(world.fresh(op))
    found = wallet_approvals.states(known=known, user=world.wallet.user)
    return [item.state for item in found]


def test_passkey_and_wallet_together_sign_it(world: World, wallet: SoftWallet):
    op = world.sign(world.prepare())
    assert (op.status, states(world, op)) == (
        Status.AWAITING_SIGNATURES,
        [State.ASKED],
    )

    approve(world, op, wallet)

    op = world.fresh(op)
    assert (op.status, states(world, op)) == (Status.SIGNED, [State.SIGNED])
    signed = submission.checked(op)
    assert wallet.sign_hash(bytes(op.safe_operation_hash)) in signed.signature


def test_a_second_answer_changes_nothing(world: World, wallet: SoftWallet):
    op = world.prepare()
    first = approve(world, op, wallet)

    assert approve(world, op, wallet) == first
    world.sign(op)
    assert approve(world, op, wallet) == first
    assert OperationSignature.objects.count() == 2


def test_a_v_of_0_or_1_is_stored_as_the_account_reads_it(
    world: World, wallet: SoftWallet
):
    op = world.prepare()
    good = wallet.sign_hash(bytes(op.safe_operation_hash))

    row = approve(world, op, wallet, signature=good[:64] + bytes([good[64] - 27]))

    assert bytes(row.signature) == good


def test_another_account_of_the_wallet_is_named(world: World, wallet: SoftWallet):
    op, other = world.prepare(), SoftWallet()

    signature = other.sign_hash(bytes(op.safe_operation_hash))
    for changes in ({"account": other.address}, {}):
        with pytest.raises(AnotherAccountSigned) as caught:
            approve(world, op, wallet, signature=signature, **changes)

        assert wallet.address_text in str(caught.value)
        assert other.address_text in str(caught.value)
    assert not OperationSignature.objects.exists()


@pytest.mark.parametrize("signature", [b"", b"\1" * 64, b"\1" * 66, b"\xff" * 65])
def test_what_is_no_signature_is_refused(
    world: World, wallet: SoftWallet, signature: bytes
):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        approve(world, op, wallet, signature=signature)

    assert not OperationSignature.objects.exists()


def test_a_stranger_and_a_person_without_wallets_sign_nothing(
    world: World, wallet: SoftWallet
):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        approve(world, op, wallet, user=make_user())


def test_a_wallet_that_nobody_proved_signs_nothing(world: World):
    wallet = owned_wallet(world, holder=None)

    with pytest.raises(SignatureRefused):
        approve(world, world.prepare(), wallet)


def test_a_withdrawn_operation_is_not_signed(world: World, wallet: SoftWallet):
    op = world.prepare()
    UserOperation.objects.update(status=Status.WITHDRAWN)

    with pytest.raises(NotAwaitingSignature):
        approve(world, op, wallet)


# R24
def test_a_changed_row_is_not_signed(world: World, wallet: SoftWallet):
    op = world.prepare()
    UserOperation.objects.update(call_gas_limit=op.call_gas_limit + 1)

    with pytest.raises(ValueError, match="was changed"):
        approve(world, op, wallet)


# --- Contracts ----------------------------------------------------------------------------


@pytest.fixture
def contract(world: World) -> SoftWallet:
    """A second owner that is a contract, whose wallet speaks for it."""
    wallet = SoftWallet()
    fields = {"address": CONTRACT, "kind": Owner.Kind.CONTRACT}
    make_wallet_owner(
        wallet, safe=world.wallet.safe, holder=world.wallet.user, **fields
    )
    Safe.objects.update(threshold=2)
    return wallet


def contract_answer(world: World, op: UserOperation, contract: SoftWallet):
    answer = b"what only the contract can read"
    return approve(world, op, contract, account=CONTRACT, signature=answer)


def test_a_contracts_answer_counts_once_the_chain_said_so(
    world: World, contract: SoftWallet
):
    op = world.sign(world.prepare())
    row = contract_answer(world, op, contract)
    assert states(world, op) == [State.CHECKING]
    assert world.fresh(op).status == Status.AWAITING_SIGNATURES
    world.node.call_answers[CONTRACT, OLDER_MAGIC] = YES

    wallet_approvals.check(signature=row, node=world.node)
    row.refresh_from_db()
    wallet_approvals.check(signature=row, node=world.node)

    assert states(world, op) == [State.SIGNED]
    assert world.fresh(op).status == Status.SIGNED


def test_a_contract_that_refuses_may_be_asked_again(world: World, contract: SoftWallet):
    op = world.sign(world.prepare())

    wallet_approvals.check(
        signature=contract_answer(world, op, contract), node=world.node
    )

    assert states(world, op) == [State.REFUSED]
    assert world.fresh(op).status == Status.AWAITING_SIGNATURES
    contract_answer(world, op, contract)
    assert states(world, op) == [State.CHECKING]


# --- Gas. R21 ----------------------------------------------------------------------------


def test_the_estimate_and_the_limit_fit_who_may_sign(world: World):
    plain = world.prepare().verification_gas_limit
    owned_wallet(world)

    mixed = world.prepare()

    assert mixed.verification_gas_limit - plain == (
        gas.SIGNATURE_GAS_WALLET * gas.MARGIN_PERCENT // 100
    )
    asked = world.bundler.estimated[-1].signature
    signed = submission.checked(sign_all(world, mixed)).signature
    assert 0 <= len(asked) - len(signed) < 100
    assert gas.is_within_caps(mixed, signers=2)


def sign_all(world: World, op: UserOperation) -> UserOperation:
    for owner in world.wallet.safe.owners.all():
        signature = b"\1" * 64 + b"\x1b"
        if owner.credential_id is None:
            kept_signatures.keep(op=op, owner=owner, signature=signature)
    return world.sign(op)


def test_one_of_several_may_be_the_cheap_one_and_keeps_the_caps(world: World):
    wallet = owned_wallet(world)
    Safe.objects.update(threshold=1)
    op = world.prepare()

    approve(world, op, wallet)

    op = world.fresh(op)
    assert op.status == Status.SIGNED
    assert gas.is_within_caps(op, signers=1)
    op.verification_gas_limit += 1
    assert not gas.is_within_caps(op, signers=1)


def test_a_contract_owner_has_a_margin_of_its_own(world: World, contract: SoftWallet):
    op = world.prepare()

    costs = gas.SIGNATURE_GAS_OTHER + gas.SIGNATURE_GAS_PRECOMPILE
    assert op.verification_gas_limit >= costs * gas.MARGIN_PERCENT // 100
    assert gas.is_within_caps(op, signers=2)
