"""Owners as the chain has them: read when something happened, linked when proven.

security.md R6, R10, R49, R54, R67.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import SecurityEvent
from onchain.clients.errors import TransientClientError
from onchain.errors import SignatureRefused
from onchain.models import (
    Acknowledgement,
    Block,
    KeyProof,
    OperationSignature,
    Owner,
    Safe,
)
from onchain.models.operation_states import Status
from onchain.protocol.types import Address, checksum_address
from onchain.services import (
    authorization,
    deployment_batches,
    follower,
    owner_reads,
    owner_sync,
    relayer,
)
from tests.factories import (
    RELAYER_KEY,
    World,
    make_queued_wallet,
    make_user,
    make_wallet,
)
from tests.onchain.services.additions import (
    Newcomer,
    added,
    newcomer,
    prove,
    proven_newcomer,
    removed,
    threshold_changed,
)
from tests.onchain.services.happenings import follow, outcome
from tests.threads import all_at_once

PATIENCE = 10.0  # seconds; a busy machine is no failure
STRANGER = Address(b"\xee" * 20)
Kind = Owner.Kind
GONE = SecurityEvent.Kind.OWNER_REMOVED
THRESHOLD = SecurityEvent.Kind.THRESHOLD_CHANGED


def account_of(world: World) -> Safe:
    return Safe.objects.get(pk=world.wallet.safe.pk)


def addresses(world: World) -> list[bytes]:
    """The current owners by their rows, in order."""
    return [owner.address for owner in world.wallet.safe.owners.current()]


def owner_rows(world: World) -> list[dict[str, Any]]:
    """All that is known of the account's owners, but when it was written."""
    rows = world.wallet.safe.owners.order_by("address").values(
        "address", "kind", "credential", "position", "is_current", "proven_at"
    )
    return list(rows)


def own_signer(world: World) -> Address:
    return Address(world.wallet.credential.owners.get().address)


def join(world: World, *new: Address, threshold: int = 1) -> None:
    """Mine a block in which these become owners, the last one first in the list."""
    safe = world.wallet.safe
    before = list(world.node.account_owners[safe.address].owners)
    world.node.set_owners(safe.address, [*reversed(new), *before], threshold)
    events = [added(safe.address, owner) for owner in new]
    if threshold > 1:
        events.append(threshold_changed(safe.address))
    world.node.mine(*events)


def leave(world: World, *gone: Address) -> None:
    """Mine a block in which these stop being owners."""
    safe = world.wallet.safe
    before = world.node.account_owners[safe.address].owners
    left = [owner for owner in before if owner not in gone]
    world.node.set_owners(safe.address, left)
    world.node.mine(*[removed(safe.address, owner) for owner in gone])


def asked(world: World) -> int:
    return world.node.calls.count("owners")


def told(user: Any, kind: str = SecurityEvent.Kind.OWNER_ADDED) -> list[str]:
    events = user.security_events.filter(kind=kind)
    return [event.detail for event in events.order_by("pk")]


# --- What is asked ------------------------------------------------------------------------


def test_a_live_account_is_read_once_and_then_left_alone(world: World):
    follow(world)
    assert asked(world) == 1
    assert account_of(world).owners_synced_block == 100

    for _ in range(5):
        world.node.mine(touched=[world.wallet.safe.address])
        follow(world)

    assert asked(world) == 1
    assert account_of(world).owners_synced_block == 100


def test_an_account_that_is_not_live_is_not_asked(world: World):
    follow(world)
    wallet = make_queued_wallet()
    world.node.mine(added(wallet.safe.address, STRANGER))

    follow(world)

    assert asked(world) == 1
    wallet.safe.refresh_from_db()
    assert wallet.safe.owners_synced_block is None


