"""Who may sign for an account: reading the list, and adding a passkey to it.

Sources: ``OwnerManager.sol`` of Safe 1.4.1 and ``SafeWebAuthnSignerFactory.sol`` of the
safe-passkey module 0.2.0. Only the account itself may change its owners, so a change
is a call to itself inside one of its own operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.protocol.abi import call_data, decode
from onchain.protocol.deployments import SIGNER_FACTORY, VERIFIERS
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe import create_signer_data
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    PublicKey,
    checksum_address,
    to_address,
)

ADD_OWNER = "addOwnerWithThreshold(address,uint256)"
GET_OWNERS = "getOwners()"
GET_THRESHOLD = "getThreshold()"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOwners:
    """Who may sign for an account, and how many of them must."""

    owners: Sequence[Address]  # in the Safe's own order
    threshold: int


def create_signer_call(*, public_key: PublicKey, verifiers: int = VERIFIERS) -> Call:
    """Return the call that puts a passkey's signer proxy on chain.

    Anyone may make it, and making it again changes nothing.

    Raises:
        EncodingError: a point off the curve, verifiers too wide.
    """
    data = create_signer_data(public_key=public_key, verifiers=verifiers)
    return Call(to=SIGNER_FACTORY, value_wei=0, data=data)


def add_owner_call(*, account: Address, owner: Address, threshold: int) -> Call:
    """Return the account's call to itself that adds an owner and sets the threshold.

    Raises:
        EncodingError: an owner that the Safe would refuse (zero, the sentinel, the
            account itself), or a threshold below 1 or too wide.
    """
    require_new_owner(owner, account=account)
    if threshold < 1:
        raise EncodingError("the threshold is at least 1")
    data = call_data(ADD_OWNER, owner, threshold)
    return Call(to=account, value_wei=0, data=data)


def require_new_owner(owner: Address, *, account: Address) -> Address:
    """Return the same address as one that may become an owner of the account.

    Raises:
        EncodingError: zero, the sentinel or the account itself.
    """
    if owner in {ZERO_ADDRESS, SENTINEL_ADDRESS, account}:
        raise EncodingError(f"{checksum_address(owner)} cannot be an owner")
    return owner


def decode_owners(data: bytes) -> list[Address]:
    """Return the addresses that ``getOwners()`` answered, in the Safe's order.

    Raises:
        EncodingError: not the canonical encoding of a list of addresses.
    """
    (owners,) = decode(["address[]"], data)
    return [to_address(owner) for owner in owners]


def decode_threshold(data: bytes) -> int:
    """Return the number that ``getThreshold()`` answered.

    Raises:
        EncodingError: not one word.
    """
    (threshold,) = decode(["uint256"], data)
    return int(threshold)
