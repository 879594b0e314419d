"""Owners as the chain has them, written into rows.

An account's own event says where to look; what is there is read with ``getOwners()``
and ``getThreshold()`` at the follower's newest block. Accounts that nothing happened to
are never asked about. A passkey is linked to an owner only where its person proved it
for exactly this account: an owner with a passkey makes the account visible to its
person, and a public key alone must not (security.md R6, R10, R67).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from accounts import credentials, security_events
from accounts.models import Credential, SecurityEvent, User
from accounts.visible_text import visible
from onchain.clients.node_types import LogRecord
from onchain.models import Chain, KeyProof, OperationSignature, Owner, Safe
from onchain.models.operation_states import Status
from onchain.protocol.configuration import Configuration
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.events import ACCOUNT_EVENTS
from onchain.protocol.owners import AccountOwners
from onchain.protocol.safe import setup_owners
from onchain.protocol.shared_signer import SharedKey
from onchain.protocol.types import Address
from onchain.services import signers, ways_in

logger = logging.getLogger(__name__)

READ_AT_ONCE = 25  # accounts that one pass asks about, in one request
# Rows are small and columns narrow: what an account has beyond this is not listed.
MAX_OWNERS = 500
TOLD_HOURS = 1  # an owner that a reorg took away and brought back is told of once


def changed(*, chain: Chain, logs: Sequence[LogRecord]) -> list[Safe]:
    """Return the known accounts whose owners or configuration a block may change."""
    named = {log.address for log in logs if log.topics[0] in ACCOUNT_EVENTS}
    if not named:
        return []
    return list(Safe.objects.filter(chain=chain, address__in=named).order_by("pk"))


def due(*, chain: Chain, changed: Sequence[Safe]) -> list[Safe]:
    """Return the accounts to ask about now: the changed ones, and those never read.

    Bounded: the others wait, marked as to be read.
    """
    live = Safe.objects.filter(chain=chain, status=Safe.Status.DEPLOYED)
    unread = live.filter(owners_synced_block__isnull=True).order_by("pk")
    first = [safe for safe in changed if safe.is_live]
    rest = unread.exclude(pk__in=[safe.pk for safe in first])
    return [*first, *rest[:READ_AT_ONCE]][:READ_AT_ONCE]


def apply(
    *,
    changed: Sequence[Safe],
    found: Mapping[Safe, AccountOwners | None],
    block_number: int,
    configurations: Mapping[Safe, Configuration | None] | None = None,
) -> None:
    """Write what was read, and mark what is still to be read.

    Args:
        configurations: of the same accounts; who is behind the shared signer is only
            known with them.

    Repeating it changes nothing. Call it in the transaction of the block.
    """
    touched = Safe.objects.filter(pk__in=[safe.pk for safe in changed])
    touched.update(owners_synced_block=None)
    for safe, owners in found.items():
        fields: dict[str, int] = {"owners_synced_block": block_number}
        if owners is None:
            logger.error("safe %s does not say who its owners are", safe.pk)
        else:
            configuration = (configurations or {}).get(safe)
            shared = None if configuration is None else configuration.shared_key
            _unlink(safe, shared)
            _write(safe, list(dict.fromkeys(owners.owners))[:MAX_OWNERS], shared)
            fields["threshold"] = min(owners.threshold, MAX_OWNERS)
        Safe.objects.filter(pk=safe.pk).update(**fields)


def _unlink(safe: Safe, shared: SharedKey | None) -> None:
    """Let go of a passkey that the shared signer does not check any more."""
    owner = safe.owners.filter(address=SHARED_SIGNER, credential__isnull=False).first()
    if owner is None or shared is None or owner.public_key == shared.public_key:
        return
    logger.warning("safe %s has another passkey behind the shared signer", safe.pk)
    owner.credential = None
    owner.kind = Owner.Kind.UNKNOWN
    owner.proven_at = None
    owner.save(update_fields=["credential", "kind", "proven_at"])


def _write(safe: Safe, addresses: Sequence[Address], shared: SharedKey | None) -> None:
    rows = {bytes(row.address): row for row in safe.owners.select_related("credential")}
    unlinked = [
        address
        for address in addresses
        if address not in rows or rows[address].credential is None
    ]
    proofs = _proofs(safe, unlinked)
    if SHARED_SIGNER in unlinked and shared is not None:
        proofs |= _shared_proof(safe, shared)
    heirs = _heirs(safe, rows.get(SHARED_SIGNER))
    is_news = False
    for position, address in enumerate(addresses):
        row = rows.pop(bytes(address), None)
        proof = proofs.get(address)
        if row is None and address in heirs:
            _inherit(safe, address, position, heirs[address])
        elif row is None:
            _create(safe, address, position, proof)
            is_news = True
        else:
            is_news |= _update(row, position, proof)
    gone = [row for row in rows.values() if row.is_current]
    _remove(gone)
    if is_news or [row for row in gone if row not in heirs.values()]:
        ways_in.forget_acknowledgements(safe=safe)


def _proofs(safe: Safe, addresses: Sequence[Address]) -> dict[Address, KeyProof]:
    """Return, by signer, the proofs that these addresses are passkeys of a person."""
    proven = KeyProof.objects.filter(
        safe=safe,
        role=KeyProof.Role.OWNER,
        status=KeyProof.Status.PROVEN,
        signer__in=addresses,
    )
    return {
        Address(proof.signer): proof
        for proof in proven.select_related("credential__user").order_by("-pk")
        # The stored signer must be its key's: who changed it would see the account.
        if signers.signer_for(public_key=proof.public_key, safe=safe) == proof.signer
    }


def _shared_proof(safe: Safe, shared: SharedKey) -> dict[Address, KeyProof]:
    """Return the proof of the passkey that the shared signer checks for the account."""
    if shared.verifiers != safe.verifiers:
        return {}
    signer = signers.signer_for(public_key=shared.public_key, safe=safe)
    found = _proofs(safe, [signer])
    return {SHARED_SIGNER: found[signer]} if signer in found else {}


def _heirs(safe: Safe, shared: Owner | None) -> dict[Address, Owner]:
    """Return, by its own signer, the passkey that signed through the shared one.

    The account's own operation put it there, so it is no news and needs no new proof.
    """
    if shared is None or shared.credential is None:
        return {}
    own = signers.signer_for(public_key=shared.public_key, safe=safe)
    return {own: shared}


def _inherit(safe: Safe, address: Address, position: int, heir: Owner) -> None:
    Owner.objects.create(
        safe=safe,
        credential=heir.credential,
        kind=Owner.Kind.PASSKEY,
        address=address,
        position=position,
        proven_at=heir.proven_at,
    )
    logger.info("safe %s has its own signer", safe.pk)


def _create(
    safe: Safe, address: Address, position: int, proof: KeyProof | None
) -> None:
    owner = Owner.objects.create(
        safe=safe,
        credential=None if proof is None else proof.credential,
        kind=Owner.Kind.UNKNOWN if proof is None else Owner.Kind.PASSKEY,
        address=address,
        position=position,
        proven_at=None if proof is None else proof.signed_at,
    )
    logger.info("owner %s of safe %s appeared", owner.pk, safe.pk)
    _tell(owner)


def _update(row: Owner, position: int, proof: KeyProof | None) -> bool:
    """Write what changed; return whether it can sign now and could not before."""
    is_news = not row.is_current or proof is not None
    if not is_news and row.position == position:
        return False
    row.position = position
    row.is_current = True
    if proof is not None:
        row.credential = proof.credential
        row.kind = Owner.Kind.PASSKEY
        row.proven_at = proof.signed_at
    row.save(
        update_fields=["position", "is_current", "credential", "kind", "proven_at"]
    )
    if is_news:
        _tell(row)
    return is_news


def _remove(rows: Sequence[Owner]) -> None:
    """Mark owners that the chain has no more; what they signed and is open is void.

    Their signatures go, so that they do not count again should the owner come back.
    """
    if not rows:
        return
    logger.info("owners %s are owners no more", [row.pk for row in rows])
    Owner.objects.filter(pk__in=[row.pk for row in rows]).update(is_current=False)
    OperationSignature.objects.filter(
        owner__in=rows, operation__status=Status.AWAITING_SIGNATURES
    ).delete()


def begin_again(*, safe: Safe) -> None:
    """Let an account that a reorg took off the chain have its first owners.

    Only where its own operation puts it there: that one is signed as its first owner.
    """
    if safe.layout != Safe.Layout.SHARED:
        return
    first = setup_owners(bytes(safe.setup_data))
    safe.owners.update(is_current=False)
    safe.owners.filter(address__in=first).update(is_current=True)


def _tell(owner: Owner) -> None:
    """Tell everybody who can sign for the account, once: whoever joined can as well."""
    passkey: Credential | None = owner.credential
    people = User.objects.filter(
        credentials__owners__safe=owner.safe, credentials__owners__is_current=True
    )
    for user in people.distinct().order_by("pk"):
        if passkey is not None and passkey.user_id == user.pk:
            name = credentials.phrase_of(passkey)
        else:
            name = f"The owner {owner.address_text}"
        _tell_one(user, f"{name} can now sign for {owner.safe.name}.")


def _tell_one(user: User, words: str) -> None:
    # As it will be stored, so that it is found again.
    detail = visible(words, limit=security_events.DETAIL_CHARACTERS)
    kind = SecurityEvent.Kind.OWNER_ADDED
    since = timezone.now() - timedelta(hours=TOLD_HOURS)
    told = user.security_events.filter(kind=kind, detail=detail, created_at__gte=since)
    if not told.exists():
        security_events.note(user=user, kind=kind, detail=detail)
