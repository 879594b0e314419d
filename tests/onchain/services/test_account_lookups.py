"""Accounts made elsewhere: asked about by address, added by a touch (R6, R33, R67)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from onchain.errors import TooManyLookups
from onchain.lookup_words import WORDS
from onchain.models import AccountLookup, Owner, Safe
from onchain.models.operation_states import Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.deployments import FCL_VERIFIER, SHARED_SIGNER, VERIFIERS
from onchain.protocol.types import ZERO_ADDRESS, Address, checksum_address
from onchain.services import account_lookups, deployments, user_operations
from onchain.setting_up import setting_up
from tests.factories import PAYEE, World, make_world
from tests.onchain.services.elsewhere import (
    ACCOUNT,
    look_up,
    own_accounts,
    place,
    prove_lookup,
)
from tests.onchain.services.happenings import follow

pytestmark = pytest.mark.django_db
STRANGER = Address(b"\xcc" * 20)
ALONE = int.from_bytes(FCL_VERIFIER, "big")
VERIFIER_OF_NOBODY = (0x0100 << 160) + 7
REFUSED = {
    "not-a-safe": {"code": b"\x60\x80"},
    "other-version": {"singleton": STRANGER},
    "no-4337-module": {"modules": [STRANGER]},
    "not-yours": {"owners": [STRANGER]},
    "other-verifiers": {"is_shared": True, "verifiers": VERIFIER_OF_NOBODY},
}


def added(world: World, **changes: Any) -> Safe:
    """Add an account by address and follow the chain until it is linked."""
    place(world, **changes)
    lookup = look_up(world)
    prove_lookup(world, lookup)
    world.node.mine()
    follow(world)
    assert account_lookups.is_added(lookup)
    return Safe.objects.get(pk=lookup.safe_id)


@pytest.mark.parametrize("verifiers", [None, ALONE], ids=["both", "alone"])
@pytest.mark.parametrize("is_shared", [False, True], ids=["direct", "shared"])
def test_an_account_of_ones_passkey_is_added_by_a_touch(
    world: World, is_shared: bool, verifiers: int | None
):
    changes = {} if verifiers is None else {"verifiers": verifiers}
    owner = place(world, is_shared=is_shared, **changes)

    lookup = look_up(world)

    assert lookup.status == AccountLookup.Status.FOUND, lookup.failure_code
    assert (lookup.own_address, lookup.owners) == (owner, [checksum_address(owner)])
    assert len(own_accounts(world)) == 1
    prove_lookup(world, lookup)
    world.node.mine()
    follow(world)
    first, second = own_accounts(world)
    assert (second.address, second.layout) == (ACCOUNT, Safe.Layout.IMPORTED)
    row = second.owners.get()
    assert (row.address, row.credential) == (owner, world.wallet.credential)
    assert row.proven_at is not None
    assert first == world.wallet.safe


@pytest.mark.parametrize("code", REFUSED)
def test_it_is_refused_in_words(world: World, code: str):
    place(world, **REFUSED[code])

    lookup = look_up(world)

    assert (lookup.status, lookup.failure_code) == ("refused", code)
    assert code in WORDS
    assert Safe.objects.count() == 1


def test_an_address_without_code_is_refused(world: World):
    lookup = look_up(world, STRANGER)

    assert (lookup.status, lookup.failure_code) == ("refused", "no-code")


def test_ones_own_account_is_not_added_twice(world: World):
    lookup = look_up(world, Address(world.wallet.safe.address))

    assert (lookup.status, lookup.failure_code) == ("refused", "already-yours")


def test_every_refusal_has_words():
    assert WORDS.keys() == {*REFUSED, "no-code", "already-yours", "mixed-verifiers"}


# --- Gone again (R49) -------------------------------------------------------------------


def took_back(world: World, depth: int) -> None:
    """Let the chain go on from below without the account."""
    world.node.reorganise(depth)
    for forgotten in (
        world.node.account_codes,
        world.node.account_owners,
        world.node.account_configurations,
    ):
        del forgotten[ACCOUNT]
    for _ in range(depth + 1):
        world.node.mine()
    follow(world)


def look_again(world: World) -> None:
    world.chain.refresh_from_db()
    deployments.look_for_gone(chain=world.chain, node=world.node)


def test_a_reorg_that_removes_it_ends_its_being_live_and_its_return_is_noticed(
    world: World,
):
    follow(world)
    world.node.mine()
    follow(world)
    world.chain.refresh_from_db()
    safe = added(world)

    took_back(world, 2)

    safe.refresh_from_db()
    assert (safe.status, safe.deployed_block, safe.is_gone) == ("queued", None, True)
    assert "Send nothing to its address" in setting_up(safe).text
    assert not Safe.objects.awaiting_deployment().filter(pk=safe.pk).exists()
    look_again(world)
    safe.refresh_from_db()
    assert safe.is_gone

    place(world)
    look_again(world)
    world.node.mine()
    follow(world)

    safe.refresh_from_db()
    assert (safe.is_live, safe.deployed_block) == (True, world.node.blocks[-2].number)
    assert own_accounts(world) == [world.wallet.safe, safe]


def test_one_that_a_reorg_left_where_it_was_is_live_after_a_look(world: World):
    follow(world)
    world.node.mine()
    follow(world)
    world.chain.refresh_from_db()
    safe = added(world)
    world.node.reorganise(2)
    for _ in range(3):
        world.node.mine()

    follow(world)
    look_again(world)

    safe.refresh_from_db()
    assert safe.is_live


def test_one_seen_in_a_block_that_was_never_read_here_is_looked_at_by_the_next(
    world: World,
):
    follow(world)
    place(world)
    lookup = look_up(world)
    for forgotten in (world.node.account_codes, world.node.account_owners):
        del forgotten[ACCOUNT]
    del world.node.account_configurations[ACCOUNT]
    world.node.mine()

    follow(world)

    assert Safe.objects.get(pk=lookup.safe_id).is_gone


def test_no_batch_takes_an_account_from_elsewhere(world: World):
    safe = added(world)
    Safe.objects.filter(pk=safe.pk).update(
        status=Safe.Status.QUEUED, deployment_requested_at=timezone.now()
    )

    assert not Safe.objects.awaiting_deployment().filter(pk=safe.pk).exists()


# --- Two people and their verifiers -----------------------------------------------------


def both_own(world: World, verifiers: int) -> World:
    """Let the account have a second person's passkey, checked by these verifiers."""
    other = make_world(chain=world.chain)
    first = place(world)
    second = place(other, verifiers=verifiers)
    owners = [first, second]
    world.node.set_owners(ACCOUNT, owners)
    other.node.__dict__.update(world.node.__dict__)
    return other


