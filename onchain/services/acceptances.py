"""Accepting an invitation with a key, and an owner's word that it is the right one.

Accepting freezes the key in the invitation's row, by one conditional UPDATE. Whatever
is made of it later is built from that row only. Accepting again, with another key, goes
back to ACCEPTED: an owner's word about the first key says nothing about the second.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import security_events
from accounts.models import Credential, SecurityEvent, User
from onchain.errors import InvitationRefused
from onchain.models import (
    Invitation,
    KeyProof,
    Role,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import OPEN
from onchain.models.operation_states import Status as OperationStatus
from onchain.models.owner import public_key_of
from onchain.protocol.types import Address
from onchain.services import (
    invitations,
    key_proofs,
    memberships,
    recovery_sync,
    roles,
    signers,
    wallet_proofs,
)

logger = logging.getLogger(__name__)

Status = Invitation.Status

# An operation in one of these may still carry out what was accepted, or did.
UNDER_WAY = (OperationStatus.DRAFT, *OPEN, OperationStatus.INCLUDED)
KEY_COLUMNS = (
    *("credential", "public_key_x", "public_key_y"),
    *("address", "key_proof", "wallet_proof"),
)


def own_passkeys(user: User) -> list[Credential]:
    """Return the passkeys that a person may accept with, oldest first."""
    return list(Credential.objects.of(user).usable().order_by("pk"))


def accept_with_proof(
    *, invitation: Invitation, user: User, credential: Credential, response: str
) -> KeyProof:
    """Freeze a passkey that has just signed for exactly this account.

    The chain checks the proof afterwards; nothing is confirmed before it has.

    Raises:
        InvitationRefused, SignatureRefused: with words; nothing was changed.
    """
    safe = _account_of(invitation)
    _refuse_impossible(invitation, user)
    _refuse_passkey(invitation, user, credential)
    proof = key_proofs.answer(
        credential=credential,
        safe=safe,
        response=response,
        role=proof_role(invitation),
    )
    _freeze(invitation, user, _key(safe, credential) | {"key_proof": proof})
    return proof


def accept_with_wallet(
    *,
    invitation: Invitation,
    user: User,
    proof: WalletProof,
    signature: bytes,
    account: Address,
) -> WalletProof:
    """Freeze a wallet that has just signed the text for exactly this account.

    A contract's signature is checked on the chain afterwards.

    Args:
        account: which of its accounts the browser wallet says it used.

    Raises:
        InvitationRefused, SignatureRefused: with words; nothing was changed.
    """
    safe = _account_of(invitation)
    _refuse_impossible(invitation, user)
    is_for_key = invitation.role != Role.VIEWER
    is_for_this = proof.safe_id == safe.pk and proof.role == proof_role(invitation)
    if not is_for_key or not is_for_this or proof.user_id != user.pk:
        raise InvitationRefused
    if safe.owners.current().filter(address=proof.address).exists():
        raise InvitationRefused("This wallet is an owner of the account already.")
    proof = wallet_proofs.answer(proof=proof, signature=signature, account=account)
    _freeze(invitation, user, {"address": proof.address, "wallet_proof": proof})
    return proof


def accept_to_look(
    *, invitation: Invitation, user: User, credential: Credential
) -> None:
    """Accept to be a viewer; the passkey that one signed in with names the person.

    Raises:
        InvitationRefused: with words; nothing was changed.
    """
    if invitation.role != Role.VIEWER:
        raise InvitationRefused("This role needs a key that proves itself.")
    _refuse_impossible(invitation, user)
    _refuse_passkey(invitation, user, credential)
    _freeze(invitation, user, _key(_account_of(invitation), credential))


def _account_of(invitation: Invitation) -> Safe:
    if invitation.safe is None:
        raise InvitationRefused
    return invitation.safe


def _refuse_impossible(invitation: Invitation, user: User) -> None:
    if invitation.accepted_by_id != user.pk:
        raise InvitationRefused
    changes = UserOperation.objects.filter(invitation=invitation)
    if changes.filter(status__in=UNDER_WAY).exists():
        raise InvitationRefused(
            "The owners are adding the key that you accepted with. To give another "
            "one, ask them to discard that change first."
        )


def _refuse_passkey(invitation: Invitation, user: User, credential: Credential) -> None:
    safe = _account_of(invitation)
    if credential.user_id != user.pk:
        raise InvitationRefused
    if safe.owners.current().filter(credential=credential).exists():
        raise InvitationRefused("This passkey is an owner of the account already.")


def _key(safe: Safe, credential: Credential) -> dict[str, Any]:
    public_key = public_key_of(credential)
    return {
        "credential": credential,
        "public_key_x": public_key.x,
        "public_key_y": public_key.y,
        "address": signers.signer_for(public_key=public_key, safe=safe),
    }


def _freeze(invitation: Invitation, user: User, key: dict[str, Any]) -> None:
    """Write one key into the row; what another one left there goes."""
    safe = _account_of(invitation)
    frozen = {
        **dict.fromkeys(KEY_COLUMNS),
        **key,
        "accepted_at": timezone.now(),
        "confirmed_by": None,
        "confirmed_at": None,
    }
    with transaction.atomic():
        source = _move_to_accepted(invitation, user, frozen)
        if source == Status.CONFIRMED:
            invitations.forget_confirmed(invitation)
        security_events.note(
            user=invitation.created_by,
            kind=SecurityEvent.Kind.INVITATION_ACCEPTED,
            detail=f"{invitation.name} as {invitation.get_role_display().lower()} of "
            f"{safe.name}. Compare the words with them before you confirm.",
        )
    logger.info("invitation %s accepted", invitation.pk)


def _move_to_accepted(
    invitation: Invitation, user: User, frozen: dict[str, Any]
) -> Invitation.Status:
    """Write the key by one conditional UPDATE; return the state it was in.

    Raises:
        InvitationRefused: it was taken back, or is too old.
    """
    own = Invitation.objects.filter(accepted_by=user)
    places = {
        Status.OPEN: own.filter(expires_at__gt=Now()),
        Status.ACCEPTED: own,
        Status.CONFIRMED: own,
    }
    for source, rows in places.items():
        if rows.transition(
            invitation.pk, source=source, target=Status.ACCEPTED, **frozen
        ):
            return source
    raise InvitationRefused


def proof_role(invitation: Invitation) -> KeyProof.Role:
    """Return for which role on the chain a key has to prove itself."""
    role = KeyProof.Role
    return role.GUARDIAN if invitation.is_for_guardian else role.OWNER


def is_checked(invitation: Invitation) -> bool:
    """Whether the chain found the accepted key's proof good, where one is needed."""
    if invitation.role == Role.VIEWER:
        return True
    proof = invitation.key_proof or invitation.wallet_proof
    return proof is not None and proof.status == KeyProof.Status.PROVEN