@pytest.mark.parametrize(
    "event",
    [
        lambda account: added(account, STRANGER),
        lambda account: removed(account, STRANGER),
        threshold_changed,
    ],
    ids=["added", "removed", "threshold"],
)
def test_an_accounts_own_event_asks_it_again(world: World, event: Any):
    follow(world)
    block = world.node.mine(event(world.wallet.safe.address))

    follow(world)

    assert asked(world) == 2
    assert account_of(world).owners_synced_block == block.number


def test_the_event_of_a_stranger_asks_nobody(world: World):
    follow(world)
    world.node.mine(added(STRANGER, own_signer(world)))

    follow(world)

    assert asked(world) == 1


def test_what_an_event_claims_is_not_believed(world: World):
    follow(world)
    world.node.mine(added(world.wallet.safe.address, STRANGER))

    follow(world)

    assert addresses(world) == [own_signer(world)]


def test_the_accounts_of_one_pass_are_one_request(world: World):
    follow(world)
    wallets = [make_wallet() for _ in range(3)]
    for wallet in wallets:
        world.node.deploy(wallet.safe)
    world.node.mine()

    follow(world)

    assert asked(world) == 2
    unread = Safe.objects.filter(owners_synced_block=None)
    assert not unread.exists()


def test_more_accounts_than_one_pass_takes_are_read_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(owner_reads, "READ_AT_ONCE", 2)
    wallets = [make_wallet() for _ in range(4)]
    for wallet in wallets:
        world.node.deploy(wallet.safe)

    unread = []
    for _ in range(3):
        follow(world)
        unread.append(Safe.objects.filter(owners_synced_block=None).count())
        world.node.mine()

    assert unread == [3, 1, 0]


def test_changed_accounts_beyond_one_pass_are_not_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    wallets = [world.wallet, *(make_wallet() for _ in range(2))]
    for wallet in wallets:
        world.node.deploy(wallet.safe)
    follow(world)
    monkeypatch.setattr(owner_reads, "READ_AT_ONCE", 2)
    for wallet in wallets:
        before = world.node.account_owners[wallet.safe.address].owners
        world.node.set_owners(wallet.safe.address, [STRANGER, *before])
    world.node.mine(*[added(wallet.safe.address, STRANGER) for wallet in wallets])

    follow(world)
    assert Owner.objects.filter(address=STRANGER).count() == 2
    world.node.mine()
    follow(world)

    assert Owner.objects.filter(address=STRANGER).count() == 3


def test_accounts_that_change_in_every_block_leave_the_others_their_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    follow(world)
    monkeypatch.setattr(owner_reads, "READ_AT_ONCE", 2)
    restless = [make_wallet().safe for _ in range(3)]
    Safe.objects.filter(pk__in=[safe.pk for safe in restless]).update(
        owners_synced_block=1
    )
    quiet = make_wallet().safe
    Safe.objects.exclude(pk=quiet.pk).filter(owners_synced_block=None).update(
        owners_synced_block=1
    )

    due = owner_reads.due(chain=world.chain, changed=restless)

    assert due == [restless[0], quiet]


def test_while_catching_up_nobody_is_asked_and_nothing_is_lost(world: World):
    follow(world)
    join(world, STRANGER)
    for _ in range(120):
        world.node.mine()
    world.node.calls.clear()

    follow(world)

    assert asked(world) == 1
    assert addresses(world) == [STRANGER, own_signer(world)]
    assert account_of(world).owners_synced_block == 221


def test_a_node_that_lacks_the_block_leaves_everything_as_it_was(world: World):
    follow(world)
    join(world, STRANGER)
    ask = world.node.owners

    def lacks_it(*_asked: object) -> None:
        raise TransientClientError("owners: header not found")

    world.node.owners = lacks_it
    with pytest.raises(TransientClientError):
        follow(world)
    assert world.chain.head_number == 100
    assert addresses(world) == [own_signer(world)]

    world.node.owners = ask
    follow(world)

    assert addresses(world) == [STRANGER, own_signer(world)]