def test_who_owns_it_by_other_verifiers_than_the_first_is_told(world: World):
    other = both_own(world, ALONE)
    prove_lookup(world, look_up(world))
    world.node.mine()
    follow(world)

    lookup = look_up(other)

    assert (lookup.status, lookup.failure_code) == ("refused", "mixed-verifiers")
    assert Safe.objects.get(address=ACCOUNT).verifiers == VERIFIERS


def test_who_only_asked_about_it_fixes_nothing(world: World):
    other = both_own(world, ALONE)
    look_up(world)

    lookup = look_up(other)
    safe = Safe.objects.get(address=ACCOUNT)

    assert lookup.status == "found"
    assert safe.verifiers == ALONE


def test_two_by_the_same_verifiers_have_it_both(world: World):
    other = both_own(world, VERIFIERS)
    prove_lookup(world, look_up(world))
    world.node.mine()
    follow(world)

    assert look_up(other).status == "found"


def test_another_persons_account_shows_nothing_and_is_not_listed(world: World):
    place(world)
    other = make_world()
    other.node.__dict__.update(world.node.__dict__)

    lookup = look_up(other)

    assert (lookup.status, lookup.failure_code) == ("refused", "not-yours")
    assert len(own_accounts(other)) == 1
    assert not AccountLookup.objects.visible_to(world.wallet.user).exists()


def test_without_a_touch_it_stays_nobodys(world: World):
    place(world)
    look_up(world)
    world.node.mine()
    follow(world)

    assert len(own_accounts(world)) == 1
    assert not Owner.objects.filter(
        safe__address=ACCOUNT, credential__isnull=False
    ).exists()


def test_asking_again_reads_again(world: World):
    refused = look_up(world)
    place(world)
    at_once = look_up(world)
    AccountLookup.objects.update(asked_at=refused.asked_at - timedelta(seconds=11))

    found = look_up(world)

    assert (at_once.pk, at_once.status) == (refused.pk, "refused")
    assert found.pk == refused.pk
    assert (found.status, found.failure_code) == ("found", "")


def test_reading_twice_changes_nothing(world: World):
    place(world)
    lookup = look_up(world)
    before = list(AccountLookup.objects.values()), list(Safe.objects.values())

    account_lookups.read(lookup=lookup, node=world.node)

    assert before == (list(AccountLookup.objects.values()), list(Safe.objects.values()))


def test_nobody_asks_without_end(world: World):
    for number in range(account_lookups.LOOKUPS_PER_HOUR):
        account_lookups.ask(
            user=world.wallet.user,
            chain=world.chain,
            address=Address(number.to_bytes(20, "big")),
        )

    with pytest.raises(TooManyLookups):
        account_lookups.ask(user=world.wallet.user, chain=world.chain, address=STRANGER)


def test_an_account_on_the_shared_signer_is_repaired_by_its_next_payment(
    world: World,
):
    safe = added(world, is_shared=True, verifiers=ALONE)
    draft = user_operations.draft(
        safe=safe,
        user=world.wallet.user,
        recipient=PAYEE,
        value_wei=5,
        idempotency_key=uuid.uuid4(),
    )

    op = world.prepare(draft)

    assert op.status == Status.AWAITING_SIGNATURES, op.failure_code
    assert (op.factory, op.installs_signer) == (None, True)
    assert op.verification_gas_limit > 300_000
    assert len(decode_call_data(bytes(op.call_data))) == 3
    sent = world.submit(world.sign(op))
    assert sent.status == Status.SUBMITTED, sent.failure_code


def test_another_passkey_behind_the_shared_signer_takes_the_account_away(world: World):
    safe = added(world, is_shared=True)
    other = make_world(chain=world.chain)
    place(other, is_shared=True)
    world.node.account_configurations[ACCOUNT] = other.node.account_configurations[
        ACCOUNT
    ]
    Safe.objects.filter(pk=safe.pk).update(owners_synced_block=None)

    world.node.mine()
    follow(world)

    assert own_accounts(world) == [world.wallet.safe]
    assert safe.owners.get(address=SHARED_SIGNER).credential is None
    assert ZERO_ADDRESS not in [owner.address for owner in safe.owners.all()]
