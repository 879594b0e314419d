"""A node's accounts: balances, code, owners, and the state that an operation needs.

Source: https://ethereum.github.io/execution-apis/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.clients.json_rpc import RpcError
from onchain.clients.node_endpoint import Call
from onchain.clients.node_isolation import IsolatedReads, read_call
from onchain.clients.node_requests import eth_call, text
from onchain.clients.node_types import (
    AccountSnapshot,
    parse_data,
    parse_quantity,
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
class AccountReads(IsolatedReads):
    """What is asked about accounts and contracts."""

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
        so, and the answers belong together. No account holds up the others.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        block = {"blockHash": f"0x{block_hash.hex()}"}
        groups = [owner_calls(account, block) for account in accounts]
        return [owners_of(*answers) for answers in self._each(groups, block)]

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


def owner_calls(account: Address, block: object) -> list[Call]:
    """Return the two questions that ``owners_of`` reads the answers of."""
    return [
        read_call(account, call_data(question), block)
        for question in (GET_OWNERS, GET_THRESHOLD)
    ]


def owners_of(owners: object, threshold: object) -> AccountOwners | None:
    """Return what an account answered to both questions, None where it did not."""
    if isinstance(owners, RpcError) or isinstance(threshold, RpcError):
        return None
    try:
        return AccountOwners(
            owners=decode_owners(parse_data(owners)),
            threshold=decode_threshold(parse_data(threshold)),
        )
    except EncodingError:  # no code there, or of something else
        return None