def test_an_account_that_does_not_answer_is_asked_once_and_keeps_its_rows(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.node.account_owners.clear()
    follow(world)
    world.node.mine()
    follow(world)

    assert asked(world) == 1
    assert addresses(world) == [own_signer(world)]
    assert "does not say" in caplog.text


# --- What is written ----------------------------------------------------------------------


def test_an_owner_that_nobody_proved_is_unknown(world: World):
    follow(world)
    join(world, STRANGER)

    follow(world)

    owner = world.wallet.safe.owners.get(address=STRANGER)
    assert (owner.kind, owner.credential, owner.proven_at) == (Kind.UNKNOWN, None, None)
    assert addresses(world) == [STRANGER, own_signer(world)]


def test_a_proven_passkey_is_linked_with_the_time_of_its_proof(world: World):
    follow(world)
    new = newcomer(world)
    proof = prove(world, new)
    join(world, new.signer)

    follow(world)

    owner = world.wallet.safe.owners.get(address=new.signer)
    assert (owner.kind, owner.credential) == (Kind.PASSKEY, new.credential)
    assert owner.proven_at == proof.signed_at


def test_the_threshold_follows(world: World):
    follow(world)
    join(world, STRANGER, threshold=2)

    follow(world)

    assert account_of(world).threshold == 2


def test_the_order_is_the_chains(world: World):
    follow(world)
    first, second = STRANGER, Address(b"\xdd" * 20)
    join(world, first, second)
    follow(world)
    assert addresses(world) == [second, first, own_signer(world)]

    leave(world, second)
    follow(world)

    assert addresses(world) == [first, own_signer(world)]
    assert [owner.position for owner in world.wallet.safe.owners.current()] == [0, 1]


def test_an_owner_that_is_gone_stays_as_a_row(world: World):
    follow(world)
    join(world, STRANGER)
    follow(world)

    leave(world, STRANGER)
    follow(world)

    gone = world.wallet.safe.owners.get(address=STRANGER)
    assert not gone.is_current
    assert addresses(world) == [own_signer(world)]
    assert world.wallet.safe.owners.current().count() == 1


def test_a_list_of_owners_without_end_is_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(owner_sync, "MAX_OWNERS", 3)
    many = [Address(number.to_bytes(20, "big")) for number in range(2, 9)]
    world.node.set_owners(world.wallet.safe.address, many, threshold=70_000)

    follow(world)

    assert addresses(world) == many[:3]
    assert account_of(world).threshold == 3


def test_a_list_that_names_one_twice_is_read_once(world: World):
    signer = own_signer(world)
    world.node.set_owners(world.wallet.safe.address, [signer, STRANGER, signer])

    follow(world)

    assert addresses(world) == [signer, STRANGER]


# --- Who may see the account. R6, R10 -----------------------------------------------------


def sees(world: World, new: Newcomer) -> bool:
    safes = Safe.objects.visible_to(new.credential.user)
    return safes.filter(pk=world.wallet.safe.pk).exists()


def test_the_person_of_a_linked_passkey_sees_the_account(world: World):
    follow(world)
    new = newcomer(world, user=make_user())
    prove(world, new)
    assert not sees(world, new)
    join(world, new.signer)

    follow(world)
    assert sees(world, new)
    leave(world, new.signer)
    follow(world)

    assert not sees(world, new)


def made_guardian(proof: KeyProof) -> None:
    KeyProof.objects.filter(pk=proof.pk).update(role=KeyProof.Role.GUARDIAN)


def refused(proof: KeyProof) -> None:
    KeyProof.objects.filter(pk=proof.pk).update(status=KeyProof.Status.REFUSED)


def only_signed(proof: KeyProof) -> None:
    KeyProof.objects.filter(pk=proof.pk).update(status=KeyProof.Status.SIGNED)


def of_another_account(proof: KeyProof) -> None:
    KeyProof.objects.filter(pk=proof.pk).update(safe=make_wallet().safe)


@pytest.mark.parametrize(
    "spoil", [made_guardian, refused, only_signed, of_another_account]
)
def test_an_owner_whose_key_proved_something_else_is_nobodys(world: World, spoil: Any):
    follow(world)
    new = newcomer(world, user=make_user())
    spoil(prove(world, new))
    join(world, new.signer)

    follow(world)

    owner = world.wallet.safe.owners.get(address=new.signer)
    assert (owner.kind, owner.credential) == (Kind.UNKNOWN, None)
    assert not sees(world, new)
    assert told(new.credential.user) == []


def test_an_owner_whose_key_proved_nothing_is_nobodys(world: World):
    follow(world)
    new = newcomer(world, user=make_user())
    join(world, new.signer)

    follow(world)

    assert not sees(world, new)


# R28
def test_a_proof_whose_signer_was_changed_links_nobody(world: World):
    follow(world)
    thief = newcomer(world, user=make_user())
    proof = prove(world, thief)
    KeyProof.objects.filter(pk=proof.pk).update(signer=STRANGER)
    join(world, STRANGER)

    follow(world)

    assert world.wallet.safe.owners.get(address=STRANGER).credential is None
    assert not sees(world, thief)


def test_an_owner_that_proves_itself_later_is_linked(world: World):
    follow(world)
    new = newcomer(world)
    join(world, new.signer)
    follow(world)
    prove(world, new)
    world.node.mine()

    follow(world)

    owner = world.wallet.safe.owners.get(address=new.signer)
    assert (owner.kind, owner.credential) == (Kind.PASSKEY, new.credential)
    assert owner.proven_at is not None
    unknown, linked = told(world.wallet.user)
    assert unknown.startswith(f"The owner {owner.address_text}")
    assert not linked.startswith("The owner")


def test_a_proof_of_a_key_that_is_no_owner_asks_for_nothing(world: World):
    follow(world)
    prove(world, newcomer(world))
    world.node.mine()

    follow(world)

    assert asked(world) == 1


# --- What the person is told --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Work laptop", "Work laptop"), ("Work\u202e", "Work⟨U+202E⟩")],
    ids=["plain", "hidden characters"],
)
def test_the_person_is_told_once_that_a_passkey_became_an_owner(
    world: World, name: str, shown: str
):
    follow(world)
    new = proven_newcomer(world, name=name)
    first = world.node.account_owners[world.wallet.safe.address].owners
    join(world, new.signer)
    follow(world)
    world.node.reorganise(1)
    world.node.set_owners(world.wallet.safe.address, first)
    world.node.mine()
    world.node.mine()
    follow(world)
    join(world, new.signer)

    follow(world)

    assert told(world.wallet.user) == [f"“{shown}” can now sign for Account 1."]


