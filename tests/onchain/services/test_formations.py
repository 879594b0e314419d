"""Accounts with several first owners: one list, one address, everybody's word."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

import pytest

from accounts.models import Credential
from onchain.errors import FormationRefused
from onchain.models import Formation, Invitation, KeyProof, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.safe import setup_owners
from onchain.protocol.types import Address, to_address
from onchain.services import (
    deployments,
    formations,
    forming,
    forming_accounts,
    invitations,
    key_proofs,
    seats,
    signers,
)
from onchain.services.formations import Wanted
from tests.factories import World, assertion_text, make_credential, make_user
from tests.soft_authenticator import SoftAuthenticator

WALLET = to_address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
Status = Formation.Status


@dataclass(kw_only=True)
class Table:
    """Alice, who makes the account, and Bob, who has opened its link."""

    world: World
    pk: int
    keys: dict[int, SoftAuthenticator]  # by the passkey's row
    bob: Credential
    invitation_pk: int

    @property
    def formation(self) -> Formation:
        return Formation.objects.select_related("safe__chain", "chain").get(pk=self.pk)

    @property
    def safe(self) -> Safe:
        safe = self.formation.safe
        assert safe is not None
        return safe

    def sit_down(self, credential: Credential | None = None) -> None:
        invitation = Invitation.objects.select_related("seat__formation").get(
            pk=self.invitation_pk
        )
        seats.fill_seat(
            invitation=invitation,
            user=self.bob.user,
            credential=credential or self.bob,
        )

    def confirm(self, credential: Credential) -> KeyProof:
        """Touch the passkey, and let the chain look at it."""
        safe = Safe.objects.select_related("chain").get(pk=self.safe.pk)
        asked = key_proofs.open_proof(credential=credential, safe=safe)
        response = assertion_text(self.keys[credential.pk], bytes(asked.challenge))
        proof = key_proofs.answer(credential=credential, safe=safe, response=response)
        key_proofs.check(proof=proof, node=self.world.node)
        return proof

    def another_passkey_of_bob(self) -> Credential:
        passkey = SoftAuthenticator()
        credential = make_credential(passkey, user=self.bob.user)
        self.keys[credential.pk] = passkey
        return credential


def wanted(world: World, **changes: object) -> Wanted:
    asked = Wanted(
        name="Us",
        threshold=2,
        passkeys=[world.wallet.credential],
        people=["Bob"],
        wallets=[],
        key=uuid.uuid4(),
        network="192.0.2.1",
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def begin(world: World, **changes: object) -> Formation:
    return formations.begin(
        user=world.wallet.user,
        chain=world.wallet.safe.chain,
        wanted=wanted(world, **changes),
    )


def table_of(world: World, **changes: object) -> Table:
    formation = begin(world, **changes)
    invitation = Invitation.objects.get(seat__formation=formation)
    token = invitations.renew(invitation=invitation)
    passkey = SoftAuthenticator()
    bob = make_credential(passkey)
    invitations.take(token=token, user=bob.user)
    return Table(
        world=world,
        pk=formation.pk,
        keys={world.wallet.credential.pk: world.wallet.passkey, bob.pk: passkey},
        bob=bob,
        invitation_pk=invitation.pk,
    )


@pytest.fixture
def table(world: World) -> Table:
    return table_of(world)


def signer_of(credential: Credential, world: World) -> Address:
    return signers.signer_for(
        public_key=public_key_of(credential), safe=world.wallet.safe
    )


# --- The list and its address -----------------------------------------------------------


def test_there_is_no_address_before_everybody_has_a_key(table: Table):
    assert table.formation.safe is None
    assert forming.words_of(table.formation) == ()


def test_the_address_follows_from_all_owners_in_their_order(table: Table):
    table.sit_down()

    setup = setup_owners(bytes(table.safe.setup_data))
    assert setup == [
        signer_of(table.world.wallet.credential, table.world),
        signer_of(table.bob, table.world),
    ]
    assert table.safe.status == Safe.Status.FORMING
    assert table.safe.threshold == 2
    assert table.safe.deployment_requested_at is None


def test_both_passkeys_signers_are_made_with_the_account(table: Table):
    table.sit_down()

    calls = deployments.calls(table.safe)

    assert len(calls) == 3  # createSigner twice, then the account


def test_a_wallet_address_is_an_owner_from_the_first_block(world: World):
    formation = begin(world, people=[], wallets=[WALLET])

    assert formation.safe is not None
    owners = setup_owners(bytes(formation.safe.setup_data))
    assert owners == [signer_of(world.wallet.credential, world), WALLET]


def test_the_same_form_begins_one_account(world: World):
    asked = wanted(world)
    chain, user = world.wallet.safe.chain, world.wallet.user

    first = formations.begin(user=user, chain=chain, wanted=asked)
    second = formations.begin(user=user, chain=chain, wanted=asked)

    assert first == second
    assert Formation.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"people": []}, id="one-owner"),
        pytest.param({"threshold": 3}, id="threshold-above"),
        pytest.param({"threshold": 0}, id="threshold-zero"),
        pytest.param({"people": ["x"] * 10}, id="too-many"),
        pytest.param({"wallets": [WALLET, WALLET]}, id="twice"),
        pytest.param({"wallets": [Address(bytes(20))]}, id="zero-address"),
        pytest.param({"wallets": [Address(bytes(19) + b"\1")]}, id="sentinel"),
    ],
)
def test_a_list_that_no_account_can_have_is_refused(changes: dict, world: World):
    with pytest.raises(FormationRefused):
        begin(world, **changes)

    assert not Formation.objects.exists()


def test_a_passkey_whose_signer_is_on_the_list_as_an_address_is_refused(world: World):
    own = signer_of(world.wallet.credential, world)

    with pytest.raises(FormationRefused, match="same owner"):
        begin(world, people=[], wallets=[own])

    assert not Formation.objects.exists()


def test_two_accounts_of_the_same_owners_have_two_addresses(table: Table):
    table.sit_down()
    other = table_of(table.world)
    other.bob = table.bob
    Invitation.objects.filter(pk=other.invitation_pk).update(accepted_by=table.bob.user)

    other.sit_down()

    assert other.safe.address != table.safe.address


# --- Everybody's word -------------------------------------------------------------------


def test_it_is_queued_once_the_last_owner_has_confirmed(table: Table):
    table.sit_down()

    table.confirm(table.world.wallet.credential)
    assert table.safe.status == Safe.Status.FORMING
    table.confirm(table.bob)

    assert table.safe.status == Safe.Status.QUEUED
    assert table.safe.deployment_requested_at is not None
    assert table.formation.status == Status.CREATED


def test_an_account_on_demand_is_not_asked_for(table: Table, settings):
    settings.DEPLOYMENT_POLICY = "on-demand"
    table.sit_down()
    table.confirm(table.world.wallet.credential)
    table.confirm(table.bob)

    assert table.safe.status == Safe.Status.QUEUED
    assert table.safe.deployment_requested_at is None


def test_an_address_is_vouched_for_by_who_put_it_on_the_list(world: World):
    table = table_of(world, wallets=[WALLET])
    table.sit_down()
    table.confirm(world.wallet.credential)
    assert table.safe.status == Safe.Status.FORMING

    table.confirm(table.bob)

    assert table.safe.status == Safe.Status.QUEUED


def another_key(table: Table) -> None:
    table.sit_down(table.another_passkey_of_bob())


def another_threshold(table: Table) -> None:
    formations.change_threshold(
        formation=table.formation, user=table.world.wallet.user, threshold=1
    )


def one_less(table: Table) -> None:
    seat = table.formation.seats.get(kind=Owner.Kind.WALLET)
    formations.remove_seat(
        formation=table.formation, user=table.world.wallet.user, seat_pk=seat.pk
    )


@pytest.mark.parametrize("change", [another_key, another_threshold, one_less])
def test_a_change_is_another_address_and_voids_every_confirmation(change, world: World):
    table = table_of(world, wallets=[WALLET])
    table.sit_down()
    table.confirm(world.wallet.credential)
    before, words = table.safe.address, forming.words_of(table.formation)

    change(table)

    assert table.safe.address != before
    assert forming.words_of(table.formation) != words
    assert not Safe.objects.filter(address=before).exists()
    assert not KeyProof.objects.exists()
    assert not table.safe.owners.filter(proven_at__isnull=False).exists()
    assert not forming_accounts.complete(safe=table.safe)


def test_a_change_that_changes_nothing_keeps_the_confirmations(table: Table):
    table.sit_down()
    table.confirm(table.bob)

    formations.change_threshold(
        formation=table.formation, user=table.world.wallet.user, threshold=2
    )

    assert table.safe.owners.filter(proven_at__isnull=False).count() == 1


def test_only_who_makes_it_changes_the_list_or_gives_it_up(table: Table):
    bob = table.bob.user
    seat = table.formation.seats.first()
    assert seat is not None

    with pytest.raises(FormationRefused):
        formations.change_threshold(formation=table.formation, user=bob, threshold=1)
    with pytest.raises(FormationRefused):
        formations.remove_seat(formation=table.formation, user=bob, seat_pk=seat.pk)
    with pytest.raises(FormationRefused):
        formations.cancel(formation=table.formation, user=bob)


def test_a_seat_is_taken_by_nobody_but_the_invited_person(table: Table):
    stranger = make_credential()
    invitation = Invitation.objects.get(pk=table.invitation_pk)

    with pytest.raises(FormationRefused):
        seats.fill_seat(invitation=invitation, user=stranger.user, credential=stranger)
    with pytest.raises(FormationRefused):
        table.sit_down(stranger)


def test_nothing_changes_once_it_is_made(table: Table):
    table.sit_down()
    table.confirm(table.world.wallet.credential)
    table.confirm(table.bob)

    with pytest.raises(FormationRefused):
        another_threshold(table)
    with pytest.raises(FormationRefused):
        another_key(table)


def test_what_was_given_up_leaves_no_account(table: Table):
    table.sit_down()
    maker = table.world.wallet.user

    for _ in range(2):
        formations.cancel(formation=table.formation, user=maker)

    assert table.formation.status == Status.CANCELLED
    assert not Safe.objects.filter(status=Safe.Status.FORMING).exists()


def test_who_has_a_seat_sees_it_and_nobody_else(table: Table):
    table.sit_down()

    for user in (table.world.wallet.user, table.bob.user):
        assert formations.visible_to(user).get().pk == table.pk
    assert not formations.visible_to(make_user()).exists()
