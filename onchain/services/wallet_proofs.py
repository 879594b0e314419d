"""Proving that a wallet can sign, before it becomes an account's owner (R6).

The wallet signs a text (EIP-191) that says everything it is good for: site, account,
chain, role, person, a nonce. A plain wallet's answer is recovered at once; a contract
is asked by a worker, in the way in which the account itself would ask it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import UTC, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.visible_text import visible
from onchain.clients.node import Node
from onchain.errors import AnotherAccountSigned, SignatureRefused
from onchain.models import KeyProof, Owner, Safe, WalletProof
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, Bytes32, to_hex
from onchain.protocol.wallet_signature import (
    personal_hash,
    personal_message,
    recovered_signer,
)
from onchain.services import contract_signatures, forming_accounts

logger = logging.getLogger(__name__)

PROOF_SECONDS = 300  # life of a nonce
FRESH_SECONDS = 120  # a page is given a text with at least this much life left
MAX_SIGNATURE = 4_096  # bytes; several signers of a contract, with room to spare
NAME_CHARACTERS = 80
HEADING = "Latchkey asks this wallet to show that it can sign. This moves nothing."
Status = WalletProof.Status
Role = WalletProof.Role


def open_proof(
    *, user: User, safe: Safe, address: Address, role: KeyProof.Role = Role.OWNER
) -> WalletProof:
    """Return a proof that waits for the wallet, making one where none is fresh.

    The wallet need not be an owner yet: it proves itself before it becomes one.
    """
    now = timezone.now()
    waiting = WalletProof.objects.filter(
        user=user, safe=safe, address=address, role=role, status=Status.OPEN
    )
    fresh = now + timedelta(seconds=FRESH_SECONDS)
    proof = waiting.filter(expires_at__gt=fresh).first()
    if proof is not None:
        return proof
    proof = WalletProof(
        user=user,
        safe=safe,
        role=role,
        address=address,
        nonce=Bytes32(secrets.token_bytes(32)),
        expires_at=(now + timedelta(seconds=PROOF_SECONDS)).replace(microsecond=0),
    )
    proof.text = text_of(proof)
    proof.save(force_insert=True)
    return proof


def text_of(proof: WalletProof) -> str:
    """Return what the wallet signs; static/js/wallets.js knows this form and no other.

    Names are one line each, so that none can pretend to be another line.
    """
    chain = proof.safe.chain
    lines = {
        "Site": settings.WEBAUTHN_ORIGIN,
        "Wallet": proof.address_text,
        "Role": proof.role,
        "Account": proof.safe.address_text,
        "Account name": visible(proof.safe.name, limit=NAME_CHARACTERS),
        "Chain": str(chain.chain_id),
        "Person": visible(proof.user.name, limit=NAME_CHARACTERS),
        "Nonce": to_hex(proof.nonce),
        "Expires": proof.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    told = "\n".join(f"{name}: {value}" for name, value in lines.items())
    return f"{HEADING}\n\n{told}"


def answer(
    *, proof: WalletProof, signature: bytes, account: Address | None = None
) -> WalletProof:
    """Take what the wallet signed: PROVEN for a plain wallet, else SIGNED.

    The proof is spent by the conditional UPDATE, so one answer counts once.

    Args:
        account: which of its accounts the browser wallet says it used.

    Raises:
        AnotherAccountSigned: with both addresses; the proof stays open.
        SignatureRefused: too late, or nothing that a wallet signs.
    """
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise SignatureRefused("That is no signature of a wallet. Nothing was changed.")
    signer = _signer(proof.text, signature)
    address = Address(proof.address)
    is_plain = signer == address
    if not is_plain and account is not None and account != address:
        raise AnotherAccountSigned.instead_of(address, account)
    moved = proof.expires_at > timezone.now() and WalletProof.objects.transition(
        proof.pk,
        source=Status.OPEN,
        target=Status.PROVEN if is_plain else Status.SIGNED,
        signature=signature,
        signed_at=timezone.now(),
    )
    if not moved:
        raise SignatureRefused("This request expired. Sign the new text below.")
    proof.refresh_from_db()
    logger.info("wallet proof %s is %s", proof.pk, proof.status)
    if is_plain:
        _count(proof)
    return proof


def _signer(text: str, signature: bytes) -> Address | None:
    """Return which account signed the text, None where a contract may have."""
    try:
        return recovered_signer(personal_hash(text), signature)
    except EncodingError:
        return None


def check(*, proof: WalletProof, node: Node) -> None:
    """Ask a contract about its signed proof and remember its word.

    Safe to repeat. An address without code signed nothing, or with another account.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if proof.status != Status.SIGNED or proof.signature is None:
        return
    digest = personal_hash(proof.text)
    is_valid = contract_signatures.accepts(
        node=node,
        contract=Address(proof.address),
        # A Safe's message is the hash; other contracts hash what they are given.
        messages=[digest, personal_message(proof.text)],
        signature=bytes(proof.signature),
    )
    target = Status.PROVEN if is_valid else Status.REFUSED
    if WalletProof.objects.transition(proof.pk, source=Status.SIGNED, target=target):
        logger.info("wallet proof %s is %s", proof.pk, target)
        if is_valid:
            _count(proof)


def _count(proof: WalletProof) -> None:
    """Confirm a forming account; an owner is linked when owners are read again."""
    if proof.role == Role.OWNER:
        forming_accounts.confirm_wallet(proof=proof, kind=kind_of(proof))
        Safe.objects.filter(
            pk=proof.safe_id,
            owners__address=proof.address,
            owners__credential__isnull=True,
            owners__holder__isnull=True,
        ).update(owners_synced_block=None)


def is_proven(
    *,
    safe: Safe,
    address: Address,
    role: KeyProof.Role = Role.OWNER,
    user: User | None = None,
) -> bool:
    """Whether the wallet showed for exactly this account and role that it signs.

    Args:
        user: whose proof it must be; None: anybody's.
    """
    found = _proven(safe, [address], role)
    return (found if user is None else found.filter(user=user)).exists()


def proven(
    *, safe: Safe, addresses: Sequence[Address], role: KeyProof.Role = Role.OWNER
) -> dict[Address, WalletProof]:
    """Return, by address, who proved first to hold these wallets in a role."""
    found = _proven(safe, addresses, role).select_related("user", "safe")
    return {Address(proof.address): proof for proof in found.order_by("-pk")}


def _proven(
    safe: Safe, addresses: Sequence[Address], role: KeyProof.Role
) -> QuerySet[WalletProof]:
    return WalletProof.objects.filter(
        safe=safe, address__in=addresses, role=role, status=Status.PROVEN
    )


def latest(
    *, user: User, safe: Safe, address: Address, role: KeyProof.Role = Role.OWNER
) -> WalletProof | None:
    """Return the person's newest proof that was answered, None before the first."""
    own = WalletProof.objects.filter(user=user, safe=safe, address=address, role=role)
    return own.exclude(status=Status.OPEN).first()


def kind_of(proof: WalletProof) -> Owner.Kind:
    """Return what a proven proof shows the owner to be."""
    signer = _signer(proof.text, bytes(proof.signature or b""))
    return Owner.Kind.WALLET if signer == proof.address else Owner.Kind.CONTRACT


def sweep_expired() -> None:
    """Delete requests that nobody answered in time."""
    WalletProof.objects.filter(
        status=Status.OPEN, expires_at__lt=timezone.now()
    ).delete()
