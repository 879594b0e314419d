"""The sponsor: the operator's own VerifyingPaymaster, or a paymaster service.

A sponsor first offers a paymaster to estimate gas with, then grants one for the whole
operation, which is itself part of what the passkey signs (security.md R57). Whether it
is asked at all is decided by ``sponsor_limits``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from eth_account import Account
from eth_account.messages import encode_defunct

from onchain.models import Chain, Unsponsored
from onchain.protocol.paymaster import (
    verifying_paymaster_data,
    verifying_paymaster_hash,
)
from onchain.protocol.types import Address, to_address
from onchain.protocol.user_operation import Paymaster, UserOperationV07

VERIFICATION_GAS = 60_000  # gas
POST_OP_GAS = 0  # VerifyingPaymaster has no postOp
SPONSORED_SECONDS = 600  # life of an operation that one passkey signs (R57)


class SponsorFailed(Exception):
    """The sponsor does not pay for this operation; ``reason`` says why."""

    def __init__(self, reason: Unsponsored) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The sponsor's signed word for one operation."""

    paymaster: Paymaster
    valid_until: int  # seconds, chain time
    name: str = ""  # as a paymaster service calls itself


class Sponsor(Protocol):
    """Somebody who pays fees."""

    @property
    def watched(self) -> Address | None:
        """The paymaster whose deposit this site watches, None for another's."""

    def offer(self, *, op: UserOperationV07) -> Paymaster:
        """Return a paymaster to estimate the operation's gas with.

        Raises:
            SponsorFailed: it does not pay for this one.
        """

    def grant(self, *, op: UserOperationV07, valid_until: int) -> Grant:
        """Return the paymaster that the operation carries. ``op`` has the offer's.

        The grant holds until ``valid_until`` or less.

        Raises:
            SponsorFailed: it does not pay for this one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSponsor:
    """The operator's VerifyingPaymaster, signed for by this site."""

    address: Address
    chain: Chain
    private_key: str = field(repr=False)

    @property
    def watched(self) -> Address:
        """The paymaster itself."""
        return self.address

    def offer(self, *, op: UserOperationV07) -> Paymaster:
        """Return the paymaster with a signature over nothing."""
        return _stub(self.address, self.private_key)

    def grant(self, *, op: UserOperationV07, valid_until: int) -> Grant:
        """Return the paymaster with the signature over this operation."""
        paymaster = signed(
            op=op,
            chain=self.chain,
            valid_until=valid_until,
            private_key=self.private_key,
        )
        return Grant(paymaster=paymaster, valid_until=valid_until)


def own(*, chain: Chain, private_key: str) -> OwnSponsor | None:
    """Return the operator's own sponsor, None where no paymaster is configured."""
    address = paymaster_address()
    if address is None:
        return None
    return OwnSponsor(address=address, chain=chain, private_key=private_key)


def paymaster_address() -> Address | None:
    """Return the configured VerifyingPaymaster, None where there is none."""
    text = settings.PAYMASTER_ADDRESS
    return to_address(text) if text else None


def stub(*, private_key: str) -> Paymaster | None:
    """Return the own paymaster for gas estimation, None where there is none."""
    address = paymaster_address()
    return None if address is None else _stub(address, private_key)


def _stub(address: Address, private_key: str) -> Paymaster:
    """Return a paymaster with a real signature over nothing.

    VerifyingPaymaster reverts on bytes that recover to no address, while a wrong
    signer only fails validation.
    """
    return Paymaster(
        address=address,
        verification_gas_limit=VERIFICATION_GAS,
        post_op_gas_limit=POST_OP_GAS,
        data=verifying_paymaster_data(
            valid_until=2**48 - 1,
            valid_after=0,
            signature=_signature(bytes(32), private_key),
        ),
    )


def signed(
    *, op: UserOperationV07, chain: Chain, valid_until: int, private_key: str
) -> Paymaster:
    """Return the paymaster with the sponsor's signature over the whole operation.

    ``op`` carries the stub, whose address and gas limits are part of the hash.
    """
    if op.paymaster is None:
        raise ValueError("the operation has no paymaster to sign for")
    digest = verifying_paymaster_hash(
        op,
        chain_id=chain.chain_id,
        paymaster=op.paymaster.address,
        valid_until=valid_until,
        valid_after=0,
    )
    return Paymaster(
        address=op.paymaster.address,
        verification_gas_limit=op.paymaster.verification_gas_limit,
        post_op_gas_limit=op.paymaster.post_op_gas_limit,
        data=verifying_paymaster_data(
            valid_until=valid_until,
            valid_after=0,
            signature=_signature(digest, private_key),
        ),
    )


def _signature(digest: bytes, private_key: str) -> bytes:
    """Return the 65-byte eth_sign signature (EIP-191) of a hash."""
    signed_message = Account.sign_message(encode_defunct(digest), private_key)
    return bytes(signed_message.signature)
