"""Putting accounts on chain: batches, taken addresses, failures one by one."""

from __future__ import annotations

import pytest
from django.utils import timezone

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node_types import Receipt
from onchain.models import RelayerTransaction, Safe
from onchain.protocol.abi import selector
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.safe import create_signer_data, factory_data
from onchain.services import deployment_batches, deployments, inclusion, relayer, safes
from onchain.services.deployment_batches import TOO_MUCH_GAS
from tests.factories import ETHER, RELAYER_KEY, World, make_queued_wallet
from tests.threads import all_at_once

ACCOUNT = relayer.account_of(RELAYER_KEY)


def sign_next(world: World) -> RelayerTransaction | None:
    return deployment_batches.sign_next_batch(
        chain=world.chain, node=world.node, account=ACCOUNT
    )


def queue(count: int) -> list[Safe]:
    return [make_queued_wallet().safe for _ in range(count)]


def deploys(row: RelayerTransaction, safe: Safe) -> bool:
    call = factory_data(setup=bytes(safe.setup_data), salt_nonce=safe.salt_nonce)
    return call in bytes(row.data)


def statuses(waiting: list[Safe]) -> list[str]:
    for safe in waiting:
        safe.refresh_from_db()
    return [safe.status for safe in waiting]


def test_waiting_accounts_go_in_one_transaction(world: World):
    waiting = queue(3)

    row = sign_next(world)

    assert (row.status, row.purpose, row.to) == ("signed", "deploy", MULTICALL3)
    assert all(deploys(row, safe) for safe in waiting)
    assert statuses(waiting) == ["broadcast"] * 3
    assert {safe.deployment_transaction for safe in waiting} == {row}


def test_nothing_is_broadcast_before_it_is_stored(world: World):
    queue(1)

    sign_next(world)

    assert world.node.raw_sent == []


def test_nothing_to_do_is_no_transaction(world: World):
    assert sign_next(world) is None
    assert not RelayerTransaction.objects.exists()


def test_a_batch_at_most_goes_together_first_come_first_served(world: World, settings):
    settings.DEPLOYMENT_BATCH = 10
    waiting = queue(12)

    first, second = sign_next(world), sign_next(world)

    assert [deploys(first, safe) for safe in waiting] == [True] * 10 + [False] * 2
    assert [deploys(second, safe) for safe in waiting] == [False] * 10 + [True] * 2


@pytest.mark.parametrize(
    ("block_gas", "accounts"),
    [(10_000_000, 4), (5_000_000, 2), (10**9, 8)],
    ids=["half a block", "half a small block", "what one transaction may use"],
)
def test_a_batch_is_halved_until_it_fits(world: World, settings, block_gas, accounts):
    settings.DEPLOYMENT_BATCH = 16
    world.node.block_gas = block_gas
    world.node.estimate_gas = lambda **asked: 1_000_000 * made_in(asked["data"])
    waiting = queue(16)

    row = sign_next(world)

    assert row.gas_limit <= min(block_gas // 2, 2**24)
    assert sum(deploys(row, safe) for safe in waiting) == accounts


def made_in(data: bytes) -> int:
    return data.count(selector("createProxyWithNonce(address,bytes,uint256)"))


def test_one_account_that_fits_into_no_block_fails_and_holds_no_other_up(
    world: World,
):
    (safe,) = queue(1)
    world.node.block_gas = 500_000

    assert sign_next(world) is None

    safe.refresh_from_db()
    assert (safe.status, safe.failure_code) == ("failed", TOO_MUCH_GAS)
    assert "480000 gas, 250000 allowed" in safe.failure_detail


def test_an_account_nobody_asked_for_stays(world: World):
    safe = make_queued_wallet(deployment_requested_at=None, balance_wei=ETHER).safe

    assert sign_next(world) is None

    safes.request_deployment(safe=safe)
    assert deploys(sign_next(world), safe)


# --- R23: taken addresses ---------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
def test_a_taken_address_counts_as_deployed_and_the_rest_goes_on(
    world: World, place: int
):
    waiting = queue(3)
    world.node.deploy(waiting[place])

    row = sign_next(world)

    others = [safe for safe in waiting if safe != waiting[place]]
    assert not deploys(row, waiting[place])
    assert all(deploys(row, safe) for safe in others)
    assert statuses([waiting[place]]) == ["deployed"]
    assert statuses(others) == ["broadcast"] * 2


def test_when_all_are_taken_there_is_no_transaction(world: World):
    waiting = queue(2)
    for safe in waiting:
        world.node.deploy(safe)

    assert sign_next(world) is None
    assert statuses(waiting) == ["deployed"] * 2


def test_an_address_taken_by_a_pending_transaction_waits(world: World):
    pending, free = queue(2)
    world.node.pending_codes[pending.address] = b"\x60"

    row = sign_next(world)

    assert deploys(row, free)
    assert not deploys(row, pending)
    assert statuses([pending, free]) == ["queued", "broadcast"]


# Whoever copies our call for the account alone would leave it without its signers.
def test_an_account_that_a_stranger_made_without_signers_gets_them(world: World):
    (safe,) = queue(1)
    world.node.account_codes[safe.address] = b"\x60"
    (owner,) = safe.owners.all()

    row = sign_next(world)

    assert create_signer_data(public_key=owner.public_key) in bytes(row.data)
    assert not deploys(row, safe)
    assert statuses([safe]) == ["broadcast"]
    world.node.deploy(safe)
    inclusion.apply_receipt(
        row=row, receipt=Receipt(block_number=101, succeeded=True, gas_used=9)
    )
    assert statuses([safe]) == ["queued"]
    assert sign_next(world) is None
    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts) == ("deployed", 0)


