"""Gas of recovery: setting it up, changing guardians, cancelling, and coming back.

What each costs is the gas of the transaction that carries it. Accounts have one passkey
with the P-256 precompile and pay for themselves; each change also sends
``invalidateNonce``, as this site does it. The relayer's transaction puts the signers of
the claimant and of both guardians on chain, hands in two passkeys' signatures and
starts the delay. **The module is the local chain's stand-in**, written from the
published interface: the canonical module's bytecode is in no package, so that its own
gas may differ.
"""

from __future__ import annotations

import argparse
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts.models import Credential
from bench import report, stack
from bench.gas import Account, opened
from bench.owner_changes import gas_of, included, prove
from onchain import recovery_tasks
from onchain.clients.factory import node_for
from onchain.models import (
    AccountClaim,
    KeyProof,
    RecoverySetup,
    RelayerTransaction,
    UserOperation,
)
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import RECOVERY_MODULES, TEST_RECOVERY_DELAY
from onchain.protocol.types import Address
from onchain.services import (
    guardian_approvals,
    guardian_changes,
    key_proofs,
    recovery_claims,
    signers,
)
from tests.factories import assertion_text, make_credential
from tests.soft_authenticator import SoftAuthenticator

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
SECONDS = 120  # until a claim is in its next state
Status = AccountClaim.Status
Purpose = RelayerTransaction.Purpose
SET_UP_ONE = "Set up recovery, 1 guardian"
SET_UP = "Set up recovery, 3 guardians, 2 of them must approve"
ADD, REVOKE = "Add a guardian, 4 then", "Revoke a guardian, 3 then"
THRESHOLD = "Change how many must approve"
START = "Approve with 2 passkeys and start, 3 signers created (relayer)"
CANCEL = "Cancel the recovery that has begun"
FINISH = "Finalise, one owner in place of one (relayer)"
END = "Turn recovery off, 3 guardians"
NAMES = (SET_UP_ONE, SET_UP, ADD, REVOKE, THRESHOLD, START, CANCEL, FINISH, END)
Figures = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Guarded:
    """An account, and the guardians who have passkeys."""

    account: Account
    passkeys: Sequence[SoftAuthenticator]


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    found: Figures = defaultdict(list)
    with stack.running():
        for number in range(runs):
            change_guardians(found)
            recover(found)
            report.progress(f"round {number + 1}")
    rows = [(name, report.gas(found[name])) for name in NAMES]
    report.show(report.table((f"Medians of {runs}", "gas"), rows))


def change_guardians(found: Figures) -> None:
    """Set up with one guardian; then another account, changed until it has none."""
    (alone,) = opened(1)
    found[SET_UP_ONE].append(set_up(alone, [fresh_guardian(alone)], threshold=1))
    guarded = guarded_account(found)
    account = guarded.account
    added = fresh_guardian(account)
    changes: list[tuple[str, Callable[[], UserOperation]]] = [
        (
            ADD,
            lambda: guardian_changes.draft_guardian(**asked(account), guardian=added),
        ),
        (
            REVOKE,
            lambda: guardian_changes.draft_revocation(**asked(account), guardian=added),
        ),
        (
            THRESHOLD,
            lambda: guardian_changes.draft_guardian_threshold(
                **asked(account), threshold=3
            ),
        ),
        (END, lambda: guardian_changes.draft_end(**asked(account))),
    ]
    for name, draft in changes:
        found[name].append(carried_out(account, draft()))


def recover(found: Figures) -> None:
    """Let guardians start a recovery that is cancelled, and one that comes true."""
    guarded = guarded_account(found)
    start(guarded, found)
    draft = guardian_changes.draft_recovery_cancellation(**asked(guarded.account))
    found[CANCEL].append(carried_out(guarded.account, draft))
    row = start(guarded_account(found), found)
    rpc = node_for(settings.CHAIN_ID).rpc
    rpc.call("evm_increaseTime", TEST_RECOVERY_DELAY + 2)
    rpc.call("evm_mine")
    recovery_tasks.advance_recovery.delay(row.pk)
    until(row, Status.DONE)
    found[FINISH].append(relayed_gas(row, Purpose.FINALIZE))


