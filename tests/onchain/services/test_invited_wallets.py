"""Joining an account with a wallet: what it signs is frozen, then it is added (R6, R62)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import pytest
from django.utils import timezone

from accounts.models import User
from onchain.change_errors import InvitationNotConfirmed
from onchain.errors import AnotherAccountSigned, InvitationRefused
from onchain.models import Invitation, Owner, Role, UserOperation, WalletProof
from onchain.protocol.owners import add_owner_call
from onchain.protocol.spoken_words import words_of_wallet
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import (
    acceptances,
    change_intents,
    invitations,
    owner_changes,
    redrafts,
    roles,
    wallet_proofs,
)
from onchain.services.change_intents import IntentChanged
from tests.factories import World, make_credential, make_user
from tests.onchain.services.additions import added
from tests.onchain.services.happenings import follow
from tests.wallet_keys import SoftWallet, make_wallet_owner

CONTRACT = Address(b"\xc0" * 20)
Status = Invitation.Status


@dataclass(kw_only=True)
class Guest:
    """Somebody whose passkey only signs in, with a wallet, and their invitation."""

    world: World
    user: User
    pk: int
    wallet: SoftWallet = field(default_factory=SoftWallet)

    @property
    def invitation(self) -> Invitation:
        related = ("safe__chain", "wallet_proof", "key_proof")
        return Invitation.objects.select_related(*related).get(pk=self.pk)

    def asked(self, address: Address | None = None) -> WalletProof:
        return wallet_proofs.open_proof(
            user=self.user,
            safe=self.world.wallet.safe,
            address=address or self.wallet.address,
        )

    def accept(self, **changes: object) -> WalletProof:
        """Sign the text with the wallet, as the page asks for it."""
        proof = changes.pop("proof", None) or self.asked()
        given = {
            "invitation": self.invitation,
            "user": self.user,
            "proof": proof,
            "signature": self.wallet.sign_text(proof.text),
            "account": self.wallet.address,
        }
        return acceptances.accept_with_wallet(**given | changes)

    def confirm(self) -> None:
        """Let the owner say that both saw the same words."""
        acceptances.confirm(
            invitation=self.invitation,
            user=self.world.wallet.user,
            words=" ".join(invitations.words_of(self.invitation)),
        )

    def draft(self) -> UserOperation:
        """Ask as the owner for the operation that adds the wallet."""
        return owner_changes.draft_invited_owner(
            invitation=self.invitation,
            user=self.world.wallet.user,
            idempotency_key=uuid.uuid4(),
        )


def guest_of(world: World, role: Role) -> Guest:
    wallet = world.wallet
    invitation, token = invitations.issue(
        safe=wallet.safe, user=wallet.user, role=role, name="Bob"
    )
    user = make_credential().user
    invitations.take(token=token, user=user)
    return Guest(world=world, user=user, pk=invitation.pk)


@pytest.fixture
def guest(world: World) -> Guest:
    world.wallet.safe.owners.update(proven_at=timezone.now())
    return guest_of(world, Role.OWNER)


def test_accepting_freezes_the_wallet_and_its_proof_and_no_passkey(guest: Guest):
    proof = guest.accept()

    row = guest.invitation
    assert row.status == Status.ACCEPTED
    assert (row.address, row.wallet_proof) == (guest.wallet.address, proof)
    key = (row.credential, row.public_key_x, row.public_key_y, row.key_proof)
    assert key == (None,) * 4
    assert acceptances.is_checked(row)
    assert invitations.words_of(row) == words_of_wallet(
        account=Address(guest.world.wallet.safe.address), wallet=guest.wallet.address
    )


def test_another_account_of_the_wallet_is_not_frozen(guest: Guest):
    other = SoftWallet()
    proof = guest.asked()

    with pytest.raises(AnotherAccountSigned):
        guest.accept(
            proof=proof, signature=other.sign_text(proof.text), account=other.address
        )

    assert guest.invitation.status == Status.OPEN


def somebody_elses(guest: Guest) -> WalletProof:
    return wallet_proofs.open_proof(
        user=make_user(), safe=guest.world.wallet.safe, address=guest.wallet.address
    )


def a_guardians(guest: Guest) -> WalletProof:
    return wallet_proofs.open_proof(
        user=guest.user,
        safe=guest.world.wallet.safe,
        address=guest.wallet.address,
        role=WalletProof.Role.GUARDIAN,
    )


@pytest.mark.parametrize("proof_of", [somebody_elses, a_guardians])
def test_a_proof_for_another_person_or_role_is_not_taken(proof_of, guest: Guest):
    proof = proof_of(guest)

    with pytest.raises(InvitationRefused):
        guest.accept(proof=proof)

    proof.refresh_from_db()
    assert proof.status == WalletProof.Status.OPEN
    assert guest.invitation.status == Status.OPEN


def test_an_owner_of_the_account_is_not_invited_once_more(guest: Guest):
    make_wallet_owner(guest.wallet, safe=guest.world.wallet.safe)

    with pytest.raises(InvitationRefused, match="owner of the account already"):
        guest.accept()


def test_a_viewer_needs_no_wallet(world: World):
    guest = guest_of(world, Role.VIEWER)

    with pytest.raises(InvitationRefused):
        guest.accept()


def test_another_wallet_voids_the_owners_word(guest: Guest):
    guest.accept()
    guest.confirm()
    before = invitations.words_of(guest.invitation)

    guest.wallet = SoftWallet()
    guest.accept()

    assert guest.invitation.status == Status.ACCEPTED
    assert guest.invitation.confirmed_by is None
    assert invitations.words_of(guest.invitation) != before
    with pytest.raises(InvitationNotConfirmed):
        guest.draft()


@pytest.mark.parametrize("role", [Role.OWNER, Role.APPROVER])
def test_a_confirmed_wallet_is_added_from_its_row_and_is_the_guests(
    role: Role, world: World
):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    guest = guest_of(world, role)
    follow(world)
    guest.accept()
    guest.confirm()

    op = guest.draft()

    safe = world.wallet.safe
    assert op.kind == UserOperation.Kind.ADD_WALLET
    assert (op.invitation, op.new_credential) == (guest.invitation, None)
    assert change_intents.calls_of(op) == [
        add_owner_call(
            account=Address(safe.address), owner=guest.wallet.address, threshold=1
        )
    ]
    assert redrafts.new_owner_of(op).invitation == guest.invitation
    before = list(world.node.account_owners[safe.address].owners)
    world.node.set_owners(safe.address, [guest.wallet.address, *before])
    world.node.mine(added(safe.address, guest.wallet.address))
    follow(world)
    assert safe.owners.get(address=guest.wallet.address).holder == guest.user
    assert roles.role_of(safe=safe, user=guest.user) == role
    assert not invitations.received_by(guest.user).exists()


def test_a_row_that_names_another_key_than_its_invitation_makes_no_calls(guest: Guest):
    guest.accept()
    guest.confirm()
    op = guest.draft()
    invitation = op.invitation
    assert invitation is not None

    invitation.credential = make_credential(user=guest.user)
    with pytest.raises(IntentChanged):
        change_intents.calls_of(op)
    invitation.credential = None
    invitation.address = CONTRACT
    with pytest.raises(IntentChanged):
        change_intents.calls_of(op)


def test_nothing_is_drafted_with_a_proof_of_another_wallet(guest: Guest):
    guest.accept()
    guest.confirm()
    Invitation.objects.filter(pk=guest.pk).update(address=SoftWallet().address)

    with pytest.raises(InvitationNotConfirmed):
        guest.draft()


@pytest.mark.parametrize("is_accepted", [True, False])
def test_a_contract_counts_once_the_chain_said_yes(is_accepted: bool, guest: Guest):
    node = guest.world.node
    if is_accepted:
        node.call_answers[CONTRACT, OLDER_MAGIC] = OLDER_MAGIC.ljust(32, b"\0")
    proof = guest.accept(
        proof=guest.asked(CONTRACT), signature=b"what it reads", account=CONTRACT
    )
    assert proof.status == WalletProof.Status.SIGNED
    with pytest.raises(InvitationRefused, match="has not checked"):
        guest.confirm()

    wallet_proofs.check(proof=proof, node=node)

    assert acceptances.is_checked(guest.invitation) is is_accepted
    assert not Owner.objects.filter(address=CONTRACT).exists()
