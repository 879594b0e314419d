"""A chain's node: the Ethereum JSON-RPC methods this site needs.

Source: https://ethereum.github.io/execution-apis/. Every method returns protocol
values or raises one of the two errors of ``onchain.clients.errors``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.clients.node_requests import (
    call_fields,
    eth_call,
    log_filter,
    text,
    translated,
)
from onchain.clients.node_types import (
    AccountSnapshot,
    BlockRecord,
    LogRecord,
    Receipt,
    parse_block,
    parse_block_hash,
    parse_data,
    parse_list,
    parse_log,
    parse_quantity,
    parse_receipt,
    parse_time_and_fee,
    parse_word,
)
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.owners import (
    GET_OWNERS,
    GET_THRESHOLD,
    AccountOwners,
    decode_owners,
    decode_threshold,
)
from onchain.protocol.types import Address, Bytes32


@dataclass(frozen=True, slots=True)
class Node:
    """One node, reached over HTTP."""

    rpc: JsonRpc

    def chain_id(self) -> int:
        """Return the chain's EIP-155 id."""
        return parse_quantity(self._call("eth_chainId"))

    def head(self) -> BlockRecord:
        """Return the newest block with its transactions."""
        return parse_block(self._call("eth_getBlockByNumber", "latest", True))

    def chain_id_and_head(self) -> tuple[int, BlockRecord]:
        """Return the chain's id and its newest block, without its transactions."""
        chain_id, block = self._batch(
            [("eth_chainId", ()), ("eth_getBlockByNumber", ("latest", False))]
        )
        return parse_quantity(chain_id), parse_block(block)

    def blocks_with_logs(
        self, first: int, last: int, topics: Sequence[Bytes32]
    ) -> tuple[list[BlockRecord], list[LogRecord]]:
        """Return the blocks from ``first`` to ``last`` and their matching logs.

        Logs are asked for by block hash (EIP-234): a node that does not have the block
        says so, where a range would be answered with an empty list.
        """
        blocks = [
            parse_block(block)
            for block in self._batch(
                [
                    ("eth_getBlockByNumber", (hex(number), True))
                    for number in range(first, last + 1)
                ]
            )
        ]
        try:
            found = self._batch(
                [("eth_getLogs", (log_filter(block.hash, topics),)) for block in blocks]
            )
        except ClientError as error:
            raise TransientClientError(f"logs of a block: {error.code}") from error
        return blocks, [parse_log(log) for logs in found for log in parse_list(logs)]

    def block_hash(self, number: int) -> Bytes32 | None:
        """Return the hash of the block at this height, None above the head."""
        block = self._call("eth_getBlockByNumber", hex(number), False)
        return None if block is None else parse_block_hash(block)

    def balances(self, addresses: Sequence[Address]) -> list[int]:
        """Return balances in wei, in the order asked, at the newest block."""
        return [
            parse_quantity(balance)
            for balance in self._batch(
                [("eth_getBalance", (text(item), "latest")) for item in addresses]
            )
        ]

    def codes(self, addresses: Sequence[Address], block: str) -> list[bytes]:
        """Return the code at each address, empty where there is none."""
        return [
            parse_data(code)
            for code in self._batch(
                [("eth_getCode", (text(item), block)) for item in addresses]
            )
        ]

    def owners(
        self, accounts: Sequence[Address], block_hash: Bytes32
    ) -> list[AccountOwners | None]:
        """Return who signs for each account at a block, None where none says so.

        The block is named by its hash (EIP-1898): a node that does not have it says
        so, and the answers belong together.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        block = {"blockHash": f"0x{block_hash.hex()}"}
        answers = self.rpc.batch(
            [
                ("eth_call", (call_fields(account, call_data(question), None), block))
                for account in accounts
                for question in (GET_OWNERS, GET_THRESHOLD)
            ]
        )
        pairs = zip(answers[::2], answers[1::2], strict=True)
        return [_owners_of(*pair) for pair in pairs]

    def account_snapshot(
        self, account: Address, nonce_keys: Sequence[int]
    ) -> AccountSnapshot:
        """Return all that preparing an operation asks of the chain, in one request."""
        calls: list[tuple[str, Sequence[object]]] = [
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_getBalance", (text(account), "latest")),
            ("eth_maxPriorityFeePerGas", ()),
        ]
        for key in nonce_keys:
            data = call_data("getNonce(address,uint192)", account, key)
            calls.append(eth_call(ENTRY_POINT, data, None, "latest"))
        block, balance, tip, *nonces = self._batch(calls)
        timestamp, base_fee = parse_time_and_fee(block)
        return AccountSnapshot(
            head_timestamp=timestamp,
            base_fee_wei=base_fee,
            tip_wei=parse_quantity(tip),
            balance_wei=parse_quantity(balance),
            nonces={
                key: parse_word(nonce) & (2**64 - 1)
                for key, nonce in zip(nonce_keys, nonces, strict=True)
            },
        )

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        sender: Address | None = None,
        block: str = "latest",
    ) -> bytes:
        """Return what a call would return.

        Raises:
            ClientError: it reverts; the code is ``execution-reverted``.
        """
        method, params = eth_call(to, data, sender, block)
        return parse_data(self._call(method, *params))

    def estimate_gas(
        self, *, sender: Address, to: Address, value: int, data: bytes
    ) -> int:
        """Return the gas a transaction would use on the pending state."""
        fields = call_fields(to, data, sender) | {"value": hex(value)}
        return parse_quantity(self._call("eth_estimateGas", fields, "pending"))

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

    def receipts(self, hashes: Sequence[Bytes32]) -> list[Receipt | None]:
        """Return the receipts, None for a transaction that is not on chain."""
        answers = self._batch(
            [("eth_getTransactionReceipt", (f"0x{item.hex()}",)) for item in hashes]
        )
        return [None if item is None else parse_receipt(item) for item in answers]

    def _call(self, method: str, *params: object) -> Any:
        try:
            return self.rpc.call(method, *params)
        except RpcError as error:
            raise translated(error) from None

    def _batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        results = self.rpc.batch(calls)
        for result in results:
            if isinstance(result, RpcError):
                raise translated(result)
        return results


def _owners_of(owners: object, threshold: object) -> AccountOwners | None:
    for answer in (owners, threshold):
        if isinstance(answer, RpcError):
            error = translated(answer)
            if isinstance(error, ClientError) and error.code == "execution-reverted":
                return None
            raise TransientClientError(f"owners: {error}")
    try:
        return AccountOwners(
            owners=decode_owners(parse_data(owners)),
            threshold=decode_threshold(parse_data(threshold)),
        )
    except EncodingError:  # no code there, or of something else
        return None
