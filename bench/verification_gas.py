"""The smallest verificationGasLimit that works, and the table made from it.

Found by bisection with eth_call of EntryPoint.handleOps: with the P-256 precompile on
the hard fork that has it, with the contract verifier on the one before. The worst case
counts: the first operation of a lane, which writes its nonce, and the first that the
account pays for, which writes its deposit. One row is of accounts of the shared layout,
whose first operation puts them on chain.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

from bench import report
from bench.entry_point import (
    PasskeyAccount,
    bare_chain,
    deployed,
    fee_per_gas,
    undeployed,
)
from onchain.models import Chain, Owner
from onchain.protocol.account_calls import calls_call_data
from onchain.protocol.types import Call, to_address
from onchain.protocol.user_operation import Paymaster, UserOperationV07, join_nonce
from onchain.services import gas, sponsorship
from onchain.services.local_chain import LocalChain
from tests.wallet_keys import SoftWallet

RECIPIENT = to_address("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
ENOUGH = 2_000_000  # gas, for three signatures with the contract verifier
SIGNERS = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (1, 1), (2, 3))  # passkeys, wallets
# Hard fork, what verifies there, whether that is the precompile.
VERIFIERS = (("osaka", "precompile", True), ("prague", "contract", False))


def main() -> None:
    """Print the limits as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=5, help="accounts for each row")
    keys = parser.parse_args().keys
    for hardfork, name, has_precompile in VERIFIERS:
        row = Chain(has_p256_precompile=has_precompile)
        headings = (f"Verified by the {name}", "first", "later", "table", "given")
        rows = []
        with bare_chain(hardfork) as chain:
            for signers, wallets in SIGNERS:
                accounts = [
                    deployed(chain, signers=signers, wallets=wallets)
                    for _ in range(keys)
                ]
                for is_sponsored in (True, False):
                    rows.append(measured(accounts, row, is_sponsored=is_sponsored))
                    report.progress(f"{name}: {', '.join(rows[-1])}")
            rows.append(measured_deploying(chain, row, keys))
            paymaster = smallest_for_paymaster(accounts[0])
        given = f"{sponsorship.VERIFICATION_GAS:,}"
        rows.append(("the paymaster's own", f"{paymaster:,}", "", "", given))
        report.show(f"{report.table(headings, rows)}\n")


def measured(
    accounts: list[PasskeyAccount], chain: Chain, *, is_sponsored: bool
) -> tuple[str, ...]:
    """Return one row: the smallest limits, the table's figure, and the limit given."""
    limits = [smallest_limits(account, is_sponsored) for account in accounts]
    first, later = (max(column) for column in zip(*limits, strict=True))
    keys = list(accounts[0].owners.values())
    wallets = sum(isinstance(key, SoftWallet) for key in keys)
    kinds = {True: Owner.Kind.WALLET, False: Owner.Kind.PASSKEY}
    signatures = sum(
        gas.signature_gas(
            owner=Owner(kind=kinds[isinstance(key, SoftWallet)]), chain=chain
        )
        for key in keys
    )
    given = gas.verification_gas(signatures=signatures, is_sponsored=is_sponsored)
    table = given * 100 // gas.MARGIN_PERCENT
    name = " and ".join(_counted(len(keys) - wallets, "passkey", wallets, "wallet"))
    name += ", sponsored" if is_sponsored else ", self-paid"
    return (name, *(f"{figure:,}" for figure in (first, later, table, given)))


def _counted(*pairs: int | str) -> list[str]:
    """Return "2 passkeys" for 2 and "passkey", and nothing for 0."""
    return [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in zip(pairs[::2], pairs[1::2], strict=True)
        if count
    ]


def measured_deploying(local: LocalChain, chain: Chain, keys: int) -> tuple[str, ...]:
    """Return the row of first operations that put their own account on chain."""
    found = max(smallest_deploying(local) for _ in range(keys))
    passkey = gas.signature_gas(owner=Owner(kind=Owner.Kind.PASSKEY), chain=chain)
    given = gas.verification_gas(signatures=passkey, is_sponsored=False, deploys=True)
    table = given * 100 // gas.MARGIN_PERCENT
    return ("1 passkey, deploys itself", f"{found:,}", "", f"{table:,}", f"{given:,}")


def smallest_deploying(local: LocalChain) -> int:
    """Return the smallest limit of the first operation of an account not there yet."""
    account, factory, calls = undeployed(local)

    def works(limit: int) -> bool:
        op = payment(account, nonce=0, limit=limit, before=calls)
        deploying = replace(op, factory=factory, call_gas_limit=500_000)
        return account.is_handled(account.signed(deploying, is_sponsored=False))

    return bisect(works)


def smallest_limits(account: PasskeyAccount, is_sponsored: bool) -> tuple[int, int]:
    """Return the smallest limits of the first payment of a lane and of the next.

    Sponsored payments come before self-paid ones: they leave no deposit behind.
    """
    lane = 0 if is_sponsored else 1

    def signed(sequence: int, limit: int) -> UserOperationV07:
        op = payment(account, nonce=join_nonce(lane, sequence), limit=limit)
        return account.signed(op, is_sponsored=is_sponsored)

    first = bisect(lambda limit: account.is_handled(signed(0, limit)))
    account.handle(signed(0, first * gas.MARGIN_PERCENT // 100))
    return first, bisect(lambda limit: account.is_handled(signed(1, limit)))


def smallest_for_paymaster(account: PasskeyAccount) -> int:
    """Return the smallest paymasterVerificationGasLimit that works."""
    op = payment(account, nonce=join_nonce(2, 0), limit=ENOUGH)
    address = sponsorship.paymaster_address()
    if address is None:
        raise RuntimeError("the local chain has no paymaster")

    def works(limit: int) -> bool:
        paymaster = Paymaster(
            address=address, verification_gas_limit=limit, post_op_gas_limit=0
        )
        signed = account.signed(replace(op, paymaster=paymaster), is_sponsored=True)
        return account.is_handled(signed)

    return bisect(works)


def payment(
    account: PasskeyAccount, *, nonce: int, limit: int, before: Sequence[Call] = ()
) -> UserOperationV07:
    """Return a payment with this verificationGasLimit, not yet signed."""
    fee = fee_per_gas(account.chain, account.address)
    return UserOperationV07(
        sender=account.address,
        nonce=nonce,
        call_data=calls_call_data([*before, Call(to=RECIPIENT, value_wei=1)]),
        call_gas_limit=100_000,
        verification_gas_limit=limit,
        pre_verification_gas=60_000,
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=fee,
    )


def bisect(works: Callable[[int], bool]) -> int:
    """Return the smallest limit that works; what works must go on working above it."""
    too_low, enough = 0, ENOUGH
    if not works(enough):
        raise RuntimeError(f"not even {enough} gas is enough")
    while enough - too_low > 1:
        middle = (too_low + enough) // 2
        if works(middle):
            enough = middle
        else:
            too_low = middle
    return enough


if __name__ == "__main__":
    main()
