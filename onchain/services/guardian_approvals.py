"""Taking a guardian's signature of a recovery, and asking the chain about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts.models import Credential, User
from onchain.clients.node import Node
from onchain.errors import RecoveryRefused
from onchain.models import AccountClaim, GuardianApproval
from onchain.protocol.recovery import GuardianSignature
from onchain.protocol.types import Address, to_address
from onchain.services import guardian_signatures, recovery_news
from onchain.services.guardian_signatures import COUNTING, MOST_REFUSED, Signed

logger = logging.getLogger(__name__)

Status = GuardianApproval.Status


def own_keys(*, row: AccountClaim, user: User) -> dict[Address, Credential]:
    """Return the person's passkeys among the guardians, by their signers."""
    return guardian_signatures.own_keys(
        safe=row.safe, guardians=row.guardian_list, user=user
    )


def keys_left(*, row: AccountClaim, user: User) -> dict[Address, Credential]:
    """Return those of the person's passkeys with which they did not approve yet."""
    signed = row.approvals.filter(status__in=COUNTING)
    done = {Address(item) for item in signed.values_list("guardian", flat=True)}
    done |= {to_address(text) for text in row.approved}
    keys = own_keys(row=row, user=user)
    return {signer: key for signer, key in keys.items() if signer not in done}


def sign_with_passkey(
    *, row: AccountClaim, user: User, response: str
) -> GuardianApproval:
    """Take a passkey guardian's signature; a worker asks the chain about it.

    Safe to repeat: a guardian approves a claim once.

    Raises:
        RecoveryRefused: the claim takes no approvals, or the person guards nothing.
        SignatureRefused: the answer approves nothing; nothing was changed.
    """
    refuse_unless_asking(row)
    keys = own_keys(row=row, user=user)
    if not keys:
        raise RecoveryRefused("None of your passkeys is a guardian of this account.")
    signed = guardian_signatures.of_passkey(
        keys=keys, response=response, digest=row.hash_to_sign
    )
    return _keep(row, user, signed)


def sign_with_wallet(
    *,
    row: AccountClaim,
    user: User,
    guardian: Address,
    account: Address,
    signature: bytes,
) -> GuardianApproval:
    """Take the signature of a wallet or of a contract that is a guardian.

    Args:
        guardian: as whom it is given.
        account: which of its accounts the browser wallet says it used.

    Raises:
        RecoveryRefused: the claim takes no approvals, or this is no guardian.
        AnotherAccountSigned: with both addresses; nothing was changed.
        SignatureRefused: nothing that a wallet signs.
    """
    refuse_unless_asking(row)
    if guardian not in row.guardian_list:
        raise RecoveryRefused("This address is no guardian of this account.")
    refused = row.approvals.filter(guardian=guardian, status=Status.REFUSED)
    if refused.count() >= MOST_REFUSED:
        raise RecoveryRefused(
            "Too many signatures of this guardian did not count. The contract can "
            "approve by itself, with confirmRecovery."
        )
    signed = guardian_signatures.of_wallet(
        guardian=guardian,
        account=account,
        signature=signature,
        digest=row.hash_to_sign,
    )
    return _keep(row, user, signed)


def refuse_unless_asking(row: AccountClaim) -> None:
    """Check that guardians are being asked.

    Raises:
        RecoveryRefused: they are not, or not any more.
    """
    if not row.is_asking or not row.claim.is_open:
        raise RecoveryRefused("This claim takes no approvals now. Nothing was signed.")


def _keep(row: AccountClaim, user: User, signed: Signed) -> GuardianApproval:
    approval = GuardianApproval(account_claim=row, user=user, **signed.columns)
    try:
        with transaction.atomic():
            approval.save(force_insert=True)
            if approval.status == Status.VALID:
                recovery_news.tell_guardians(approval)
    except IntegrityError:
        return row.approvals.get(guardian=signed.guardian, status__in=COUNTING)
    logger.info("approval %s is %s", approval.pk, approval.status)
    return approval


def check(*, approval: GuardianApproval, node: Node) -> None:
    """Ask the chain about a stored approval and remember its word. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if approval.status != Status.SIGNED:
        return
    _settle(approval, is_valid=_is_valid(approval, node))


@transaction.atomic
def _settle(approval: GuardianApproval, *, is_valid: bool) -> None:
    target = Status.VALID if is_valid else Status.REFUSED
    if not GuardianApproval.objects.transition(
        approval.pk, source=Status.SIGNED, target=target
    ):
        return
    logger.info("approval %s is %s", approval.pk, target)
    if is_valid:
        recovery_news.tell_guardians(approval)


def look_again(*, row: AccountClaim, node: Node) -> None:
    """Let go of approvals that do not count any more: contracts change their minds.

    Raises:
        TransientClientError: the node is out of reach.
    """
    for approval in valid(row=row):
        if not _is_valid(approval, node):
            GuardianApproval.objects.transition(
                approval.pk, source=Status.VALID, target=Status.REFUSED
            )


def valid(*, row: AccountClaim) -> list[GuardianApproval]:
    """Return the approvals that the chain, or arithmetic, has confirmed."""
    rows = row.approvals.filter(status=Status.VALID)
    return list(rows.select_related("credential", "user"))


def counting(
    *, row: AccountClaim, guardians: Sequence[Address]
) -> list[GuardianApproval]:
    """Return the valid approvals of those who are guardians now."""
    return [item for item in valid(row=row) if Address(item.guardian) in guardians]


def signature_of(approval: GuardianApproval) -> GuardianSignature:
    """Return an approval as the module reads it."""
    return GuardianSignature(
        guardian=Address(approval.guardian), signature=bytes(approval.signature)
    )


def _is_valid(approval: GuardianApproval, node: Node) -> bool:
    row = approval.account_claim
    return guardian_signatures.is_valid(
        row=approval, safe=row.safe, digest=row.hash_to_sign, node=node
    )
