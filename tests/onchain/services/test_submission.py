"""Sending a signed operation: through crashes, lost replies, lies and tampering."""

from __future__ import annotations

import logging

import pytest
from django.db.models import F

from onchain.clients.errors import ClientError, TransientClientError
from onchain.models import Chain, JournalEntry, OperationSignature, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.passkey_signature import passkey_signature
from onchain.services import submission
from tests.factories import ETHER, World
from tests.soft_authenticator import SoftAuthenticator
from tests.tampering import tamper
from tests.threads import all_at_once
from tests.undoing import undone


@pytest.fixture
def world(either_world: World) -> World:
    """What holds here holds for every kind of operation."""
    return either_world


def test_a_signed_operation_is_handed_to_the_bundler(world: World):
    op = world.submit()

    assert op.status == Status.SUBMITTED
    assert op.submitted_at is not None
    assert list(world.bundler.held) == [op.user_operation_hash]


def test_only_a_signed_operation_is_sent(world: World, subtests):
    op = world.sign()
    for status in set(Status) - {Status.SIGNED, Status.SUBMITTED}:
        with subtests.test(f"{status}"), undone():
            UserOperation.objects.filter(pk=op.pk).update(status=status)

            assert world.submit(op).status == status
            assert world.bundler.calls == ["estimate"]


# --- Crashes and lost replies. R44, R45 ------------------------------------------------


def test_submit_survives_a_crash_between_sending_and_saving(world: World):
    op = world.sign()
    submission.claim(op=op)
    world.bundler.send(submission.checked(op))  # the run that died here

    op = world.submit(world.later(op))

    assert op.status == Status.SUBMITTED
    assert len(world.bundler.sent) == 1


def test_a_lost_reply_leaves_the_row_signed(world: World):
    op = world.sign()
    world.bundler.loses_replies = True

    with pytest.raises(TransientClientError):
        world.submit(op)

    assert world.fresh(op).status == Status.SIGNED


def test_after_a_lost_reply_the_operation_is_found_by_its_hash(payment_world: World):
    op = payment_world.sign()
    payment_world.bundler.loses_replies = True
    with pytest.raises(TransientClientError):
        payment_world.submit(op)
    payment_world.bundler.loses_replies = False

    op = payment_world.submit(payment_world.later(op))

    assert op.status == Status.SUBMITTED
    assert [sent.nonce for sent in payment_world.bundler.sent] == [0]


def test_an_operation_that_the_bundler_already_knows_counts_as_sent(world: World):
    op = world.sign()
    world.bundler.send(submission.checked(op))

    op = world.submit(op)

    assert op.status == Status.SUBMITTED


@pytest.mark.parametrize("away", ["node", "bundler"])
def test_nothing_changes_while_one_of_them_is_out_of_reach(world: World, away: str):
    op = world.sign()
    getattr(world, away).failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        world.submit(op)

    assert world.fresh(op).status == Status.SIGNED


def test_an_attempt_made_moments_ago_is_not_repeated(world: World):
    op = world.sign()
    submission.claim(op=op)

    op = world.submit(op)

    assert op.status == Status.SIGNED
    assert world.bundler.sent == []


def test_the_follower_may_be_faster_than_the_bundlers_reply(world: World):
    op = world.fresh(world.sign())
    UserOperation.objects.filter(pk=op.pk).update(status=Status.INCLUDED)
    op.attempted_at = None

    submission._mark_submitted(op)

    assert world.fresh(op).status == Status.INCLUDED


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_submissions_send_once(transactional_world: World):
    world = transactional_world
    op = world.sign()

    all_at_once(10, lambda: world.submit(op))

    assert world.fresh(op).status == Status.SUBMITTED
    assert len(world.bundler.sent) == 1


# --- A bundler that loses operations ----------------------------------------------------


def test_an_operation_that_the_bundler_lost_is_handed_over_again_unchanged(
    world: World,
):
    op = world.submit()
    world.bundler.held.clear()

    op = world.submit(world.later(op))

    assert op.status == Status.SUBMITTED
    first, second = world.bundler.sent
    assert first == second


def test_an_operation_that_the_bundler_still_holds_is_not_sent_again(world: World):
    op = world.submit()

    world.submit(world.later(op))

    assert len(world.bundler.sent) == 1


def test_a_refused_second_sending_leaves_the_operation_submitted(world: World):
    op = world.submit()
    world.bundler.held.clear()
    world.bundler.refusal = ClientError("AA25", "invalid account nonce")

    op = world.submit(world.later(op))

    assert op.status == Status.SUBMITTED
    assert op.failure_code == ""


# --- Refusals ---------------------------------------------------------------------------


CODES = ("AA21", "AA22", "AA23", "AA24", "AA25", "AA26", "AA31", "AA33", "AA34")


def test_a_refused_operation_says_why(world: World, subtests):
    signed = world.sign()
    for code in CODES:
        with subtests.test(code), undone():
            world.bundler.refusal = ClientError(code, f"{code} by the EntryPoint")

            op = world.submit(signed)

            assert (op.status, op.failure_code) == (Status.REJECTED, code)
            assert op.failure_detail == f"{code} by the EntryPoint"


