"""What a passkey is for on chain, which its removal names (R13) and keeps."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import Credential
from onchain.models import KeyProof, Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.services import key_proofs, passkey_roles
from tests.factories import Wallet, World, make_credential, make_wallet
from tests.onchain.services.additions import draft_addition, proven_newcomer

pytestmark = pytest.mark.django_db


def own(wallet: Wallet, credential: Credential, *, position: int = 1) -> Owner:
    """Make a passkey an owner of an account, as the chain would report it."""
    return Owner.objects.create(
        safe=wallet.safe,
        credential=credential,
        address=bytes([credential.pk % 256]) * 20,
        position=position,
    )


def guard(wallet: Wallet, credential: Credential, status: str = "proven") -> None:
    proof = key_proofs.open_proof(
        credential=credential, safe=wallet.safe, role=KeyProof.Role.GUARDIAN
    )
    KeyProof.objects.filter(pk=proof.pk).update(status=status)


def test_a_first_passkey_owns_its_persons_account():
    wallet = make_wallet()

    roles = passkey_roles.roles_of(credential=wallet.credential)

    assert [owner.safe for owner in roles.own] == [wallet.safe]
    assert (roles.shared, roles.guarded, roles.joining) == ([], [], [])
    assert roles.is_named


def test_a_passkey_that_only_signs_in_is_named_nowhere():
    wallet = make_wallet()
    second = make_credential(user=wallet.user)

    roles = passkey_roles.roles_of(credential=second)

    assert not roles.is_named


def test_an_account_that_somebody_else_opened_is_told_apart():
    alice, bob = make_wallet(), make_wallet()
    own(bob, alice.credential)

    roles = passkey_roles.roles_of(credential=alice.credential)

    assert [owner.safe for owner in roles.own] == [alice.safe]
    assert [owner.safe for owner in roles.shared] == [bob.safe]


def test_an_owner_that_the_chain_removed_is_none():
    wallet = make_wallet()
    Owner.objects.update(is_current=False)

    assert not passkey_roles.roles_of(credential=wallet.credential).is_named


@pytest.mark.parametrize(
    ("status", "guards"),
    [("proven", True), ("open", False), ("signed", False), ("refused", False)],
)
def test_a_guardian_is_one_that_has_proven_itself(status, guards):
    alice, bob = make_wallet(), make_wallet()
    second = make_credential(user=alice.user)
    guard(bob, second, status)

    roles = passkey_roles.roles_of(credential=second)

    assert roles.guarded == ([bob.safe] if guards else [])
    assert roles.is_named is guards


def test_a_proof_as_owner_guards_nothing():
    wallet = make_wallet()
    second = make_credential(user=wallet.user)
    proof = key_proofs.open_proof(credential=second, safe=wallet.safe)
    KeyProof.objects.filter(pk=proof.pk).update(status=KeyProof.Status.PROVEN)

    assert passkey_roles.roles_of(credential=second).guarded == []


@pytest.mark.parametrize(
    ("status", "joins"),
    [
        (Status.DRAFT, True),
        (Status.AWAITING_SIGNATURES, True),
        (Status.SUBMITTED, True),
        (Status.WITHDRAWN, False),
        (Status.EXPIRED, False),
    ],
)
def test_a_passkey_joins_an_account_while_its_addition_is_under_way(
    status, joins, world: World
):
    new = proven_newcomer(world)
    op = draft_addition(world, new)
    UserOperation.objects.filter(pk=op.pk).update(status=status)

    roles = passkey_roles.roles_of(credential=new.credential)

    assert roles.joining == ([world.wallet.safe] if joins else [])


def test_a_passkey_that_has_joined_joins_no_longer(world: World):
    new = proven_newcomer(world)
    draft_addition(world, new)
    own(world.wallet, new.credential)

    roles = passkey_roles.roles_of(credential=new.credential)

    assert roles.joining == []
    assert [owner.safe for owner in roles.own] == [world.wallet.safe]


def test_the_provider_keeps_what_signs_in_and_what_still_signs_on_chain():
    wallet = make_wallet()
    removed = {"user": wallet.user, "removed_at": timezone.now()}
    signs_in = make_credential(user=wallet.user)
    owner, guardian, nothing = (make_credential(**removed) for _ in range(3))
    own(wallet, owner)
    guard(make_wallet(), guardian)
    make_credential()  # of somebody else

    accepted = passkey_roles.accepted_by_site(user=wallet.user)

    assert accepted == [wallet.credential, signs_in, owner, guardian]
    assert nothing not in accepted
