"""What is known of accounts that are not live yet: on chain, missing, failed.

A CREATE2 to a taken address burns the gas of the whole batch (protocol.md section
3), so every address is looked at on the pending state just before signing, and what
failed once goes singly.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.models import Chain, Owner, RelayerTransaction, Safe
from onchain.protocol.abi import keccak
from onchain.protocol.configuration import SAFE_PROXY_CODE_HASH
from onchain.protocol.safe import deploy_calls, setup_owners
from onchain.protocol.types import Address, Call

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # then an operator has to look
NOTICED_AT_ONCE = 50  # accounts that somebody else made, looked at in one round


def settle_noticed(*, chain: Chain, node: Node) -> None:
    """Look at accounts that the follower saw somebody else make (security.md R23).

    Whatever the budgets are and however long the queue: those whose signers are there
    too are live, the others get their signers when their turn comes.

    Raises:
        TransientClientError: the node is out of reach; nothing changed.
    """
    noticed = Safe.objects.filter(
        chain=chain, status=Safe.Status.QUEUED, noticed_block__isnull=False
    ).order_by("-noticed_block")
    safes = list(noticed.prefetch_related("owners__credential")[:NOTICED_AT_ONCE])
    missing_on_chain(safes=safes, node=node)


def look_for_gone(*, chain: Chain, node: Node) -> None:
    """Look again for accounts made elsewhere that the chain had and lost.

    Whoever made one may do so again, and a reorg may have left it where it was. Some
    at a time, not always the same. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; nothing changed.
    """
    gone = Safe.objects.filter(
        chain=chain, status=Safe.Status.QUEUED, layout=Safe.Layout.IMPORTED
    )
    safes = list(gone.order_by("?")[:NOTICED_AT_ONCE])
    if not safes:
        return
    codes = node.codes([Address(safe.address) for safe in safes], "latest")
    for safe, code in zip(safes, codes, strict=True):
        if keccak(code) == SAFE_PROXY_CODE_HASH:
            mark_deployed(safe=safe, block_number=chain.head_number)


def missing_on_chain(*, safes: Sequence[Safe], node: Node) -> dict[Safe, list[Call]]:
    """Return, by account, the calls that bring it and its signers on chain.

    An account whose code and signers' code are in a block is live, whoever put them
    there (security.md R23). Who copies only our call for the account leaves one that
    could never sign: it gets its signers. What is in somebody's pending transaction
    is looked at again later, because a taken address would burn the whole batch.
    """
    missing: dict[Safe, list[Call]] = {}
    for safe, (account_code, *signer_codes) in _codes(safes, node, "latest"):
        if account_code and all(signer_codes):
            mark_deployed(safe=safe, block_number=safe.chain.head_number)
        elif account_code:
            missing[safe] = signer_calls(safe)
        else:
            missing[safe] = calls(safe)
    made = [safe for safe, needed in missing.items() if len(needed) == len(calls(safe))]
    for safe, (account_code, *_signers) in _codes(made, node, "pending"):
        if account_code:
            del missing[safe]
    return missing


def _codes(
    safes: Sequence[Safe], node: Node, block: str
) -> Iterator[tuple[Safe, list[bytes]]]:
    """Yield the code of each account and of its signers, asked in one request."""
    wanted = [
        (safe, [Address(safe.address), *(Address(o.address) for o in signers(safe))])
        for safe in safes
    ]
    codes = iter(node.codes([item for _, group in wanted for item in group], block))
    for safe, group in wanted:
        yield safe, [next(codes) for _ in group]


def signers(safe: Safe) -> list[Owner]:
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


def calls(safe: Safe) -> list[Call]:
    """Return createSigner for each passkey, then the call that makes the account."""
    return deploy_calls(
        public_keys=[owner.public_key for owner in signers(safe)],
        setup=bytes(safe.setup_data),
        salt_nonce=safe.salt_nonce,
        verifiers=safe.verifiers,
    )


def signer_calls(safe: Safe) -> list[Call]:
    """Return createSigner for each passkey of an account that is on chain already."""
    return calls(safe)[:-1]


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


def note_failure(*, safes: Sequence[Safe], error: ClientError) -> None:
    """Count the attempt; an account that failed alone too often waits for help."""
    for safe in safes:
        attempts = safe.deployment_attempts + 1
        if attempts >= MAX_ATTEMPTS:
            fail(safe=safe, error=error)
            continue
        Safe.objects.filter(pk=safe.pk, status=Safe.Status.QUEUED).update(
            deployment_attempts=attempts,
            failure_code=error.code[:40],
            failure_detail=error.detail,
        )


def fail(*, safe: Safe, error: ClientError) -> None:
    """Give an account up until an operator has looked."""
    Safe.objects.transition(
        safe.pk,
        source=Safe.Status.QUEUED,
        target=Safe.Status.FAILED,
        deployment_attempts=safe.deployment_attempts + 1,
        failure_code=error.code[:40],
        failure_detail=error.detail,
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
