"""First owners with wallets: each signs for exactly the address of the list (R6)."""

from __future__ import annotations

import pytest

from onchain.errors import FormationRefused
from onchain.models import Formation, Owner, Safe, WalletProof
from onchain.protocol.safe import setup_owners
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import (
    formations,
    forming,
    forming_accounts,
    roles,
    seats,
    wallet_proofs,
)
from tests.factories import World, make_user
from tests.onchain.services.test_formations import WALLET, Table, begin, table_of
from tests.wallet_keys import SoftWallet

CONTRACT = Address(b"\xc0" * 20)


@pytest.fixture
def wallet() -> SoftWallet:
    return SoftWallet()


@pytest.fixture
def table(world: World, wallet: SoftWallet) -> Table:
    """Alice with a passkey, Bob with a wallet."""
    table = table_of(world)
    sit_down(table, wallet.address)
    return table


def sit_down(table: Table, wallet: Address) -> None:
    invitation = table.formation.seats.get(invitation__isnull=False).invitation
    seats.fill_seat_with_wallet(
        invitation=invitation, user=table.bob.user, wallet=wallet
    )


def prove(formation: Formation, wallet: SoftWallet, user: object) -> WalletProof:
    """Sign the text for the account that stands at the list's address now."""
    safe = Safe.objects.select_related("chain").get(pk=formation.safe_id)
    proof = wallet_proofs.open_proof(user=user, safe=safe, address=wallet.address)
    return wallet_proofs.answer(
        proof=proof, signature=wallet.sign_text(proof.text), account=wallet.address
    )


def test_an_invited_wallet_is_a_first_owner_and_has_confirmed_nothing(
    table: Table, wallet: SoftWallet
):
    setup = setup_owners(bytes(table.safe.setup_data))

    assert setup[1] == wallet.address
    places = forming.places_of(formation=table.formation, user=table.bob.user)
    assert [place.is_confirmed for place in places] == [False, False]
    assert places[1].is_own
    assert not places[1].seat.is_proof_waived


def test_it_is_queued_once_passkey_and_wallet_have_confirmed(
    table: Table, wallet: SoftWallet
):
    table.confirm(table.world.wallet.credential)
    assert table.safe.status == Safe.Status.FORMING

    prove(table.formation, wallet, table.bob.user)

    assert table.safe.status == Safe.Status.QUEUED
    owner = table.safe.owners.get(address=wallet.address)
    assert (owner.holder, owner.kind) == (table.bob.user, Owner.Kind.WALLET)
    assert roles.role_of(safe=table.safe, user=table.bob.user) == "owner"


def test_the_makers_own_wallet_confirms_and_nobody_vouches_for_it(
    world: World, wallet: SoftWallet
):
    formation = begin(world, people=[], own_wallets=[wallet.address])
    maker = world.wallet.user
    seat = formation.seats.get(address=wallet.address)
    assert (seat.holder, seat.is_proof_waived) == (maker, False)

    prove(formation, wallet, maker)

    owners = formation.safe.owners
    assert owners.get(address=wallet.address).holder == maker
    assert formation.safe.owners.filter(proven_at=None).count() == 1


def test_only_the_person_of_the_seat_confirms_with_its_wallet(
    table: Table, wallet: SoftWallet
):
    prove(table.formation, wallet, table.world.wallet.user)
    prove(table.formation, wallet, make_user())

    assert table.safe.owners.get(address=wallet.address).proven_at is None
    assert not forming_accounts.complete(safe=table.safe)


def test_a_change_of_the_list_voids_what_the_wallet_signed(
    table: Table, wallet: SoftWallet
):
    proof = prove(table.formation, wallet, table.bob.user)
    before = table.safe.address

    formations.change_threshold(
        formation=table.formation, user=table.world.wallet.user, threshold=1
    )

    assert table.safe.address != before
    assert not WalletProof.objects.filter(pk=proof.pk).exists()
    assert not table.safe.owners.exclude(proven_at=None).exists()
    table.confirm(table.world.wallet.credential)
    assert table.safe.status == Safe.Status.FORMING


def test_a_contract_confirms_once_the_chain_said_yes(table: Table):
    sit_down(table, CONTRACT)
    node = table.world.node
    node.call_answers[CONTRACT, OLDER_MAGIC] = OLDER_MAGIC.ljust(32, b"\0")
    safe = Safe.objects.select_related("chain").get(pk=table.safe.pk)
    asked = wallet_proofs.open_proof(user=table.bob.user, safe=safe, address=CONTRACT)
    proof = wallet_proofs.answer(proof=asked, signature=b"what it reads")
    places = forming.places_of(formation=table.formation, user=table.bob.user)
    assert places[1].is_checking
    assert not places[1].is_confirmed

    wallet_proofs.check(proof=proof, node=node)

    owner = table.safe.owners.get(address=CONTRACT)
    assert owner.proven_at is not None
    assert owner.kind == Owner.Kind.CONTRACT


def test_who_sat_down_with_a_wallet_may_take_a_passkey_instead(
    table: Table, wallet: SoftWallet
):
    table.sit_down()

    seat = table.formation.seats.get(position=1)
    assert (seat.kind, seat.credential, seat.address) == (
        Owner.Kind.PASSKEY,
        table.bob,
        None,
    )
    invitation = seat.invitation
    assert (invitation.credential, invitation.address) == (table.bob, None)


@pytest.mark.parametrize(
    "address",
    [bytes(20), bytes(19) + b"\1", WALLET],
    ids=["zero", "sentinel", "on-the-list"],
)
def test_an_address_that_cannot_be_on_the_list_is_refused(address: bytes, world: World):
    table = table_of(world, wallets=[WALLET])

    with pytest.raises(FormationRefused):
        sit_down(table, Address(address))

    assert table.formation.safe is None
