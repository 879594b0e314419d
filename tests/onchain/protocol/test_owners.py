"""Reading owners and adding one, against safe-eth-py and the published interface."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safe_eth.eth.contracts import get_safe_V1_4_1_contract
from web3 import Web3

from onchain.protocol.abi import encode
from onchain.protocol.deployments import SIGNER_FACTORY, VERIFIERS
from onchain.protocol.errors import EncodingError
from onchain.protocol.events import (
    ADDED_OWNER,
    CHANGED_THRESHOLD,
    REMOVED_OWNER,
)
from onchain.protocol.owners import (
    add_owner_call,
    create_signer_call,
    decode_owners,
    decode_threshold,
    require_new_owner,
)
from onchain.protocol.safe import direct_setup, setup_owners
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    PublicKey,
    checksum_address,
)
from onchain.services import chain_events
from tests.onchain.protocol.conftest import artifact
from tests.soft_authenticator import SoftAuthenticator

ACCOUNT = Address(b"\xac" * 20)
OWNER = Address(b"\x0b" * 20)
SAFE = get_safe_V1_4_1_contract(Web3(), checksum_address(ACCOUNT))


def new_key() -> PublicKey:
    passkey = SoftAuthenticator()
    return PublicKey(
        x=int.from_bytes(passkey.x, "big"), y=int.from_bytes(passkey.y, "big")
    )


@pytest.mark.parametrize("threshold", [1, 2, 2**256 - 1])
def test_adding_an_owner_is_the_call_of_safe_eth_py(threshold: int):
    call = add_owner_call(account=ACCOUNT, owner=OWNER, threshold=threshold)

    expected = SAFE.encode_abi(
        "addOwnerWithThreshold", [checksum_address(OWNER), threshold]
    )
    assert call == Call(to=ACCOUNT, value_wei=0, data=bytes.fromhex(expected[2:]))
    assert call.data[:4].hex() == "0d582f13"


def test_creating_a_signer_is_the_call_of_the_published_factory():
    key = new_key()
    compiled = artifact(
        "safe-passkey/build/artifacts/contracts/SafeWebAuthnSignerFactory.sol/"
        "SafeWebAuthnSignerFactory.json"
    )
    factory = Web3().eth.contract(abi=compiled["abi"])

    call = create_signer_call(public_key=key)

    expected = factory.encode_abi("createSigner", [key.x, key.y, VERIFIERS])
    assert call.data == bytes.fromhex(expected[2:])
    assert (call.to, call.value_wei, call.operation) == (SIGNER_FACTORY, 0, 0)
    assert call.data[:4].hex() == "0d2f0489"


def test_a_key_off_the_curve_gets_no_signer():
    key = new_key()

    with pytest.raises(EncodingError):
        create_signer_call(public_key=PublicKey(x=key.x, y=key.y + 1))


@pytest.mark.parametrize("owner", [ZERO_ADDRESS, SENTINEL_ADDRESS, ACCOUNT])
def test_what_a_safe_refuses_as_an_owner_is_refused(owner: Address):
    with pytest.raises(EncodingError, match="cannot be an owner"):
        add_owner_call(account=ACCOUNT, owner=owner, threshold=1)

    with pytest.raises(EncodingError):
        require_new_owner(owner, account=ACCOUNT)


@pytest.mark.parametrize("threshold", [0, -1, 2**256])
def test_an_impossible_threshold_is_refused(threshold: int):
    with pytest.raises(EncodingError):
        add_owner_call(account=ACCOUNT, owner=OWNER, threshold=threshold)


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=5))
def test_owners_are_read_as_they_were_encoded(owners: list[bytes]):
    assert decode_owners(encode(["address[]"], [owners])) == owners


@pytest.mark.parametrize("data", [b"", b"\0" * 31, encode(["uint256"], [32])])
def test_what_is_no_list_of_owners_is_refused(data: bytes):
    with pytest.raises(EncodingError):
        decode_owners(data)


def test_a_threshold_is_one_word():
    assert decode_threshold(encode(["uint256"], [2])) == 2
    with pytest.raises(EncodingError):
        decode_threshold(b"")


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (ADDED_OWNER, "AddedOwner"),
        (REMOVED_OWNER, "RemovedOwner"),
        (CHANGED_THRESHOLD, "ChangedThreshold"),
    ],
)
def test_the_followed_topics_are_those_of_the_published_interface(
    topic: bytes, name: str
):
    assert SAFE.events[name]().topic == f"0x{topic.hex()}"
    assert topic in chain_events.FOLLOWED


# --- The owners that an account begins with -----------------------------------------------


@pytest.mark.parametrize("owners", [[OWNER], [OWNER, Address(b"\x0c" * 20)]])
def test_the_first_owners_are_read_out_of_the_setup(owners: list[Address]):
    assert setup_owners(direct_setup(owners=owners, threshold=1)) == owners


def test_what_is_no_setup_names_no_owners():
    with pytest.raises(EncodingError):
        setup_owners(add_owner_call(account=ACCOUNT, owner=OWNER, threshold=1).data)
