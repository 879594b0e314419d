"""A file with everything public that rebuilds a person's accounts without this site.

Coordinates and ids are not secret, and losing them means no recovery. Private keys are
not here: this site never had one. Nothing of co-owners but what the chain shows.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from accounts.models import Credential, User
from accounts.strict_json import encode_base64url
from onchain.models import Chain, Owner, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import (
    CONTRACTS,
    SAFE_PROXY_INIT_CODE_HASH,
    VERIFIERS,
)
from onchain.protocol.safe import signer_address
from onchain.protocol.types import checksum_address, to_hex

FORMAT = "latchkey-export"
VERSION = 1
EXACT = 2**53 - 1  # the largest integer that every JSON reader keeps exact
NOTICE = (
    "Everything here is public. No private key is in this file: a passkey's private "
    "key never leaves its device or its provider, and this site never had it. The "
    "file alone moves nothing."
)
REBUILD = {
    "account": "CREATE2 by SafeProxyFactory; salt keccak256(keccak256(setupData) ++ "
    "uint256 saltNonce); init code hash safeProxyInitCodeHash. setupData is the call "
    "that createProxyWithNonce(SafeL2, setupData, saltNonce) makes.",
    "signer": "CREATE2 by SafeWebAuthnSignerFactory; salt 0; init code "
    "signerProxyCreationCode ++ abi.encode(SafeWebAuthnSignerSingleton, x, y, "
    "verifiers). The factory's createSigner(x, y, verifiers) deploys it.",
    "order": "Signers first, then the account, on the same chain or on another one "
    "that has the same contracts.",
    "verifiers": "uint176: the P-256 precompile (16 bits), then the verifier contract "
    "(160 bits).",
}

Members: TypeAlias = dict[str, object]


def of_person(*, user: User, now: datetime) -> Members:
    """Return the file's content as JSON members: the same for the same rows."""
    chains = Chain.objects.exclude(signer_proxy_code=None).order_by("chain_id")
    passkeys = Credential.objects.filter(user=user).order_by("pk")
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": now.isoformat(timespec="seconds"),
        "notice": NOTICE,
        "rpId": settings.WEBAUTHN_RP_ID,
        "origin": settings.WEBAUTHN_ORIGIN,
        "rebuild": REBUILD,
        "chains": [_chain(chain) for chain in chains],
        "accounts": [_account(safe, user) for safe in _accounts_of(user)],
        # The removed ones too: an account on chain may still name them.
        "passkeys": [_passkey(credential) for credential in passkeys],
    }


def _accounts_of(user: User) -> QuerySet[Safe]:
    owners = Owner.objects.select_related("credential").order_by("position", "pk")
    safes = Safe.objects.visible_to(user).select_related("chain").order_by("pk")
    # Nobody should have an address before its first owners have confirmed it.
    safes = safes.exclude(status=Safe.Status.FORMING)
    return safes.prefetch_related(Prefetch("owners", queryset=owners))


def _chain(chain: Chain) -> Members:
    return {
        "chainId": exact(chain.chain_id),
        "name": chain.name,
        "verifiers": str(VERIFIERS),
        "safeProxyInitCodeHash": to_hex(SAFE_PROXY_INIT_CODE_HASH),
        "signerProxyCreationCode": to_hex(bytes(chain.signer_proxy_code or b"")),
        "contracts": [
            {
                "name": contract.name,
                "version": contract.version,
                "address": checksum_address(contract.address),
                "codeHash": to_hex(contract.code_hash),
            }
            for contract in CONTRACTS
        ],
    }


def _account(safe: Safe, user: User) -> Members:
    return {
        "chainId": exact(safe.chain.chain_id),
        "address": safe.address_text,
        "name": safe.name,
        "layout": safe.layout,
        "saltNonce": str(safe.salt_nonce),
        "verifiers": str(safe.verifiers),
        "setupData": to_hex(bytes(safe.setup_data)),
        "threshold": safe.threshold,
        "isDeployed": safe.is_live,
        "deployedBlock": exact(safe.deployed_block),
        "owners": [_owner(owner, safe, user) for owner in safe.owners.all()],
    }


def _owner(owner: Owner, safe: Safe, user: User) -> Members:
    found: Members = {
        "address": owner.address_text,
        "kind": owner.kind,
        "isCurrent": owner.is_current,
    }
    credential = owner.credential
    if credential is None:
        return found
    found |= _public_key(credential) | {"signerAddress": _signer(credential, safe)}
    if credential.user_id == user.pk:
        # A co-owner's id is not on chain, so it is nobody else's.
        found["credentialId"] = encode_base64url(credential.credential_id)
    return found


def _passkey(credential: Credential) -> Members:
    return {
        "credentialId": encode_base64url(credential.credential_id),
        **_public_key(credential),
        "name": credential.name,
        "aaguid": str(credential.aaguid),
        "transports": credential.transports,
        "created": credential.created_at.isoformat(timespec="seconds"),
        "isRemoved": credential.removed_at is not None,
    }


def _public_key(credential: Credential) -> Members:
    return {
        "x": to_hex(credential.public_key_x),
        "y": to_hex(credential.public_key_y),
    }


def _signer(credential: Credential, safe: Safe) -> str:
    """Return the address of the passkey's own signer proxy, in either layout."""
    address = signer_address(
        public_key=public_key_of(credential),
        proxy_code=bytes(safe.chain.signer_proxy_code or b""),
        verifiers=safe.verifiers,
    )
    return checksum_address(address)


def exact(value: int | None) -> int | str | None:
    """Return an integer, as decimal text where JSON readers would round it."""
    return str(value) if value is not None and value > EXACT else value
