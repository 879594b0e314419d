"""Owners as the chain has them, written into rows.

An account's own event says where to look; what is there is read with ``getOwners()``
and ``getThreshold()`` at the follower's newest block. Accounts that nothing happened to
are never asked about. A passkey or a wallet is linked to an owner only where its person
proved it for exactly this account: a linked owner makes the account visible to its
person, and a public key alone must not (security.md R6, R10, R67).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.utils import timezone

from onchain.models import (
    KeyProof,
    OperationSignature,
    Owner,
    Safe,
    WalletProof,
)
from onchain.models.operation_states import Status
from onchain.protocol.configuration import Configuration
from onchain.protocol.deployments import SHARED_SIGNER
from onchain.protocol.owners import AccountOwners
from onchain.protocol.safe import setup_owners
from onchain.protocol.shared_signer import SharedKey
from onchain.protocol.types import Address
from onchain.services import (
    memberships,
    owner_news,
    signers,
    wallet_proofs,
    ways_in,
)

logger = logging.getLogger(__name__)

Proof: TypeAlias = KeyProof | WalletProof

# States in which a removed owner's signature could still be used. What was replaced
# comes back if a reorg takes away what replaced it.
UNSENT = (Status.AWAITING_SIGNATURES, Status.REPLACED)
# Rows are small and columns narrow: what an account has beyond this is not listed.
MAX_OWNERS = 500


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
        configuration = (configurations or {}).get(safe)
        if owners is None:
            logger.error("safe %s does not say who its owners are", safe.pk)
            if configuration is None:
                _lose(safe)
        else:
            shared = None if configuration is None else configuration.shared_key
            _unlink(safe, shared)
            _write(safe, list(dict.fromkeys(owners.owners))[:MAX_OWNERS], shared)
            threshold = min(owners.threshold, MAX_OWNERS)
            fields["threshold"] = threshold
            if threshold != safe.threshold:
                owner_news.tell_threshold(safe, threshold=threshold)
        Safe.objects.filter(pk=safe.pk).update(**fields)


def _lose(safe: Safe) -> None:
    """Note that nothing answers at an account's address any more.

    One made elsewhere was seen at a newer block than any that is read here; a reorg of
    that block shows in its answers only. It is looked for again.
    """
    if safe.layout == Safe.Layout.IMPORTED:
        Safe.objects.transition(
            safe.pk,
            source=Safe.Status.DEPLOYED,
            target=Safe.Status.QUEUED,
            deployed_block=None,
        )


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
        if address not in rows or not rows[address].is_linked
    ]
    proofs: dict[Address, Proof] = {
        **wallet_proofs.proven(safe=safe, addresses=unlinked)
    }
    proofs |= _proofs(safe, unlinked)
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


def _create(safe: Safe, address: Address, position: int, proof: Proof | None) -> None:
    fields = {"kind": Owner.Kind.UNKNOWN} if proof is None else _link(proof)
    owner = Owner.objects.create(
        safe=safe, address=address, position=position, **fields
    )
    logger.info("owner %s of safe %s appeared", owner.pk, safe.pk)
    owner_news.tell_added(owner)


def _link(proof: Proof) -> dict[str, Any]:
    """Return whose an owner is and what it is, as its person proved it."""
    if isinstance(proof, WalletProof):
        link: dict[str, Any] = {
            "holder": proof.user,
            "kind": wallet_proofs.kind_of(proof),
        }
    else:
        link = {"credential": proof.credential, "kind": Owner.Kind.PASSKEY}
    return link | {"proven_at": proof.signed_at}


def _update(row: Owner, position: int, proof: Proof | None) -> bool:
    """Write what changed; return whether it can sign now and could not before."""
    is_news = not row.is_current or proof is not None
    if not is_news and row.position == position:
        return False
    changed = {"position": position, "is_current": True}
    changed |= {} if proof is None else _link(proof)
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    if is_news:
        owner_news.tell_added(row)
    return is_news


def _remove(rows: Sequence[Owner]) -> None:
    """Mark owners that the chain has no more; what they signed and is open is void.

    Their signatures stay to be shown, and count no more should the owner come back.
    """
    if not rows:
        return
    logger.info("owners %s are owners no more", [row.pk for row in rows])
    Owner.objects.filter(pk__in=[row.pk for row in rows]).update(is_current=False)
    memberships.end_of_removed(safe=rows[0].safe, owners=rows)
    OperationSignature.objects.filter(
        owner__in=rows, voided_at=None, operation__status__in=UNSENT
    ).update(voided_at=timezone.now())
    owner_news.tell_removed(rows)


def begin_again(*, safe: Safe) -> None:
    """Let an account that a reorg took off the chain have its first owners.

    Only where its own operation puts it there: that one is signed as its first owner.
    """
    if safe.layout != Safe.Layout.SHARED:
        return
    first = setup_owners(bytes(safe.setup_data))
    safe.owners.update(is_current=False)
    safe.owners.filter(address__in=first).update(is_current=True)
