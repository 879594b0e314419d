"""What the pages of a recovery show and hand to scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import User
from onchain.models import AccountClaim, GuardianApproval
from onchain.protocol.types import checksum_address, to_hex
from onchain.services import guardian_approvals, passkeys


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOwner:
    """One of the owners to be, for a person to judge."""

    address_text: str
    is_claimant: bool
    is_kept: bool

    @property
    def is_strange(self) -> bool:
        """Whether it is neither an owner now nor the key made in this claim."""
        return not self.is_claimant and not self.is_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianState:
    """One guardian, and what became of asking them."""

    address_text: str
    status: str  # of the approval; empty: none yet


def message_of(row: AccountClaim) -> dict[str, Any]:
    """Return the fields that guardians sign; static/js/signing.js hashes them itself.

    Raises:
        ValueError: the chain has not been asked yet.
    """
    if row.nonce is None:
        raise ValueError(f"{row} has not been checked")
    return {
        "chainId": str(row.safe.chain.chain_id),
        "verifyingContract": row.module_text,
        "wallet": row.safe.address_text,
        "newOwners": row.new_owners,
        "newThreshold": str(row.new_threshold),
        "nonce": str(row.nonce),
    }


def signing_request(*, row: AccountClaim, user: User) -> dict[str, Any]:
    """Return what static/js/signing.js needs to have a guardian sign."""
    own = guardian_approvals.own_keys(row=row, user=user)
    left = guardian_approvals.keys_left(row=row, user=user)
    passkey_guardians = {checksum_address(signer) for signer in own}
    return {
        "kind": "ExecuteRecovery",
        "rpId": settings.WEBAUTHN_RP_ID,
        "allowCredentials": passkeys.allow_credentials(list(left.values())),
        "wallets": [text for text in row.guardians if text not in passkey_guardians],
        "hash": to_hex(row.hash_to_sign),
        "message": message_of(row),
    }


def new_owners_of(row: AccountClaim) -> list[NewOwner]:
    """Return the owners to be; strangers among them are marked."""
    claimant = checksum_address(row.new_signer)
    return [
        NewOwner(
            address_text=text,
            is_claimant=text == claimant,
            is_kept=text in row.old_owners,
        )
        for text in row.new_owners
    ]


def leaving_owners_of(row: AccountClaim) -> list[str]:
    """Return the owners who are owners no more once it is finished."""
    return [text for text in row.old_owners if text not in row.new_owners]


def guardians_of(row: AccountClaim) -> list[GuardianState]:
    """Return the guardians as the chain has them, and who approved."""
    states: dict[str, str] = {}
    for approval in row.approvals.order_by("pk"):
        states[approval.guardian_text] = approval.status
    states |= dict.fromkeys(row.approved, GuardianApproval.Status.VALID)
    return [
        GuardianState(address_text=text, status=states.get(text, ""))
        for text in row.guardians
    ]