def test_every_owner_is_told_of_a_stranger_who_joined(world: World):
    follow(world)
    join(world, STRANGER)
    follow(world)

    words = f"The owner {checksum_address(STRANGER)} can now sign for"
    assert [detail.startswith(words) for detail in told(world.wallet.user)] == [True]


def test_the_first_owner_of_an_account_is_no_news(world: World):
    follow(world)

    assert told(world.wallet.user) == []


def test_everybody_is_told_of_a_removed_owner_and_so_is_its_person(world: World):
    follow(world)
    new = proven_newcomer(world, user=make_user(), name="Old phone")
    join(world, new.signer)
    follow(world)
    assert told(world.wallet.user, GONE) == []

    leave(world, new.signer)
    follow(world)
    join(world, new.signer)
    follow(world)
    leave(world, new.signer)
    follow(world)

    address = checksum_address(new.signer)
    assert told(world.wallet.user, GONE) == [
        f"The owner {address} can no longer sign for Account 1."
    ]
    assert told(new.credential.user, GONE) == [
        "“Old phone” can no longer sign for Account 1."
    ]


def test_a_removed_owner_is_news_again_much_later(world: World):
    follow(world)
    for _ in range(2):
        join(world, STRANGER)
        follow(world)
        leave(world, STRANGER)
        follow(world)
        SecurityEvent.objects.update(created_at=timezone.now() - timedelta(days=2))

    assert len(told(world.wallet.user, GONE)) == 2


