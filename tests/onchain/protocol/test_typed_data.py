"""Key proofs, against eth-account's EIP-712."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from onchain.protocol.errors import EncodingError
from onchain.protocol.typed_data import key_proof_hash
from onchain.protocol.types import PublicKey, checksum_address
from tests.onchain.protocol.vectors import CHAIN_ID, EOA, PUBLIC_KEY, RECIPIENT

PROOF = {
    "chain_id": CHAIN_ID,
    "signer": RECIPIENT,
    "role": "owner",
    "account": EOA,
    "public_key": PUBLIC_KEY,
    "nonce": bytes(range(32)),
}


@pytest.mark.parametrize("role", ["owner", "guardian", "", "rôle"])
def test_hashes_are_those_of_eth_account(role):
    kinds = "string role,address account,uint256 x,uint256 y,bytes32 nonce"
    names = [field.split() for field in kinds.split(",")]
    message = encode_typed_data(
        domain_data={
            "name": "Latchkey",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": checksum_address(RECIPIENT),
        },
        message_types={
            "KeyProof": [{"type": kind, "name": name} for kind, name in names]
        },
        message_data={
            "role": role,
            "account": checksum_address(EOA),
            "x": PUBLIC_KEY.x,
            "y": PUBLIC_KEY.y,
            "nonce": bytes(range(32)),
        },
    )

    expected = keccak(b"\x19" + message.version + message.header + message.body)

    assert key_proof_hash(**{**PROOF, "role": role}) == expected


def test_a_proof_is_good_for_one_use_only():
    changed = [
        {"chain_id": 1},
        {"signer": EOA},
        {"role": "guardian"},
        {"account": RECIPIENT},
        {"public_key": PublicKey(x=PUBLIC_KEY.x, y=PUBLIC_KEY.y + 1)},
        {"public_key": PublicKey(x=PUBLIC_KEY.x + 1, y=PUBLIC_KEY.y)},
        {"nonce": bytes(32)},
    ]

    digests = {key_proof_hash(**{**PROOF, **change}) for change in [{}, *changed]}

    assert len(digests) == 1 + len(changed)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": -1},
        {"chain_id": 2**256},
        {"signer": bytes(19)},
        {"account": bytes(21)},
        {"public_key": PublicKey(x=-1, y=0)},
        {"public_key": PublicKey(x=0, y=2**256)},
        {"nonce": bytes(31)},
        {"nonce": bytes(33)},
    ],
    ids=str,
)
def test_a_field_outside_its_width_is_refused(change):
    with pytest.raises(EncodingError):
        key_proof_hash(**{**PROOF, **change})
