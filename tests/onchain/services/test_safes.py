"""Accounts: opened, queued, looked at."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.errors import TooManyAccounts
from onchain.models import JournalEntry, Safe
from onchain.protocol.safe import account_address, direct_setup, signer_address
from onchain.services import journal, nudging, safes
from tests.factories import (
    ETHER,
    World,
    make_chain,
    make_credential,
    make_operator,
    make_queued_wallet,
    make_relayer_transaction,
    make_wallet,
    signer_proxy_code,
    the_chain,
)
from tests.threads import all_at_once


def test_the_address_follows_from_the_passkey_alone(world: World):
    owner = world.wallet.owner
    signer = signer_address(public_key=owner.public_key, proxy_code=signer_proxy_code())

    address = account_address(
        setup=direct_setup(owners=[signer], threshold=1), salt_nonce=0
    )

    assert (owner.address, world.wallet.safe.address) == (signer, address)


@pytest.mark.parametrize(("policy", "asked"), [("eager", True), ("on-demand", False)])
def test_deployment_is_asked_for_where_the_chain_is_eager(db, settings, policy, asked):
    settings.DEPLOYMENT_POLICY = policy

    safe = make_wallet(status="queued").safe

    assert (safe.deployment_requested_at is not None) == asked


def test_accounts_are_numbered_for_each_person(db):
    first = make_wallet()
    second = make_wallet(user=first.user)

    assert (first.safe.name, second.safe.name) == ("Account 1", "Account 2")


def test_a_chain_that_was_not_verified_gets_no_account(db):
    chain = make_chain(signer_proxy_code=None)
    credential = make_credential()

    with pytest.raises(ValueError, match="not been verified"):
        safes.open_safe(user=credential.user, credential=credential, chain=chain)


# --- The queue --------------------------------------------------------------------------


def test_the_place_in_the_queue_counts_those_before(db):
    waiting = [make_queued_wallet().safe for _ in range(3)]

    assert [safes.queue_place(safe=safe) for safe in waiting] == [1, 2, 3]


def test_those_who_asked_at_the_same_moment_have_different_places(db):
    waiting = [make_queued_wallet().safe for _ in range(3)]
    Safe.objects.update(deployment_requested_at=timezone.now())
    for safe in waiting:
        safe.refresh_from_db()

    assert [safes.queue_place(safe=safe) for safe in waiting] == [1, 2, 3]


def test_the_place_moves_up_when_another_has_gone(db):
    first, second = (make_queued_wallet().safe for _ in range(2))
    Safe.objects.filter(pk=first.pk).update(status="broadcast")

    assert safes.queue_place(safe=second) == 1


@pytest.mark.parametrize("status", ["broadcast", "deployed", "failed"])
def test_outside_the_queue_there_is_no_place(db, status: str):
    assert safes.queue_place(safe=make_wallet(status=status).safe) is None


def test_an_account_nobody_asked_for_has_no_place(db):
    safe = make_queued_wallet(deployment_requested_at=None).safe

    assert safes.queue_place(safe=safe) is None


def test_asking_twice_keeps_the_place(db):
    safe = make_queued_wallet().safe
    before = safe.deployment_requested_at

    safes.request_deployment(safe=safe)

    safe.refresh_from_db()
    assert safe.deployment_requested_at == before


# R68
@pytest.mark.parametrize(("balance", "is_worth"), [(99, False), (100, True)])
def test_the_floor_decides_what_is_worth_deploying(db, settings, balance, is_worth):
    settings.DEPLOYMENT_FLOOR_WEI = 100

    assert safes.is_worth_deploying(make_wallet(balance_wei=balance).safe) == is_worth


# R68
def test_a_first_deposit_above_the_floor_asks_for_deployment(db, settings):
    settings.DEPLOYMENT_FLOOR_WEI = 100
    rich, poor, live = (
        make_wallet(balance_wei=balance, status=status).safe
        for balance, status in ((100, "queued"), (99, "queued"), (100, "deployed"))
    )
    Safe.objects.update(deployment_requested_at=None)

    safes.request_funded_deployments(chain=the_chain())

    asked = Safe.objects.filter(deployment_requested_at__isnull=False)
    assert set(asked) == {rich}
    assert {poor, live}.isdisjoint(asked)


# --- Balances ---------------------------------------------------------------------------


def test_a_balance_is_asked_for_at_most_every_five_seconds(db):
    safe = make_wallet().safe

    claims = [safes.claim_balance_request(safe=safe) for _ in range(3)]

    assert claims == [True, False, False]


def test_after_five_seconds_it_is_asked_for_again(db):
    safe = make_wallet().safe
    safes.claim_balance_request(safe=safe)
    Safe.objects.update(balance_requested_at=timezone.now() - timedelta(seconds=6))

    assert safes.claim_balance_request(safe=safe)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_ten_viewers_at_once_one_asks(transactional_world: World):
    safe = transactional_world.wallet.safe

    claims = all_at_once(10, lambda: safes.claim_balance_request(safe=safe))

    assert sorted(claims) == [False] * 9 + [True]


def test_parallel_asks_open_no_more_accounts_than_one_may_have(
    transactional_world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(safes, "MAX_ACCOUNTS", 3)
    wallet = transactional_world.wallet
    credential = wallet.user.credentials.get()

    def ask() -> object:
        wanted = safes.NewAccount(name="One more", key=uuid.uuid4())
        return safes.open_another(
            user=wallet.user,
            credential=credential,
            chain=transactional_world.chain,
            wanted=wanted,
        )

    answers = all_at_once(6, ask)

    assert wallet.user.safes.count() == 3
    assert sum(isinstance(answer, TooManyAccounts) for answer in answers) == 4


def test_a_refreshed_balance_names_its_block(world: World):
    world.node.account_balances[world.wallet.safe.address] = 2**255

    safes.refresh_balance(safe=world.wallet.safe, node=world.node)

    world.wallet.safe.refresh_from_db()
    assert world.wallet.safe.balance_wei == 2**255
    assert world.wallet.safe.synced_at_block == world.chain.head_number


def test_a_node_out_of_reach_leaves_the_balance(world: World):
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        safes.refresh_balance(safe=world.wallet.safe, node=world.node)

    world.wallet.safe.refresh_from_db()
    assert world.wallet.safe.balance_wei == 0


# --- R26: an operator's nudge -----------------------------------------------------------


def test_a_nudge_is_written_into_the_journal(db):
    operator, safe = make_operator(), make_wallet().safe

    nudging.reset(row=safe, actor=operator)

    entry = JournalEntry.objects.get()
    assert (entry.actor, entry.action) == (operator, "nudge")
    assert entry.target == f"safe {safe.pk}"


def test_a_nudged_failed_account_queues_again(db):
    safe = make_wallet(status="failed", deployment_attempts=3).safe

    nudging.reset(row=safe, actor=make_operator())

    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts) == ("queued", 0)


@pytest.mark.parametrize("status", ["queued", "broadcast", "deployed"])
def test_a_nudge_leaves_every_other_account_alone(db, status: str):
    safe = make_wallet(status=status, balance_wei=ETHER).safe
    before = Safe.objects.values().get(pk=safe.pk)

    nudging.reset(row=safe, actor=make_operator())

    assert Safe.objects.values().get(pk=safe.pk) == before


def test_a_nudged_operation_forgets_its_last_problem_and_nothing_else(world: World):
    op = world.sign()
    type(op).objects.update(last_problem="ConnectTimeout")
    before = type(op).objects.values().get(pk=op.pk)

    nudging.reset(row=op, actor=make_operator())

    after = type(op).objects.values().get(pk=op.pk)
    assert after == before | {"last_problem": ""}


@pytest.mark.parametrize(("status", "is_due"), [("broadcast", True), ("mined", False)])
def test_a_nudged_transaction_is_sent_again_while_it_is_in_flight(db, status, is_due):
    row = make_relayer_transaction(status=status, broadcast_at=timezone.now())

    nudging.reset(row=row, actor=make_operator())

    row.refresh_from_db()
    assert (row.broadcast_at is None) == is_due


def test_the_journal_cuts_what_is_too_long(db):
    journal.note(actor=None, action="x" * 99, target="y" * 999, detail="z" * 999)

    entry = JournalEntry.objects.get()
    assert (len(entry.action), len(entry.target), len(entry.detail)) == (40, 120, 300)
