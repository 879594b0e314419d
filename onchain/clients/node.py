"""A chain's node: the Ethereum JSON-RPC methods this site needs.

Source: https://ethereum.github.io/execution-apis/. Every method returns protocol
values or raises one of the two errors of ``onchain.clients.errors``. Reads of blocks
and of accounts have modules of their own; here are the relayer's transactions.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import RpcError
from onchain.clients.node_accounts import AccountReads
from onchain.clients.node_blocks import BlockReads
from onchain.clients.node_configurations import ConfigurationReads
from onchain.clients.node_recovery import RecoveryReads
from onchain.clients.node_requests import (
    call_fields,
    simulation_failure,
    text,
    translated,
)
from onchain.clients.node_types import (
    parse_data,
    parse_gas_limit,
    parse_quantity,
    parse_time_and_fee,
)
from onchain.protocol.types import Address


@dataclass(frozen=True, slots=True)
class Node(BlockReads, AccountReads, ConfigurationReads, RecoveryReads):
    """One node, reached over HTTP."""

    def estimate_gas(
        self, *, sender: Address, to: Address, value: int, data: bytes
    ) -> int:
        """Return the gas a transaction would use on the pending state."""
        fields = call_fields(to, data, sender) | {"value": hex(value)}
        return parse_quantity(self._call("eth_estimateGas", fields, "pending"))

    def block_gas_limit(self) -> int:
        """Return how much gas the newest block may use."""
        return parse_gas_limit(self._call("eth_getBlockByNumber", "latest", False))

    def simulate(
        self, *, sender: Address, to: Address, value: int, data: bytes, gas_limit: int
    ) -> None:
        """Try a transaction on the pending state, within its gas limit.

        Raises:
            ClientError: it would fail; ``out-of-gas`` and ``insufficient-funds`` say
                what is too low.
        """
        fields = call_fields(to, data, sender)
        fields |= {"value": hex(value), "gas": hex(gas_limit)}
        try:
            parse_data(self.rpc.call("eth_call", fields, "pending"))
        except RpcError as error:
            raise simulation_failure(error) from None

    def relayer_snapshot(self, relayer: Address) -> tuple[int, int, int, int]:
        """Return (pending nonce, balance in wei, base fee, tip), both wei per gas."""
        nonce, balance, block, tip = self._batch(
            [
                ("eth_getTransactionCount", (text(relayer), "pending")),
                ("eth_getBalance", (text(relayer), "latest")),
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_maxPriorityFeePerGas", ()),
            ]
        )
        _timestamp, base_fee = parse_time_and_fee(block)
        return (
            parse_quantity(nonce),
            parse_quantity(balance),
            base_fee,
            parse_quantity(tip),
        )

    def nonce_and_balance(self, account: Address) -> tuple[int, int]:
        """Return (transactions in blocks, balance in wei)."""
        nonce, balance = self._batch(
            [
                ("eth_getTransactionCount", (text(account), "latest")),
                ("eth_getBalance", (text(account), "latest")),
            ]
        )
        return parse_quantity(nonce), parse_quantity(balance)

    def replacement_snapshot(self, relayer: Address) -> tuple[int, int, int]:
        """Return (nonces used in blocks, base fee, tip), both wei per gas."""
        used, block, tip = self._batch(
            [
                ("eth_getTransactionCount", (text(relayer), "latest")),
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_maxPriorityFeePerGas", ()),
            ]
        )
        _timestamp, base_fee = parse_time_and_fee(block)
        return parse_quantity(used), base_fee, parse_quantity(tip)

    def send_raw_transaction(self, raw: bytes) -> None:
        """Hand over a signed transaction; one that the node already has is fine.

        Raises:
            ClientError: the node refuses it, for instance ``nonce-too-low``.
        """
        try:
            self.rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}")
        except RpcError as error:
            message = error.message.lower()
            if "already known" in message or "already imported" in message:
                return
            if "insufficient funds" in message:
                # Nothing is wrong with it: the operator has to fund the relayer.
                raise TransientClientError("the relayer is out of funds") from None
            if "nonce too low" in message:
                raise ClientError("nonce-too-low", error.message) from None
            raise translated(error) from None
