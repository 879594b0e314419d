"""Putting accounts on chain, several in one transaction.

A CREATE2 to a taken address burns the gas of the whole batch (protocol.md section
3), so every address is looked at on the pending state just before signing, and what
failed once goes singly.
"""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from eth_account.signers.local import LocalAccount

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import Chain, Owner, RelayerTransaction, Safe
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.safe import deploy_calls, setup_owners
from onchain.protocol.types import Address, Call
from onchain.services import relayer

logger = logging.getLogger(__name__)

BATCH_SIZE = 10  # accounts in one transaction
MAX_ATTEMPTS = 3  # then an operator has to look
GAS_MARGIN_PERCENT = 120


def sign_next_batch(
    *, chain: Chain, node: Node, account: LocalAccount
) -> RelayerTransaction | None:
    """Sign one deployment for the accounts at the head of the queue.

    The accounts and the stored transaction move together or not at all, so no
    account is in two transactions. None: nothing to do, or another worker was first.

    Raises:
        TransientClientError: the node is out of reach or will not answer; nothing
            changed.
    """
    missing = _missing_on_chain(_next_batch(chain), node)
    if not missing:
        return None
    safes = list(missing)
    # All or nothing: with failures allowed, the estimate would settle on a limit at
    # which the calls inside run out of gas and the transaction still succeeds.
    calls = [call for calls in missing.values() for call in calls]
    data = aggregate3_data(calls, allow_failure=False)
    sender = Address(bytes.fromhex(account.address[2:]))
    try:
        estimate = node.estimate_gas(sender=sender, to=MULTICALL3, value=0, data=data)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        _note_failure(safes, error)
        return None
    signed = relayer.sign(
        chain=chain,
        node=node,
        account=account,
        to=MULTICALL3,
        value_wei=0,
        data=data,
        gas_limit=estimate * GAS_MARGIN_PERCENT // 100,
    )
    return _store(chain, safes, data, signed)


def _next_batch(chain: Chain) -> list[Safe]:
    waiting = list(
        Safe.objects.awaiting_deployment()
        .filter(chain=chain)
        .prefetch_related("owners__credential")[:BATCH_SIZE]
    )
    fresh = [safe for safe in waiting if safe.deployment_attempts == 0]
    return fresh or waiting[:1]


def _missing_on_chain(safes: list[Safe], node: Node) -> dict[Safe, list[Call]]:
    """Return, by account, the calls that bring it and its signers on chain.

    An account whose code and signers' code are in a block is live, whoever put them
    there (security.md R23). Who copies only our call for the account leaves one that
    could never sign: it gets its signers. What is in somebody's pending transaction
    is looked at again later, because a taken address would burn the whole batch.
    """
    missing: dict[Safe, list[Call]] = {}
    for safe in safes:
        signers = [Address(owner.address) for owner in _passkey_owners(safe)]
        addresses = [Address(safe.address), *signers]
        account_code, *signer_codes = node.codes(addresses, "latest")
        if account_code and all(signer_codes):
            mark_deployed(safe=safe, block_number=safe.chain.head_number)
        elif account_code:
            missing[safe] = _calls(safe)[: len(signers)]
        elif not node.codes([Address(safe.address)], "pending")[0]:
            missing[safe] = _calls(safe)
    return missing


def _passkey_owners(safe: Safe) -> list[Owner]:
    """Return the passkeys that the account is set up with, whoever came or went later.

    A reorg may undo a deployment after its owners had changed: what is put on chain
    again is the account as it began.
    """
    first = setup_owners(bytes(safe.setup_data))
    return [
        owner
        for owner in safe.owners.all()
        if owner.credential is not None and owner.address in first
    ]


def mark_deployed(*, safe: Safe, block_number: int | None) -> None:
    """The chain has the account's code, whoever put it there (security.md R23)."""
    for source in (Safe.Status.BROADCAST, Safe.Status.QUEUED, Safe.Status.FAILED):
        if Safe.objects.transition(
            safe.pk,
            source=source,
            target=Safe.Status.DEPLOYED,
            deployed_block=block_number,
            failure_code="",
            failure_detail="",
        ):
            logger.info("safe %s deployed", safe.pk)
            return


def _calls(safe: Safe) -> list[Call]:
    """Return createSigner for each passkey, then the call that makes the account."""
    return deploy_calls(
        public_keys=[owner.public_key for owner in _passkey_owners(safe)],
        setup=bytes(safe.setup_data),
        salt_nonce=safe.salt_nonce,
        verifiers=safe.verifiers,
    )


def _store(
    chain: Chain, safes: list[Safe], data: bytes, signed: relayer.SignedTransaction
) -> RelayerTransaction | None:
    try:
        with transaction.atomic():
            row = RelayerTransaction.objects.create(
                chain=chain,
                purpose=RelayerTransaction.Purpose.DEPLOY,
                to=MULTICALL3,
                data=data,
                status=RelayerTransaction.Status.SIGNED,
                **relayer.signed_fields(signed),
            )
            for safe in safes:
                if not Safe.objects.transition(
                    safe.pk,
                    source=Safe.Status.QUEUED,
                    target=Safe.Status.BROADCAST,
                    deployment_transaction=row,
                ):
                    raise IntegrityError(f"safe {safe.pk} is in another batch")
    except IntegrityError as error:
        logger.info("deployment batch given up: %s", error)
        return None
    logger.info("deployment of %s safes signed as %s", len(safes), row.pk)
    return row


def _note_failure(safes: list[Safe], error: ClientError) -> None:
    """Count the attempt; an account that failed alone too often waits for help."""
    for safe in safes:
        attempts = safe.deployment_attempts + 1
        fields = {
            "deployment_attempts": attempts,
            "failure_code": error.code[:40],
            "failure_detail": error.detail,
        }
        if attempts < MAX_ATTEMPTS:
            Safe.objects.filter(pk=safe.pk, status=Safe.Status.QUEUED).update(**fields)
            continue
        Safe.objects.transition(
            safe.pk, source=Safe.Status.QUEUED, target=Safe.Status.FAILED, **fields
        )
        logger.error("safe %s cannot be deployed: %s", safe.pk, error.code)


def release(*, row: RelayerTransaction, code: str | None) -> None:
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
        if code is not None and attempts >= MAX_ATTEMPTS:
            Safe.objects.transition(
                safe.pk,
                source=Safe.Status.QUEUED,
                target=Safe.Status.FAILED,
                failure_code=code[:40],
            )
