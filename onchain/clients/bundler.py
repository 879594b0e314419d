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
# ERC-7769, "error codes"; the ones below -32507 by JSON-RPC 2.0 and by practice.
CODES = {
    -32500: "bundler-validation-failed",
    -32501: "bundler-sponsor-refused",
    -32502: "bundler-forbidden-code",
    -32503: "bundler-out-of-time",
    -32504: "bundler-throttled",
    -32505: "bundler-stake-too-low",
    -32506: "bundler-aggregator-unknown",
    -32507: "bundler-signature-failed",
    -32508: "bundler-sponsor-overdrawn",
    -32521: "execution-reverted",
    -32600: "bundler-fields",
    -32601: "bundler-method",
    -32602: "bundler-fields",
    -32700: "bundler-fields",
}
# What bundlers say under several numbers, some of it with an AA code that means more
# when the EntryPoint says it.
CODES_BY_WORDS = {
    "already being processed": "bundler-nonce-held",
    "bump the gas price": "bundler-nonce-held",
    "underpriced": "bundler-nonce-held",
    "maximum number of parallel": "bundler-throttled",
    "maxfeepergas must be": "bundler-fee-too-low",
    "maxpriorityfeepergas must be": "bundler-fee-too-low",
    "preverificationgas is not enough": "bundler-fee-too-low",
    "insufficient funds": "insufficient-funds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GasEstimate:
    """Gas amounts by ``eth_estimateUserOperationGas``."""

    call_gas_limit: int
    verification_gas_limit: int
    pre_verification_gas: int


@dataclass(frozen=True, slots=True)
class Bundler:
    """One bundler, reached over HTTP.

    ``substitute`` is another one's endpoint, which estimates while this one is away.
    """

    rpc: JsonRpc
    substitute: JsonRpc | None = None

    def chain_id(self) -> int:
        """Return the id of the chain it bundles for."""
        return parse_quantity(self._call("eth_chainId"))

    def estimate(self, op: UserOperationV07) -> GasEstimate:
        """Return gas estimates. The verification figure is not to be trusted alone.

        Raises:
            ClientError: the operation would fail.
        """
        params = (to_rpc(op), checksum_address(ENTRY_POINT))
        try:
            fields = self._call("eth_estimateUserOperationGas", *params)
        except TransientClientError:
            if self.substitute is None:
                raise
            fields = Bundler(self.substitute)._call(
                "eth_estimateUserOperationGas", *params
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
    """Return a bundler's error as one of the two kinds that callers know."""
    message = error.message.lower()
    for words, code in CODES_BY_WORDS.items():
        if words in message:
            return ClientError(code, error.message)
    found = ENTRY_POINT_CODE.search(error.message)
    if found is not None:
        return ClientError(found.group(1), error.message)
    if error.code == -32603 or "fetch failed" in message:
        return TransientClientError(f"bundler error {error.code}")
    code = CODES.get(error.code, "bundler-refused")
    if code == "bundler-refused" and "revert" in message:
        code = "execution-reverted"
    return ClientError(code, error.message)