def confirm(*, invitation: Invitation, user: User, words: str) -> None:
    """Take an owner's word that both saw the same words; the role begins here.

    An approver's or a co-owner's key is added by an operation of its own, and so is a
    guardian's, who is nobody of the account. Safe to repeat.

    Args:
        words: what the owner saw, so that a key accepted meanwhile is never confirmed.

    Raises:
        InvitationRefused: with words; nothing was changed.
    """
    safe = _account_of(invitation)
    if not roles.may_propose(safe=safe, user=user):
        raise InvitationRefused("Only an owner of this account confirms who joins.")
    person = invitation.accepted_by
    if person is None or " ".join(invitations.words_of(invitation)) != words:
        raise InvitationRefused(
            "Another key was accepted since you opened this page. Compare the words "
            "again."
        )
    if not is_checked(invitation):
        raise InvitationRefused("The chain has not checked this key yet.")
    with transaction.atomic():
        seen = Invitation.objects.filter(accepted_at=invitation.accepted_at)
        is_confirmed = seen.transition(
            invitation.pk,
            source=Status.ACCEPTED,
            target=Status.CONFIRMED,
            confirmed_by=user,
            confirmed_at=timezone.now(),
        )
        if not is_confirmed:
            raise InvitationRefused("This invitation was changed. Look at it again.")
        if not invitation.is_for_guardian:
            role = Role(invitation.role)
            memberships.give(safe=safe, user=person, role=role, by=user)
    if invitation.is_for_guardian:
        # One who guards on chain already is linked to the person now.
        recovery_sync.read_again(safe=safe)
    logger.info("user %s confirmed invitation %s", user.pk, invitation.pk)


def proof_request(
    *, invitation: Invitation, credential: Credential
) -> dict[str, object]:
    """Return what the guest's passkey is asked to sign, for exactly this account."""
    safe = _account_of(invitation)
    role = proof_role(invitation)
    proof = key_proofs.open_proof(credential=credential, safe=safe, role=role)
    return key_proofs.signing_request(proof=proof)


def chosen_passkey(user: User, wanted: str, session: int | None) -> Credential | None:
    """Return the passkey that was chosen, else this session's, else the first."""
    own = own_passkeys(user)
    by_pk = {str(credential.pk): credential for credential in own}
    return by_pk.get(wanted) or by_pk.get(str(session)) or next(iter(own), None)
