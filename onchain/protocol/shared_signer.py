"""The shared signer: one contract that checks passkeys for many accounts.

Sources: ``SafeWebAuthnSharedSigner.sol`` of the safe-passkey module 0.2.0,
``OwnerManager.sol`` of Safe 1.4.1. An account of the shared layout begins with it as
its owner, because an account that is put on chain by its own operation may touch no
storage but its own. That operation puts the passkey's own signer in its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.protocol.abi import decode
from onchain.protocol.deployments import (
    FCL_VERIFIER,
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
    VERIFIERS,
)
from onchain.protocol.errors import EncodingError
from onchain.protocol.owner_changes import swap_owner_call
from onchain.protocol.owners import create_signer_call
from onchain.protocol.p256 import require_public_key
from onchain.protocol.safe import factory_data
from onchain.protocol.types import SENTINEL_ADDRESS, Address, Call, PublicKey
from onchain.protocol.user_operation import Factory

GET_CONFIGURATION = "getConfiguration(address)"
# The Solidity verifier alone, which AbstractionKit 0.2.41 asks for by default.
VERIFIER_ALONE = int.from_bytes(FCL_VERIFIER, "big")
KNOWN_VERIFIERS = (VERIFIERS, VERIFIER_ALONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """The passkey that the shared signer checks for one account."""

    public_key: PublicKey
    verifiers: int  # uint176


def install_signer_calls(
    *,
    account: Address,
    public_key: PublicKey,
    signer: Address,
    verifiers: int = VERIFIERS,
) -> list[Call]:
    """Return the two calls that put a passkey's own signer in the shared one's place.

    For an account whose first owner the shared signer is: the Safe's list is linked,
    and names the owner before the one that goes.

    Raises:
        EncodingError: a point off the curve, verifiers too wide.
    """
    return [
        create_signer_call(public_key=public_key, verifiers=verifiers),
        swap_owner_call(
            account=account,
            previous=SENTINEL_ADDRESS,
            removed=SHARED_SIGNER,
            new=signer,
        ),
    ]


def account_factory(*, setup: bytes, salt_nonce: int) -> Factory:
    """Return who deploys an account by its own first operation, and how.

    Raises:
        EncodingError: a salt nonce wider than 256 bits.
    """
    data = factory_data(setup=setup, salt_nonce=salt_nonce)
    return Factory(address=SAFE_PROXY_FACTORY, data=data)


def decode_configuration(data: bytes) -> SharedKey | None:
    """Return what ``getConfiguration(account)`` answered; None where no key is set.

    The contract takes any two numbers from anybody: those that are no point on the
    curve are nobody's key, and count as none.

    Raises:
        EncodingError: not three words in their widths.
    """
    x, y, verifiers = decode(["uint256", "uint256", "uint176"], data)
    try:
        public_key = require_public_key(PublicKey(x=x, y=y))
    except EncodingError:
        return None
    return SharedKey(public_key=public_key, verifiers=verifiers)