def test_everybody_who_can_sign_is_told_how_many_must_approve(world: World):
    follow(world)
    new = proven_newcomer(world, user=make_user())
    join(world, new.signer, threshold=2)
    follow(world)
    safe = world.wallet.safe
    owners = world.node.account_owners[safe.address].owners
    for threshold in (1, 2):
        world.node.set_owners(safe.address, owners, threshold)
        world.node.mine(threshold_changed(safe.address))
        follow(world)

    words = "{} of 2 owners must now approve for Account 1.".format
    for user in (world.wallet.user, new.credential.user):
        assert told(user, THRESHOLD) == [words(2), words(1)]


def test_an_owner_that_joins_alone_is_no_news_of_the_threshold(world: World):
    follow(world)
    join(world, STRANGER)
    follow(world)

    assert told(world.wallet.user, THRESHOLD) == []
    assert told(world.wallet.user, GONE) == []


def test_an_owner_that_comes_back_much_later_is_news_again(world: World):
    follow(world)
    new = proven_newcomer(world)
    join(world, new.signer)
    follow(world)
    leave(world, new.signer)
    follow(world)
    SecurityEvent.objects.update(created_at=timezone.now() - timedelta(days=2))

    join(world, new.signer)
    follow(world)

    assert len(told(world.wallet.user)) == 2
    assert world.wallet.safe.owners.filter(address=new.signer).count() == 1


# --- An operation that adds a passkey ------------------------------------------------------


def test_the_block_that_includes_an_addition_brings_the_owner(either_world: World):
    world = either_world
    follow(world)
    op = world.submit()
    if op.is_payment:
        world.node.mine(outcome(op))
    else:
        safe = world.wallet.safe
        before = world.node.account_owners[safe.address].owners
        world.node.set_owners(safe.address, [op.new_signer, *before])
        world.node.mine(outcome(op), added(safe.address, op.new_signer))

    follow(world)

    op = world.fresh(op)
    assert op.status == Status.INCLUDED
    assert addresses(world) == [
        *([] if op.is_payment else [op.new_signer]),
        own_signer(world),
    ]


def test_the_new_passkey_alone_signs_the_next_payment(world: World):
    follow(world)
    new = proven_newcomer(world)
    world.node.give_key(
        new.signer, KeyProof.objects.get().public_key, account=world.wallet.safe.address
    )
    join(world, new.signer)
    follow(world)

    op = world.submit(world.sign(world.prepare(), new.passkey))

    assert op.status == Status.SUBMITTED
    assert op.signatures.get().owner.credential == new.credential


def test_the_estimate_is_asked_in_the_name_of_owners_that_can_sign_here(world: World):
    follow(world)
    join(world, STRANGER)
    follow(world)

    world.prepare()

    (asked_for,) = world.bundler.estimated
    assert own_signer(world) in asked_for.signature
    assert STRANGER not in asked_for.signature


# --- Removed owners. R67 -------------------------------------------------------------------


def test_a_removed_passkey_is_not_asked_to_sign(world: World):
    follow(world)
    op = world.prepare()
    world.node.set_owners(world.wallet.safe.address, [STRANGER])
    world.node.mine(removed(world.wallet.safe.address, own_signer(world)))
    follow(world)

    request = authorization.signing_request(op=op, user=world.wallet.user)

    assert request["allowCredentials"] == []
    with pytest.raises(SignatureRefused):
        world.sign(op)


def test_what_a_removed_owner_signed_is_not_sent(world: World):
    follow(world)
    new = proven_newcomer(world)
    world.node.give_key(
        new.signer, KeyProof.objects.get().public_key, account=world.wallet.safe.address
    )
    join(world, new.signer)
    follow(world)
    op = world.sign(world.prepare(), new.passkey)
    leave(world, new.signer)
    follow(world)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA24")
    assert world.bundler.sent == []


