"""The local chain's own conveniences: accounts without keys, code without a creator.

Source: anvil's JSON-RPC methods, https://getfoundry.sh/anvil/reference. No other chain
answers these methods, and only ``onchain.services.local_chain`` calls them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.protocol.types import Address, checksum_address, parse_hex, to_hex

# Enough for the largest contract; less than a block, so that two fit in one.
DEPLOYMENT_GAS = 12_000_000
RECEIPT_SECONDS = 20.0  # a block comes every second
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Anvil:
    """One anvil, reached over HTTP."""

    rpc: JsonRpc

    def version(self) -> str:
        """Return what the node calls itself: ``anvil/v1.7.1``."""
        return str(self._call("web3_clientVersion"))

    def accounts(self) -> list[Address]:
        """Return the accounts that anvil signs for, in the mnemonic's order."""
        return [Address(parse_hex(text)) for text in self._call("eth_accounts")]

    def nonce(self, account: Address) -> int:
        """Return how many transactions the account has sent, pending ones included."""
        text = checksum_address(account)
        return int(self._call("eth_getTransactionCount", text, "pending"), 16)

    def set_balance(self, account: Address, value_wei: int) -> None:
        """Give an account this balance."""
        self._call("anvil_setBalance", checksum_address(account), hex(value_wei))

    def set_code(self, address: Address, code: bytes) -> None:
        """Put runtime code at an address, without any constructor."""
        self._call("anvil_setCode", checksum_address(address), to_hex(code))

    def created_code(self, creation_code: bytes) -> bytes:
        """Return the runtime code that creation code leaves, without sending it."""
        fields = {"data": to_hex(creation_code)}
        return parse_hex(self._call("eth_call", fields, "latest"))

    def send(
        self, sender: Address, to: Address | None, data: bytes, value_wei: int = 0
    ) -> str:
        """Send a transaction from one of anvil's accounts; return its hash as text."""
        fields = {
            "from": checksum_address(sender),
            "data": to_hex(data),
            "gas": hex(DEPLOYMENT_GAS),
            "value": hex(value_wei),
        }
        if to is not None:
            fields["to"] = checksum_address(to)
        return str(self._call("eth_sendTransaction", fields))

    def send_raw(self, raw: str) -> str:
        """Send a signed transaction; return its hash as text."""
        return str(self._call("eth_sendRawTransaction", raw))

    def wait(self, hashes: Sequence[str]) -> None:
        """Return once every transaction is in a block and has succeeded.

        Raises:
            ClientError: one of them reverted.
            TransientClientError: no block took them in time.
        """
        deadline = time.monotonic() + RECEIPT_SECONDS
        waiting = list(hashes)
        while waiting:
            receipt = self._call("eth_getTransactionReceipt", waiting[0])
            if receipt is None:
                if time.monotonic() > deadline:
                    raise TransientClientError(f"no block took {waiting[0]}")
                time.sleep(POLL_SECONDS)
            elif int(receipt["status"], 16) != 1:
                raise ClientError("execution-reverted", f"transaction {waiting[0]}")
            else:
                waiting.pop(0)

    def _call(self, method: str, *params: object) -> Any:
        try:
            return self.rpc.call(method, *params)
        except RpcError as error:
            raise ClientError("node-refused", f"{method}: {error.message}") from None
