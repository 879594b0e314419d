"""Changes of owners beside AbstractionKit 0.2.41, on the same chain and bundler.

What a change costs is the gas of the transaction that carries it. Both sides have one
passkey with the P-256 precompile, pay for themselves, and have used the nonce key of
the change before. The wallets that are added have no code. AbstractionKit makes each
change with its own function.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from bench import gas, report, stack
from bench.abstractionkit_peer import Peer, Theirs, running_peer, transaction_gas
from bench.gas import Account, opened
from bench.visitor import Status, wait_until
from onchain import tasks
from onchain.clients.factory import bundler_for, node_for
from onchain.models import KeyProof, UserOperation, WalletProof
from onchain.protocol.types import Address, checksum_address
from onchain.services import new_owners, owner_changes, preparation

GOAL = 1.02  # ours divided by theirs, at most
NAMES = ("Add a wallet", "Replace it", "Remove it", "Change the threshold")
Figures = dict[str, list[int]]


def main() -> None:
    """Print both sides as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    ours: Figures = defaultdict(list)
    theirs: Figures = defaultdict(list)
    with stack.running(), running_peer() as peer:
        for number in range(runs):
            change_ours(ours)
            change_theirs(peer, theirs)
            report.progress(f"pair {number + 1}")
    report.show(as_table(runs, ours, theirs))


def change_ours(found: Figures) -> None:
    """Make each change of a new account of this site's."""
    (account,) = opened(1)
    safe, user = account.safe, account.safe.created_by
    safe.owners.update(proven_at=timezone.now())
    first, added, swapped = (proven_wallet(account) for _ in range(3))

    def asked() -> dict[str, object]:
        safe.refresh_from_db()
        return {"safe": safe, "user": user, "idempotency_key": uuid.uuid4()}

    changes: list[tuple[str, Callable[[], UserOperation]]] = [
        ("", lambda: owner_changes.draft_wallet(**asked(), address=first)),
        (NAMES[0], lambda: owner_changes.draft_wallet(**asked(), address=added)),
        (
            NAMES[1],
            lambda: owner_changes.draft_swap(
                **asked(), removed=added, new=new_owners.wallet(address=swapped)
            ),
        ),
        (NAMES[2], lambda: owner_changes.draft_removal(**asked(), removed=swapped)),
        (NAMES[3], lambda: owner_changes.draft_threshold(**asked(), threshold=2)),
    ]
    for name, draft in changes:
        used = carried_out(account, draft())
        if name:
            found[name].append(used)


def proven_wallet(account: Account) -> Address:
    """Return a fresh address that counts as proven for the account."""
    address = Address(secrets.token_bytes(20))
    prove(account, address, role=KeyProof.Role.OWNER)
    return address


def prove(account: Account, address: Address, *, role: str) -> None:
    """Remember that whoever has the address signed for the account."""
    now = timezone.now()
    WalletProof.objects.create(
        user=account.safe.created_by,
        safe=account.safe,
        address=address,
        role=role,
        nonce=secrets.token_bytes(32),
        text="bench",
        status=WalletProof.Status.PROVEN,
        expires_at=now + timedelta(minutes=5),
        signed_at=now,
    )


def carried_out(account: Account, draft: UserOperation) -> int:
    """Let a change of owners be included and read; return its transaction's gas."""
    op = included(account, draft)

    def is_read() -> bool:
        account.safe.refresh_from_db()
        return (account.safe.owners_synced_block or 0) >= (op.block_number or 0)

    stack.wait_for(is_read, f"the owners after {op}")
    return gas_of(op)


def included(account: Account, draft: UserOperation) -> UserOperation:
    """Prepare, sign and send a change that the account pays for itself."""
    rows = UserOperation.objects.select_related("safe__chain", "predecessor")
    op = rows.get(pk=draft.pk)
    with override_settings(PAYMASTER_ADDRESS=""):
        preparation.prepare(
            op=op,
            node=node_for(settings.CHAIN_ID),
            bundler=bundler_for(settings.CHAIN_ID),
            sponsor_key=settings.SPONSOR_PRIVATE_KEY,
        )
    op.refresh_from_db()
    gas.signed(account, op)
    tasks.submit_user_operation.delay(op.pk)
    wait_until(op, Status.INCLUDED)
    if op.is_sponsored:
        raise RuntimeError(f"{op} was sponsored")
    return op


def gas_of(op: UserOperation) -> int:
    """Return the gas of the transaction that carried an operation."""
    if op.transaction_hash is None:
        raise RuntimeError(f"{op} names no transaction")
    return transaction_gas(op.transaction_hash)


def change_theirs(peer: Peer, found: Figures) -> None:
    """Make the same changes of an account of AbstractionKit's making."""
    theirs = Theirs(peer)
    theirs.open()
    theirs.pay()
    first, added, swapped = (
        checksum_address(Address(secrets.token_bytes(20))) for _ in range(3)
    )
    theirs.pay({"kind": "add", "owner": first, "threshold": 1})
    changes = [
        {"kind": "add", "owner": added, "threshold": 1},
        {"kind": "swap", "owner": swapped, "removed": added},
        {"kind": "remove", "removed": swapped, "threshold": 1},
        {"kind": "threshold", "threshold": 2},
    ]
    for name, change in zip(NAMES, changes, strict=True):
        found[name].append(theirs.pay(change).transaction)


def as_table(runs: int, ours: Figures, theirs: Figures) -> str:
    """Return both sides with the ratio of their medians beside its goal."""
    rows = []
    for name in NAMES:
        medians = statistics.median(ours[name]), statistics.median(theirs[name])
        ratio = medians[0] / medians[1]
        figures = tuple(f"{value:,.0f}" for value in medians)
        verdict = report.verdict(ratio, GOAL)
        rows.append((name, *figures, f"{ratio:.3f}", f"{GOAL:.2f}", verdict))
    headings = (f"Medians of {runs} pairs", "ours", "AbstractionKit", "ratio", "goal")
    return report.table((*headings, ""), rows)


if __name__ == "__main__":
    main()