def two_of_two(world: World) -> Newcomer:
    """Let the account need two passkeys of the person."""
    follow(world)
    new = proven_newcomer(world)
    world.node.give_key(
        new.signer, KeyProof.objects.get().public_key, account=world.wallet.safe.address
    )
    join(world, new.signer, threshold=2)
    follow(world)
    return new


def test_two_of_two_is_sent_with_both_signatures(world: World):
    new = two_of_two(world)
    op = world.sign(world.prepare())
    assert op.status == Status.AWAITING_SIGNATURES

    op = world.submit(world.sign(op, new.passkey))

    assert op.status == Status.SUBMITTED


def test_the_signature_of_an_owner_that_left_and_came_back_does_not_revive(
    world: World,
):
    new = two_of_two(world)
    op = world.sign(world.prepare(), new.passkey)
    leave(world, new.signer)
    follow(world)
    join(world, new.signer, threshold=2)
    follow(world)

    op = world.sign(op)

    assert op.status == Status.AWAITING_SIGNATURES
    counting = OperationSignature.objects.counting()
    assert counting.get().owner.address == own_signer(world)
    assert world.sign(op, new.passkey).status == Status.SIGNED


def test_a_signature_of_an_owner_that_is_gone_is_not_counted(world: World):
    new = two_of_two(world)
    op = world.sign(world.prepare(), new.passkey)
    # As if the follower had been stopped between marking and forgetting.
    Owner.objects.filter(address=new.signer).update(is_current=False)

    op = world.sign(op)

    assert op.status == Status.AWAITING_SIGNATURES


def test_only_the_signatures_of_owners_are_sent(world: World):
    new = two_of_two(world)
    op = world.sign(world.sign(world.prepare()), new.passkey)
    leave(world, new.signer)
    follow(world)

    op = world.submit(op)

    (sent,) = world.bundler.sent
    assert op.status == Status.SUBMITTED
    assert own_signer(world) in sent.signature
    assert new.signer not in sent.signature


def test_a_threshold_that_drops_sends_nothing_by_itself(world: World):
    two_of_two(world)
    op = world.sign(world.prepare())
    safe = world.wallet.safe
    owners = world.node.account_owners[safe.address].owners
    world.node.set_owners(safe.address, owners, threshold=1)
    world.node.mine(threshold_changed(safe.address))

    follow(world)

    assert account_of(world).threshold == 1
    assert world.fresh(op).status == Status.AWAITING_SIGNATURES


# --- Reorgs. R49 ---------------------------------------------------------------------------


@pytest.mark.parametrize("depth", range(1, 13))
def test_a_reorg_leaves_the_owners_that_a_fresh_read_has(world: World, depth: int):
    follow(world)
    new = proven_newcomer(world)
    first = world.node.account_owners[world.wallet.safe.address].owners
    before = owner_rows(world)
    join(world, new.signer)
    for _ in range(depth - 1):
        world.node.mine()
        follow(world)
    follow(world)
    assert addresses(world)[0] == new.signer

    world.node.reorganise(depth)
    world.node.set_owners(world.wallet.safe.address, first)
    for _ in range(depth + 1):
        world.node.mine()
    follow(world)

    rows = owner_rows(world)
    assert [row for row in rows if row["is_current"]] == before
    # The same once more, read without any memory of what was.
    Safe.objects.update(owners_synced_block=None)
    world.node.mine()
    follow(world)
    assert owner_rows(world) == rows


def test_an_owner_that_a_reorg_brings_back_is_the_same_and_told_of_once(world: World):
    follow(world)
    new = proven_newcomer(world)
    first = world.node.account_owners[world.wallet.safe.address].owners
    join(world, new.signer)
    follow(world)
    rows = owner_rows(world)
    world.node.reorganise(1)
    world.node.set_owners(world.wallet.safe.address, first)
    world.node.mine()
    world.node.mine()
    follow(world)
    assert addresses(world) == list(first)

    join(world, new.signer)
    follow(world)

    assert owner_rows(world) == rows
    assert len(told(world.wallet.user)) == 1