def guarded_account(found: Figures) -> Guarded:
    """Return an account of which two passkeys and a wallet are guardians."""
    (account,) = opened(1)
    passkeys = [SoftAuthenticator(origin=settings.SITE_ORIGIN) for _ in range(2)]
    guardians = [fresh_guardian(account)]
    for passkey in passkeys:
        key = public_key_of(make_credential(passkey))
        signer = signers.signer_for(public_key=key, safe=account.safe)
        prove(account, signer, role=KeyProof.Role.GUARDIAN)
        guardians.append(signer)
    found[SET_UP].append(set_up(account, guardians, threshold=2))
    return Guarded(account, passkeys)


def fresh_guardian(account: Account) -> Address:
    """Return a fresh address that counts as a guardian's who agreed."""
    address = Address(secrets.token_bytes(20))
    prove(account, address, role=KeyProof.Role.GUARDIAN)
    return address


def set_up(account: Account, guardians: list[Address], *, threshold: int) -> int:
    """Enable the module with these guardians; return the gas."""
    account.safe.owners.update(proven_at=account.safe.created_at)
    draft = guardian_changes.draft_set_up(
        **asked(account), guardians=guardians, threshold=threshold, is_unwarned=True
    )
    return carried_out(account, draft)


def asked(account: Account) -> dict[str, object]:
    """Return what every change is asked with."""
    account.safe.refresh_from_db()
    return {
        "safe": account.safe,
        "user": account.safe.created_by,
        "idempotency_key": uuid.uuid4(),
        "module": MODULE,
    }


def carried_out(account: Account, draft: UserOperation) -> int:
    """Let a change be included and the module read; return its transaction's gas."""
    op = included(account, draft)
    read = RecoverySetup.objects.filter(
        safe=account.safe, module=MODULE, read_block__gte=op.block_number
    )
    stack.wait_for(read.exists, f"the guardians after {op}")
    return gas_of(op)


def start(guarded: Guarded, found: Figures) -> AccountClaim:
    """Let a new passkey ask for the account, and both guardians approve."""
    node, safe = node_for(settings.CHAIN_ID), guarded.account.safe
    claimant = SoftAuthenticator(origin=settings.SITE_ORIGIN)
    credential = make_credential(claimant)
    proof = key_proofs.open_proof(credential=credential, safe=safe)
    answer = assertion_text(claimant, bytes(proof.challenge))
    proof = key_proofs.answer(credential=credential, safe=safe, response=answer)
    key_proofs.check(proof=proof, node=node)
    claim, _token = recovery_claims.begin(user=credential.user, credential=credential)
    row = recovery_claims.open_account(
        claim=claim,
        safe=safe,
        module=MODULE,
        new_owners=[recovery_claims.new_signer(claim=claim, safe=safe)],
        new_threshold=1,
    )
    recovery_tasks.advance_recovery.delay(row.pk)
    until(row, Status.COLLECTING)
    for passkey in guarded.passkeys:
        approve(row, passkey)
    until(row, Status.WAITING)
    found[START].append(relayed_gas(row, Purpose.RECOVER))
    return row


def approve(row: AccountClaim, passkey: SoftAuthenticator) -> None:
    """Let a guardian sign; a worker asks the chain about it and goes on."""
    keys = Credential.objects.filter(credential_id=passkey.credential_id)
    approval = guardian_approvals.sign_with_passkey(
        row=row,
        user=keys.get().user,
        response=assertion_text(passkey, bytes(row.hash_to_sign)),
    )
    recovery_tasks.check_guardian_approval.delay(approval.pk)


def until(row: AccountClaim, status: str) -> None:
    """Wait until the worker has brought a claim so far.

    Raises:
        RuntimeError: it stopped, with the code of why.
    """

    def has_come() -> bool:
        row.refresh_from_db()
        if row.status == Status.STOPPED:
            raise RuntimeError(f"claim {row.pk} stopped: {row.failure_code}")
        return bool(row.status == status)

    stack.wait_for(has_come, f"claim {row.pk} to be {status}", seconds=SECONDS)


def relayed_gas(row: AccountClaim, purpose: str) -> int:
    """Return the gas of the relayer's transaction for a claim."""
    sent = RelayerTransaction.objects.get(account_claim=row, purpose=purpose)

    def is_mined() -> bool:
        sent.refresh_from_db()
        return sent.gas_used is not None

    stack.wait_for(is_mined, f"the receipt of {sent}")
    return int(sent.gas_used or 0)


if __name__ == "__main__":
    main()
