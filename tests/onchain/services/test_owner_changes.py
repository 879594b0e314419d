"""Asking for a passkey to become an owner: whose, proven, one at a time.

security.md R6, R28, R50, R64, R67.
"""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Credential
from onchain.errors import (
    AccountNotLive,
    AlreadyOwner,
    IdempotencyConflict,
    NotYourAccount,
    NotYourPasskey,
    OwnerChangeInFlight,
    OwnerChangeRefused,
    PasskeyNotProven,
    SignatureRefused,
    SignerImpossible,
)
from onchain.models import JournalEntry, KeyProof, Owner, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import calls_call_data, decode_call_data
from onchain.protocol.deployments import (
    SIGNER_FACTORY,
    SIGNER_SINGLETON,
    VERIFIERS,
)
from onchain.protocol.owners import add_owner_call, create_signer_call
from onchain.protocol.types import Address, Call, PublicKey, checksum_address
from onchain.protocol.user_operation import to_rpc
from onchain.services import (
    addable_accounts,
    authorization,
    intents,
    signers,
    submission,
    user_operations,
)
from onchain.services.lanes import CONFIGURATION_KEY
from tests.factories import World, make_user, make_wallet, signer_proxy_code
from tests.onchain.services.additions import (
    Newcomer,
    draft_addition,
    newcomer,
    prove,
    proven_newcomer,
)
from tests.tampering import tamper
from tests.threads import all_at_once

Kind = UserOperation.Kind


def key_of(new: Newcomer) -> PublicKey:
    return PublicKey(
        x=int.from_bytes(new.passkey.x, "big"), y=int.from_bytes(new.passkey.y, "big")
    )


def make_owner(world: World, new: Newcomer, **fields: Any) -> Owner:
    """Say that the chain has the passkey among the owners."""
    defaults = {"credential": new.credential, "address": new.signer, "position": 1}
    return Owner.objects.create(safe=world.wallet.safe, **defaults | fields)


def change(op: UserOperation, **fields: Any) -> None:
    tamper(op, **fields)


# --- What is drafted --------------------------------------------------------------------


def test_a_proven_passkey_of_the_person_is_drafted_with_the_threshold_as_it_is(
    world: World,
):
    new = proven_newcomer(world)

    op = draft_addition(world, new)

    op.refresh_from_db()
    assert (op.status, op.kind) == (Status.DRAFT, Kind.ADD_PASSKEY)
    assert (op.recipient, op.value_wei) == (world.wallet.safe.address, 0)
    assert (op.new_credential, op.new_signer) == (new.credential, new.signer)
    assert op.new_threshold == 1


def test_prepared_it_makes_the_signer_and_adds_it_and_nothing_else(world: World):
    new = proven_newcomer(world)
    account = Address(world.wallet.safe.address)

    op = world.prepare(draft_addition(world, new))

    assert op.status == Status.AWAITING_SIGNATURES
    assert decode_call_data(bytes(op.call_data)) == [
        create_signer_call(public_key=key_of(new)),
        add_owner_call(account=account, owner=new.signer, threshold=1),
    ]
    assert op.is_sponsored


def test_a_higher_threshold_stays(world: World):
    Safe.objects.update(threshold=2)
    new = proven_newcomer(world)

    op = draft_addition(world, new)

    assert op.new_threshold == 2


def test_the_signing_request_lets_the_browser_compute_the_new_owner(world: World):
    new = proven_newcomer(world)
    op = world.prepare(draft_addition(world, new))

    request = authorization.signing_request(op=op, user=world.wallet.user)

    create, add = request["calls"]
    assert create["to"] == checksum_address(SIGNER_FACTORY)
    assert add["to"] == op.safe.address_text
    assert {create["valueWei"], add["valueWei"]} == {"0"}
    assert request["newOwner"] == {
        "x": str(key_of(new).x),
        "y": str(key_of(new).y),
        "signer": checksum_address(new.signer),
        "proxyCode": f"0x{signer_proxy_code().hex()}",
        "singleton": checksum_address(SIGNER_SINGLETON),
        "verifiers": str(VERIFIERS),
    }


def test_a_payment_changes_nothing_and_has_no_new_owner(world: World):
    request = authorization.signing_request(op=world.prepare(), user=world.wallet.user)

    assert not {"newOwner", "change"} & request.keys()


