"""The relayer: the operator's own key, for deployments and test ETH.

Every transaction is signed and stored, with nonce and hash, before it is broadcast.
A worker may die at any line: a stored transaction is simply sent again.
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

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import Chain, RelayerTransaction, Safe
from onchain.protocol.types import Address, Bytes32

logger = logging.getLogger(__name__)

LOST_SECONDS = 60  # how long a used nonce may go without a receipt
MAX_DEPLOYMENT_ATTEMPTS = 3  # then an operator has to look
PLAIN_TRANSFER_GAS = 60_000  # to a Safe: the proxy's receive() logs SafeReceived
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
) -> SignedTransaction:
    """Return a signed transaction with the relayer's next nonce.

    The nonce is the first from the chain's pending count on that none of our rows in
    flight holds, so that a gap left by a refused one is filled. Two workers may come
    to the same nonce: the unique constraint lets one of them store it.

    Raises:
        TransientClientError: the node is out of reach, the fees are above the ceiling,
            or the balance does not cover this besides what is in flight.
    """
    sender = sender_of(account)
    pending, balance, base_fee, tip = node.relayer_snapshot(sender)
    in_flight = list(
        RelayerTransaction.objects.in_flight().filter(chain=chain, sender=sender)
    )
    fees = _fees(base_fee, tip)
    promised = sum(row.max_cost_wei for row in in_flight)
    if promised + gas_limit * fees[0] + value_wei > balance:
        # Before anything is stored: a signed row without funds would block a nonce.
        raise TransientClientError("the relayer is out of funds")
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


def _fees(base_fee: int, tip: int) -> tuple[int, int]:
    """Return (maxFeePerGas, maxPriorityFeePerGas), wei per gas, within the ceiling.

    Raises:
        TransientClientError: the chain asks for more than the operator allows (R68).
    """
    ceiling = settings.MAX_FEE_PER_GAS
    tip = min(tip, ceiling)
    if base_fee + tip > ceiling:
        raise TransientClientError("network fees are above the operator's ceiling")
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
    """Give a queued transaction its nonce, bytes and hash; False if it lost a race.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    signed = sign(
        chain=row.chain,
        node=node,
        account=account,
        to=Address(row.to),
        value_wei=row.value_wei,
        data=bytes(row.data),
        gas_limit=PLAIN_TRANSFER_GAS,
    )
    return store_signature(row=row, signed=signed)


def store_signature(*, row: RelayerTransaction, signed: SignedTransaction) -> bool:
    """Move a row from QUEUED to SIGNED; False if its nonce or the row was taken."""
    try:
        with transaction.atomic():
            return RelayerTransaction.objects.transition(
                row.pk,
                source=Status.QUEUED,
                target=Status.SIGNED,
                **signed_fields(signed),
            )
    except IntegrityError:
        logger.info("relayer nonce %s was taken, trying again later", signed.nonce)
        return False


def broadcast(*, row: RelayerTransaction, node: Node) -> None:
    """Send a stored transaction as it is; safe to repeat until it is on chain.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if row.status not in (Status.SIGNED, Status.BROADCAST):
        return
    if row.raw is None or row.hash is None:
        raise ValueError(f"{row} is {row.status} without a signature")
    try:
        node.send_raw_transaction(bytes(row.raw))
    except ClientError as error:
        # Any version may be the one that took the nonce.
        is_mined = any(node.receipts(row.hashes))
        if not is_mined and _is_lost(row, error):
            _give_up(row, error)
        return
    if row.status == Status.SIGNED:
        RelayerTransaction.objects.transition(
            row.pk,
            source=Status.SIGNED,
            target=Status.BROADCAST,
            broadcast_at=timezone.now(),
        )
        logger.info("relayer transaction %s broadcast", row.pk)


def _is_lost(row: RelayerTransaction, error: ClientError) -> bool:
    """Whether a refused transaction can never be mined.

    One that a node took before may be in its pool, whatever it says now: only a nonce
    that is used, and still no receipt after a while, ends it.
    """
    if row.status == Status.SIGNED:
        return True
    patience = timezone.now() - timedelta(seconds=LOST_SECONDS)
    is_old = row.broadcast_at is not None and row.broadcast_at < patience
    return error.code == "nonce-too-low" and is_old


def _give_up(row: RelayerTransaction, error: ClientError) -> None:
    """The node will never take this transaction; its accounts queue up again.

    Its nonce is free for another, or the relayer would wait for it for ever; and its
    hash, because another that is the same to the last byte has the same one.
    """
    logger.error("relayer transaction %s refused: %s", row.pk, error.code)
    with transaction.atomic():
        if RelayerTransaction.objects.transition(
            row.pk,
            source=row.status,
            target=Status.FAILED,
            nonce=None,
            hash=None,
            failure_code=error.code[:40],
            failure_detail=error.detail,
        ):
            release_safes(row=row, code=error.code)


def release_safes(*, row: RelayerTransaction, code: str | None) -> None:
    """Queue the accounts that a transaction left waiting; ``code`` says why it failed.

    None: it succeeded, and what it brought (signers of an account that somebody else
    made) is looked at again without counting an attempt.
    """
    for safe in row.safes.filter(status=Safe.Status.BROADCAST):
        attempts = safe.deployment_attempts + (0 if code is None else 1)
        Safe.objects.transition(
            safe.pk,
            source=Safe.Status.BROADCAST,
            target=Safe.Status.QUEUED,
            deployment_transaction=None,
            deployment_attempts=attempts,
        )
        if code is not None and attempts >= MAX_DEPLOYMENT_ATTEMPTS:
            Safe.objects.transition(
                safe.pk,
                source=Safe.Status.QUEUED,
                target=Safe.Status.FAILED,
                failure_code=code[:40],
            )
