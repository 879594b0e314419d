"""Who is to become an owner: a passkey of one's own, a wallet, or somebody invited.

Each must have proven itself for exactly this account (security.md R6), and what an
invitation froze is taken from its row and from nowhere else (R62).
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Credential, User
from onchain.change_errors import (
    AddressImpossible,
    AddressIsGuardian,
    InvitationNotConfirmed,
)
from onchain.errors import (
    AlreadyOwner,
    NotYourPasskey,
    PasskeyNotProven,
    SignerImpossible,
    WalletNotProven,
)
from onchain.models import Invitation, KeyProof, Role, Safe, UserOperation
from onchain.models.owner import public_key_of
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import require_new_owner
from onchain.protocol.types import Address, PublicKey
from onchain.services import change_lane, guardians, key_proofs, signers, wallet_proofs

Kind = UserOperation.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOwner:
    """Somebody who is to become an owner, and how that is known."""

    address: Address  # a passkey's signer proxy, or the wallet's own
    credential: Credential | None = None  # None: a wallet or a contract
    invitation: Invitation | None = None
    is_proof_waived: bool = False

    @property
    def kind(self) -> str:
        """What adding it is called."""
        return Kind.ADD_WALLET if self.credential is None else Kind.ADD_PASSKEY

    @property
    def columns(self) -> change_lane.Columns:
        """What a row says of it."""
        return {
            "new_signer": self.address,
            "new_credential": self.credential,
            "invitation": self.invitation,
            "is_proof_waived": self.is_proof_waived,
        }


def own_passkey(*, safe: Safe, credential: Credential) -> NewOwner:
    """Return a passkey as a new owner of the account."""
    signer = signers.signer_for(public_key=public_key_of(credential), safe=safe)
    return NewOwner(address=signer, credential=credential)


def wallet(*, address: Address, is_proof_waived: bool = False) -> NewOwner:
    """Return a wallet's or a contract's address as a new owner."""
    return NewOwner(address=address, is_proof_waived=is_proof_waived)


def invited(*, invitation: Invitation) -> NewOwner:
    """Return the key that an accepted invitation froze, as a new owner.

    Raises:
        InvitationNotConfirmed: it names no key.
    """
    if invitation.address is None:
        raise InvitationNotConfirmed
    return NewOwner(
        address=Address(invitation.address),
        credential=invitation.credential,
        invitation=invitation,
    )


def account_of(invitation: Invitation) -> Safe:
    """Return the account that somebody was invited to.

    Raises:
        InvitationNotConfirmed: to none that exists.
    """
    if invitation.safe is None:
        raise InvitationNotConfirmed
    return invitation.safe


def public_key_in(invitation: Invitation) -> PublicKey:
    """Return the point that somebody accepted an invitation with.

    Raises:
        ValueError: the invitation froze no passkey.
    """
    x, y = invitation.public_key_x, invitation.public_key_y
    if invitation.credential_id is None or x is None or y is None:
        raise ValueError(f"{invitation} froze no passkey")
    return PublicKey(x=x, y=y)


def require(*, new: NewOwner, safe: Safe, user: User) -> None:
    """Raise what stands in the way, in the order in which a person can mend it.

    Raises:
        OwnerChangeRefused: with words.
    """
    if new.invitation is not None:
        _require_confirmed(new.invitation, safe)
    elif new.credential is not None:
        mine = Credential.objects.of(user).usable()
        if not mine.filter(pk=new.credential.pk).exists():
            raise NotYourPasskey
    change_lane.require_live(safe)
    named = safe.owners.current().filter(address=new.address)
    if new.credential is not None:
        named = named | safe.owners.current().filter(credential=new.credential)
    if named.exists():
        raise AlreadyOwner if new.credential else AlreadyOwner.about_wallet()
    try:
        require_new_owner(new.address, account=Address(safe.address))
    except EncodingError as error:
        refusal = AddressImpossible if new.credential is None else SignerImpossible
        raise refusal from error
    if not new.is_proof_waived:
        _require_proof(new, safe)
    if guardians.is_guardian(safe=safe, address=new.address):
        raise AddressIsGuardian


def _require_confirmed(invitation: Invitation, safe: Safe) -> None:
    is_for_key = invitation.role in {Role.OWNER, Role.APPROVER}
    is_confirmed = invitation.status == Invitation.Status.CONFIRMED
    if invitation.safe_id != safe.pk or not is_for_key or not is_confirmed:
        raise InvitationNotConfirmed


def _require_proof(new: NewOwner, safe: Safe) -> None:
    if new.invitation is not None:
        if not _is_frozen_proof(new.invitation, safe):
            raise InvitationNotConfirmed
    elif new.credential is None:
        if not wallet_proofs.is_proven(safe=safe, address=new.address):
            raise WalletNotProven
    elif not key_proofs.is_proven(credential=new.credential, safe=safe):
        raise PasskeyNotProven


def _is_frozen_proof(invitation: Invitation, safe: Safe) -> bool:
    """Whether the proof in the invitation is one of this key, account and role."""
    proof = invitation.key_proof or invitation.wallet_proof
    if proof is None or proof.status != KeyProof.Status.PROVEN:
        return False
    if isinstance(proof, KeyProof):
        address, holder = proof.signer, proof.credential_id
        is_same = holder == invitation.credential_id
    else:
        address, is_same = proof.address, proof.user_id == invitation.accepted_by_id
    return (
        is_same
        and proof.safe_id == safe.pk
        and proof.role == KeyProof.Role.OWNER
        and address == invitation.address
    )
