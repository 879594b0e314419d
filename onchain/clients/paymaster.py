"""A paymaster web service.

Source: ERC-7677, https://eips.ethereum.org/EIPS/eip-7677, for EntryPoint v0.7. What it
answers is a proposal: whether it holds is asked of the chain, not of the service. Its
URL may hold a key, and is named nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.revert import visible
from onchain.protocol.rpc_fields import read_address, read_bytes, read_quantity
from onchain.protocol.types import checksum_address
from onchain.protocol.user_operation import Paymaster, UserOperationV07, to_rpc

DATA_LIMIT = 4_096  # bytes; the longest known are some hundred
NAME_LIMIT = 59  # characters, and an ellipsis: what the column holds
GAS_BITS = 128
# Where a service leaves it open, which the ERC lets it. Unused, it costs nothing.
DEFAULT_VERIFICATION_GAS = 150_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymasterOffer:
    """What the operation's gas is estimated with."""

    paymaster: Paymaster
    is_final: bool  # the service need not be asked again
    sponsor_name: str  # as it calls itself; may be empty


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymasterService:
    """One service, reached over HTTP."""

    rpc: JsonRpc
    context: Mapping[str, object] = field(default_factory=dict, repr=False)

    def stub(self, op: UserOperationV07, *, chain_id: int) -> PaymasterOffer:
        """Return ``pm_getPaymasterStubData`` of an operation without a paymaster.

        Raises:
            ClientError: the service does not sponsor it.
            TransientClientError: no usable answer.
        """
        answer = self._ask("pm_getPaymasterStubData", op, chain_id)
        if answer.get("paymasterPostOpGasLimit") is None:
            # Whoever pays for that gas has to say how much it is.
            raise TransientClientError("a stub without paymasterPostOpGasLimit")
        is_final = answer.get("isFinal", False)
        if not isinstance(is_final, bool):
            raise TransientClientError("isFinal is not a boolean")
        return PaymasterOffer(
            paymaster=_paymaster(answer, DEFAULT_VERIFICATION_GAS, 0),
            is_final=is_final,
            sponsor_name=_sponsor_name(answer.get("sponsor")),
        )

    def data(self, op: UserOperationV07, *, chain_id: int) -> Paymaster:
        """Return ``pm_getPaymasterData`` of an operation that carries the stub.

        Raises:
            ClientError: the service does not sponsor it.
            TransientClientError: no usable answer.
        """
        if op.paymaster is None:
            raise ValueError("the operation has no stub")
        answer = self._ask("pm_getPaymasterData", op, chain_id)
        stub = op.paymaster
        return _paymaster(answer, stub.verification_gas_limit, stub.post_op_gas_limit)

    def _ask(
        self, method: str, op: UserOperationV07, chain_id: int
    ) -> dict[str, object]:
        fields = to_rpc(op)
        del fields["signature"]  # the account signs after the paymaster
        params = (fields, checksum_address(ENTRY_POINT), hex(chain_id), self.context)
        try:
            answer: Any = self.rpc.call(method, *params)
        except RpcError as error:
            raise ClientError("sponsor-declined", error.message) from None
        if not isinstance(answer, dict):
            raise TransientClientError("the answer is not an object")
        return answer


def _paymaster(
    answer: Mapping[str, object], verification_gas: int, post_op_gas: int
) -> Paymaster:
    """Return the paymaster of an answer; gas it leaves out is what is given here."""
    present = {name: value for name, value in answer.items() if value is not None}
    limits = {
        "paymasterVerificationGasLimit": verification_gas,
        "paymasterPostOpGasLimit": post_op_gas,
    }
    try:
        for name in limits:
            if name in present:
                limits[name] = read_quantity(present, name, GAS_BITS)
        data = read_bytes(present, "paymasterData")
        address = read_address(present, "paymaster")
    except KeyError as error:
        raise TransientClientError(f"an answer without {error.args[0]}") from None
    except EncodingError as error:
        raise TransientClientError(visible(str(error), limit=100)) from None
    if len(data) > DATA_LIMIT:
        raise TransientClientError("paymasterData is too long")
    return Paymaster(
        address=address,
        verification_gas_limit=limits["paymasterVerificationGasLimit"],
        post_op_gas_limit=limits["paymasterPostOpGasLimit"],
        data=data,
    )


def _sponsor_name(sponsor: object) -> str:
    """Return what the service calls itself, as text that hides nothing (R34)."""
    if sponsor is None:
        return ""
    name = sponsor.get("name") if isinstance(sponsor, dict) else None
    if not isinstance(name, str):
        raise TransientClientError("a sponsor without a name")
    return visible(name, limit=NAME_LIMIT)