def test_the_new_passkey_cannot_authorise_its_own_addition(world: World):
    new = proven_newcomer(world)
    op = world.prepare(draft_addition(world, new))

    request = authorization.signing_request(op=op, user=world.wallet.user)

    assert len(request["allowCredentials"]) == 1
    with pytest.raises(SignatureRefused, match="not an owner"):
        world.sign(op, new.passkey)


def test_anyone_can_check_both_hashes_with_inspect_operation(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    op = world.sign(world.prepare(draft_addition(world, proven_newcomer(world))))
    signed = submission.checked(op)
    fields = to_rpc(signed) | {
        "chainId": hex(op.safe.chain.chain_id),
        "validAfter": hex(op.valid_after),
        "validUntil": hex(op.valid_until),
    }
    output = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(fields)))

    call_command("inspect_operation", stdout=output)

    assert json.loads(output.getvalue()) == {
        "userOpHash": f"0x{op.user_operation_hash.hex()}",
        "safeOpHash": f"0x{op.safe_operation_hash.hex()}",
    }


# --- What is refused --------------------------------------------------------------------


def somebody_elses(world: World) -> dict[str, Any]:
    stranger = make_user()
    new = newcomer(world, user=stranger)
    prove(world, new)
    return {"new": new}


def removed(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    Credential.objects.filter(pk=new.credential.pk).update(removed_at=timezone.now())
    return {"new": new}


def not_proven(world: World) -> dict[str, Any]:
    return {"new": newcomer(world)}


def proven_elsewhere(world: World) -> dict[str, Any]:
    new = newcomer(world)
    prove(world, new, safe=make_wallet(user=world.wallet.user).safe)
    return {"new": new}


def proven_as_guardian(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    KeyProof.objects.update(role=KeyProof.Role.GUARDIAN)
    return {"new": new}


def refused_by_the_chain(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    KeyProof.objects.update(status=KeyProof.Status.REFUSED)
    return {"new": new}


def owner_already(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    make_owner(world, new)
    return {"new": new}


def unknown_owner_at_its_address(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    make_owner(world, new, credential=None, kind=Owner.Kind.UNKNOWN)
    return {"new": new}


def not_live(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    Safe.objects.update(status=Safe.Status.BROADCAST)
    return {"new": new, "safe": Safe.objects.get()}


def somebody_elses_account(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    safe = make_wallet().safe
    prove(world, new, safe=safe)
    return {"new": new, "safe": safe}


def no_usable_key_left(world: World) -> dict[str, Any]:
    new = proven_newcomer(world)
    Credential.objects.filter(pk=world.wallet.credential.pk).update(
        removed_at=timezone.now()
    )
    return {"new": new}


REFUSALS = [
    (somebody_elses, NotYourPasskey),
    (removed, NotYourPasskey),
    (not_proven, PasskeyNotProven),
    (proven_elsewhere, PasskeyNotProven),
    (proven_as_guardian, PasskeyNotProven),
    (refused_by_the_chain, PasskeyNotProven),
    (owner_already, AlreadyOwner),
    (unknown_owner_at_its_address, AlreadyOwner),
    (not_live, AccountNotLive),
    (somebody_elses_account, NotYourAccount),
    (no_usable_key_left, NotYourAccount),
]


@pytest.mark.parametrize(
    ("arrange", "error"), REFUSALS, ids=[item[0].__name__ for item in REFUSALS]
)
def test_what_may_not_become_an_owner_is_refused_in_words(
    world: World, arrange: Any, error: type[OwnerChangeRefused]
):
    fields = arrange(world)

    with pytest.raises(error) as caught:
        draft_addition(world, **fields)

    assert str(caught.value).endswith(".")
    assert not UserOperation.objects.exists()


def test_an_owner_that_was_removed_on_chain_may_be_added_again(world: World):
    new = proven_newcomer(world)
    make_owner(world, new, is_current=False)

    assert draft_addition(world, new).status == Status.DRAFT


@pytest.mark.parametrize("signer", ["account", "zero", "sentinel"])
def test_an_address_that_no_safe_takes_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, signer: str
):
    new = proven_newcomer(world)
    addresses = {
        "account": world.wallet.safe.address,
        "zero": bytes(20),
        "sentinel": bytes(19) + b"\1",
    }
    # No passkey has such an address; the rule must hold all the same.
    monkeypatch.setattr(signers, "signer_of", lambda **_key: addresses[signer])

    with pytest.raises(SignerImpossible):
        draft_addition(world, new)


# --- One change at a time. R67 ----------------------------------------------------------


def signed_and_refused(world: World, op: UserOperation) -> UserOperation:
    op = world.sign(world.prepare(op))
    change(op, status=Status.REJECTED)
    return world.fresh(op)


@pytest.mark.parametrize(
    "status",
    [Status.DRAFT, Status.AWAITING_SIGNATURES, Status.SIGNED, Status.SUBMITTED],
)
def test_a_second_change_waits_for_the_first(world: World, status: Status):
    first = draft_addition(world, proven_newcomer(world))
    change(first, status=status)

    with pytest.raises(OwnerChangeInFlight):
        draft_addition(world, proven_newcomer(world))


@pytest.mark.parametrize(
    "status",
    [Status.INCLUDED, Status.REVERTED, Status.EXPIRED, Status.WITHDRAWN]
    + [Status.REPLACED, Status.REJECTED],
)
def test_a_change_that_ended_holds_nothing(world: World, status: Status):
    first = draft_addition(world, proven_newcomer(world))
    change(first, status=status)

    assert draft_addition(world, proven_newcomer(world)).status == Status.DRAFT


def test_what_was_signed_and_refused_holds_until_its_end_is_confirmed(world: World):
    new, other = proven_newcomer(world), proven_newcomer(world)
    op = signed_and_refused(world, draft_addition(world, new))

    world.confirm_time(op.valid_until)
    with pytest.raises(OwnerChangeInFlight):
        draft_addition(world, other)
    world.confirm_time(op.valid_until + 1)

    assert draft_addition(world, other).status == Status.DRAFT


def test_another_accounts_change_is_no_hindrance(world: World):
    new = proven_newcomer(world)
    draft_addition(world, new)
    second = make_wallet(user=world.wallet.user).safe
    prove(world, new, safe=second)

    assert draft_addition(world, new, safe=second).safe == second


def test_payments_and_a_change_do_not_wait_for_each_other(world: World):
    payments = [world.prepare() for _ in range(8)]

    op = world.prepare(draft_addition(world, proven_newcomer(world)))

    assert all(item.status == Status.AWAITING_SIGNATURES for item in payments)
    assert (op.status, op.nonce_key) == (Status.AWAITING_SIGNATURES, CONFIGURATION_KEY)


def test_two_changes_never_share_the_lane_even_if_both_were_drafted(world: World):
    first = draft_addition(world, proven_newcomer(world))
    change(first, status=Status.WITHDRAWN)
    second = draft_addition(world, proven_newcomer(world))
    change(first, status=Status.DRAFT)

    first, second = world.prepare(first), world.prepare(second)

    assert first.status == Status.AWAITING_SIGNATURES
    assert (second.status, second.failure_code) == (
        Status.REJECTED,
        "owner-change-first",
    )


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_many_parallel_asks_one_is_drafted(transactional_world: World):
    world = transactional_world
    new = [proven_newcomer(world) for _ in range(8)]
    refused = []

    def ask() -> None:
        try:
            draft_addition(world, new.pop())
        except OwnerChangeInFlight:
            refused.append(1)

    all_at_once(8, ask)

    assert UserOperation.objects.count() == 1
    assert len(refused) == 7


# --- The same form twice. R50 ------------------------------------------------------------


def test_the_same_form_makes_one_draft(world: World):
    new, key = proven_newcomer(world), uuid.uuid4()

    first = draft_addition(world, new, idempotency_key=key)
    second = draft_addition(world, new, idempotency_key=key)

    assert first == second
    assert UserOperation.objects.count() == 1


def test_the_same_form_is_answered_the_same_after_the_passkey_became_an_owner(
    world: World,
):
    new, key = proven_newcomer(world), uuid.uuid4()
    first = draft_addition(world, new, idempotency_key=key)
    change(first, status=Status.INCLUDED)
    make_owner(world, new)

    assert draft_addition(world, new, idempotency_key=key) == first


def test_one_form_for_two_passkeys_is_a_conflict(world: World):
    key = uuid.uuid4()
    draft_addition(world, proven_newcomer(world), idempotency_key=key)

    with pytest.raises(IdempotencyConflict, match="another request"):
        draft_addition(world, proven_newcomer(world), idempotency_key=key)


def test_one_form_for_a_payment_and_a_passkey_is_a_conflict(world: World):
    paid, added = uuid.uuid4(), uuid.uuid4()
    new = proven_newcomer(world)
    world.draft(idempotency_key=paid)
    draft_addition(world, new, idempotency_key=added)

    with pytest.raises(IdempotencyConflict, match="another payment"):
        draft_addition(world, new, idempotency_key=paid)
    with pytest.raises(IdempotencyConflict):
        world.draft(idempotency_key=added)
    with pytest.raises(IdempotencyConflict):
        # All that a payment names is the same; only the kind differs.
        world.draft(
            recipient=Address(world.wallet.safe.address),
            value_wei=0,
            idempotency_key=added,
        )


# --- Prepared again -----------------------------------------------------------------------


def test_what_expired_is_asked_for_again(world: World):
    op = world.prepare(draft_addition(world, proven_newcomer(world)))
    change(op, status=Status.EXPIRED)

    again = world.prepare_again(op)

    assert again.predecessor == op
    assert again.status == Status.AWAITING_SIGNATURES
    assert bytes(again.call_data) == bytes(op.call_data)


def test_again_it_takes_the_threshold_of_now(world: World):
    op = draft_addition(world, proven_newcomer(world))
    change(op, status=Status.EXPIRED)
    Safe.objects.update(threshold=2)

    assert world.prepare_again(op).new_threshold == 2


def test_what_became_an_owner_meanwhile_is_not_asked_for_again(world: World):
    new = proven_newcomer(world)
    op = draft_addition(world, new)
    change(op, status=Status.EXPIRED)
    make_owner(world, new)

    with pytest.raises(AlreadyOwner):
        world.prepare_again(op)


def test_it_is_not_asked_for_again_beside_another_change(world: World):
    op = draft_addition(world, proven_newcomer(world))
    change(op, status=Status.EXPIRED)
    draft_addition(world, proven_newcomer(world))

    with pytest.raises(OwnerChangeInFlight):
        world.prepare_again(op)


def test_a_refused_one_keeps_its_nonce_when_it_is_prepared_again(world: World):
    op = signed_and_refused(world, draft_addition(world, proven_newcomer(world)))

    again = world.prepare_again(op)

    assert again.status == Status.AWAITING_SIGNATURES
    assert (again.nonce_key, again.nonce_sequence) == (op.nonce_key, op.nonce_sequence)


def test_an_addition_is_no_twin_of_a_payment(world: World):
    op = draft_addition(world, proven_newcomer(world))

    twin = user_operations.recent_twin(
        safe=op.safe,
        recipient=op.recipient,
        value_wei=op.value_wei,
        idempotency_key=uuid.uuid4(),
    )

    assert twin is None


# --- R16, R28: a row that was changed behind the site's back ------------------------------

STRANGER = Address(b"\xee" * 20)
CHANGES = {
    "signer": {"new_signer": STRANGER},
    "no signer": {"new_signer": None},
    "no passkey": {"new_credential": None},
    "no threshold": {"new_threshold": None},
    "recipient": {"recipient": STRANGER},
    "value": {"value_wei": 1},
}


@pytest.mark.parametrize("fields", CHANGES.values(), ids=CHANGES)
def test_a_draft_that_was_changed_is_stopped_before_anybody_is_asked(
    world: World, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    op = draft_addition(world, proven_newcomer(world))
    change(op, **fields)
    world.node.calls.clear()

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")
    assert (world.node.calls, world.bundler.calls) == ([], [])
    assert JournalEntry.objects.get().action == "intent-mismatch"
    assert "tampered" in caplog.text


@pytest.mark.parametrize(
    "fields",
    [*CHANGES.values(), {"kind": Kind.PAYMENT}],
    ids=[*CHANGES, "kind"],
)
def test_a_signed_one_that_was_changed_is_never_sent(
    world: World, fields: dict[str, Any]
):
    op = world.sign(world.prepare(draft_addition(world, proven_newcomer(world))))
    change(op, **fields)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")
    assert world.bundler.sent == []


@pytest.mark.parametrize("fields", CHANGES.values(), ids=CHANGES)
def test_a_changed_one_is_shown_without_a_request_to_sign(
    world: World, fields: dict[str, Any]
):
    op = world.prepare(draft_addition(world, proven_newcomer(world)))
    change(op, **fields)

    with pytest.raises(intents.IntentChanged):
        authorization.signing_request(op=world.fresh(op), user=world.wallet.user)


def test_another_passkey_in_the_row_is_noticed(world: World):
    op = world.sign(world.prepare(draft_addition(world, proven_newcomer(world))))
    thief = newcomer(world)
    change(op, new_credential=thief.credential)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")


def test_another_passkey_and_its_signer_in_the_row_differ_from_what_was_signed(
    world: World,
):
    op = world.sign(world.prepare(draft_addition(world, proven_newcomer(world))))
    thief = newcomer(world)
    change(op, new_credential=thief.credential, new_signer=thief.signer)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")


def test_calls_beside_the_asked_ones_are_stopped(world: World):
    op = world.prepare(draft_addition(world, proven_newcomer(world)))
    more = [*intents.calls_of(op), Call(to=STRANGER, value_wei=1)]

    op.call_data = calls_call_data(more)
    op.save(update_fields=["call_data"])

    with pytest.raises(intents.IntentChanged):
        authorization.signing_request(op=op, user=world.wallet.user)


# --- What the world did meanwhile ---------------------------------------------------------


def removed_meanwhile(world: World, new: Newcomer) -> None:
    Credential.objects.filter(pk=new.credential.pk).update(removed_at=timezone.now())


def threshold_meanwhile(world: World, _new: Newcomer) -> None:
    Safe.objects.update(threshold=2)


OVERTAKEN = [
    (removed_meanwhile, "passkey-removed"),
    (threshold_meanwhile, "threshold-changed"),
    (make_owner, "already-owner"),
]
OVERTAKEN_NAMES = [code for _happen, code in OVERTAKEN]


@pytest.mark.parametrize(("happen", "code"), OVERTAKEN, ids=OVERTAKEN_NAMES)
def test_a_draft_that_was_overtaken_is_not_prepared(
    world: World, happen: Any, code: str
):
    new = proven_newcomer(world)
    op = draft_addition(world, new)
    happen(world, new)

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, code)


@pytest.mark.parametrize(("happen", "code"), OVERTAKEN, ids=OVERTAKEN_NAMES)
def test_a_signed_one_that_was_overtaken_is_not_sent(
    world: World, happen: Any, code: str
):
    new = proven_newcomer(world)
    op = world.sign(world.prepare(draft_addition(world, new)))
    happen(world, new)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, code)
    assert world.bundler.sent == []


def test_one_that_was_sent_stays_sent_whatever_happens(world: World):
    new = proven_newcomer(world)
    op = world.submit(world.sign(world.prepare(draft_addition(world, new))))
    removed_meanwhile(world, new)
    world.bundler.held.clear()

    op = world.submit(world.later(op))

    assert op.status == Status.SUBMITTED
    assert len(world.bundler.sent) == 1


# --- Where a passkey can be added ---------------------------------------------------------


def addable(world: World, new: Newcomer) -> list[tuple[Safe, bool, Any]]:
    found = addable_accounts.addable_accounts(
        user=world.wallet.user, credential=new.credential
    )
    return [(item.safe, item.is_proven, item.pending) for item in found]


def test_the_persons_live_accounts_are_offered_with_how_far_they_are(world: World):
    new, user = newcomer(world), world.wallet.user
    first = world.wallet.safe
    second, third = make_wallet(user=user).safe, make_wallet(user=user).safe
    make_wallet(user=user, status=Safe.Status.QUEUED)
    make_wallet()
    prove(world, new, safe=second)
    prove(world, new, safe=third)
    op = draft_addition(world, new, safe=third)

    assert addable(world, new) == [
        (first, False, None),
        (second, True, None),
        (third, True, op),
    ]


def test_an_account_that_the_passkey_owns_is_not_offered(world: World):
    new = newcomer(world)
    owner = make_owner(world, new)

    assert addable(world, new) == []
    Owner.objects.filter(pk=owner.pk).update(is_current=False)
    assert [safe for safe, *_rest in addable(world, new)] == [world.wallet.safe]


def test_an_account_where_no_passkey_of_the_person_can_sign_is_not_offered(
    world: World,
):
    new = newcomer(world)
    Credential.objects.filter(pk=world.wallet.credential.pk).update(
        removed_at=timezone.now()
    )

    assert addable(world, new) == []


@pytest.mark.parametrize(
    "fields",
    [{"role": KeyProof.Role.GUARDIAN}, {"status": KeyProof.Status.REFUSED}],
    ids=["as guardian", "refused"],
)
def test_a_proof_of_something_else_is_not_offered_as_one(
    world: World, fields: dict[str, str]
):
    new = proven_newcomer(world)
    KeyProof.objects.update(**fields)

    assert addable(world, new) == [(world.wallet.safe, False, None)]


def test_many_accounts_cost_as_many_queries_as_one(
    world: World, django_assert_num_queries: Any
):
    new = newcomer(world)
    for _ in range(3):
        make_wallet(user=world.wallet.user)

    with django_assert_num_queries(3):
        assert len(addable(world, new)) == 4
