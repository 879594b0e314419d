"""Adding a passkey to an account's owners: which accounts, and drafting the operation.

The new key must have proven itself for exactly this account (security.md R6), and an
account has one change of its owners under way at a time (R67).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Credential, User
from onchain.errors import (
    AccountNotLive,
    AlreadyOwner,
    NotYourAccount,
    NotYourPasskey,
    OwnerChangeInFlight,
    PasskeyNotProven,
    SignerImpossible,
)
from onchain.models import KeyProof, Safe, UserOperation
from onchain.models.operation_states import OPEN, Status
from onchain.models.owner import public_key_of
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import require_new_owner
from onchain.protocol.types import Address
from onchain.services import drafts, key_proofs, passkeys, signers

Kind = UserOperation.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class AddableAccount:
    """An account of a person that one of their passkeys cannot sign for yet."""

    safe: Safe
    is_proven: bool  # the passkey has shown that it signs for exactly this account
    pending: UserOperation | None  # a change of its owners, perhaps of another passkey


def addable_accounts(*, user: User, credential: Credential) -> list[AddableAccount]:
    """Return the person's live accounts that the passkey is no owner of, oldest first.

    Three queries, however many accounts there are.
    """
    usable = {
        "owners__is_current": True,
        "owners__credential__user": user,
        "owners__credential__removed_at": None,
    }
    safes = list(
        Safe.objects.filter(status=Safe.Status.DEPLOYED, **usable)
        .exclude(pk__in=_owned_by(credential))
        .select_related("chain")
        .order_by("pk")
        .distinct()
    )
    proofs = KeyProof.objects.filter(
        credential=credential,
        safe__in=safes,
        role=KeyProof.Role.OWNER,
        status=KeyProof.Status.PROVEN,
    )
    proven = set(proofs.values_list("safe_id", flat=True))
    pending = {op.safe_id: op for op in in_flight(safes).order_by("pk")}
    return [
        AddableAccount(
            safe=safe, is_proven=safe.pk in proven, pending=pending.get(safe.pk)
        )
        for safe in safes
    ]


def _owned_by(credential: Credential) -> QuerySet[Safe]:
    """Return the accounts whose current owners name the passkey."""
    owned = {"owners__credential": credential, "owners__is_current": True}
    return Safe.objects.filter(**owned)


def in_flight(safes: list[Safe]) -> QuerySet[UserOperation]:
    """Return the changes of owners that may still be carried out (R67).

    One that was signed and then refused counts too, until the confirmed head has
    passed its end: whoever holds it can still send it (R64).
    """
    confirmed = F("safe__chain__confirmed_timestamp")
    is_held = Q(safe__chain__confirmed_timestamp=None) | Q(valid_until__gte=confirmed)
    refused = Q(status=Status.REJECTED, signed_at__isnull=False) & is_held
    return UserOperation.objects.filter(
        Q(status__in=(Status.DRAFT, *OPEN)) | refused, safe__in=safes
    ).exclude(kind=Kind.PAYMENT)


def draft_addition(
    *,
    safe: Safe,
    user: User,
    credential: Credential,
    idempotency_key: uuid.UUID,
    predecessor: UserOperation | None = None,
) -> UserOperation:
    """Leave a DRAFT that makes a proven passkey of the person an owner of the account.

    The threshold stays as it is. Safe to repeat: the same key makes one draft only.

    Raises:
        IdempotencyConflict: the key was used for something else.
        OwnerChangeRefused: with words; nothing was drafted.
    """
    signer = signers.signer_for(public_key=public_key_of(credential), safe=safe)
    intent = {
        "safe": safe,
        "kind": Kind.ADD_PASSKEY,
        "recipient": Address(safe.address),
        "value_wei": 0,
        "new_credential": credential,
        "new_signer": signer,
    }
    with transaction.atomic():
        # One change at a time: the account's row is locked while the others are looked
        # for, so that two parallel asks cannot both find nothing.
        safe = Safe.objects.select_for_update().get(pk=safe.pk)
        before = drafts.known(user=user, idempotency_key=idempotency_key, **intent)
        if before is not None:
            return before
        _refuse_impossible(safe, user, credential, signer)
        changes = in_flight([safe]).exclude(pk__in=_versions_before(predecessor))
        if changes.exists():
            raise OwnerChangeInFlight
        return drafts.leave(
            user=user,
            idempotency_key=idempotency_key,
            predecessor=predecessor,
            **intent,
            new_threshold=safe.threshold,
        )


def _refuse_impossible(
    safe: Safe, user: User, credential: Credential, signer: Address
) -> None:
    """Raise what stands in the way, in the order in which a person can mend it."""
    if not passkeys.own_owners(safe=safe, user=user):
        raise NotYourAccount
    if not Credential.objects.of(user).usable().filter(pk=credential.pk).exists():
        raise NotYourPasskey
    if not safe.is_live:
        raise AccountNotLive
    named = Q(credential=credential) | Q(address=signer)
    if safe.owners.current().filter(named).exists():
        raise AlreadyOwner
    try:
        require_new_owner(signer, account=Address(safe.address))
    except EncodingError as error:
        raise SignerImpossible from error
    if not key_proofs.is_proven(credential=credential, safe=safe):
        raise PasskeyNotProven


def _versions_before(op: UserOperation | None) -> list[int]:
    """Return the versions that a new one takes the nonce of, or comes after."""
    versions = []
    while op is not None:
        versions.append(op.pk)
        op = op.predecessor
    return versions
