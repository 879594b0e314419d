"""Taking a passkey's authorisation: whose, of what, once."""

from __future__ import annotations

import json

import pytest

from accounts.models import Credential
from onchain.errors import NotAwaitingSignature, OperationExpired, SignatureRefused
from onchain.models import Chain, OperationSignature, Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import checksum_address
from onchain.services import authorization, user_operations
from tests.factories import ETHER, World, assertion_text, make_credential, make_wallet
from tests.signing_oracle import safe_operation_hash
from tests.soft_authenticator import (
    BE,
    BS,
    UP,
    SoftAuthenticator,
    base64url,
    client_data,
)
from tests.threads import all_at_once


def sign(world: World, op: UserOperation, response: str) -> UserOperation:
    """Sign as the view does it; return the operation as it is then."""
    authorization.sign(op=world.fresh(op), user=world.wallet.user, response=response)
    return world.fresh(op)


def assert_unsigned(world: World, op: UserOperation) -> None:
    assert world.fresh(op).status == Status.AWAITING_SIGNATURES
    assert not OperationSignature.objects.exists()


def test_the_owners_passkey_signs_the_operation(world: World):
    op = world.prepare()

    op = sign(world, op, world.answer(op))

    assert op.status == Status.SIGNED
    assert op.signed_at is not None
    assert op.signatures.get().owner == world.wallet.owner


def test_the_challenge_is_the_hash_that_eth_account_computes_from_the_page(
    world: World,
):
    op = world.prepare()

    request = authorization.signing_request(op=op, user=world.wallet.user)

    assert request["hash"] == safe_operation_hash(request["message"])
    assert request["hash"] == f"0x{op.safe_operation_hash.hex()}"


