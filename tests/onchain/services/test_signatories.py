"""Whom a person can sign as: passkeys that sign in, and wallets they proved to hold."""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.models import Owner
from onchain.services import passkeys, signatories
from tests.factories import World, make_credential, make_user
from tests.wallet_keys import SoftWallet, make_wallet_owner


def own(world: World) -> list[Owner]:
    return signatories.own_signers(safe=world.wallet.safe, user=world.wallet.user)


def test_a_person_signs_as_their_passkeys_and_their_wallets(world: World):
    wallet = make_wallet_owner(
        SoftWallet(), safe=world.wallet.safe, holder=world.wallet.user
    )

    passkey, found = own(world)

    assert passkey.credential == world.wallet.credential
    assert found == wallet
    assert signatories.own_wallets(safe=world.wallet.safe, user=world.wallet.user) == [
        wallet
    ]


def test_passkeys_alone_are_still_asked_for_as_before(world: World):
    make_wallet_owner(SoftWallet(), safe=world.wallet.safe, holder=world.wallet.user)

    found = passkeys.own_owners(safe=world.wallet.safe, user=world.wallet.user)

    assert [owner.credential for owner in found] == [world.wallet.credential]


@pytest.mark.parametrize("fields", [{"holder": None}, {"is_current": False}], ids=str)
def test_a_wallet_nobody_proved_or_the_chain_removed_is_nobodys(
    world: World, fields: dict[str, object]
):
    fields = {"holder": world.wallet.user} | fields
    make_wallet_owner(SoftWallet(), safe=world.wallet.safe, **fields)

    assert [owner.credential for owner in own(world)] == [world.wallet.credential]


def test_another_persons_wallet_and_passkey_are_theirs(world: World):
    other = make_user()
    credential = make_credential(user=other)
    make_wallet_owner(SoftWallet(), safe=world.wallet.safe, holder=other)
    make_wallet_owner(
        SoftWallet(),
        safe=world.wallet.safe,
        kind=Owner.Kind.PASSKEY,
        credential=credential,
    )

    assert [owner.credential for owner in own(world)] == [world.wallet.credential]


def test_a_removed_passkey_signs_no_more(world: World):
    credential = world.wallet.credential
    credential.removed_at = timezone.now()
    credential.save(update_fields=["removed_at"])

    assert own(world) == []
