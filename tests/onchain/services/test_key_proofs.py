"""Proving a key before its account is paid (R6): one touch, once, checked twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.clients.errors import ClientError, TransientClientError
from onchain.errors import SignatureRefused
from onchain.models import KeyProof
from onchain.services import key_proofs
from tests.factories import World, assertion_text, make_wallet
from tests.signing_oracle import key_proof_hash
from tests.soft_authenticator import SoftAuthenticator
from tests.threads import all_at_once
from tests.wallets import key_of

Status = KeyProof.Status


def answer(world: World, proof: KeyProof) -> KeyProof:
    response = assertion_text(world.wallet.passkey, bytes(proof.challenge))
    return key_proofs.answer(**key_of(world.wallet.owner), response=response)


def test_the_challenge_is_the_hash_that_eth_account_computes_from_the_page(
    world: World,
):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))

    request = key_proofs.signing_request(proof=proof)

    assert request["hash"] == key_proof_hash(request["message"])


def test_the_proof_names_account_role_and_signer(world: World):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))

    message = key_proofs.signing_request(proof=proof)["message"]

    assert message["account"] == world.wallet.safe.address_text
    assert message["verifyingContract"] == world.wallet.owner.address_text
    assert message["role"] == "owner"


def test_an_answered_proof_is_proven_once_the_chain_agrees(world: World):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    assert (proof.status, world.wallet.owner.proven_at) == (Status.SIGNED, None)

    key_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.PROVEN
    assert world.wallet.owner.proven_at is not None


# --- The nonce --------------------------------------------------------------------------


def test_a_fresh_proof_is_offered_again(world: World):
    owner = world.wallet.owner

    assert key_proofs.open_proof(**key_of(owner)) == key_proofs.open_proof(
        **key_of(owner)
    )


def test_a_proof_about_to_end_is_not_offered(world: World):
    owner = world.wallet.owner
    first = key_proofs.open_proof(**key_of(owner))
    KeyProof.objects.update(expires_at=timezone.now() + timedelta(seconds=60))

    second = key_proofs.open_proof(**key_of(owner))

    assert second.nonce != first.nonce


def test_the_page_given_a_little_earlier_still_counts(world: World):
    owner = world.wallet.owner
    first = key_proofs.open_proof(**key_of(owner))
    KeyProof.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    key_proofs.open_proof(**key_of(owner))

    assert answer(world, first) == first


def test_an_answer_counts_once(world: World):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))
    response = assertion_text(world.wallet.passkey, bytes(proof.challenge))
    key_proofs.answer(**key_of(world.wallet.owner), response=response)

    with pytest.raises(SignatureRefused):
        key_proofs.answer(**key_of(world.wallet.owner), response=response)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_ten_parallel_answers_one_counts(transactional_world: World):
    world = transactional_world
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))

    answers = all_at_once(10, lambda: answer(world, proof))

    taken = [item for item in answers if isinstance(item, KeyProof)]
    refused = [item for item in answers if isinstance(item, SignatureRefused)]
    assert (len(taken), len(refused)) == (1, 9)


def test_an_expired_proof_is_refused(world: World):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))
    KeyProof.objects.update(expires_at=timezone.now())

    with pytest.raises(SignatureRefused, match="expired"):
        answer(world, proof)

    assert KeyProof.objects.get().status == Status.OPEN


# --- Answers that prove nothing ---------------------------------------------------------


def test_another_key_proves_nothing(world: World):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))
    forger = SoftAuthenticator(
        credential_id=world.wallet.passkey.credential_id,
        user_handle=world.wallet.passkey.user_handle,
    )

    with pytest.raises(SignatureRefused):
        key_proofs.answer(
            **key_of(world.wallet.owner),
            response=assertion_text(forger, bytes(proof.challenge)),
        )

    assert KeyProof.objects.get().status == Status.OPEN


def test_a_proof_for_another_account_proves_nothing_here(world: World):
    other = make_wallet()
    theirs = key_proofs.open_proof(**key_of(other.owner))
    key_proofs.open_proof(**key_of(world.wallet.owner))

    with pytest.raises(SignatureRefused):
        answer(world, theirs)

    assert not KeyProof.objects.exclude(status=Status.OPEN).exists()


def test_an_authorisation_is_not_a_proof(world: World):
    op = world.prepare()
    key_proofs.open_proof(**key_of(world.wallet.owner))

    with pytest.raises(SignatureRefused):
        key_proofs.answer(**key_of(world.wallet.owner), response=world.answer(op))


@pytest.mark.parametrize("response", ["", "{}", "[]"])
def test_an_unreadable_answer_is_refused(world: World, response: str):
    key_proofs.open_proof(**key_of(world.wallet.owner))

    with pytest.raises(SignatureRefused):
        key_proofs.answer(**key_of(world.wallet.owner), response=response)


# --- The chain's word -------------------------------------------------------------------


def test_what_the_chain_does_not_accept_is_refused(world: World):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    elsewhere = make_wallet()
    other = key_proofs.open_proof(**key_of(elsewhere.owner))
    proof.challenge = other.challenge  # the signature is of another

    key_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.REFUSED
    assert world.wallet.owner.proven_at is None


def test_a_node_that_will_not_answer_proves_and_refuses_nothing(world: World):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    world.node.failure = ClientError("node-refused", "limit exceeded")

    with pytest.raises(TransientClientError):
        key_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.SIGNED


def test_a_check_that_reverts_is_a_refusal(world: World):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    world.node.failure = ClientError("execution-reverted")

    key_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.REFUSED


def test_a_node_out_of_reach_leaves_the_proof_signed(world: World):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        key_proofs.check(proof=proof, node=world.node)

    proof.refresh_from_db()
    assert proof.status == Status.SIGNED


@pytest.mark.parametrize("status", [Status.OPEN, Status.PROVEN, Status.REFUSED])
def test_only_a_signed_proof_is_checked(world: World, status: str):
    proof = answer(world, key_proofs.open_proof(**key_of(world.wallet.owner)))
    KeyProof.objects.update(status=status)
    proof.refresh_from_db()

    key_proofs.check(proof=proof, node=world.node)

    assert world.node.calls == []


def test_the_newest_answer_is_the_one_to_show(world: World):
    owner = world.wallet.owner
    assert key_proofs.latest(**key_of(owner)) is None
    proof = answer(world, key_proofs.open_proof(**key_of(owner)))
    key_proofs.open_proof(**key_of(owner))

    assert key_proofs.latest(**key_of(owner)) == proof
