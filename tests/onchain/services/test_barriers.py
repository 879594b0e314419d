"""Where no operation can go through, none is prepared, and the way out is named."""

from __future__ import annotations

import uuid

import pytest

from onchain.change_errors import AccountBlocked
from onchain.models import ForeignConfiguration, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.types import Call
from onchain.services import barriers, cancellation, user_operations
from tests.factories import PAYEE, World, make_world
from tests.onchain.services.changes import (
    FOREIGN_HANDLER,
    NAMES,
    make_foreign,
    one_of_each,
)
from tests.several import make_shared_world

pytestmark = pytest.mark.django_db
WORD = SAFE_4337_MODULE.rjust(32, b"\0")
BARRIERS = {
    "fallback handler": (FOREIGN_HANDLER, bytes.fromhex("f08a0323") + WORD),
    "missing module": (
        ("missing module", SAFE_4337_MODULE),
        bytes.fromhex("610b5925") + WORD,
    ),
}


@pytest.fixture
def world() -> World:
    return make_world()


def draft(world: World, key: uuid.UUID) -> UserOperation:
    return user_operations.draft(
        safe=world.wallet.safe,
        user=world.wallet.user,
        recipient=PAYEE,
        value_wei=5,
        idempotency_key=key,
    )


@pytest.mark.parametrize("kind", BARRIERS)
def test_no_payment_is_drafted_and_the_way_out_is_a_call_of_the_account(
    world: World, kind: str
):
    found, data = BARRIERS[kind]
    row = make_foreign(world, more=[found])
    safe = world.wallet.safe

    with pytest.raises(AccountBlocked):
        draft(world, uuid.uuid4())

    assert not UserOperation.objects.exists()
    (barrier,) = barriers.in_way(row, safe=safe)
    assert barrier.kind == kind
    assert barrier.call == Call(to=safe.address, value_wei=0, data=data)


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_drafted(world: World, name: str):
    ask = one_of_each(world)
    row = world.wallet.safe.foreign_configuration
    row.findings = [
        *row.findings,
        [FOREIGN_HANDLER[0], f"0x{FOREIGN_HANDLER[1].hex()}"],
    ]
    row.save(update_fields=["findings"])

    with pytest.raises(AccountBlocked):
        ask[name]()


def test_no_cancellation_is_drafted_and_what_it_would_cancel_stays(world: World):
    shared = make_shared_world()
    op = shared.approve(shared.prepare())
    make_foreign(shared, more=[FOREIGN_HANDLER])

    with pytest.raises(AccountBlocked):
        cancellation.draft_cancellation(
            op=op, user=shared.wallet.user, idempotency_key=uuid.uuid4()
        )

    assert shared.fresh(op).status == Status.AWAITING_SIGNATURES


def test_what_was_drafted_before_is_not_prepared(world: World):
    op = world.draft()
    make_foreign(world, more=[FOREIGN_HANDLER])

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "account-blocked")
    assert world.bundler.sent == []


def test_the_same_form_still_leads_to_what_it_made(world: World):
    key = uuid.uuid4()
    op = draft(world, key)
    make_foreign(world, more=[FOREIGN_HANDLER])

    assert draft(world, key) == op


def test_other_findings_stop_nothing_and_the_way_is_free_afterwards(world: World):
    make_foreign(world)
    assert world.prepare().status == Status.AWAITING_SIGNATURES
    ForeignConfiguration.objects.all().delete()

    make_foreign(world, more=[FOREIGN_HANDLER])
    with pytest.raises(AccountBlocked):
        draft(world, uuid.uuid4())
    ForeignConfiguration.objects.all().delete()

    assert draft(world, uuid.uuid4()).status == Status.DRAFT
