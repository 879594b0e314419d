"""The relayer: the operator's own key, and what it signs.

Every transaction is signed and stored, with nonce and hash, before it is broadcast
(``broadcasting``). A worker may die at any line: what is stored is simply sent again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from eth_account import Account
from eth_account.signers.local import LocalAccount

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.errors import NotNow, OverBudget
from onchain.models import Budget, Chain, RelayerTransaction
from onchain.protocol.types import Address, Bytes32
from onchain.services import budgets, row_locks

logger = logging.getLogger(__name__)

PLAIN_TRANSFER_GAS = 60_000  # to a Safe: the proxy's receive() logs SafeReceived
SAFETY_FEE_FACTOR = 4  # times the ceiling, for what keeps accounts safe (R69)
REFUSED_SECONDS = 600  # how long a node may refuse to try what is queued
WOULD_FAIL = {"execution-reverted", "out-of-gas"}
Status = RelayerTransaction.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """An EIP-1559 transaction, ready to send."""

    sender: Address
    nonce: int
    gas_limit: int
    max_fee_per_gas: int  # wei per gas
    max_priority_fee_per_gas: int  # wei per gas
    raw: bytes
    hash: Bytes32

    @property
    def max_fee_wei(self) -> int:
        """The most that its gas can cost."""
        return self.gas_limit * self.max_fee_per_gas


def account_of(private_key: str) -> LocalAccount:
    """Return the signer of a private key given as hex."""
    account: LocalAccount = Account.from_key(private_key)
    return account


def sign(
    *,
    chain: Chain,
    node: Node,
    account: LocalAccount,
    to: Address,
    value_wei: int,
    data: bytes,
    gas_limit: int,
    is_safety: bool = False,
) -> SignedTransaction:
    """Return a signed transaction with the relayer's next nonce.

    The nonce is the first from the chain's pending count on that none of our rows in
    flight holds, so that a gap left by a refused one is filled. Two workers may come
    to the same nonce: the unique constraint lets one of them store it.

    Raises:
        NotNow: the fees are above the ceiling, or the balance does not cover this
            besides what is in flight.
        TransientClientError: the node is out of reach.
    """
    sender = sender_of(account)
    pending, balance, base_fee, tip = node.relayer_snapshot(sender)
    in_flight = list(
        RelayerTransaction.objects.in_flight().filter(chain=chain, sender=sender)
    )
    fees = _fees(base_fee, tip, fee_ceiling(is_safety=is_safety))
    promised = sum(row.max_cost_wei for row in in_flight)
    if promised + gas_limit * fees[0] + value_wei > balance:
        # Before anything is stored: a signed row without funds would block a nonce.
        raise NotNow("the relayer is out of funds")
    held = {row.nonce for row in in_flight}
    return sign_with(
        chain=chain,
        account=account,
        nonce=next(number for number in count(pending) if number not in held),
        fees=fees,
        to=to,
        value_wei=value_wei,
        data=data,
        gas_limit=gas_limit,
    )


def sender_of(account: LocalAccount) -> Address:
    """Return the address that an account sends from."""
    return Address(bytes.fromhex(account.address[2:]))


def sign_with(
    *,
    chain: Chain,
    account: LocalAccount,
    nonce: int,
    fees: tuple[int, int],
    to: Address,
    value_wei: int,
    data: bytes,
    gas_limit: int,
) -> SignedTransaction:
    """Return a transaction signed with this nonce and these fees, in wei per gas.

    ``fees`` are (maxFeePerGas, maxPriorityFeePerGas) of EIP-1559.
    """
    max_fee_per_gas, tip = fees
    signed = account.sign_transaction(
        {
            "type": 2,
            "chainId": chain.chain_id,
            "nonce": nonce,
            "to": to,
            "value": value_wei,
            "data": data,
            "gas": gas_limit,
            "maxFeePerGas": max_fee_per_gas,
            "maxPriorityFeePerGas": tip,
        }
    )
    return SignedTransaction(
        sender=sender_of(account),
        nonce=nonce,
        gas_limit=gas_limit,
        max_fee_per_gas=max_fee_per_gas,
        max_priority_fee_per_gas=tip,
        raw=bytes(signed.raw_transaction),
        hash=Bytes32(bytes(signed.hash)),
    )


def fee_ceiling(*, is_safety: bool) -> int:
    """Return the highest fee, in wei per gas; what keeps accounts safe may pay more."""
    ceiling: int = settings.MAX_FEE_PER_GAS
    return ceiling * SAFETY_FEE_FACTOR if is_safety else ceiling


def _fees(base_fee: int, tip: int, ceiling: int) -> tuple[int, int]:
    """Return (maxFeePerGas, maxPriorityFeePerGas), wei per gas, within the ceiling.

    Raises:
        NotNow: the chain asks for more than the operator allows (R68).
    """
    tip = min(tip, ceiling)
    if base_fee + tip > ceiling:
        raise NotNow("network fees are above the operator's ceiling")
    return min(2 * base_fee + tip, ceiling), tip


def signed_fields(signed: SignedTransaction) -> dict[str, object]:
    """Return the columns that a signed transaction fixes."""
    return {
        "sender": signed.sender,
        "nonce": signed.nonce,
        "gas_limit": signed.gas_limit,
        "max_fee_per_gas": signed.max_fee_per_gas,
        "max_priority_fee_per_gas": signed.max_priority_fee_per_gas,
        "raw": signed.raw,
        "hash": signed.hash,
    }


def sign_queued(*, row: RelayerTransaction, node: Node, account: LocalAccount) -> bool:
    """Give a queued transaction its nonce, bytes and hash; False if it did not get one.

    It is tried on the pending state first: one that would fail ends in FAILED with the
    code, before it has a nonce. Whoever queued it finds it there.

    Raises:
        NotNow: it has to wait; the row is unchanged.
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    gas_limit = PLAIN_TRANSFER_GAS if row.gas_limit is None else row.gas_limit
    try:
        node.simulate(
            sender=sender_of(account),
            to=Address(row.to),
            value=row.value_wei,
            data=bytes(row.data),
            gas_limit=gas_limit,
        )
    except ClientError as error:
        _refuse(row, error)
        return False
    signed = sign(
        chain=row.chain,
        node=node,
        account=account,
        to=Address(row.to),
        value_wei=row.value_wei,
        data=bytes(row.data),
        gas_limit=gas_limit,
        is_safety=row.is_safety,
    )
    return store_signature(row=row, signed=signed)


