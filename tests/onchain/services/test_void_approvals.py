"""Approvals that come too late, and those of owners who were removed. R55, R66, R67."""

from __future__ import annotations

import pytest

from onchain.errors import OperationExpired, SignatureRefused
from onchain.models import OperationSignature, Owner, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import (
    approvals,
    queue,
    signatories,
    user_operations,
    wallet_approvals,
)
from tests.onchain.services.additions import removed
from tests.onchain.services.happenings import follow
from tests.several import SharedWorld, make_shared_world
from tests.wallet_keys import SoftWallet, make_wallet_owner

CONTRACT = Address(b"\xc0" * 20)
YES = OLDER_MAGIC.ljust(32, b"\0")


@pytest.fixture
def shared(db: None) -> SharedWorld:
    """Two people with passkeys; the first one's wallet and contract are owners too."""
    return make_shared_world()


def join(shared: SharedWorld, wallet: SoftWallet, **fields: object) -> Owner:
    safe = shared.wallet.safe
    owner = make_wallet_owner(wallet, safe=safe, holder=shared.wallet.user, **fields)
    set_owners(shared)
    return owner


def set_owners(shared: SharedWorld) -> None:
    """Let the chain have the owners that the rows have."""
    safe = shared.wallet.safe
    addresses = [Address(owner.address) for owner in safe.owners.current()]
    shared.node.set_owners(safe.address, addresses, safe.threshold)


def remove(shared: SharedWorld, owner: Owner) -> None:
    """Mine a block in which somebody stops being an owner, and read it."""
    safe = shared.wallet.safe
    others = safe.owners.current().exclude(pk=owner.pk)
    addresses = [Address(row.address) for row in others]
    shared.node.set_owners(safe.address, addresses, safe.threshold)
    shared.node.mine(removed(safe.address, Address(owner.address)))
    follow(shared)


@pytest.fixture
def wallet(shared: SharedWorld) -> SoftWallet:
    found = SoftWallet()
    join(shared, found)
    return found


@pytest.fixture
def contract(shared: SharedWorld) -> Owner:
    return join(shared, SoftWallet(), address=CONTRACT, kind=Owner.Kind.CONTRACT)


def answer(
    shared: SharedWorld, op: UserOperation, account: Address, signature: bytes
) -> OperationSignature:
    return wallet_approvals.sign(
        op=shared.fresh(op),
        user=shared.wallet.user,
        account=account,
        signature=signature,
    )


def by_wallet(
    shared: SharedWorld, op: UserOperation, wallet: SoftWallet
) -> OperationSignature:
    digest = bytes(shared.fresh(op).safe_operation_hash)
    return answer(shared, op, wallet.address, wallet.sign_hash(digest))


def by_contract(shared: SharedWorld, op: UserOperation) -> OperationSignature:
    return answer(shared, op, CONTRACT, b"what only the contract can read")


def check(shared: SharedWorld, row: OperationSignature) -> None:
    shared.node.call_answers[CONTRACT, OLDER_MAGIC] = YES
    wallet_approvals.check(signature=row, node=shared.node)


# --- Too late ---------------------------------------------------------------------------


def test_a_wallet_that_answers_at_the_end_is_too_late(
    shared: SharedWorld, wallet: SoftWallet
):
    alone, begun = shared.prepare(), shared.prepare(shared.draft(value_wei=1))
    shared.approve(begun, place=1)
    shared.confirm_time(alone.valid_until - 1)

    for op in (alone, begun):
        with pytest.raises(OperationExpired):
            by_wallet(shared, op, wallet)

    assert OperationSignature.objects.count() == 1
    # What somebody signed ends with the confirmed head only: it may fall back (R55).
    assert shared.fresh(alone).status == Status.EXPIRED
    assert shared.fresh(begun).status == Status.AWAITING_SIGNATURES


def test_one_that_another_signed_at_the_same_moment_does_not_end_either(
    shared: SharedWorld, wallet: SoftWallet
):
    stale = shared.fresh(shared.prepare())
    shared.approve(stale, place=1)
    shared.confirm_time(stale.valid_until - 1)
    stale.safe.chain.refresh_from_db()

    with pytest.raises(OperationExpired):
        wallet_approvals.sign(
            op=stale,
            user=shared.wallet.user,
            account=wallet.address,
            signature=wallet.sign_hash(bytes(stale.safe_operation_hash)),
        )

    assert shared.fresh(stale).status == Status.AWAITING_SIGNATURES


