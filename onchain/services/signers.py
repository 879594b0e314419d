"""The signer proxy of a passkey: the address that stands among an account's owners."""

from __future__ import annotations

from onchain.models import Chain, Safe
from onchain.protocol.deployments import VERIFIERS
from onchain.protocol.safe import signer_address
from onchain.protocol.types import Address, PublicKey


def signer_for(*, public_key: PublicKey, safe: Safe) -> Address:
    """Return the address of a passkey's signer proxy for one account.

    An account made elsewhere may have other verifiers, and with them other signers.

    Raises:
        ValueError: the account's chain has not been verified.
    """
    return signer_of(public_key=public_key, chain=safe.chain, verifiers=safe.verifiers)


def signer_of(
    *, public_key: PublicKey, chain: Chain, verifiers: int = VERIFIERS
) -> Address:
    """Return the address of a passkey's signer proxy, deployed or not.

    Raises:
        ValueError: the chain has not been verified, so its proxy code is not known.
    """
    if chain.signer_proxy_code is None:
        raise ValueError(f"{chain} has not been verified")
    return signer_address(
        public_key=public_key,
        proxy_code=bytes(chain.signer_proxy_code),
        verifiers=verifiers,
    )
