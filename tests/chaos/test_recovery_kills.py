"""kill -9 of the worker at every step of carrying a recovery (security.md R43)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from onchain import recovery_tasks
from onchain.models import AccountClaim, RelayerTransaction, Safe
from onchain.protocol import recovery
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.types import Address, Call, checksum_address, to_hex
from onchain.services import (
    guardian_approvals,
    key_proofs,
    recovery_claims,
    recovery_progress,
)
from tests.chaos.conftest import Ground
from tests.chaos.programs import Step
from tests.chaos.world import Person, World
from tests.factories import assertion_text, make_credential
from tests.soft_authenticator import SoftAuthenticator
from tests.wallet_keys import SoftWallet

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
STORE = "onchain.services.recovery_relaying:store"
BROADCAST = "onchain.clients.node:Node.send_raw_transaction"
START = [
    Step.before("worker", STORE),
    Step.after("worker", STORE),
    Step.before("worker", BROADCAST),
    Step.after("worker", BROADCAST),
    Step.before("worker", "onchain.services.recovery_progress:_begin_waiting"),
]
FINISH = [
    Step.before("worker", STORE),
    Step.after("worker", STORE),
    Step.before("worker", BROADCAST),
    Step.after("worker", BROADCAST),
    Step.before("worker", "onchain.services.recovery_finalising:finish"),
]
NOBODY = Address(b"\x01" * 20)
Status = AccountClaim.Status


@pytest.fixture
def world(own_ground: Ground, world_on: Callable[[Ground], World]) -> Iterator[World]:
    """A world on a chain whose time only this scenario moves."""
    with world_on(own_ground) as world:
        yield world


def act(world: World, account: Address, call: Call) -> None:
    """Let the account make a call, and wait for its block."""
    rpc = world.ground.rpc
    rpc.call("anvil_impersonateAccount", checksum_address(account))
    fields = {
        "from": checksum_address(account),
        "to": checksum_address(call.to),
        "data": to_hex(call.data),
    }
    sent = rpc.call("eth_sendTransaction", fields)
    world.wait_until(
        lambda: rpc.call("eth_getTransactionReceipt", sent) is not None, "a block"
    )


def asked(world: World, person: Person) -> AccountClaim:
    """Return a claim that the account's one guardian, a wallet, has approved."""
    wallet, passkey = SoftWallet(), SoftAuthenticator()
    safe = Safe.objects.select_related("chain").get(pk=person.safe.pk)
    account = Address(safe.address)
    act(world, account, recovery.enable_module_call(account=account, module=MODULE))
    guardian = recovery.add_guardian_call(
        module=MODULE,
        account=account,
        guardian=wallet.address,
        threshold=1,
        owners=[Address(owner.address) for owner in safe.owners.all()],
        guardians=[],
    )
    act(world, account, guardian)
    credential = make_credential(passkey)
    proof = key_proofs.open_proof(credential=credential, safe=safe)
    answer = assertion_text(passkey, bytes(proof.challenge))
    proof = key_proofs.answer(credential=credential, safe=safe, response=answer)
    key_proofs.check(proof=proof, node=world.node)
    claim, _token = recovery_claims.begin(user=credential.user, credential=credential)
    row = recovery_claims.open_account(
        claim=claim,
        safe=safe,
        module=MODULE,
        new_owners=[recovery_claims.new_signer(claim=claim, safe=safe)],
        new_threshold=1,
    )
    recovery_progress.advance(row=row, node=world.node, relayer=NOBODY)
    guardian_approvals.sign_with_wallet(
        row=row,
        user=credential.user,
        guardian=wallet.address,
        account=wallet.address,
        signature=wallet.sign_hash(bytes(row.hash_to_sign)),
    )
    return row


def die(world: World, step: Step, rows: list[AccountClaim]) -> None:
    """Let a worker look at the claims until it dies at the step."""
    AccountClaim.objects.update(look_at=timezone.now())
    (victim,) = world.start("worker", step=step)
    for row in rows:
        world.nudge(recovery_tasks.advance_recovery, row.pk)
    world.wait_for_death(victim)


def wait_for(world: World, status: Status, rows: list[AccountClaim]) -> None:
    """Have a worker, and return once all of these claims are there."""
    world.start("worker")
    found = AccountClaim.objects.filter(pk__in=[row.pk for row in rows], status=status)
    world.wait_until(lambda: found.count() == len(rows), f"claims are {status}")
    world.stop("worker")


@pytest.mark.thorough
def test_a_worker_killed_while_it_starts_and_finishes_recoveries(world: World):
    world.start("follower", "beat", "worker")
    people = world.live_accounts(len(START))
    world.stop("worker")
    rows = []
    for person, step in zip(people, START, strict=True):
        rows.append(asked(world, person))
        die(world, step, rows[-1:])
        wait_for(world, Status.WAITING, rows[-1:])
    world.ground.rpc.call("evm_increaseTime", TEST_RECOVERY_DELAY + 60)
    world.ground.rpc.call("evm_mine")

    for step in FINISH:
        die(world, step, rows)
    wait_for(world, Status.DONE, rows)

    for row in rows:
        account = Address(row.safe.address)
        found = world.node.account_record(account).owners
        assert found is not None
        assert list(found.owners) == row.new_owner_list
    sent = RelayerTransaction.objects.filter(account_claim__isnull=False)
    open_ones = sent.exclude(status="mined")  # the follower may be behind the claims
    world.wait_until(lambda: not open_ones.exists(), "each transaction is mined")
    assert sent.count() == 2 * len(rows)
