"""Rows: their moves, what can never be true of two of them, and who sees them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model, TextChoices
from django.utils import timezone

from onchain.models import (
    AccountClaim,
    Block,
    DrillAnswer,
    Formation,
    GuardianApproval,
    Heartbeat,
    Invitation,
    KeyProof,
    OperationSignature,
    Owner,
    RecoveryDrill,
    RecoveryLookup,
    RelayerTransaction,
    Role,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import OPEN, Status
from onchain.protocol.types import UINT256_MAX
from tests import claims, drills
from tests.factories import (
    Wallet,
    in_each_status,
    make_operation,
    make_relayer_transaction,
    make_user,
    make_wallet,
    the_chain,
)


def operation() -> UserOperation:
    return make_operation(make_wallet())


def safe() -> Safe:
    return make_wallet().safe


def proof() -> KeyProof:
    owner = make_wallet().owner
    return KeyProof.objects.create(
        credential=owner.credential,
        safe=owner.safe,
        signer=owner.address,
        nonce=b"\1" * 32,
        challenge=b"\2" * 32,
        expires_at=timezone.now(),
    )


def wallet_proof() -> WalletProof:
    mine = make_wallet()
    return WalletProof.objects.create(
        user=mine.user,
        safe=mine.safe,
        address=b"\6" * 20,
        nonce=b"\1" * 32,
        text="a text",
        expires_at=timezone.now(),
    )


def formation() -> Formation:
    mine = make_wallet()
    return Formation.objects.create(
        chain=mine.safe.chain,
        created_by=mine.user,
        creation_key=uuid.uuid4(),
        name="Club",
        threshold=2,
    )


def invitation() -> Invitation:
    mine = make_wallet()
    return Invitation.objects.create(
        token_hash=b"\1" * 32,
        safe=mine.safe,
        role=Role.OWNER,
        name="Anna",
        created_by=mine.user,
        expires_at=timezone.now(),
    )


MAKERS = {
    AccountClaim: lambda: claims.account_claim(make_wallet().safe),
    RecoveryLookup: lambda: claims.recovery_lookup(make_wallet().safe),
    RecoveryDrill: lambda: drills.recovery_drill(make_wallet().safe),
    DrillAnswer: lambda: drills.drill_answer(make_wallet().safe),
    GuardianApproval: lambda: claims.guardian_approval(make_wallet().safe),
    WalletProof: wallet_proof,
    Formation: formation,
    Invitation: invitation,
    UserOperation: operation,
    Safe: safe,
    RelayerTransaction: make_relayer_transaction,
    KeyProof: proof,
}


def put(model: type[Model], status: TextChoices) -> Any:
    """Return a row that stands in this state."""
    row = MAKERS[model]()
    model.objects.filter(pk=row.pk).update(status=status)
    return row


# --- Moves ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MAKERS)
def test_a_row_makes_the_moves_of_its_table_and_no_other(db, model):
    row = MAKERS[model]()
    for source, target in itertools.product(model.Status, repeat=2):
        model.objects.filter(pk=row.pk).update(status=source)
        is_legal = target in model.MOVES[source]

        if is_legal:
            assert model.objects.transition(row.pk, source=source, target=target)
        else:
            with pytest.raises(ValueError, match="is no move"):
                model.objects.transition(row.pk, source=source, target=target)

        row.refresh_from_db()
        assert row.status == (target if is_legal else source), (source, target)


@pytest.mark.parametrize("model", MAKERS)
def test_the_table_of_moves_names_every_state(model):
    assert set(model.MOVES) == set(model.Status)


@pytest.mark.parametrize("model", MAKERS)
def test_every_state_but_the_first_can_be_reached(model):
    reached = set().union(*model.MOVES.values())
    first = {model._meta.get_field("status").default}
    if model is Safe:
        first.add(Safe.Status.FORMING)  # of an account with several first owners

    assert reached | first == set(model.Status)


def test_a_row_in_another_state_does_not_move(db):
    op = put(UserOperation, Status.WITHDRAWN)

    moved = UserOperation.objects.transition(
        op.pk, source=Status.DRAFT, target=Status.EXPIRED, failure_code="expired"
    )

    op.refresh_from_db()
    assert (moved, op.status, op.failure_code) == (False, Status.WITHDRAWN, "")


def test_a_move_writes_its_fields_to_one_row_only(db):
    mine, other = operation(), operation()

    UserOperation.objects.transition(
        mine.pk, source=Status.DRAFT, target=Status.EXPIRED, failure_code="expired"
    )

    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.failure_code, other.failure_code) == ("expired", "")
    assert other.status == Status.DRAFT


# --- What can never be true of two rows. R65 --------------------------------------------


def nonce(key: int, sequence: int) -> dict[str, Any]:
    return {"nonce_key": key, "nonce_sequence": sequence}


def test_two_open_operations_never_share_a_nonce(db):
    wallet = make_wallet()
    for first, second in itertools.product(OPEN, repeat=2):
        op = make_operation(wallet, status=first, **nonce(3, 5))

        with pytest.raises(IntegrityError), transaction.atomic():
            make_operation(wallet, status=second, **nonce(3, 5))
        op.delete()


@pytest.mark.parametrize("other", [nonce(3, 6), nonce(4, 5)])
def test_open_operations_may_have_other_nonces(db, other):
    wallet = make_wallet()
    make_operation(wallet, status=Status.SIGNED, **nonce(3, 5))

    make_operation(wallet, status=Status.SIGNED, **other)


def test_open_operations_of_other_accounts_may_have_the_same_nonce(db):
    make_operation(make_wallet(), status=Status.SIGNED, **nonce(3, 5))

    make_operation(make_wallet(), status=Status.SIGNED, **nonce(3, 5))


@pytest.mark.parametrize("status", [s for s in Status if s not in OPEN])
def test_an_ended_operation_holds_no_nonce(db, status):
    wallet = make_wallet()
    make_operation(wallet, status=status, **nonce(3, 5))

    make_operation(wallet, status=Status.SIGNED, **nonce(3, 5))


def test_a_person_uses_an_idempotency_key_once(db):
    wallet, key = make_wallet(), uuid.uuid4()
    make_operation(wallet, idempotency_key=key)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_operation(wallet, idempotency_key=key)
    make_operation(make_wallet(), idempotency_key=key)


def test_a_hash_belongs_to_one_operation(db):
    make_operation(make_wallet(), user_operation_hash=b"\1" * 32)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_operation(make_wallet(), user_operation_hash=b"\1" * 32)


def test_the_relayer_uses_a_nonce_once(db):
    taken = {"sender": b"\1" * 20, "nonce": 4}
    make_relayer_transaction(**taken)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_relayer_transaction(**taken)
    make_relayer_transaction(**taken | {"sender": b"\2" * 20})
    make_relayer_transaction(**taken | {"nonce": 5})


def test_an_owner_signs_an_operation_once(db):
    wallet = make_wallet()
    signed = {
        "operation": make_operation(wallet),
        "owner": wallet.owner,
        "signature": b"\1",
    }
    OperationSignature.objects.create(**signed)

    with pytest.raises(IntegrityError), transaction.atomic():
        OperationSignature.objects.create(**signed | {"signature": b"\2"})


def test_an_address_is_one_account_of_a_chain_and_one_owner_of_an_account(db):
    wallet = make_wallet()
    copy = Safe.objects.get(pk=wallet.safe.pk)
    owner = wallet.owner
    copy.pk = owner.pk = None

    for row in (copy, owner):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


def test_a_height_has_one_block(db):
    block = {"chain": the_chain(), "number": 7, "hash": b"\1" * 32, "timestamp": 1}
    Block.objects.create(**block)

    with pytest.raises(IntegrityError), transaction.atomic():
        Block.objects.create(**block | {"hash": b"\2" * 32})


# --- Who sees what. R33 -----------------------------------------------------------------


def test_a_person_sees_the_accounts_of_their_passkeys_only(db):
    mine, theirs = make_wallet(), make_wallet()

    assert list(Safe.objects.visible_to(mine.user)) == [mine.safe]
    assert theirs.safe not in Safe.objects.visible_to(mine.user)
    assert not Safe.objects.visible_to(make_user()).exists()


def test_having_created_an_account_is_not_owning_it(db):
    wallet, other = make_wallet(), make_user()
    Safe.objects.filter(pk=wallet.safe.pk).update(created_by=other)

    assert not Safe.objects.visible_to(other).exists()


def test_a_co_owner_sees_the_account_once(db):
    mine = make_wallet()
    second = make_wallet(user=mine.user)
    Owner.objects.create(
        safe=mine.safe,
        credential=second.credential,
        address=b"\x0f" * 20,
        position=1,
    )

    assert Safe.objects.visible_to(mine.user).filter(pk=mine.safe.pk).count() == 1


def test_a_person_sees_the_operations_of_their_accounts_only(db):
    mine, theirs = make_wallet(), make_wallet()
    op = make_operation(mine)
    make_operation(theirs)

    assert list(UserOperation.objects.visible_to(mine.user)) == [op]


# --- Reads named for what they mean -----------------------------------------------------


def each_status(wallet: Wallet) -> dict[str, UserOperation]:
    return {
        status: make_operation(wallet, status=status, **times, **nonce(place, 0))
        for place, (status, times) in enumerate(in_each_status().items())
    }


def test_open_operations_are_those_that_may_still_be_included(db):
    ops = each_status(make_wallet())

    assert {op.status for op in UserOperation.objects.open()} == set(OPEN)
    assert len(ops) == len(Status)


# R64
def test_a_nonce_is_held_by_what_is_open_and_by_what_was_signed_and_rejected(db):
    wallet = make_wallet()
    each_status(wallet)
    make_operation(wallet, status=Status.REJECTED, signed_at=None)

    held = UserOperation.objects.holding_nonces()

    assert {op.status for op in held} == {*OPEN, Status.REJECTED}
    assert held.filter(status=Status.REJECTED).get().signed_at is not None


def test_transactions_in_flight_hold_a_nonce_and_are_not_on_chain(db):
    for status in RelayerTransaction.Status:
        make_relayer_transaction(status=status)

    in_flight = RelayerTransaction.objects.in_flight()

    assert {row.status for row in in_flight} == {"signed", "broadcast"}


def test_amounts_are_ordered_as_numbers(db):
    wallet = make_wallet()
    values = [10, 9, UINT256_MAX, 0, 2**255, 10**18, 2**63]
    for value in values:
        make_operation(wallet, value_wei=value)

    ordered = UserOperation.objects.order_by("value_wei")

    assert [op.value_wei for op in ordered] == sorted(values)
    above = UserOperation.objects.filter(value_wei__gt=2**63)
    assert {op.value_wei for op in above} == {2**255, UINT256_MAX}


@pytest.mark.parametrize(
    ("head", "block", "count"),
    [(100, 100, 1), (100, 99, 2), (99, 100, 0), (None, 1, 0)],
)
def test_confirmations_count_the_block_itself(db, head, block, count):
    chain = the_chain()
    chain.head_number = head

    assert chain.confirmations_of(block) == count


@pytest.mark.parametrize(
    ("status", "block", "waits"),
    [
        (Status.DRAFT, None, True),
        (Status.AWAITING_SIGNATURES, None, False),
        (Status.SIGNED, None, True),
        (Status.SUBMITTED, None, True),
        (Status.INCLUDED, 100, True),
        (Status.INCLUDED, 99, False),
        (Status.REVERTED, 100, True),
        (Status.REVERTED, 99, False),
        (Status.REJECTED, None, False),
        (Status.EXPIRED, None, False),
        (Status.WITHDRAWN, None, False),
        (Status.REPLACED, 100, False),
    ],
)
def test_polling_ends_when_the_network_has_no_next_move(
    db, settings, status, block, waits
):
    settings.CONFIRMATIONS = 2
    op = make_operation(make_wallet(), status=status, block_number=block)

    assert op.is_awaiting_network == waits


def test_an_unprepared_operation_has_no_protocol_form(db):
    op = operation()

    assert op.max_cost_wei is None
    with pytest.raises(ValueError, match="not been prepared"):
        op.to_protocol()


def test_an_owner_without_a_passkey_has_no_public_key(db):
    wallet = make_wallet()
    owner = Owner(
        safe=wallet.safe, kind=Owner.Kind.WALLET, address=b"\1" * 20, position=1
    )

    with pytest.raises(ValueError, match="no passkey"):
        owner.public_key  # noqa: B018 - reading it is the test


def test_a_component_that_was_never_heard_of_is_stale(db):
    row = Heartbeat(chain=the_chain(), component=Heartbeat.Component.NODE)

    assert row.is_stale
    row.seen_at = timezone.now()
    assert not row.is_stale


# R24; tests/onchain/test_signed_guard.py has the columns. A migration that rebuilds the
# table on SQLite drops the trigger.
def test_what_was_signed_is_still_guarded_after_all_migrations(db):
    row = make_operation(make_wallet(), status=Status.SIGNED, signed_at=timezone.now())
    rows = UserOperation.objects.filter(pk=row.pk)

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        rows.update(value_wei=1)

    assert rows.update(status=Status.SUBMITTED) == 1
