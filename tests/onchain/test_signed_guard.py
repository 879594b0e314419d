"""What was signed stays as it was, below Django too (R24)."""

from __future__ import annotations

import importlib
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, models
from django.utils import timezone

from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from tests.wallets import Wallet, make_operation, make_review

COLUMNS = importlib.import_module("onchain.migrations.0029_guardian_changes").COLUMNS
# What may move after signing: the state, the outcome, and who is on it.
FREE = {
    *(
        "status",
        "unsponsored_reason",
        "failure_code",
        "failure_detail",
        "last_problem",
        "carrier",
    ),
    *("transaction_hash", "block_number", "actual_gas_cost_wei", "actual_gas_used"),
    *("submitted_at", "handed_at", "attempted_at", "included_at", "created_at"),
}
KINDS: list[tuple[type[models.Field], Any]] = [
    (AddressField, b"\x66" * 20),
    (Bytes32Field, b"\x66" * 32),
    (Uint256Field, 66),
    (models.ForeignKey, 666),
    (models.UUIDField, uuid.UUID(int=66)),
    (models.BinaryField, b"\x66"),
    (models.CharField, "included"),
    (models.BooleanField, True),
    (models.JSONField, ["0x66"]),
    (models.DateTimeField, timezone.now()),
    (models.IntegerField, 66),
]


def another(column: str) -> Any:
    """Return a value that no test's row has in a column."""
    field = next(f for f in UserOperation._meta.concrete_fields if f.column == column)
    return next(value for kind, value in KINDS if isinstance(field, kind))


def change(op: UserOperation, column: str, value: Any) -> None:
    UserOperation.objects.filter(pk=op.pk).update(**{column: value})


def test_every_column_is_either_guarded_or_free():
    columns = {field.column for field in UserOperation._meta.concrete_fields}

    # signed_at is written after the first of several signed, and is fixed by itself.
    assert set(COLUMNS) | FREE | {"signed_at"} == columns
    assert not set(COLUMNS) & FREE


@pytest.mark.parametrize("column", COLUMNS)
def test_what_was_signed_never_changes(alice: Wallet, column: str):
    op = make_operation(alice, Status.SIGNED)

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        change(op, column, another(column))


@pytest.mark.parametrize("column", sorted(FREE))
def test_state_and_outcome_do(alice: Wallet, column: str):
    op = make_operation(alice, Status.SIGNED)

    change(op, column, another(column))

    op.refresh_from_db()
    assert getattr(op, column) == another(column)


@pytest.mark.parametrize("column", COLUMNS)
def test_the_first_of_several_signatures_fixes_it_too(alice: Wallet, column: str):
    op = make_review(alice)
    change(op, "first_signed_at", timezone.now())

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        change(op, column, None if column == "first_signed_at" else another(column))


def test_the_last_signature_is_written_once(alice: Wallet):
    op = make_review(alice)
    change(op, "first_signed_at", timezone.now())
    change(op, "signed_at", timezone.now())

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        change(op, "signed_at", timezone.now())


@pytest.mark.parametrize("column", ["signed_at", "valid_until", "paymaster"])
def test_emptying_it_is_a_change_too(alice: Wallet, column: str):
    op = make_operation(alice, Status.SIGNED)

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        change(op, column, None)


def test_going_back_to_unsigned_first_does_not_help(alice: Wallet):
    op = make_operation(alice, Status.SIGNED)
    change(op, "status", Status.AWAITING_SIGNATURES)

    with pytest.raises(DatabaseError, match="what was signed never changes"):
        change(op, "recipient", b"\x66" * 20)


def test_what_nobody_signed_is_not_in_its_way(alice: Wallet):
    op = make_review(alice)

    change(op, "valid_until", 66)

    op.refresh_from_db()
    assert op.valid_until == 66
