"""Signatures of an operation as they are kept, and what follows from enough of them."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from onchain.errors import (
    NotAwaitingSignature,
    OwnerChangeRefused,
    SignatureRefused,
)
from onchain.models import OperationSignature, Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.services import owner_rules

logger = logging.getLogger(__name__)

SIGNED_STATES = (
    Status.SIGNED,
    Status.SUBMITTED,
    Status.INCLUDED,
    Status.REVERTED,
)


def keep(
    *, op: UserOperation, owner: Owner, signature: bytes, is_checked: bool = True
) -> OperationSignature:
    """Store one owner's signature, once; with the last one needed it is SIGNED.

    Args:
        is_checked: whether it is known to be the owner's; else it does not count yet.

    Raises:
        SignatureRefused: this owner cannot sign this operation.
        NotAwaitingSignature: withdrawn in another tab; the signature goes with it.
    """
    try:
        owner_rules.require_signer_settled(op=op, signer=owner)
    except OwnerChangeRefused as error:
        raise SignatureRefused(f"{error} Nothing was signed.") from error
    with transaction.atomic():
        row, is_new = OperationSignature.objects.get_or_create(
            operation=op,
            owner=owner,
            voided_at=None,
            defaults={"signature": signature, "is_checked": is_checked},
        )
        if is_new:
            count(op)
    logger.info("operation %s signed by owner %s", op.pk, owner.pk)
    return row


def count(op: UserOperation) -> None:
    """Note that somebody signed, and with the last one needed that all have.

    The row is written in the transaction of the signature: whoever withdraws it sees
    either both or none of the two (security.md R66).

    Raises:
        NotAwaitingSignature: withdrawn in another tab; the signature goes with it.
    """
    waiting = UserOperation.objects.filter(pk=op.pk, status=Status.AWAITING_SIGNATURES)
    now = timezone.now()
    if waiting.update(first_signed_at=Coalesce("first_signed_at", now)) == 0:
        if _is_signed(op):
            return
        raise NotAwaitingSignature.about(op.noun)
    if op.signatures.counting().count() >= op.safe.threshold:
        UserOperation.objects.transition(
            op.pk,
            source=Status.AWAITING_SIGNATURES,
            target=Status.SIGNED,
            signed_at=now,
        )


def _is_signed(op: UserOperation) -> bool:
    """Whether a second request with the same answer was faster."""
    signed = UserOperation.objects.filter(pk=op.pk, status__in=SIGNED_STATES)
    return signed.exists()
