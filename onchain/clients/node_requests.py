"""How values are written into a node's requests, and its errors read.

Source: https://ethereum.github.io/execution-apis/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onchain.clients.errors import AnswerTooLarge, ClientError, TransientClientError
from onchain.clients.json_rpc import RpcError
from onchain.clients.node_types import parse_data
from onchain.protocol.revert import decode_revert
from onchain.protocol.types import Address, Bytes32, checksum_address

# JSON-RPC server errors that say "later", not "no".
TRANSIENT_CODES = {-32603, -32005, -32002, -32001}
# EIP-1474, "Error codes": what no second try changes.
CODES = {
    -32700: "node-fields",
    -32602: "node-fields",
    -32601: "node-method",
    -32600: "node-fields",
    -32006: "node-method",
    -32004: "node-method",
}
# How nodes say that less should be asked at once. The codes do not tell: -32005 is a
# limit of results with one provider and a limit of requests with another, so only words
# count. geth: "response too large", "batch too large", "exceed maximum block range".
# Erigon: "query returns too many logs, narrow your filter", "query block range exceeds
# server limit". Nethermind: "Too many logs requested", "request was canceled due to
# enabled timeout". reth: "query exceeds max results". Alchemy: "Log response size
# exceeded", "Query timeout exceeded". Infura: "query returned more than 10000 results",
# "range 1000000 exceeds limit of 10000".
TOO_LARGE = re.compile(
    r"too many (results|logs)|(more than|max(imum)?) \d* ?(results|logs)"
    r"|(response|batch|range|query|content|result)( size| set)?( is)? (was )?"
    r"(too (large|big|wide|many)|exceed)"
    r"|exceeds? (the )?(max\w*|server|allowed|limit)"
    r"|(block|max) range|range limit|limited to a .*range|narrow (down )?your"
    r"|(query|request|execution) (timeout|timed out|was cancell?ed)"
    r"|batch (size )?limit",
    re.IGNORECASE,
)
# How nodes say that a contract's code came to a stop without REVERT. It is the
# contract's own doing and stays so: asked for ever, one hostile account would hold up
# everybody. geth and Erigon: core/vm/errors.go. reth and anvil: "EVM error
# InvalidFEOpcode". Nethermind: "VM execution error".
FAULT = re.compile(
    r"out of ?gas|invalid (op ?code|code|jump)|stack (underflow|limit|overflow)"
    r"|stack(under|over)flow|gas uint64 overflow|return data out of bounds"
    r"|write protection|max call depth|bad ?instruction"
    r"|\b(EVM|VM execution) error",
    re.IGNORECASE,
)
# A limit of requests asks for patience, not for smaller questions.
RATE_LIMIT = re.compile(
    r"\brate\b|per (second|minute|day)|daily|quota|capacity|throughput"
    r"|too many requests",
    re.IGNORECASE,
)


def eth_call(
    to: Address, data: bytes, sender: Address | None, block: str
) -> tuple[str, Sequence[object]]:
    """Return method and parameters of an eth_call at a block."""
    return "eth_call", (call_fields(to, data, sender), block)


def call_fields(
    to: Address, data: bytes, sender: Address | None, *, gas: int | None = None
) -> dict[str, str]:
    """Return the transaction object of eth_call and eth_estimateGas."""
    fields = {"to": text(to), "data": f"0x{data.hex()}"}
    if gas is not None:
        fields["gas"] = hex(gas)
    if sender is not None:
        fields["from"] = text(sender)
    return fields


def log_filter(block_hash: Bytes32, topics: Sequence[Bytes32]) -> dict[str, object]:
    """Return the filter of eth_getLogs for one block (EIP-234)."""
    return {
        "blockHash": f"0x{block_hash.hex()}",
        "topics": [[f"0x{topic.hex()}" for topic in topics]],
    }


def range_filter(
    first: int,
    last: int,
    *,
    topics: Sequence[Bytes32 | Sequence[Bytes32] | None],
    address: Address | None = None,
) -> dict[str, object]:
    """Return the filter of eth_getLogs for the blocks from ``first`` to ``last``."""
    fields: dict[str, object] = {
        "fromBlock": hex(first),
        "toBlock": hex(last),
        "topics": [_topic(topic) for topic in topics],
    }
    if address is not None:
        fields["address"] = text(address)
    return fields


def _topic(topic: Bytes32 | Sequence[Bytes32] | None) -> object:
    if topic is None:
        return None
    if isinstance(topic, bytes):
        return f"0x{topic.hex()}"
    return [f"0x{item.hex()}" for item in topic]


def translated(error: RpcError) -> ClientError | TransientClientError:
    """Return a node's error as one of the two kinds that callers know.

    A contract that comes to a stop in another way counts as one that reverted.
    """
    data = error.data
    is_revert = error.code == 3 or "revert" in error.message.lower()
    if is_revert or FAULT.search(error.message):
        reason = error.message
        if isinstance(data, str) and data.startswith("0x") and len(data) > 2:
            reason = decode_revert(parse_data(data))
        return ClientError("execution-reverted", reason)
    if error.code in TRANSIENT_CODES:
        return TransientClientError(f"node error {error.code}")
    return ClientError(CODES.get(error.code, "node-refused"), error.message)


def simulation_failure(error: RpcError) -> ClientError | TransientClientError:
    """Return the error of a simulated transaction; nodes word a lack of gas freely."""
    message = error.message.lower().replace(" ", "")
    if "outofgas" in message or "gastoolow" in message or "intrinsicgas" in message:
        return ClientError("out-of-gas", error.message)
    if "insufficientfunds" in message:
        return ClientError("insufficient-funds", error.message)
    return translated(error)


def translated_in_bulk(error: RpcError) -> ClientError | TransientClientError:
    """Return the error of a read that could be split; it may ask for just that."""
    if TOO_LARGE.search(error.message) and not RATE_LIMIT.search(error.message):
        return AnswerTooLarge(f"node error {error.code}")
    return translated(error)


def text(address: Address) -> str:
    """Return an address as JSON-RPC writes it."""
    return checksum_address(address)
