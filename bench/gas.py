"""Gas of deploying an account and of sending, as the chain charges it.

``transaction`` is the receipt's gasUsed; ``charged`` is actualGasUsed of the
EntryPoint's event, which holds the bundler's preVerificationGas. "First" is the
account's first operation, which writes its nonce; so does the first one of each further
lane, which a payment takes while another one waits. "Fresh" is a recipient that the
chain has never seen.
"""

from __future__ import annotations

import argparse
import json
import secrets
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.test import override_settings

from bench import report, stack
from bench.visitor import Status, wait_until, wait_until_live
from onchain import tasks
from onchain.clients.anvil import Anvil
from onchain.clients.factory import bundler_for, node_for
from onchain.models import RelayerTransaction, Safe, UserOperation
from onchain.protocol.types import Address, Bytes32, to_address
from onchain.services import authorization, chains, preparation, safes, user_operations
from tests.factories import make_credential
from tests.soft_authenticator import SoftAuthenticator, base64url

BATCH = 10
KNOWN = to_address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
VALUE_WEI = 10**15
# Name, whether the site pays, whether the recipient is new.
KINDS = (
    ("sponsored, known recipient", True, False),
    ("sponsored, fresh recipient", True, True),
    ("self-paid, known recipient", False, False),
    ("self-paid, fresh recipient", False, True),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account and its passkey."""

    safe: Safe
    passkey: SoftAuthenticator


def main() -> None:
    """Print the gas figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    sends = []
    with stack.running():
        singly = [deployment_gas(opened(1)[0].safe) for _ in range(runs)]
        report.progress("deployed singly")
        batches = []
        for kind in KINDS:
            accounts: list[Account] = []
            while len(accounts) < runs:
                accounts += opened(BATCH)
                batches.append(deployment_gas(accounts[-1].safe) // BATCH)
            sends += sending(*kind, accounts=accounts[:runs])
    deployments = [
        (f"One alone, median of {runs}", report.gas(singly)),
        (f"One of {BATCH}, median of {len(batches)} batches", report.gas(batches)),
    ]
    report.show(report.table(("Deploy an account", "gas for each"), deployments))
    report.show("")
    headings = (f"Send, median of {runs}", "transaction", "charged")
    report.show(report.table(headings, sends))


def opened(count: int) -> list[Account]:
    """Open accounts at once, so that they are deployed together; give them ETH."""
    chain = chains.current()
    passkeys = [SoftAuthenticator(origin=settings.SITE_ORIGIN) for _ in range(count)]
    accounts = []
    with transaction.atomic():
        for passkey in passkeys:
            credential = make_credential(passkey)
            safe = safes.open_safe(
                user=credential.user, credential=credential, chain=chain
            )
            accounts.append(Account(safe, passkey))
        tasks.run_relayer.delay_on_commit(chain.pk)
    wait_until_live([account.safe for account in accounts])
    anvil = Anvil(node_for(settings.CHAIN_ID).rpc)
    for account in accounts:
        anvil.set_balance(Address(account.safe.address), 10**18)
    if len({account.safe.deployment_transaction_id for account in accounts}) != 1:
        raise RuntimeError(f"{count} accounts were not deployed together")
    return accounts


def deployment_gas(safe: Safe) -> int:
    """Return the gas of the transaction that deployed an account."""
    row = RelayerTransaction.objects.get(safes=safe)

    def is_mined() -> bool:
        row.refresh_from_db()
        return row.gas_used is not None

    stack.wait_for(is_mined, f"the receipt of {row}")
    return int(row.gas_used or 0)


def sending(
    name: str, is_sponsored: bool, is_fresh: bool, *, accounts: list[Account]
) -> list[tuple[str, ...]]:
    """Return the rows of the first and of later sends of one kind."""
    anvil = Anvil(node_for(settings.CHAIN_ID).rpc)
    anvil.set_balance(KNOWN, 10**18)

    def pay(account: Account) -> tuple[int, int]:
        recipient = Address(secrets.token_bytes(20)) if is_fresh else KNOWN
        return paid(account, is_sponsored=is_sponsored, recipient=recipient)

    first = [pay(account) for account in accounts]
    later = [pay(account) for account in accounts]
    for account in accounts:  # a review that is open keeps the first lane
        prepared(account.safe, is_sponsored=is_sponsored, recipient=KNOWN)
    second_lane = [pay(account) for account in accounts]
    report.progress(name)
    kinds = (("First", first), ("Later", later), ("First in a new lane", second_lane))
    return [
        (f"{which}, {name}", *(report.gas(column) for column in zip(*gas, strict=True)))
        for which, gas in kinds
    ]


def paid(
    account: Account, *, is_sponsored: bool, recipient: Address
) -> tuple[int, int]:
    """Make one payment; return the gas of its transaction and what was charged."""
    op = prepared(account.safe, is_sponsored=is_sponsored, recipient=recipient)
    signed(account, op)
    tasks.submit_user_operation.delay(op.pk)
    wait_until(op, Status.INCLUDED)
    if op.transaction_hash is None:
        raise RuntimeError(f"{op} names no transaction")
    (receipt,) = node_for(settings.CHAIN_ID).receipts([Bytes32(op.transaction_hash)])
    if receipt is None or op.is_sponsored != is_sponsored:
        raise RuntimeError(f"{op} has no receipt, or was paid by somebody else")
    return receipt.gas_used, int(op.actual_gas_used or 0)


def signed(account: Account, op: UserOperation) -> None:
    """Let the account's passkey authorise a prepared operation."""
    challenge = base64url(authorization.challenge_of(op))
    answer = json.dumps(account.passkey.get({"challenge": challenge}))
    authorization.sign(op=op, user=account.safe.created_by, response=answer)


def prepared(safe: Safe, *, is_sponsored: bool, recipient: Address) -> UserOperation:
    """Draft and prepare a payment here, so that the bench says who pays."""
    draft = user_operations.draft(
        safe=safe,
        user=safe.created_by,
        recipient=recipient,
        value_wei=VALUE_WEI,
        idempotency_key=uuid.uuid4(),
    )
    op = UserOperation.objects.select_related("safe__chain", "predecessor").get(
        pk=draft.pk
    )
    limit = settings.SPONSOR_DAILY_OPERATIONS if is_sponsored else 0
    with override_settings(SPONSOR_DAILY_OPERATIONS=limit):
        preparation.prepare(
            op=op,
            node=node_for(settings.CHAIN_ID),
            bundler=bundler_for(settings.CHAIN_ID),
            sponsor_key=settings.SPONSOR_PRIVATE_KEY,
        )
    op.refresh_from_db()
    return op


if __name__ == "__main__":
    main()
