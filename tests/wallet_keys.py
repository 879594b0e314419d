"""Wallets with real keys: what an externally owned account signs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from accounts.models import User
from onchain.models import Owner, Safe
from onchain.protocol.abi import encode, keccak
from onchain.protocol.types import Address
from tests.onchain.protocol.vectors import CHAIN_ID

# Type hashes of Safe 1.4.1: SafeMessage(bytes message), and its domain without a name.
SAFE_MESSAGE = "60b3cbf8b4a223d68d641b3b6ddf9a298e7f33710cf3d3a9d1146b5a6150fbca"
DOMAIN = "47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218"


def new_account() -> LocalAccount:
    """Return a key that nobody else has."""
    return Account.from_key(secrets.token_bytes(32))


def safe_message_hash(safe: Address, message: bytes) -> bytes:
    """Return what a Safe's own owners sign for ``isValidSignature(bytes,bytes)``."""
    domain = encode(
        ("bytes32", "uint256", "address"), (bytes.fromhex(DOMAIN), CHAIN_ID, safe)
    )
    struct = bytes.fromhex(SAFE_MESSAGE) + keccak(message)
    return keccak(b"\x19\x01" + keccak(domain) + keccak(struct))


@dataclass(frozen=True, kw_only=True)
class SoftWallet:
    """A browser wallet with one account, without the browser."""

    account: LocalAccount = field(default_factory=new_account)

    @property
    def address(self) -> Address:
        """The account's 20 bytes."""
        return Address(bytes.fromhex(self.address_text[2:]))

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return str(self.account.address)

    def sign_hash(self, digest: bytes) -> bytes:
        """Return r || s || v of a 32-byte hash, as eth_signTypedData_v4 answers."""
        return bytes(self.account.unsafe_sign_hash(digest).signature)

    def sign_text(self, text: str) -> bytes:
        """Return what personal_sign answers."""
        return bytes(self.account.sign_message(encode_defunct(text=text)).signature)


def make_wallet_owner(
    wallet: SoftWallet, *, safe: Safe, holder: User | None = None, **fields: object
) -> Owner:
    """Return the wallet as a current owner of the account, linked to its holder."""
    defaults = {
        "kind": Owner.Kind.WALLET,
        "address": wallet.address,
        "position": safe.owners.count(),
        "holder": holder,
    }
    return Owner.objects.create(safe=safe, **defaults | fields)