def test_the_request_names_the_payment_and_the_persons_own_passkey(world: World):
    op = world.prepare()

    request = authorization.signing_request(op=op, user=world.wallet.user)

    (call,) = request["calls"]
    assert call == {
        "to": checksum_address(op.recipient),
        "valueWei": str(ETHER // 4),
        "data": "0x",
    }
    (allowed,) = request["allowCredentials"]
    assert allowed["id"] == base64url(world.wallet.passkey.credential_id)
    assert all(isinstance(value, str) for value in request["message"].values())


# R24
@pytest.mark.parametrize(
    "change",
    [
        {"value_wei": 1, "call_data": b"\0"},
        {"valid_until": 2**40},
        {"nonce_sequence": 9},
    ],
)
def test_a_row_changed_after_preparation_cannot_be_signed(world: World, change):
    op = world.prepare()
    UserOperation.objects.filter(pk=op.pk).update(**change)

    with pytest.raises(ValueError, match="changed after it was prepared"):
        sign(world, op, world.answer(op))

    assert_unsigned(world, op)


# --- Answers that authorise nothing. R8, R18 --------------------------------------------


def test_another_key_behind_the_same_credential_id_is_refused(world: World):
    op = world.prepare()
    forger = SoftAuthenticator(
        credential_id=world.wallet.passkey.credential_id,
        user_handle=world.wallet.passkey.user_handle,
    )

    with pytest.raises(SignatureRefused):
        sign(world, op, assertion_text(forger, bytes(op.safe_operation_hash)))

    assert_unsigned(world, op)


def test_another_persons_passkey_is_refused(world: World):
    op = world.prepare()
    other = make_wallet()

    with pytest.raises(SignatureRefused, match="not an owner"):
        sign(world, op, assertion_text(other.passkey, bytes(op.safe_operation_hash)))

    assert_unsigned(world, op)


def test_another_person_cannot_sign_even_with_the_owners_passkey(world: World):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        authorization.sign(op=op, user=make_wallet().user, response=world.answer(op))

    assert_unsigned(world, op)


def test_a_passkey_of_the_person_that_owns_nothing_here_is_refused(world: World):
    op = world.prepare()
    spare = SoftAuthenticator()
    make_credential(spare, user=world.wallet.user)

    with pytest.raises(SignatureRefused, match="not an owner"):
        sign(world, op, assertion_text(spare, bytes(op.safe_operation_hash)))


def test_an_answer_to_another_challenge_is_refused(world: World):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        sign(world, op, assertion_text(world.wallet.passkey, b"\x11" * 32))

    assert_unsigned(world, op)


def test_the_signature_of_another_payment_is_refused(world: World):
    first, second = world.prepare(), world.prepare(world.draft(value_wei=1))
    old = world.answer(first)
    sign(world, first, old)

    with pytest.raises(SignatureRefused):
        sign(world, second, old)

    assert world.fresh(second).status == Status.AWAITING_SIGNATURES


def test_a_sign_in_is_not_an_authorisation(world: World):
    op = world.prepare()
    challenge = bytes(op.safe_operation_hash) + bytes(32)

    with pytest.raises(SignatureRefused):
        sign(world, op, assertion_text(world.wallet.passkey, challenge))


def test_an_answer_without_user_verification_is_refused(world: World):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        sign(world, op, world.answer(op, flags=UP | BE | BS))

    assert_unsigned(world, op)


def test_an_answer_for_another_origin_is_refused(world: World):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        sign(world, op, world.answer(op, origin="https://wallet.example.org"))

    assert_unsigned(world, op)


def reordered(challenge: bytes) -> bytes:
    members = json.loads(client_data(ceremony="webauthn.get", challenge=challenge))
    challenge_first = {"challenge": members.pop("challenge"), **members}
    return json.dumps(challenge_first, separators=(",", ":")).encode()


def spaced(challenge: bytes) -> bytes:
    members = json.loads(client_data(ceremony="webauthn.get", challenge=challenge))
    return json.dumps(members).encode()


@pytest.mark.parametrize("shape", [reordered, spaced])
def test_client_data_that_the_chain_cannot_read_is_refused(world: World, shape):
    op = world.prepare()
    text = shape(bytes(op.safe_operation_hash))

    with pytest.raises(SignatureRefused):
        sign(world, op, world.answer(op, client_data_json=text))

    assert_unsigned(world, op)


@pytest.mark.parametrize("response", ["", "{}", "[]", "null", '{"rawId":"AAAA"}'])
def test_an_unreadable_answer_is_refused(world: World, response: str):
    op = world.prepare()

    with pytest.raises(SignatureRefused):
        sign(world, op, response)


# R9
def test_a_counter_that_went_back_never_blocks_a_payment(world: World):
    Credential.objects.update(sign_count=100)
    op = world.prepare()

    op = sign(world, op, world.answer(op, sign_count=7))

    assert op.status == Status.SIGNED


# --- Once, and in time ------------------------------------------------------------------


def test_a_double_click_signs_once(world: World):
    op = world.prepare()
    response = world.answer(op)

    first, second = sign(world, op, response), sign(world, op, response)

    assert (first.status, second.status) == (Status.SIGNED, Status.SIGNED)
    assert OperationSignature.objects.count() == 1


def test_a_second_touch_keeps_the_first_signature(world: World):
    op = world.prepare()
    sign(world, op, world.answer(op))
    before = bytes(op.signatures.get().signature)

    sign(world, op, world.answer(op))

    assert bytes(op.signatures.get().signature) == before


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_posts_of_one_answer_all_succeed(transactional_world: World):
    world = transactional_world
    op = world.prepare()
    response = world.answer(op)

    answers = all_at_once(10, lambda: sign(world, op, response).status)

    assert answers == [Status.SIGNED] * 10
    assert OperationSignature.objects.count() == 1


def test_an_unsigned_operation_expires_at_the_head(world: World):
    op = world.prepare()
    Chain.objects.update(head_timestamp=op.valid_until)

    with pytest.raises(OperationExpired):
        sign(world, op, world.answer(op))

    op = world.fresh(op)
    assert (op.status, op.failure_code) == (Status.EXPIRED, "expired")
    assert not OperationSignature.objects.exists()


def test_a_second_before_its_end_it_can_be_signed(world: World):
    op = world.prepare()
    Chain.objects.update(head_timestamp=op.valid_until - 1)

    assert sign(world, op, world.answer(op)).status == Status.SIGNED


# R65
@pytest.mark.parametrize(
    "status", [Status.WITHDRAWN, Status.EXPIRED, Status.REJECTED, Status.REPLACED]
)
def test_what_was_ended_elsewhere_is_not_signed(world: World, status: Status):
    op = world.prepare()
    response = world.answer(op)
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    with pytest.raises(NotAwaitingSignature):
        sign(world, op, response)

    assert not OperationSignature.objects.exists()


def test_a_payment_withdrawn_at_the_same_moment_keeps_no_signature(world: World):
    op = world.prepare()
    stale = world.fresh(op)
    user_operations.withdraw(op=op)

    with pytest.raises(NotAwaitingSignature):
        authorization.sign(op=stale, user=world.wallet.user, response=world.answer(op))

    assert world.fresh(op).status == Status.WITHDRAWN
    assert not OperationSignature.objects.exists()


def test_a_strangers_answer_to_a_signed_operation_is_no_double_click(world: World):
    op = world.sign()

    with pytest.raises(NotAwaitingSignature):
        sign(world, op, assertion_text(SoftAuthenticator(), b"\x11" * 32))


# --- Several owners ---------------------------------------------------------------------


def test_with_two_needed_the_first_signature_is_not_enough(world: World):
    safe = world.wallet.safe
    second = make_credential(user=world.wallet.user)
    Owner.objects.create(safe=safe, credential=second, address=b"\x0f" * 20, position=1)
    type(safe).objects.filter(pk=safe.pk).update(threshold=2)
    op = world.prepare()

    op = sign(world, op, world.answer(op))

    assert op.status == Status.AWAITING_SIGNATURES
    assert op.signatures.count() == 1


# R6
def test_an_included_operation_proves_its_signers(world: World):
    op = world.sign()

    authorization.mark_owners_proven(op)

    assert world.wallet.owner.proven_at is not None
