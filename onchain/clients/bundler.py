"""An ERC-4337 bundler.

Source: ERC-7769 (bundler JSON-RPC), formerly a section of ERC-4337. The bundler is
asked to carry operations and to estimate gas; what it says about inclusion is never
believed (security.md R46).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.clients.node_types import parse_hash, parse_quantity
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.types import Bytes32, checksum_address
from onchain.protocol.user_operation import UserOperationV07, to_rpc

ENTRY_POINT_CODE = re.compile(r"\b(AA\d\d)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class GasEstimate:
    """Gas amounts by ``eth_estimateUserOperationGas``."""

    call_gas_limit: int
    verification_gas_limit: int
    pre_verification_gas: int


@dataclass(frozen=True, slots=True)
class Bundler:
    """One bundler, reached over HTTP."""

    rpc: JsonRpc

    def chain_id(self) -> int:
        """Return the id of the chain it bundles for."""
        return parse_quantity(self._call("eth_chainId"))

    def estimate(self, op: UserOperationV07) -> GasEstimate:
        """Return gas estimates. The verification figure is not to be trusted alone.

        Raises:
            ClientError: the operation would fail.
        """
        fields = self._call(
            "eth_estimateUserOperationGas", to_rpc(op), checksum_address(ENTRY_POINT)
        )
        if not isinstance(fields, dict):
            raise TransientClientError("the estimate is not an object")
        return GasEstimate(
            call_gas_limit=parse_quantity(fields.get("callGasLimit")),
            verification_gas_limit=parse_quantity(fields.get("verificationGasLimit")),
            pre_verification_gas=parse_quantity(fields.get("preVerificationGas")),
        )

    def knows(self, user_operation_hash: Bytes32) -> bool:
        """Return whether the bundler holds the operation, pending or included."""
        text = f"0x{user_operation_hash.hex()}"
        return self._call("eth_getUserOperationByHash", text) is not None

    def send(self, op: UserOperationV07) -> Bytes32 | None:
        """Hand over an operation; return the bundler's hash of it.

        None: it was already known, which is as good.

        Raises:
            ClientError: refused; the code is the EntryPoint's (AA..) where it has one.
        """
        try:
            text = self.rpc.call(
                "eth_sendUserOperation", to_rpc(op), checksum_address(ENTRY_POINT)
            )
        except RpcError as error:
            if "already known" in error.message.lower():
                return None
            raise _translated(error) from None
        return parse_hash(text)

    def _call(self, method: str, *params: object) -> Any:
        try:
            return self.rpc.call(method, *params)
        except RpcError as error:
            raise _translated(error) from None


def _translated(error: RpcError) -> ClientError | TransientClientError:
    found = ENTRY_POINT_CODE.search(error.message)
    if found is not None:
        return ClientError(found.group(1), error.message)
    if error.code == -32603 or "fetch failed" in error.message.lower():
        return TransientClientError(f"bundler error {error.code}")
    if error.code in {-32521, -32500} or "revert" in error.message.lower():
        return ClientError("execution-reverted", error.message)
    return ClientError("bundler-refused", error.message)