def test_a_second_before_its_end_a_wallet_completes_it(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.approve(shared.prepare(), place=1)
    shared.confirm_time(op.valid_until - 2)

    by_wallet(shared, op, wallet)

    assert shared.fresh(op).status == Status.SIGNED


def test_a_contracts_word_after_the_end_sends_nothing(
    shared: SharedWorld, contract: Owner
):
    op = shared.approve(shared.prepare(), place=1)
    row = by_contract(shared, op)
    shared.confirm_time(op.valid_until)

    check(shared, row)
    op = shared.submit(op)

    assert (op.submitted_at, shared.bundler.sent) == (None, [])
    user_operations.expire_operations(chain=shared.chain)  # the head alone ends nothing
    assert shared.fresh(op).status == Status.SIGNED
    shared.confirm_time(op.valid_until + 1)
    user_operations.expire_operations(chain=shared.chain)
    assert shared.fresh(op).status == Status.EXPIRED


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.WITHDRAWN])
def test_a_contracts_word_changes_nothing_of_what_has_ended(
    shared: SharedWorld, contract: Owner, status: str
):
    op = shared.approve(shared.prepare(), place=1)
    row = by_contract(shared, op)
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    check(shared, row)

    assert shared.fresh(op).status == status


# --- Removed ----------------------------------------------------------------------------


def given(shared: SharedWorld, op: UserOperation) -> tuple[int, int]:
    found = approvals.approvals_of(op=shared.fresh(op), user=shared.wallet.user)
    [item] = queue.waiting(safe=shared.wallet.safe, user=shared.wallet.user)
    assert item.count == found.count
    assert item.has_void == bool(found.void)
    return found.count, len(found.void)


def test_a_removed_wallets_approval_is_void_and_it_cannot_approve_again(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.prepare()
    by_wallet(shared, op, wallet)
    assert given(shared, op) == (1, 0)

    remove(shared, Owner.objects.get(address=wallet.address))

    assert given(shared, op) == (0, 1)
    with pytest.raises(SignatureRefused):
        by_wallet(shared, op, wallet)
    assert shared.approve(op, place=1).status == Status.AWAITING_SIGNATURES
    assert shared.approve(op).status == Status.SIGNED


def test_it_counts_no_more_before_its_row_says_so(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.prepare()
    by_wallet(shared, op, wallet)

    # As if the follower had been stopped between marking and voiding.
    Owner.objects.filter(address=wallet.address).update(is_current=False)

    assert given(shared, op) == (0, 1)


def test_what_was_replaced_comes_back_without_a_removed_owners_approval(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.prepare()
    by_wallet(shared, op, wallet)
    UserOperation.objects.filter(pk=op.pk).update(status=Status.REPLACED)

    remove(shared, Owner.objects.get(address=wallet.address))

    assert OperationSignature.objects.get().voided_at is not None


def test_a_wallet_that_comes_back_approves_anew(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.prepare()
    by_wallet(shared, op, wallet)
    owner = Owner.objects.get(address=wallet.address)
    remove(shared, owner)
    Owner.objects.filter(pk=owner.pk).update(is_current=True)
    set_owners(shared)

    assert given(shared, op) == (0, 1)
    known = signatories.of(shared.fresh(op))
    [mine] = wallet_approvals.states(known=known, user=shared.wallet.user)
    assert mine.state == wallet_approvals.State.ASKED
    by_wallet(shared, op, wallet)
    assert given(shared, op) == (1, 1)


def test_a_contract_that_is_removed_while_it_is_asked_approves_nothing(
    shared: SharedWorld, contract: Owner
):
    op = shared.approve(shared.prepare(), place=1)
    row = by_contract(shared, op)
    remove(shared, contract)
    check(shared, OperationSignature.objects.get(pk=row.pk))
    assert given(shared, op) == (1, 0)  # it had not approved yet

    check(shared, row)  # by who read it before

    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES
    assert given(shared, op)[0] == 1


# R66: nobody approved who was refused, so nothing is said to count no longer.
def test_what_a_contract_refused_was_no_approval(shared: SharedWorld, contract: Owner):
    op = shared.approve(shared.prepare(), place=1)
    row = by_contract(shared, op)
    assert given(shared, op) == (1, 0)

    wallet_approvals.check(signature=row, node=shared.node)

    assert given(shared, op) == (1, 0)


def test_a_completed_operation_keeps_who_approved_it(
    shared: SharedWorld, wallet: SoftWallet
):
    op = shared.approve(shared.prepare(), place=1)
    by_wallet(shared, op, wallet)
    UserOperation.objects.filter(pk=op.pk).update(status=Status.INCLUDED)

    remove(shared, Owner.objects.get(address=wallet.address))

    found = approvals.approvals_of(op=shared.fresh(op), user=shared.wallet.user)
    assert (len(found.given), found.void) == (2, ())
    assert Safe.objects.get().threshold == 2
