"""A paymaster web service on 127.0.0.1 that signs with a VerifyingPaymaster's key.

It speaks ERC-7677 over HTTP, and what it signs is accepted by the real contract. It
signs for ten minutes, whatever the operation says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct

from onchain.protocol.paymaster import (
    verifying_paymaster_data,
    verifying_paymaster_hash,
)
from onchain.protocol.types import Address, checksum_address
from onchain.protocol.user_operation import Paymaster, UserOperationV07, from_rpc
from tests.stub_rpc import StubRpc

STUB, DATA = "pm_getPaymasterStubData", "pm_getPaymasterData"
VERIFICATION_GAS = 61_000  # gas, another figure than this site's own


class PaymasterServer(StubRpc):
    """``changes`` are made to every answer; None takes a field out."""

    def __init__(
        self, *, paymaster: Address, private_key: str, valid_until: int
    ) -> None:
        super().__init__()
        self.paymaster = paymaster
        self.private_key = private_key
        self.valid_until = valid_until
        self.changes: dict[str, Any] = {}
        self.asked: list[tuple[Any, ...]] = []  # the parameters of each call
        self.answers = {STUB: self._stub, DATA: self._data}

    def _stub(self, fields: dict[str, Any], *rest: Any) -> dict[str, Any]:
        self.asked.append((fields, *rest))
        return self._changed(
            {
                **self._fields(self._signature(bytes(32))),
                "paymasterVerificationGasLimit": hex(VERIFICATION_GAS),
                "paymasterPostOpGasLimit": "0x0",
                "sponsor": {"name": "Gas & Co"},
            }
        )

    def _data(
        self, fields: dict[str, Any], entry_point: str, chain_id: str, context: Any
    ) -> dict[str, Any]:
        self.asked.append((fields, entry_point, chain_id, context))
        digest = verifying_paymaster_hash(
            from_rpc(fields),
            chain_id=int(chain_id, 16),
            paymaster=self.paymaster,
            valid_until=self.valid_until,
            valid_after=0,
        )
        return self._changed(self._fields(self._signature(digest)))

    def _fields(self, signature: bytes) -> dict[str, Any]:
        data = verifying_paymaster_data(
            valid_until=self.valid_until, valid_after=0, signature=signature
        )
        return {
            "paymaster": checksum_address(self.paymaster),
            "paymasterData": f"0x{data.hex()}",
        }

    def _signature(self, digest: bytes) -> bytes:
        signed = Account.sign_message(encode_defunct(digest), self.private_key)
        return bytes(signed.signature)

    def _changed(self, answer: dict[str, Any]) -> dict[str, Any]:
        return answer | self.changes


def with_stub(op: UserOperationV07, paymaster: Address) -> UserOperationV07:
    """Return an operation as it is after the stub."""
    stub = Paymaster(
        address=paymaster,
        verification_gas_limit=VERIFICATION_GAS,
        post_op_gas_limit=0,
        data=bytes(129),
    )
    return replace(op, paymaster=stub)
