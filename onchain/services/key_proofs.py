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
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Credential, User
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.errors import NotYourAccount, SignatureRefused
from onchain.models import KeyProof, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import SHARED_SIGNER, SIGNER_FACTORY
from onchain.protocol.typed_data import key_proof_hash
from onchain.protocol.types import Address, Bytes32
from onchain.services import forming_accounts, passkeys, signers

logger = logging.getLogger(__name__)

PROOF_SECONDS = 300  # life of a nonce
FRESH_SECONDS = 120  # a page is given a nonce with at least this much life left
EIP1271_MAGIC = bytes.fromhex("1626ba7e")
Status = KeyProof.Status
Role = KeyProof.Role


def own_owner(*, safe: Safe, user: User) -> Owner:
    """Return the person's own first passkey among the account's owners.

    Raises:
        NotYourAccount: those that are left were removed here; the account can be
            looked at, and nothing should be sent to it.
    """
    owners = passkeys.own_owners(safe=safe, user=user)
    if not owners:
        raise NotYourAccount
    return owners[0]


def open_proof(
    *, credential: Credential, safe: Safe, role: KeyProof.Role = Role.OWNER
) -> KeyProof:
    """Return a proof that waits for the touch, making one where none is fresh.

    The passkey need not be an owner yet: it proves itself before it becomes one.
    """
    fresh = timezone.now() + timedelta(seconds=FRESH_SECONDS)
    waiting = _of(credential, safe, role).filter(status=Status.OPEN)
    proof = waiting.filter(expires_at__gt=fresh).first()
    if proof is not None:
        return proof
    nonce = Bytes32(secrets.token_bytes(32))
    public_key = public_key_of(credential)
    signer = signers.signer_for(public_key=public_key, safe=safe)
    return KeyProof.objects.create(
        credential=credential,
        safe=safe,
        role=role,
        signer=signer,
        nonce=nonce,
        challenge=key_proof_hash(
            chain_id=safe.chain.chain_id,
            signer=signer,
            role=role,
            account=Address(safe.address),
            public_key=public_key,
            nonce=nonce,
        ),
        expires_at=timezone.now() + timedelta(seconds=PROOF_SECONDS),
    )


def latest(
    *, credential: Credential, safe: Safe, role: KeyProof.Role = Role.OWNER
) -> KeyProof | None:
    """Return the newest proof that was answered, None before the first touch."""
    answered = _of(credential, safe, role).exclude(status=Status.OPEN)
    return answered.order_by("-pk").first()


def is_proven(
    *, credential: Credential, safe: Safe, role: KeyProof.Role = Role.OWNER
) -> bool:
    """Whether the passkey showed for exactly this account and role that it signs."""
    return _of(credential, safe, role).filter(status=Status.PROVEN).exists()


def signing_request(*, proof: KeyProof) -> dict[str, object]:
    """Return what static/js/signing.js needs to recompute and sign the proof."""
    public_key = proof.public_key
    return {
        "kind": "KeyProof",
        "rpId": settings.WEBAUTHN_RP_ID,
        "allowCredentials": passkeys.allow_credentials([proof.credential]),
        "hash": f"0x{proof.challenge.hex()}",
        "message": {
            "chainId": str(proof.safe.chain.chain_id),
            "verifyingContract": proof.signer_text,
            "role": proof.role,
            "account": proof.safe.address_text,
            "x": str(public_key.x),
            "y": str(public_key.y),
            "nonce": f"0x{proof.nonce.hex()}",
        },
    }


def answer(
    *,
    credential: Credential,
    safe: Safe,
    response: str,
    role: KeyProof.Role = Role.OWNER,
) -> KeyProof:
    """Take the touch: the server checks it now, the chain is asked by a worker.

    The nonce is spent by the conditional UPDATE, so one answer counts once.

    Raises:
        SignatureRefused: with words; the passkey stays unproven.
    """
    challenges = _of(credential, safe, role).filter(
        status=Status.OPEN, expires_at__gt=timezone.now()
    )
    for proof in challenges.order_by("-pk"):
        try:
            _credential, signature = passkeys.verified_signature(
                credentials=[credential],
                response=response,
                challenge=Bytes32(proof.challenge),
            )
        except SignatureRefused:
            if proof == challenges.order_by("pk").first():
                raise
            continue
        if KeyProof.objects.transition(
            proof.pk,
            source=Status.OPEN,
            target=Status.SIGNED,
            signature=signature,
            signed_at=timezone.now(),
        ):
            proof.refresh_from_db()
            return proof
    raise SignatureRefused("This request expired. Touch your passkey once more.")


def _of(credential: Credential, safe: Safe, role: KeyProof.Role) -> QuerySet[KeyProof]:
    return KeyProof.objects.filter(credential=credential, safe=safe, role=role)


def check(*, proof: KeyProof, node: Node) -> None:
    """Ask the chain about a signed proof and remember its word.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if proof.status != Status.SIGNED or proof.signature is None:
        return
    data = call_data(
        "isValidSignatureForSigner(bytes32,bytes,uint256,uint256,uint176)",
        proof.challenge,
        bytes(proof.signature),
        proof.public_key.x,
        proof.public_key.y,
        proof.safe.verifiers,
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
    if is_valid and proof.role == Role.OWNER:
        Owner.objects.filter(
            safe=proof.safe, credential=proof.credential, proven_at__isnull=True
        ).update(proven_at=timezone.now())
        forming_accounts.complete(safe=proof.safe)
        # One that was made an owner elsewhere is linked when the owners are read again.
        Safe.objects.filter(
            pk=proof.safe_id,
            owners__address__in=[proof.signer, SHARED_SIGNER],
            owners__credential__isnull=True,
        ).update(owners_synced_block=None)


def sweep_expired() -> None:
    """Delete requests that nobody answered in time."""
    KeyProof.objects.filter(status=Status.OPEN, expires_at__lt=timezone.now()).delete()
