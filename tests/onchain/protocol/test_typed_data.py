"""Key proofs and rehearsals, against eth-account's EIP-712."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from onchain.protocol import abi, recovery, safe_operation
from onchain.protocol.deployments import RECOVERY_MODULES, SAFE_4337_MODULE
from onchain.protocol.errors import EncodingError
from onchain.protocol.typed_data import key_proof_hash, recovery_drill_hash
from onchain.protocol.types import PublicKey, checksum_address
from tests.onchain.protocol.vectors import (
    CHAIN_ID,
    EOA,
    PUBLIC_KEY,
    RECIPIENT,
    operation,
)

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


DRILL = {
    "chain_id": CHAIN_ID,
    "account": EOA,
    "nonce": bytes(range(32)),
    "asked_at": 1_790_000_000,
}


def test_rehearsals_have_the_hash_of_eth_account():
    kinds = "string notice,address account,bytes32 nonce,uint64 askedAt"
    names = [field.split() for field in kinds.split(",")]
    for asked_at in (0, 1, 1_790_000_000, 2**64 - 1):
        message = encode_typed_data(
            domain_data={"name": "Latchkey", "version": "1", "chainId": CHAIN_ID},
            message_types={
                "RecoveryDrill": [{"type": kind, "name": name} for kind, name in names]
            },
            message_data={
                "notice": "This is a rehearsal. Nothing can happen to the account.",
                "account": checksum_address(EOA),
                "nonce": bytes(range(32)),
                "askedAt": asked_at,
            },
        )
        expected = keccak(b"\x19" + message.version + message.header + message.body)

        assert recovery_drill_hash(**{**DRILL, "asked_at": asked_at}) == expected


def test_a_rehearsal_is_for_one_account_and_one_time():
    changed = [
        {"chain_id": 1},
        {"account": RECIPIENT},
        {"nonce": bytes(32)},
        {"asked_at": 1_790_000_001},
    ]

    digests = {recovery_drill_hash(**{**DRILL, **change}) for change in [{}, *changed]}

    assert len(digests) == 1 + len(changed)


def test_a_rehearsal_in_no_width_of_its_own_is_refused():
    for change in (
        {"chain_id": -1},
        {"account": bytes(19)},
        {"nonce": bytes(31)},
        {"asked_at": -1},
        {"asked_at": 2**64},
    ):
        with pytest.raises(EncodingError):
            recovery_drill_hash(**{**DRILL, **change})


def test_a_rehearsal_is_never_a_recovery_an_operation_or_a_proof(monkeypatch):
    hashed = []

    def watched(*, domain, struct):
        # The domain's separator and type hash, and the type hash of the struct.
        hashed.append((keccak(domain), domain[:32], struct[:32]))
        return bytes(66)

    monkeypatch.setattr(abi, "typed_data", watched)
    monkeypatch.setattr(safe_operation, "typed_data", watched)
    contracts = [*RECOVERY_MODULES.values(), SAFE_4337_MODULE, EOA, RECIPIENT]
    for contract in contracts:
        asked = recovery.Recovery(
            module=contract, account=EOA, new_owners=[RECIPIENT], new_threshold=1
        )
        recovery.recovery_hash(asked, chain_id=CHAIN_ID, nonce=0)
        key_proof_hash(**{**PROOF, "signer": contract})
        times = {"valid_after": 0, "valid_until": 1}
        safe_operation.safe_operation_hash(
            operation(), chain_id=CHAIN_ID, module=contract, **times
        )
    others = hashed.copy()
    recovery_drill_hash(**DRILL)

    assert len(set(others)) == 3 * len(contracts)
    for own, place in zip(hashed[-1], range(3), strict=True):
        assert own not in {other[place] for other in others}
