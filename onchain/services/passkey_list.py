"""The rows of the passkeys page: what each passkey is, and what it can move.

Signing in and owning are two things. A passkey that was removed here signs in no
longer, and is still listed while it owns or guards an account on chain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.credentials import name_of
from accounts.models import Credential, Session, User
from accounts.providers import Provider, provider_of
from accounts.strict_json import encode_base64url
from accounts.visible_text import visible
from onchain.models import Chain, KeyProof, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.types import checksum_address
from onchain.services.authenticator_flags import Flag, flags_of
from onchain.services.signers import signer_of

TITLE = 80  # characters
# https://www.w3.org/TR/webauthn-3/#enum-transport; a provider may name others.
TRANSPORTS = {
    "internal": "on its device",
    "hybrid": "by QR code",
    "usb": "by USB",
    "nfc": "by NFC",
    "ble": "by Bluetooth",
    "smart-card": "by smart card",
    "cable": "from a device nearby",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The address that a passkey has on a chain, deployed or not."""

    chain: Chain
    address_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedAccount:
    """An account that names the passkey among its owners."""

    safe: Safe
    proven_at: datetime | None  # None: nobody has seen it sign for this account
    is_asked: bool  # whether the account's Receive page asks this passkey for a proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """One passkey as its card shows it."""

    credential: Credential
    provider: Provider
    accounts: Sequence[OwnedAccount]
    other_proofs: Sequence[KeyProof]  # as a guardian, or for what it does not own
    signers: Sequence[Signer]
    is_this_session: bool

    @property
    def title(self) -> str:
        """The person's own name for it, else the provider's."""
        return visible(name_of(self.credential), limit=TITLE)

    @property
    def is_named(self) -> bool:
        """Whether it owns an account on chain, or has proven itself as a guardian."""
        roles = {proof.role for proof in self.other_proofs}
        return bool(self.accounts) or KeyProof.Role.GUARDIAN in roles

    @property
    def credential_id_text(self) -> str:
        """The credential id as WebAuthn's JSON has it."""
        return encode_base64url(self.credential.credential_id)

    @property
    def reached(self) -> list[str]:
        """How a browser reaches it, in words; as the provider says it otherwise."""
        return [TRANSPORTS.get(hint, hint) for hint in self.credential.transports]

    @property
    def flags(self) -> list[Flag]:
        """The bits of its last answer; empty before the first one that was kept."""
        value = self.credential.flags
        return [] if value is None else flags_of(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyList:
    """Everything that the person may get in or pay with."""

    passkeys: Sequence[Passkey]
    removed: Sequence[Passkey]  # sign in no longer, but are named on chain

    @property
    def is_single(self) -> bool:
        """Whether one passkey is the only way in."""
        return len(self.passkeys) == 1

    @property
    def owning(self) -> int:
        """How many of those that sign in own an account on chain."""
        return sum(bool(passkey.accounts) for passkey in self.passkeys)


def passkeys_of(*, user: User, session_credential: int | None = None) -> PasskeyList:
    """Return the person's passkeys, oldest first, in four queries however many.

    Args:
        session_credential: Primary key of the passkey that opened this session.
    """
    owners = _owners(user)
    asked = _asked(owners)
    proofs = _proofs_by_passkey(user)
    chains = list(Chain.objects.exclude(signer_proxy_code=None).order_by("chain_id"))
    rows = []
    for credential in Credential.objects.filter(user=user).order_by("pk"):
        proven = proofs[credential.pk]
        own = [owner for owner in owners if owner.credential_id == credential.pk]
        rows.append(
            Passkey(
                credential=credential,
                provider=provider_of(credential.aaguid),
                accounts=[_owned(owner, proven, asked) for owner in own],
                other_proofs=list(proven.values()),
                signers=[_signer(credential, chain) for chain in chains],
                is_this_session=credential.pk == session_credential,
            )
        )
    signing_in = [row for row in rows if row.credential.removed_at is None]
    removed = [row for row in rows if row.credential.removed_at is not None]
    return PasskeyList(
        passkeys=signing_in, removed=[row for row in removed if row.is_named]
    )


def lacks_this_device(*, user: User, session: UUID | None) -> bool:
    """Whether the person came with another device's passkey and made none here since.

    Operators are not asked: their passkeys come from the terminal.

    Args:
        session: Primary key of the person's session.
    """
    if session is None or user.is_staff:
        return False
    row = Session.objects.filter(pk=session, user=user, is_cross_device=True).first()
    if row is None or row.signed_in_at is None:
        return False
    own = Credential.objects.of(user)
    return not own.filter(created_at__gte=row.signed_in_at).exists()


def _owners(user: User) -> list[Owner]:
    """Return the person's passkeys among owners, in each account's own order."""
    owners = Owner.objects.current().filter(credential__user=user)
    related = owners.select_related("safe__chain", "credential")
    return list(related.order_by("safe_id", "position"))


def _asked(owners: Sequence[Owner]) -> set[int]:
    """Return the owners that Receive asks for a proof: the first of each account."""
    first: dict[int, int] = {}
    for owner in owners:
        if owner.credential is not None and owner.credential.removed_at is None:
            first.setdefault(owner.safe_id, owner.pk)
    return set(first.values())


def _proofs_by_passkey(user: User) -> dict[int, dict[tuple[int, str], KeyProof]]:
    """Return the first proof of each passkey for each account and role (R6)."""
    found: dict[int, dict[tuple[int, str], KeyProof]] = defaultdict(dict)
    proofs = KeyProof.objects.filter(
        credential__user=user, status=KeyProof.Status.PROVEN
    )
    for proof in proofs.select_related("safe__chain").order_by("pk"):
        found[proof.credential_id].setdefault((proof.safe_id, proof.role), proof)
    return found


def _owned(
    owner: Owner, proven: dict[tuple[int, str], KeyProof], asked: set[int]
) -> OwnedAccount:
    """Return the account with its proof, which leaves the passkey's other ones."""
    proof = proven.pop((owner.safe_id, KeyProof.Role.OWNER), None)
    return OwnedAccount(
        safe=owner.safe,
        proven_at=owner.proven_at or (proof.signed_at if proof else None),
        is_asked=owner.pk in asked,
    )


def _signer(credential: Credential, chain: Chain) -> Signer:
    address = signer_of(public_key=public_key_of(credential), chain=chain)
    return Signer(chain=chain, address_text=checksum_address(address))
