"""Proving that a passkey signs on chain, before its account's address is given.

The proof is an EIP-712 KeyProof (security.md R6): one touch, checked by the server
at once and by the chain through SafeWebAuthnSignerFactory.isValidSignatureForSigner,
which works before the signer is deployed.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import SignatureRefused
from onchain.models import KeyProof, Owner, Safe
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import SIGNER_FACTORY
from onchain.protocol.typed_data import key_proof_hash
from onchain.protocol.types import Address, Bytes32
from onchain.services import passkeys

logger = logging.getLogger(__name__)

PROOF_SECONDS = 300  # life of a nonce
FRESH_SECONDS = 120  # a page is given a nonce with at least this much life left
ROLE_OWNER = "owner"
EIP1271_MAGIC = bytes.fromhex("1626ba7e")
Status = KeyProof.Status


def own_owner(*, safe: Safe, user: User) -> Owner:
    """Return the person's own first passkey among the account's owners."""
    return passkeys.own_owners(safe=safe, user=user)[0]


def open_proof(*, owner: Owner) -> KeyProof:
    """Return a proof that waits for the touch, making one where none is fresh."""
    fresh = timezone.now() + timedelta(seconds=FRESH_SECONDS)
    proof = owner.proofs.filter(status=Status.OPEN, expires_at__gt=fresh).first()
    if proof is not None:
        return proof
    nonce = Bytes32(secrets.token_bytes(32))
    return KeyProof.objects.create(
        owner=owner,
        role=ROLE_OWNER,
        nonce=nonce,
        challenge=key_proof_hash(
            chain_id=owner.safe.chain.chain_id,
            signer=Address(owner.address),
            role=ROLE_OWNER,
            account=Address(owner.safe.address),
            public_key=owner.public_key,
            nonce=nonce,
        ),
        expires_at=timezone.now() + timedelta(seconds=PROOF_SECONDS),
    )


def latest(*, owner: Owner) -> KeyProof | None:
    """Return the newest proof that was answered, None before the first touch."""
    return owner.proofs.exclude(status=Status.OPEN).order_by("-pk").first()


def signing_request(*, proof: KeyProof) -> dict[str, object]:
    """Return what static/js/signing.js needs to recompute and sign the proof."""
    owner = proof.owner
    public_key = owner.public_key
    return {
        "kind": "KeyProof",
        "rpId": settings.WEBAUTHN_RP_ID,
        "allowCredentials": passkeys.allow_credentials([owner]),
        "hash": f"0x{proof.challenge.hex()}",
        "message": {
            "chainId": str(owner.safe.chain.chain_id),
            "verifyingContract": owner.address_text,
            "role": proof.role,
            "account": owner.safe.address_text,
            "x": str(public_key.x),
            "y": str(public_key.y),
            "nonce": f"0x{proof.nonce.hex()}",
        },
    }


def answer(*, owner: Owner, response: str) -> KeyProof:
    """Take the touch: the server checks it now, the chain is asked by a worker.

    The nonce is spent by the conditional UPDATE, so one answer counts once.

    Raises:
        SignatureRefused: with words; the owner stays unproven.
    """
    challenges = owner.proofs.filter(status=Status.OPEN, expires_at__gt=timezone.now())
    for proof in challenges.order_by("-pk"):
        try:
            _owner, signature = passkeys.verified_signature(
                owners=[owner], response=response, challenge=Bytes32(proof.challenge)
            )
        except SignatureRefused:
            if proof == challenges.order_by("pk").first():
                raise
            continue
        if KeyProof.objects.transition(
            proof.pk, source=Status.OPEN, target=Status.SIGNED, signature=signature
        ):
            proof.refresh_from_db()
            return proof
    raise SignatureRefused("This request expired. Touch your passkey once more.")


def check(*, proof: KeyProof, node: Node) -> None:
    """Ask the chain about a signed proof and remember its word.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if proof.status != Status.SIGNED or proof.signature is None:
        return
    owner = proof.owner
    data = call_data(
        "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)",
        proof.challenge,
        bytes(proof.signature),
        owner.public_key.x,
        owner.public_key.y,
        owner.safe.verifiers,
    )
    try:
        is_valid = node.call(SIGNER_FACTORY, data)[:4] == EIP1271_MAGIC
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        is_valid = False
    target = Status.PROVEN if is_valid else Status.REFUSED
    if not KeyProof.objects.transition(proof.pk, source=Status.SIGNED, target=target):
        return
    logger.info("key proof %s is %s", proof.pk, target)
    if is_valid:
        Owner.objects.filter(pk=owner.pk, proven_at__isnull=True).update(
            proven_at=timezone.now()
        )


def sweep_expired() -> None:
    """Delete requests that nobody answered in time."""
    KeyProof.objects.filter(status=Status.OPEN, expires_at__lt=timezone.now()).delete()