def _refuse(row: RelayerTransaction, error: ClientError) -> None:
    """End a queued transaction that the chain would not carry out.

    Raises:
        NotNow: the relayer lacks the value, or the node refused to try it, which may
            pass: it is asked again for a while.
    """
    is_young = row.created_at > timezone.now() - timedelta(seconds=REFUSED_SECONDS)
    may_pass = error.code not in WOULD_FAIL and is_young
    if may_pass or error.code == "insufficient-funds":
        raise NotNow(error.code) from error
    logger.error("relayer transaction %s would fail: %s", row.pk, error.code)
    RelayerTransaction.objects.transition(
        row.pk,
        source=Status.QUEUED,
        target=Status.FAILED,
        failure_code=error.code[:40],
        failure_detail=error.detail,
    )


def store_signature(*, row: RelayerTransaction, signed: SignedTransaction) -> bool:
    """Move a row from QUEUED to SIGNED; False if its nonce or the row was taken.

    Raises:
        OverBudget: its pools have no room for it today; the row is unchanged.
    """
    try:
        with transaction.atomic():
            row_locks.lock_relayed([row])
            budget = budgets.reserve(
                chain=row.chain,
                pools=budgets.pools_of(row=row),
                cost_wei=signed.max_fee_wei,
            )
            if not RelayerTransaction.objects.transition(
                row.pk,
                source=Status.QUEUED,
                target=Status.SIGNED,
                **signed_fields(signed),
                **charge(signed, budget),
            ):
                raise IntegrityError(f"relayer transaction {row.pk} moved on")
    except IntegrityError as error:
        logger.info("nonce %s not used, trying again later: %s", signed.nonce, error)
        return False
    except OverBudget as error:
        budgets.note_refusal(chain=row.chain, pool=error.pool)
        raise
    return True


def charge(signed: SignedTransaction, budget: Budget | None) -> dict[str, object]:
    """Return the columns that say what a transaction counts for in its budget."""
    cost = 0 if budget is None else signed.max_fee_wei
    return {"budget": budget, "charged_wei": cost}