# --- Failures ---------------------------------------------------------------------------


def test_what_failed_together_goes_singly(world: World):
    waiting = queue(3)
    world.node.estimate_failure = ClientError("execution-reverted", "GS002")
    assert sign_next(world) is None
    world.node.estimate_failure = None

    rows = [sign_next(world) for _ in range(3)]

    assert [[deploys(row, safe) for safe in waiting] for row in rows] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_a_new_account_does_not_wait_behind_one_that_fails(world: World):
    (failing,) = queue(1)
    Safe.objects.filter(pk=failing.pk).update(deployment_attempts=1)
    (fresh,) = queue(1)

    row = sign_next(world)

    assert deploys(row, fresh)
    assert not deploys(row, failing)


def test_three_failed_estimates_end_in_failed_with_the_reason(world: World):
    (safe,) = queue(1)
    world.node.estimate_failure = ClientError("execution-reverted", "GS002")

    for _attempt in range(3):
        sign_next(world)

    safe.refresh_from_db()
    assert (safe.status, safe.failure_code) == ("failed", "execution-reverted")
    assert safe.failure_detail == "GS002"
    assert sign_next(world) is None


def test_nudging_a_failed_account_gives_it_three_new_attempts(world: World):
    (safe,) = queue(1)
    Safe.objects.update(status="failed", deployment_attempts=3, failure_code="x")

    assert safes.nudge_again(safe=safe)

    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts) == ("queued", 0)
    assert safe.failure_code == ""
    assert deploys(sign_next(world), safe)


def test_a_node_out_of_reach_changes_nothing(world: World):
    waiting = queue(2)
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        sign_next(world)

    assert statuses(waiting) == ["queued"] * 2


def test_a_node_that_will_not_estimate_costs_no_attempt(world: World):
    (safe,) = queue(1)
    world.node.estimate_failure = ClientError("node-refused", "unknown block")

    with pytest.raises(TransientClientError):
        sign_next(world)

    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts) == ("queued", 0)


def test_an_account_that_another_worker_took_gives_the_batch_up(world: World):
    first, second = queue(2)
    estimate = world.node.estimate_gas

    def overtaken(**asked):
        Safe.objects.filter(pk=second.pk).update(status="broadcast")
        return estimate(**asked)

    world.node.estimate_gas = overtaken

    assert sign_next(world) is None
    assert statuses([first]) == ["queued"]
    assert not RelayerTransaction.objects.exists()


# R44
@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_workers_put_each_account_in_one_transaction(
    transactional_world: World,
):
    world = transactional_world
    waiting = queue(5)

    all_at_once(10, lambda: sign_next(world))

    (row,) = RelayerTransaction.objects.all()
    assert statuses(waiting) == ["broadcast"] * 5
    assert all(deploys(row, safe) for safe in waiting)


def test_an_account_that_is_live_already_is_left_alone(world: World):
    safe = world.wallet.safe
    Safe.objects.update(deployment_requested_at=timezone.now())

    deployments.mark_deployed(safe=safe, block_number=999)

    safe.refresh_from_db()
    assert safe.deployed_block == 90
