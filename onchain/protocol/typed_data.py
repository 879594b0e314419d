"""EIP-712 messages of this site's own, which move nothing on chain.

Source: EIP-712, https://eips.ethereum.org/EIPS/eip-712. A key proof shows that the
holder of a passkey can sign, for one role on one account. The verifying contract is
the passkey's signer proxy, so that no proof is good for two passkeys. A rehearsal is
what guardians answer to show that they could recover an account: its domain names no
contract at all, so it is none that any contract would ask for.
"""

from __future__ import annotations

from onchain.protocol.abi import encode, keccak, typed_data_digest
from onchain.protocol.types import Address, Bytes32, PublicKey

DOMAIN_TYPEHASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,"
    b"address verifyingContract)"
)
DOMAIN_NAME = b"Latchkey"
DOMAIN_VERSION = b"1"
KEY_PROOF_TYPEHASH = keccak(
    b"KeyProof(string role,address account,uint256 x,uint256 y,bytes32 nonce)"
)

# Without a verifying contract: whoever checks a signature on chain names itself there.
DRILL_DOMAIN_TYPEHASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId)"
)
RECOVERY_DRILL_TYPEHASH = keccak(
    b"RecoveryDrill(string notice,address account,bytes32 nonce,uint64 askedAt)"
)
DRILL_NOTICE = "This is a rehearsal. Nothing can happen to the account."


def key_proof_hash(
    *,
    chain_id: int,
    signer: Address,
    role: str,
    account: Address,
    public_key: PublicKey,
    nonce: Bytes32,
) -> Bytes32:
    """Return the hash that a passkey signs to prove itself: 32 bytes.

    Hashed: KeyProof(string role,address account,uint256 x,uint256 y,bytes32 nonce)

    Args:
        signer: the passkey's signer proxy, deployed or not.
        role: what the passkey is to be on the account, for instance ``owner``.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    named = (DOMAIN_TYPEHASH, keccak(DOMAIN_NAME), keccak(DOMAIN_VERSION))
    domain = encode(
        ("bytes32", "bytes32", "bytes32", "uint256", "address"),
        (*named, chain_id, signer),
    )
    struct = encode(
        ("bytes32", "bytes32", "address", "uint256", "uint256", "bytes32"),
        (
            KEY_PROOF_TYPEHASH,
            keccak(role.encode()),
            account,
            public_key.x,
            public_key.y,
            nonce,
        ),
    )
    return typed_data_digest(domain=domain, struct=struct)


def recovery_drill_hash(
    *, chain_id: int, account: Address, nonce: Bytes32, asked_at: int
) -> Bytes32:
    """Return the hash that a guardian signs in a rehearsal: 32 bytes.

    Hashed: RecoveryDrill(string notice,address account,bytes32 nonce,uint64 askedAt)

    Args:
        account: the one that would be recovered.
        nonce: random, one for each rehearsal.
        asked_at: when guardians were asked, in Unix seconds.

    Raises:
        EncodingError: a field has no encoding in its width.
    """
    domain = encode(
        ("bytes32", "bytes32", "bytes32", "uint256"),
        (
            DRILL_DOMAIN_TYPEHASH,
            keccak(DOMAIN_NAME),
            keccak(DOMAIN_VERSION),
            chain_id,
        ),
    )
    struct = encode(
        ("bytes32", "bytes32", "address", "bytes32", "uint64"),
        (
            RECOVERY_DRILL_TYPEHASH,
            keccak(DRILL_NOTICE.encode()),
            account,
            nonce,
            asked_at,
        ),
    )
    return typed_data_digest(domain=domain, struct=struct)
