"""Joining an account by a link: opened once, accepted with a key, confirmed (R62, R63)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import SecurityEvent, User
from onchain.errors import InvitationRefused, SignatureRefused
from onchain.models import Invitation, KeyProof, Membership, Owner, Role, UserOperation
from onchain.services import acceptances, invitations, key_proofs, memberships, roles
from tests.factories import (
    World,
    assertion_text,
    make_credential,
    make_operation,
    make_operator,
    make_user,
)
from tests.soft_authenticator import SoftAuthenticator
from tests.threads import all_at_once

Status = Invitation.Status


@dataclass(kw_only=True)
class Guest:
    """Somebody with a passkey and no account, and the invitation that they opened."""

    world: World
    passkey: SoftAuthenticator
    user: User
    pk: int

    @property
    def invitation(self) -> Invitation:
        return Invitation.objects.select_related("safe__chain").get(pk=self.pk)

    def add_passkey(self) -> None:
        self.passkey = SoftAuthenticator()
        make_credential(self.passkey, user=self.user)

    def accept(self, *, is_checked: bool = True) -> Invitation:
        """Answer with the newest passkey, as the page asks for it."""
        credential = self.user.credentials.get(credential_id=self.passkey.credential_id)
        if self.invitation.role == Role.VIEWER:
            acceptances.accept_to_look(
                invitation=self.invitation, user=self.user, credential=credential
            )
            return self.invitation
        asked = acceptances.proof_request(
            invitation=self.invitation, credential=credential
        )
        proof = acceptances.accept_with_proof(
            invitation=self.invitation,
            user=self.user,
            credential=credential,
            response=assertion_text(
                self.passkey, bytes.fromhex(str(asked["hash"])[2:])
            ),
        )
        if is_checked:
            key_proofs.check(proof=proof, node=self.world.node)
        return self.invitation

    def confirm(self) -> None:
        invitation = self.invitation
        acceptances.confirm(
            invitation=invitation,
            user=self.world.wallet.user,
            words=" ".join(invitations.words_of(invitation)),
        )


def issue(world: World, role: str = Role.OWNER) -> tuple[Invitation, str]:
    wallet = world.wallet
    return invitations.issue(safe=wallet.safe, user=wallet.user, role=role, name="Bob")


def guest_of(world: World, role: str) -> Guest:
    invitation, token = issue(world, role)
    passkey = SoftAuthenticator()
    user = make_credential(passkey).user
    invitations.take(token=token, user=user)
    return Guest(world=world, passkey=passkey, user=user, pk=invitation.pk)


@pytest.fixture
def guest(world: World) -> Guest:
    return guest_of(world, Role.OWNER)


# --- The link ---------------------------------------------------------------------------


def test_only_the_hash_of_256_random_bits_is_stored(world: World):
    invitation, token = issue(world)

    assert len(token) == 43  # 32 bytes in base64url
    assert invitation.token_hash == hashlib.sha256(token.encode()).digest()
    assert token not in str(vars(invitation))
    assert issue(world)[1] != token


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
def test_only_an_owner_invites(role: Role, world: World):
    person = make_user()
    memberships.give(
        safe=world.wallet.safe, user=person, role=role, by=world.wallet.user
    )

    with pytest.raises(InvitationRefused):
        invitations.issue(
            safe=world.wallet.safe, user=person, role=Role.VIEWER, name="Bob"
        )


def test_a_link_opens_once_and_stays_open_to_who_opened_it(world: World):
    invitation, token = issue(world)
    first, second = make_user(), make_user()

    assert invitations.take(token=token, user=first) == invitation
    assert invitations.take(token=token, user=first) == invitation
    with pytest.raises(InvitationRefused):
        invitations.take(token=token, user=second)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_open_a_link_at_once_one_has_it(transactional_world: World):
    _invitation, token = issue(transactional_world)
    people = [make_user() for _ in range(8)]

    results = all_at_once(
        len(people), lambda: invitations.take(token=token, user=people.pop())
    )

    assert sum(isinstance(result, Invitation) for result in results) == 1
    assert sum(isinstance(result, InvitationRefused) for result in results) == 7


@pytest.mark.parametrize("what", ["unknown", "revoked", "expired"])
def test_a_link_that_is_over_says_the_same_whatever_it_was(what: str, world: World):
    invitation, token = issue(world)
    if what == "unknown":
        token = "x" * 43
    elif what == "revoked":
        invitations.revoke(invitation=invitation, user=world.wallet.user)
    else:
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(InvitationRefused) as refused:
        invitations.take(token=token, user=make_user())

    assert str(refused.value) == InvitationRefused.message
    assert not Invitation.objects.filter(accepted_by__isnull=False).exists()


def test_a_link_lives_for_seven_days(world: World):
    invitation, _token = issue(world)
    invitation.refresh_from_db()

    life = invitation.expires_at - invitation.created_at
    assert abs(life - timedelta(days=7)) < timedelta(minutes=1)


def test_neither_its_maker_nor_an_owner_nor_an_operator_opens_it(world: World):
    _invitation, token = issue(world)
    owner = make_credential().user
    Owner.objects.create(
        safe=world.wallet.safe,
        credential=owner.credentials.get(),
        address=b"\xaa" * 20,
        position=1,
    )

    for user in (world.wallet.user, owner, make_operator()):
        with pytest.raises(InvitationRefused):
            invitations.take(token=token, user=user)


# --- Accepting --------------------------------------------------------------------------


def test_opening_a_link_gives_nothing(guest: Guest):
    assert roles.role_of(safe=guest.world.wallet.safe, user=guest.user) is None


def test_accepting_freezes_the_key_and_its_proof(guest: Guest):
    invitation = guest.accept()

    credential = guest.user.credentials.get()
    assert invitation.status == Status.ACCEPTED
    assert invitation.credential == credential
    assert invitation.public_key_x == int.from_bytes(credential.public_key_x, "big")
    assert invitation.public_key_y == int.from_bytes(credential.public_key_y, "big")
    assert invitation.key_proof.status == KeyProof.Status.PROVEN
    assert invitation.address == invitation.key_proof.signer
    assert roles.role_of(safe=invitation.safe, user=guest.user) is None


def test_the_inviter_is_told_who_accepted(guest: Guest):
    guest.accept()

    event = SecurityEvent.objects.get(user=guest.world.wallet.user)
    assert event.kind == SecurityEvent.Kind.INVITATION_ACCEPTED
    assert "Bob" in event.detail


def test_a_proof_of_another_passkey_is_refused(guest: Guest):
    credential = guest.user.credentials.get()
    asked = acceptances.proof_request(
        invitation=guest.invitation, credential=credential
    )
    challenge = bytes.fromhex(str(asked["hash"])[2:])

    with pytest.raises(SignatureRefused):
        acceptances.accept_with_proof(
            invitation=guest.invitation,
            user=guest.user,
            credential=credential,
            response=assertion_text(SoftAuthenticator(), challenge),
        )

    assert guest.invitation.status == Status.OPEN


def test_nobody_accepts_what_somebody_else_opened(guest: Guest):
    stranger = make_credential()

    with pytest.raises(InvitationRefused):
        acceptances.accept_with_proof(
            invitation=guest.invitation,
            user=stranger.user,
            credential=stranger,
            response="{}",
        )


@pytest.mark.parametrize("what", ["revoked", "expired"])
def test_what_is_over_cannot_be_accepted(what: str, guest: Guest):
    if what == "revoked":
        invitations.revoke(invitation=guest.invitation, user=guest.world.wallet.user)
    else:
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(InvitationRefused):
        guest.accept()

    assert guest.invitation.credential is None


# --- Comparing and confirming -----------------------------------------------------------


def test_both_see_the_same_words_and_another_key_has_others(guest: Guest):
    before = invitations.words_of(guest.accept())
    guest.add_passkey()
    after = invitations.words_of(guest.accept())

    assert len(before) == len(after) == 6
    assert before != after


@pytest.mark.parametrize(
    ("role", "becomes"),
    [(Role.OWNER, None), (Role.APPROVER, Role.VIEWER), (Role.VIEWER, Role.VIEWER)],
)
def test_who_is_confirmed_gets_the_role_and_no_key_on_chain(
    role: Role, becomes: Role | None, world: World
):
    guest = guest_of(world, role)
    guest.accept()

    guest.confirm()

    assert guest.invitation.status == Status.CONFIRMED
    assert guest.invitation.confirmed_by == world.wallet.user
    assert roles.role_of(safe=world.wallet.safe, user=guest.user) == becomes
    assert world.wallet.safe.owners.count() == 1


def test_an_approver_approves_once_the_chain_has_the_key(world: World):
    guest = guest_of(world, Role.APPROVER)
    guest.accept()
    guest.confirm()

    Owner.objects.create(
        safe=world.wallet.safe,
        credential=guest.invitation.credential,
        address=guest.invitation.address,
        position=1,
    )

    role = roles.role_of(safe=world.wallet.safe, user=guest.user)
    assert role == Role.APPROVER


def test_accepting_again_voids_the_owners_word_about_the_first_key(world: World):
    guest = guest_of(world, Role.APPROVER)
    guest.accept()
    guest.confirm()
    guest.add_passkey()

    invitation = guest.accept()

    assert invitation.status == Status.ACCEPTED
    assert invitation.confirmed_by is None
    assert invitation.credential.credential_id == guest.passkey.credential_id
    assert roles.role_of(safe=invitation.safe, user=guest.user) is None


def test_an_owner_never_confirms_a_key_that_they_did_not_see(guest: Guest):
    seen = " ".join(invitations.words_of(guest.accept()))
    guest.add_passkey()
    invitation = guest.accept()

    with pytest.raises(InvitationRefused, match="Another key"):
        acceptances.confirm(
            invitation=invitation, user=guest.world.wallet.user, words=seen
        )

    assert guest.invitation.status == Status.ACCEPTED


def test_a_row_read_before_the_guest_accepted_again_confirms_nothing(guest: Guest):
    stale = guest.accept()
    guest.add_passkey()
    guest.accept()

    with pytest.raises(InvitationRefused):
        acceptances.confirm(
            invitation=stale,
            user=guest.world.wallet.user,
            words=" ".join(invitations.words_of(stale)),
        )

    assert guest.invitation.status == Status.ACCEPTED


def test_nothing_is_confirmed_before_the_chain_checked_the_key(guest: Guest):
    guest.accept(is_checked=False)

    with pytest.raises(InvitationRefused, match="has not checked"):
        guest.confirm()


def test_the_guest_cannot_confirm(guest: Guest):
    invitation = guest.accept()

    with pytest.raises(InvitationRefused):
        acceptances.confirm(
            invitation=invitation,
            user=guest.user,
            words=" ".join(invitations.words_of(invitation)),
        )


@pytest.mark.parametrize("status", acceptances.UNDER_WAY)
def test_the_key_stays_as_it_is_while_the_owners_add_it(status: str, guest: Guest):
    guest.accept()
    guest.confirm()
    make_operation(
        guest.world.wallet,
        status=status,
        kind=UserOperation.Kind.ADD_PASSKEY,
        invitation=guest.invitation,
        user_operation_hash=b"\1" * 32,
    )
    guest.add_passkey()

    with pytest.raises(InvitationRefused, match="discard"):
        guest.accept()

    assert guest.invitation.status == Status.CONFIRMED


# --- Ending -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
def test_taking_an_invitation_back_ends_what_it_gave(role: Role, world: World):
    guest = guest_of(world, role)
    guest.accept()
    guest.confirm()

    invitations.revoke(invitation=guest.invitation, user=world.wallet.user)

    assert roles.role_of(safe=world.wallet.safe, user=guest.user) is None
    assert not invitations.open_of(safe=world.wallet.safe).exists()
    assert not invitations.received_by(guest.user).exists()


def test_an_approver_whose_last_key_the_chain_removed_sees_nothing_more(world: World):
    guest = guest_of(world, Role.APPROVER)
    guest.accept()
    guest.confirm()
    owner = Owner.objects.create(
        safe=world.wallet.safe,
        credential=guest.invitation.credential,
        address=guest.invitation.address,
        position=1,
        is_current=False,
    )

    memberships.end_of_removed(safe=world.wallet.safe, owners=[owner])

    assert roles.role_of(safe=world.wallet.safe, user=guest.user) is None


def test_who_was_a_viewer_can_be_asked_in_as_an_approver(world: World):
    guest = guest_of(world, Role.VIEWER)
    guest.accept()
    guest.confirm()

    memberships.give(
        safe=world.wallet.safe,
        user=guest.user,
        role=Role.APPROVER,
        by=world.wallet.user,
    )

    in_force = Membership.objects.get(user=guest.user, ended_at=None)
    assert in_force.role == Role.APPROVER


def test_what_waits_is_listed_until_it_has_come_to_something(guest: Guest):
    safe = guest.world.wallet.safe
    for step in (lambda: None, guest.accept, guest.confirm):
        step()
        assert invitations.open_of(safe=safe).get().pk == guest.pk
        assert invitations.received_by(guest.user).get().pk == guest.pk

    Owner.objects.create(
        safe=safe,
        credential=guest.invitation.credential,
        address=guest.invitation.address,
        position=1,
    )

    assert not invitations.open_of(safe=safe).exists()
    assert not invitations.received_by(guest.user).exists()
