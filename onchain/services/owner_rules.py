"""What a change of owners may not do, so that nobody locks an account (R13, R14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import formats

from accounts import step_up
from accounts.models import Credential, User
from onchain.change_errors import (
    LastWayIn,
    NotAnOwner,
    PasskeyTooYoung,
    ThresholdImpossible,
    ThresholdSame,
    ThresholdUnproven,
)
from onchain.models import Owner, Safe, UserOperation
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import previous_of, require_threshold
from onchain.protocol.types import Address
from onchain.services import signatories, wallet_proofs


def current_owner(*, safe: Safe, address: Address) -> Owner:
    """Return a current owner of the account.

    Raises:
        NotAnOwner: the chain has no such owner.
    """
    owners = safe.owners.current().select_related("credential__user")
    owner = owners.filter(address=address).first()
    if owner is None:
        raise NotAnOwner
    return owner


def previous_owner(*, safe: Safe, address: Address) -> Address:
    """Return whom the account has before an owner, in its own order.

    Raises:
        NotAnOwner: the chain has no such owner.
    """
    owners = safe.owners.current().order_by("position")
    members = [Address(row) for row in owners.values_list("address", flat=True)]
    try:
        return previous_of(address, members)
    except EncodingError as error:
        raise NotAnOwner from error


def proven_owners(*, safe: Safe, is_waived: bool = False) -> list[Owner]:
    """Return the owners of whom it is known that they can approve.

    Args:
        is_waived: count contracts too of which nobody has seen it; somebody said that
            they know what they do.
    """
    owners = list(safe.owners.current().select_related("credential__user"))
    return proven_among(owners, safe=safe, is_waived=is_waived)


def proven_among(
    owners: Sequence[Owner], *, safe: Safe, is_waived: bool = False
) -> list[Owner]:
    """Return those of an account's owners that ``proven_owners`` would, in one query.

    Their passkeys and people must have been loaded with them.
    """
    others = [Address(owner.address) for owner in owners if owner.credential is None]
    wallets = wallet_proofs.proven(safe=safe, addresses=others)

    def is_proven(owner: Owner) -> bool:
        if owner.credential is not None:
            return owner.can_sign and owner.proven_at is not None
        is_contract = owner.kind == Owner.Kind.CONTRACT
        return owner.can_sign or owner.address in wallets or (is_waived and is_contract)

    return [owner for owner in owners if is_proven(owner)]


def require_reachable(
    *,
    safe: Safe,
    threshold: int,
    added: int = 0,
    removed: Address | None = None,
    is_waived: bool = False,
) -> None:
    """Raise unless so many owners, known to be able to, can approve after the change.

    Args:
        added: how many owners join; they have proven themselves.
        removed: the owner that goes.

    Raises:
        LastWayIn: nobody would be left who is known to be able to approve.
        ThresholdImpossible: there would not be so many owners.
        ThresholdUnproven: too few of them have shown that they can approve.
    """
    proven = proven_owners(safe=safe, is_waived=is_waived)
    able = len([row for row in proven if row.address != removed]) + added
    if removed is not None and able == 0:
        raise LastWayIn
    gone = 0 if removed is None else 1
    owners = safe.owners.current().count() + added - gone
    try:
        require_threshold(threshold, owner_count=owners)
    except EncodingError as error:
        raise ThresholdImpossible.of(threshold, owners) from error
    if able < threshold:
        raise ThresholdUnproven.of(threshold, able)


def require_other_threshold(*, safe: Safe, threshold: int, is_waived: bool) -> None:
    """Raise unless a threshold is another one, and can be reached.

    A lower one is nearer to what is known to be reached than that of now.

    Raises:
        ThresholdSame: it is that of now.
        ThresholdImpossible: there are not so many owners, or it is nobody.
        ThresholdUnproven: too few of them have shown that they can approve.
    """
    if threshold == safe.threshold:
        raise ThresholdSame
    if threshold > safe.threshold:
        require_reachable(safe=safe, threshold=threshold, is_waived=is_waived)
    elif threshold < 1:
        raise ThresholdImpossible.of(threshold, safe.owners.current().count())


def young_until(*, removed: Owner, credential: Credential) -> datetime | None:
    """Return until when a passkey is too young to remove an owner; None: it may (R14).

    It may always remove itself, and what came after it.
    """
    settles_at = step_up.settles_at(credential)
    if settles_at is None:
        return None
    passkey = removed.credential
    since = removed.created_at if passkey is None else passkey.created_at
    return settles_at if since < credential.created_at else None


def require_settled(*, removed: Owner, credential: Credential) -> None:
    """Refuse a passkey that was added less than 72 hours ago, after that owner.

    Raises:
        PasskeyTooYoung: with words that say from when on it may.
    """
    moment = young_until(removed=removed, credential=credential)
    if moment is not None:
        raise PasskeyTooYoung.until(formats.date_format(moment, "j F, H:i e"))


def require_signer_settled(*, op: UserOperation, signer: Owner) -> None:
    """Refuse a signature by which a new passkey would remove an older owner.

    Raises:
        PasskeyTooYoung: with words that say from when on it may.
    """
    if op.kind not in {op.Kind.REMOVE_OWNER, op.Kind.SWAP_OWNER}:
        return
    removed = op.safe.owners.select_related("credential").filter(address=op.removed)
    owner = removed.first()
    if owner is not None and signer.credential is not None:
        require_settled(removed=owner, credential=signer.credential)


def require_somebody_settled(*, safe: Safe, user: User, removed: Owner) -> None:
    """Refuse where none of the person's keys for the account may remove the owner.

    Raises:
        PasskeyTooYoung: with words that say from when on the first of them may.
    """
    own = signatories.own_signers(safe=safe, user=user)
    passkeys = [row.credential for row in own if row.credential is not None]
    if len(passkeys) < len(own):
        return  # a wallet can sign
    moments = [young_until(removed=removed, credential=row) for row in passkeys]
    waits = [moment for moment in moments if moment is not None]
    if waits and len(waits) == len(moments):
        raise PasskeyTooYoung.until(formats.date_format(min(waits), "j F, H:i e"))
