"""Joining as a guardian: a proof of its own, and nothing of the account (R6, R62)."""

from __future__ import annotations

import pytest

from onchain.change_errors import InvitationNotConfirmed
from onchain.errors import InvitationRefused
from onchain.guardian_errors import GuardianNotProven
from onchain.models import Invitation, KeyProof, Membership, Role, WalletProof
from onchain.protocol.types import Address
from onchain.services import (
    acceptances,
    guardian_candidates,
    guardian_rules,
    guardians,
    invitations,
    memberships,
    roles,
    wallet_proofs,
)
from tests.factories import World
from tests.onchain.services.changes import add_invited
from tests.onchain.services.guarding import set_up
from tests.onchain.services.test_invitations import Guest, guest_of
from tests.tampering import tamper
from tests.wallet_keys import SoftWallet

GUARDIAN = KeyProof.Role.GUARDIAN


@pytest.fixture
def guest(world: World) -> Guest:
    return guest_of(world, GUARDIAN)


def candidates(world: World) -> list[Address]:
    safe, user = world.wallet.safe, world.wallet.user
    found = guardian_candidates.candidates(safe=safe, user=user, guardians=[])
    return [each.address for each in found]


def test_the_key_proves_itself_as_a_guardians_and_as_nothing_else(
    world: World, guest: Guest
):
    invitation = guest.accept()

    proof = invitation.key_proof
    assert (proof.role, proof.status) == (GUARDIAN, KeyProof.Status.PROVEN)
    assert invitation.address == proof.signer
    assert guardians.is_guardian(safe=world.wallet.safe, address=proof.signer)
    assert candidates(world) == []  # nobody compared the words yet


def test_who_is_confirmed_can_guard_and_sees_nothing(world: World, guest: Guest):
    invitation, safe = guest.accept(), world.wallet.safe

    guest.confirm()

    assert candidates(world) == [invitation.address]
    assert not Membership.objects.exists()
    assert roles.role_of(safe=safe, user=guest.user) is None
    op = world.prepare(
        set_up(world, guardians=[Address(invitation.address)], threshold=1)
    )
    assert op.status == op.Status.AWAITING_SIGNATURES
    # Neither side waits for anything any more.
    assert not invitations.open_of(safe=safe).exists()
    assert not invitations.received_by(guest.user).exists()


def test_a_guardians_key_never_becomes_an_owner(world: World, guest: Guest):
    guest.accept()
    guest.confirm()

    with pytest.raises(InvitationNotConfirmed):
        add_invited(world, guest.invitation)


def test_taking_it_back_ends_what_it_gave_and_nothing_else(world: World, guest: Guest):
    safe, owner = world.wallet.safe, world.wallet.user
    memberships.give(safe=safe, user=guest.user, role=Role.VIEWER, by=owner)
    invitation = guest.accept()
    guest.confirm()

    invitations.revoke(invitation=guest.invitation, user=owner)

    assert candidates(world) == []
    assert not guardian_rules.is_proven(
        safe=safe, user=owner, address=Address(invitation.address)
    )
    assert roles.role_of(safe=safe, user=guest.user) == Role.VIEWER


def test_accepting_again_takes_the_confirmed_key_back(world: World, guest: Guest):
    guest.accept()
    guest.confirm()
    guest.add_passkey()

    guest.accept()

    assert candidates(world) == []
    guest.confirm()
    assert candidates(world) == [guest.invitation.address]


def test_ones_word_for_a_contract_is_no_way_round_the_words(world: World, guest: Guest):
    address = Address(guest.accept().address)
    contract = Address(b"\xc0" * 20)
    world.node.account_codes |= {contract: b"\x60", address: b"\x60"}
    both = {"guardians": [address, contract], "threshold": 1, "is_proof_waived": True}
    with pytest.raises(GuardianNotProven):
        set_up(world, **both)
    guest.confirm()
    op = world.prepare(set_up(world, **both))
    assert op.status == op.Status.AWAITING_SIGNATURES

    guest.add_passkey()
    guest.accept()
    tamper(op, status=op.Status.SIGNED)
    op = world.submit(op)

    assert (op.status, op.failure_code) == (op.Status.REJECTED, "guardian-not-proven")


def test_a_wallet_guards_with_a_text_that_names_the_role(world: World, guest: Guest):
    wallet, safe = SoftWallet(), world.wallet.safe
    asked = {"user": guest.user, "safe": safe, "address": wallet.address}

    def accept(proof: WalletProof) -> None:
        acceptances.accept_with_wallet(
            invitation=guest.invitation,
            user=guest.user,
            proof=proof,
            signature=wallet.sign_text(proof.text),
            account=wallet.address,
        )

    with pytest.raises(InvitationRefused):
        accept(wallet_proofs.open_proof(**asked))
    accept(wallet_proofs.open_proof(**asked, role=GUARDIAN))
    guest.confirm()

    assert guest.invitation.status == Invitation.Status.CONFIRMED
    assert candidates(world) == [wallet.address]