def test_a_reorg_reads_no_account_that_it_did_not_reach(world: World):
    follow(world)
    other = make_wallet()
    world.node.deploy(other.safe)
    block = world.node.mine()
    follow(world)
    assert Safe.objects.get(pk=other.safe.pk).owners_synced_block == block.number
    world.node.reorganise(1)
    world.node.mine()
    world.node.mine()

    follow(world)

    assert account_of(world).owners_synced_block == 100
    assert Safe.objects.get(pk=other.safe.pk).owners_synced_block == 102


def test_a_deployment_that_a_reorg_undid_is_made_again_as_it_began(world: World):
    wallet = make_queued_wallet()
    # An owner that came later, on a chain that is no more.
    Owner.objects.create(
        safe=wallet.safe,
        credential=newcomer(world).credential,
        address=STRANGER,
        position=1,
    )

    row = deployment_batches.sign_next_batch(
        chain=world.chain, node=world.node, account=relayer.account_of(RELAYER_KEY)
    )

    assert row is not None
    assert bytes(row.data).count(bytes.fromhex("0d2f0489")) == 1


# --- Two followers. R54 --------------------------------------------------------------------


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_followers_write_one_row_and_one_event(transactional_world: World):
    world = transactional_world
    follow(world)
    new = proven_newcomer(world)
    join(world, new.signer)

    def race() -> None:
        with suppress(TransientClientError):  # another one was faster
            follower.advance(chain=world.chain, node=world.node)

    all_at_once(4, race)

    assert addresses(world) == [new.signer, own_signer(world)]
    assert len(told(world.wallet.user)) == 1
    assert Block.objects.filter(number=101).count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_follower_and_a_request_for_several_accounts_do_not_block_each_other(
    transactional_world: World,
):
    world = transactional_world
    first, second = world.wallet.safe, make_wallet(user=world.wallet.user).safe
    world.node.deploy(second)
    follow(world)
    # The block names the second account; the first one's balance is looked up after it.
    Safe.objects.filter(pk=first.pk).update(synced_at_block=None)
    world.node.mine(touched=[second.address])
    has_first = threading.Event()

    def request() -> None:
        with transaction.atomic():
            Safe.objects.select_for_update().get(pk=first.pk)
            has_first.set()
            wait_until_somebody_waits()
            Safe.objects.select_for_update().get(pk=second.pk)

    def pass_of_the_follower() -> None:
        assert has_first.wait(PATIENCE)
        follower.advance(chain=world.chain, node=world.node)

    todo = [request, pass_of_the_follower]
    results = all_at_once(2, lambda: todo.pop()())

    assert [item for item in results if isinstance(item, Exception)] == []
    assert world.chain.head_number == 101


def wait_until_somebody_waits() -> None:
    """Return once another connection waits for a lock that this one has."""
    if connection.vendor != "postgresql":
        return  # SQLite locks the whole database: there is no order to get wrong
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waited")


@pytest.mark.parametrize("change", [join, leave])
def test_other_owners_end_what_was_acknowledged(world: World, change):
    """C-26: it was said of the owners of that moment."""
    follow(world)
    if change is leave:
        join(world, STRANGER)
        follow(world)
    safe, user = world.wallet.safe, world.wallet.user
    Acknowledgement.objects.create(safe=safe, user=user)
    follow(world)
    assert Acknowledgement.objects.exists()

    change(world, STRANGER)
    follow(world)

    assert not Acknowledgement.objects.exists()


def test_a_passkey_without_a_name_is_not_taken_for_its_provider(world: World):
    follow(world)
    new = proven_newcomer(world, name="")

    join(world, new.signer)
    follow(world)

    (words,) = told(world.wallet.user)
    assert words == "The passkey (Unknown provider) can now sign for Account 1."
