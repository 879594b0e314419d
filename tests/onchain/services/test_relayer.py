"""The relayer: stored before it is sent, one nonce each, no nonce lost."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from onchain.clients.errors import ClientError, TransientClientError
from onchain.errors import IdempotencyConflict
from onchain.models import RelayerTransaction, Safe
from onchain.services import broadcasting, faucet, follower, relayer, relaying
from tests.factories import (
    ETHER,
    PAYEE,
    RELAYER_KEY,
    World,
    make_queued_wallet,
    make_relayer_transaction,
    make_wallet,
)
from tests.fakes import BASE_FEE_WEI, TIP_WEI
from tests.threads import all_at_once

ACCOUNT = relayer.account_of(RELAYER_KEY)
SENDER = bytes.fromhex(ACCOUNT.address[2:])


def queued(world: World) -> RelayerTransaction:
    return make_relayer_transaction(chain=world.chain)


def sign(world: World, row: RelayerTransaction | None = None) -> RelayerTransaction:
    row = row or queued(world)
    assert relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)
    row.refresh_from_db()
    return row


def broadcast(world: World, row: RelayerTransaction) -> RelayerTransaction:
    row.refresh_from_db()
    broadcasting.broadcast(row=row, node=world.node)
    row.refresh_from_db()
    return row


# --- Signing ----------------------------------------------------------------------------


def test_a_signed_row_holds_the_very_bytes_that_are_sent(world: World):
    row = sign(world)

    assert row.status == "signed"
    assert Account.recover_transaction(bytes(row.raw)) == ACCOUNT.address
    assert row.hash == keccak(bytes(row.raw))
    assert world.node.raw_sent == []


def test_transactions_take_one_nonce_after_the_other(world: World):
    world.node.transaction_counts[SENDER] = 7

    assert [sign(world).nonce for _ in range(3)] == [7, 8, 9]


def test_a_nonce_used_elsewhere_is_not_taken(world: World):
    sign(world)
    world.node.transaction_counts[SENDER] = 5

    assert sign(world).nonce == 5


def test_a_nonce_race_leaves_the_loser_queued(world: World):
    winner, loser = queued(world), queued(world)
    signed = relayer.sign(
        chain=world.chain,
        node=world.node,
        account=ACCOUNT,
        to=PAYEE,
        value_wei=1,
        data=b"",
        gas_limit=21_000,
    )
    sign(world, winner)

    assert not relayer.store_signature(row=loser, signed=signed)

    loser.refresh_from_db()
    assert (loser.status, loser.raw, loser.nonce) == ("queued", None, None)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_ten_parallel_signings_use_each_nonce_once(transactional_world: World):
    world = transactional_world
    waiting = [queued(world) for _ in range(10)]

    def run() -> None:
        for row in waiting:
            row = RelayerTransaction.objects.select_related("chain").get(pk=row.pk)
            if row.status == "queued":
                relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)

    for _ in range(12):
        all_at_once(5, run)

    nonces = RelayerTransaction.objects.values_list("nonce", flat=True)
    assert sorted(nonces) == list(range(10))


def test_a_node_out_of_reach_leaves_the_row_queued(world: World):
    row = queued(world)
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        sign(world, row)

    row.refresh_from_db()
    assert row.status == "queued"


# --- Broadcasting. R43 ------------------------------------------------------------------


def test_a_broadcast_row_is_on_its_way(world: World):
    row = broadcast(world, sign(world))

    assert row.status == "broadcast"
    assert row.broadcast_at is not None
    assert world.node.raw_sent == [bytes(row.raw)]


def test_broadcast_survives_a_crash_between_sending_and_saving(world: World):
    row = sign(world)
    world.node.dies_after_sending = True
    with pytest.raises(ConnectionAbortedError):
        broadcasting.broadcast(row=row, node=world.node)
    world.node.dies_after_sending = False

    row = broadcast(world, row)

    assert row.status == "broadcast"
    assert len(set(world.node.raw_sent)) == 1
    assert len(world.node.pool) == 1


def test_a_crash_after_storing_sends_the_stored_transaction(world: World):
    row = sign(world)  # the run that died before it sent anything
    raw = bytes(row.raw)

    broadcast(world, row)

    assert world.node.raw_sent == [raw]


def test_a_transaction_that_is_on_chain_already_waits_for_the_follower(world: World):
    row = sign(world)
    world.node.dies_after_sending = True
    with pytest.raises(ConnectionAbortedError):
        broadcasting.broadcast(row=row, node=world.node)
    world.node.dies_after_sending = False
    world.node.mine()

    row = broadcast(world, row)

    assert row.status == "signed"


def test_a_transaction_whose_nonce_another_took_fails(world: World):
    row = sign(world)
    world.node.transaction_counts[SENDER] = 1

    row = broadcast(world, row)

    assert (row.status, row.failure_code) == ("failed", "nonce-too-low")


def test_a_transaction_that_a_pool_may_hold_is_not_given_up(world: World):
    row = broadcast(world, sign(world))
    world.node.transaction_counts[SENDER] = 1

    row = broadcast(world, row)

    assert row.status == "broadcast"


# R68
def test_fees_above_the_ceiling_are_not_paid(world: World, settings):
    settings.MAX_FEE_PER_GAS = 1

    with pytest.raises(TransientClientError, match="ceiling"):
        sign(world)


def test_a_node_out_of_reach_leaves_the_row_signed(world: World):
    row = sign(world)
    world.node.failure = TransientClientError("ConnectTimeout")

    with pytest.raises(TransientClientError):
        broadcasting.broadcast(row=row, node=world.node)

    row.refresh_from_db()
    assert row.status == "signed"


@pytest.mark.parametrize("status", ["queued", "mined", "failed"])
def test_nothing_else_is_broadcast(world: World, status: str):
    row = sign(world)
    RelayerTransaction.objects.update(status=status)

    broadcast(world, row)

    assert world.node.raw_sent == []


def test_a_row_that_says_signed_but_is_not_is_a_fault(world: World):
    row = queued(world)
    RelayerTransaction.objects.update(status="signed")

    with pytest.raises(ValueError, match="without a signature"):
        broadcast(world, row)


# --- Refusals ---------------------------------------------------------------------------


def refused(world: World, row: RelayerTransaction) -> RelayerTransaction:
    world.node.send_failure = ClientError("node-refused", "max fee too low")
    row = broadcast(world, row)
    world.node.send_failure = None
    return row


def test_a_refused_transaction_fails_and_says_why(world: World):
    row = refused(world, sign(world))

    assert (row.status, row.failure_code) == ("failed", "node-refused")
    assert row.failure_detail == "max fee too low"


def test_the_nonce_of_a_refused_transaction_is_used_by_the_next(world: World):
    refused(world, sign(world))

    row = broadcast(world, sign(world))

    assert (row.status, row.nonce) == ("broadcast", 0)


def test_a_gap_left_by_a_refused_transaction_is_filled(world: World):
    first, second = sign(world), sign(world)
    refused(world, first)
    broadcast(world, second)

    third = broadcast(world, sign(world))
    block = world.node.mine()

    assert (third.nonce, second.nonce) == (0, 1)
    assert block.transaction_hashes == {second.hash, third.hash}


def test_a_refused_deployment_releases_its_accounts(world: World):
    row = sign(world)
    safe = make_queued_wallet(status="broadcast", deployment_transaction=row).safe

    refused(world, row)

    safe.refresh_from_db()
    assert (safe.status, safe.deployment_attempts) == (Safe.Status.QUEUED, 1)


def test_a_refusal_that_comes_too_late_releases_nothing(world: World):
    row = sign(world)
    safe = make_queued_wallet(status="broadcast", deployment_transaction=row).safe
    RelayerTransaction.objects.update(status="mined")

    world.node.send_failure = ClientError("node-refused")
    broadcasting.broadcast(row=row, node=world.node)

    safe.refresh_from_db()
    assert safe.status == Safe.Status.BROADCAST


def test_after_three_failures_an_account_waits_for_an_operator(world: World):
    safe = make_queued_wallet().safe
    for _attempt in range(3):
        row = sign(world)
        Safe.objects.filter(pk=safe.pk).update(
            status="broadcast", deployment_transaction=row
        )
        refused(world, row)

    safe.refresh_from_db()
    assert (safe.status, safe.failure_code) == (Safe.Status.FAILED, "node-refused")


# --- Calls that other parts queue -------------------------------------------------------


def queued_call(world: World, **fields) -> RelayerTransaction:
    call = {"value_wei": 0, "data": b"\xca\x11", "gas_limit": 321_000}
    return make_relayer_transaction(chain=world.chain, **call | fields)


def test_a_queued_call_is_signed_with_its_own_gas_limit(world: World):
    row = sign(world, queued_call(world))

    signed = TypedTransaction.from_bytes(HexBytes(row.raw)).as_dict()
    assert (signed["gas"], bytes(signed["data"])) == (321_000, b"\xca\x11")


@pytest.mark.parametrize("code", sorted(relayer.WOULD_FAIL))
def test_a_call_that_would_fail_ends_before_it_has_a_nonce(world: World, code: str):
    row = queued_call(world)
    world.node.estimate_failure = ClientError(code, "GS000")

    assert not relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)

    row.refresh_from_db()
    assert (row.status, row.failure_code, row.failure_detail) == (
        *("failed", code, "GS000"),
    )
    assert (row.nonce, row.hash, row.raw) == (None, None, None)
    world.node.estimate_failure = None
    assert sign(world).nonce == 0


def test_a_node_that_refuses_to_try_is_asked_again_for_ten_minutes(world: World):
    row = queued_call(world)
    world.node.estimate_failure = ClientError("node-refused", "unknown block")

    with pytest.raises(relayer.NotNow):
        relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)
    row.created_at -= timedelta(seconds=relayer.REFUSED_SECONDS)
    assert not relayer.sign_queued(row=row, node=world.node, account=ACCOUNT)

    row.refresh_from_db()
    assert (row.status, row.failure_code) == ("failed", "node-refused")


def test_a_call_that_waits_holds_no_other_back_and_safety_goes_first(world: World):
    simulate = world.node.simulate

    def refusing(**asked):
        if asked["data"] == b"wait":
            raise ClientError("insufficient-funds")
        simulate(**asked)

    world.node.simulate = refusing
    waiting = queued_call(world, data=b"wait", is_safety=True)
    plain, safety = queued_call(world), queued_call(world, is_safety=True)

    with pytest.raises(relayer.NotNow):
        relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)

    for row in (waiting, plain, safety):
        row.refresh_from_db()
    assert (waiting.status, safety.nonce, plain.nonce) == ("queued", 0, 1)
    assert [safety.status, plain.status] == ["broadcast"] * 2


# --- Little money, another key ----------------------------------------------------------


def test_money_for_one_of_three_blocks_no_nonce(world: World):
    rows = [queued_call(world) for _ in range(3)]
    one = 321_000 * (2 * BASE_FEE_WEI + TIP_WEI)
    world.node.relayer_balance_wei = one

    with pytest.raises(relayer.NotNow, match="out of funds"):
        relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)

    assert states(rows) == [("broadcast", 0), ("queued", None), ("queued", None)]
    world.node.mine()
    follower.advance(chain=world.chain, node=world.node)
    world.node.relayer_balance_wei = 2 * one
    relaying.run(chain=world.chain, node=world.node, account=ACCOUNT)
    world.node.mine()
    follower.advance(chain=world.chain, node=world.node)
    assert states(rows) == [("mined", 0), ("mined", 1), ("mined", 2)]


def states(rows: list[RelayerTransaction]) -> list[tuple[str, int | None]]:
    for row in rows:
        row.refresh_from_db()
    return [(row.status, row.nonce) for row in rows]


# R71
def test_after_a_swap_of_keys_what_the_old_one_signed_still_settles(world: World):
    old = [sign(world), sign(world)]
    new_account = relayer.account_of("0x" + "7b" * 32)
    fresh = queued_call(world)

    relaying.run(chain=world.chain, node=world.node, account=new_account)
    world.node.mine()
    follower.advance(chain=world.chain, node=world.node)

    assert states([*old, fresh]) == [("mined", 0), ("mined", 1), ("mined", 0)]
    assert fresh.sender == relayer.sender_of(new_account)


# --- Test ETH. R50 ----------------------------------------------------------------------


def ask(world: World, key: uuid.UUID, **changes) -> RelayerTransaction:
    asked = {
        "safe": world.wallet.safe,
        "user": world.wallet.user,
        "value_wei": ETHER,
        "idempotency_key": key,
    }
    return faucet.request_test_eth(**asked | changes)


def test_one_press_of_the_faucet_is_one_payment(world: World):
    key = uuid.uuid4()

    assert ask(world, key) == ask(world, key)
    assert RelayerTransaction.objects.count() == 1


def test_the_faucets_form_of_another_account_is_refused(world: World):
    key, other = uuid.uuid4(), make_wallet()
    ask(world, key)

    with pytest.raises(IdempotencyConflict):
        ask(world, key, safe=other.safe)
    with pytest.raises(IdempotencyConflict):
        ask(world, key, user=other.user)


def test_test_eth_arrives_with_gas_enough_for_a_safe(world: World):
    row = sign(world, ask(world, uuid.uuid4()))

    assert row.to == world.wallet.safe.address
    assert row.gas_limit == relayer.PLAIN_TRANSFER_GAS