# R24
def test_another_hash_from_the_bundler_is_not_taken_for_success(world: World):
    op = world.sign()
    world.bundler.answers_hash = b"\x66" * 32

    with pytest.raises(TransientClientError, match="another hash"):
        world.submit(op)

    assert world.fresh(op).status == Status.SIGNED


# --- R16, R24: a changed row is stopped before anybody sees it --------------------------

TAMPERINGS = {
    "recipient": {"recipient": b"\xee" * 20},
    "value": {"value_wei": ETHER},
    "call data": {"call_data": b"\x54\x1d\x63\xc8" + bytes(160)},
    "lane": {"nonce_key": 7},
    "sequence": {"nonce_sequence": F("nonce_sequence") + 1},
    "call gas": {"call_gas_limit": F("call_gas_limit") + 1},
    "verification gas": {"verification_gas_limit": F("verification_gas_limit") + 1},
    "pre-verification gas": {"pre_verification_gas": F("pre_verification_gas") + 1},
    "fee": {"max_fee_per_gas": 1},
    "tip": {"max_priority_fee_per_gas": 1},
    "payer": {"paymaster": None},
    "paymaster's gas": {"paymaster_verification_gas_limit": 1},
    "paymaster's data": {"paymaster_data": b""},
    "start": {"valid_after": 1},
    "end": {"valid_until": F("valid_until") + 1},
    "operation hash": {"user_operation_hash": b"\x66" * 32},
    "signed hash": {"safe_operation_hash": b"\x66" * 32},
    "preparation": {"prepared_at": None},
}


def test_a_changed_row_never_reaches_the_bundler(world: World, caplog, subtests):
    signed = world.sign()
    for name, change in TAMPERINGS.items():
        with subtests.test(name), undone():
            tamper(signed, **change)
            asked = len(world.node.calls)
            caplog.clear()

            with caplog.at_level(logging.CRITICAL):
                op = world.submit(signed)

            assert op.status == Status.REJECTED
            assert op.failure_code in {"hash-mismatch", "intent-mismatch"}
            assert world.bundler.sent == []
            assert len(world.node.calls) == asked
            assert "tampered" in caplog.text
            assert JournalEntry.objects.get().action == op.failure_code


def test_call_data_with_hashes_to_match_is_stopped_by_the_intent(payment_world: World):
    op, other = (
        payment_world.sign(),
        payment_world.prepare(payment_world.draft(value_wei=ETHER // 2)),
    )
    names = ("call_data", "nonce_key", "user_operation_hash", "safe_operation_hash")
    names += ("paymaster_data", "max_fee_per_gas", "valid_until")
    stolen = {name: getattr(other, name) for name in names}
    UserOperation.objects.filter(pk=other.pk).update(
        status=Status.WITHDRAWN, user_operation_hash=None
    )
    tamper(op, **stolen)

    op = payment_world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")
    assert payment_world.bundler.sent == []


# --- R19: the account itself is asked first ---------------------------------------------


def test_a_signature_that_the_account_refuses_never_reaches_the_bundler(world: World):
    op = world.sign()
    OperationSignature.objects.update(
        signature=_signature_by(SoftAuthenticator(), world, op)
    )

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA24")
    assert world.bundler.sent == []


def test_a_check_that_reverts_is_a_refusal(world: World):
    op = world.sign()
    world.node.call = _raising(ClientError("execution-reverted", "GS026"))

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA23")
    assert op.failure_detail == "GS026"
    assert world.bundler.sent == []


def test_a_node_that_refuses_the_question_is_not_taken_for_the_account(world: World):
    op = world.sign()
    world.node.call = _raising(ClientError("node-refused", "unknown block"))

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "node-refused")


# --- Not now ----------------------------------------------------------------------------


def test_an_operation_past_its_end_is_not_sent(world: World):
    op = world.sign()
    Chain.objects.update(head_timestamp=op.valid_until + 1)

    op = world.submit(op)

    assert op.status == Status.SIGNED
    assert world.bundler.sent == []


def test_an_operation_at_its_end_is_still_sent(world: World):
    op = world.sign()
    Chain.objects.update(head_timestamp=op.valid_until)

    assert world.submit(op).status == Status.SUBMITTED


# R22
def test_nothing_is_sent_while_a_contract_is_not_the_pinned_one(world: World):
    op = world.sign()
    Chain.objects.update(problem="SafeL2 has other code than the pinned one.")

    op = world.submit(op)

    assert op.status == Status.SIGNED
    assert world.bundler.sent == []


def _signature_by(passkey: SoftAuthenticator, world: World, op: UserOperation) -> bytes:
    """Return another key's signature in the form that is stored."""
    passkey.credential_id = world.wallet.passkey.credential_id
    passkey.user_handle = world.wallet.passkey.user_handle
    assertion = passkey.assert_challenge(bytes(op.safe_operation_hash))
    r, s = assertion.r_and_s
    return passkey_signature(
        authenticator_data=assertion.authenticator_data,
        client_data_fields=assertion.client_data_json[
            assertion.client_data_json.index(b'"origin"') : -1
        ],
        r=r,
        s=s,
    )


def _raising(error: Exception):
    def call(*_args: object, **_options: object) -> bytes:
        raise error

    return call
