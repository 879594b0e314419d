"""What the chain itself says, asked past the site: the oracle of the browser tests."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_utils.crypto import keccak

from onchain.clients.json_rpc import JsonRpc, RpcError
from onchain.protocol.abi import call_data
from onchain.protocol.types import Address, Call, checksum_address, to_address
from tests.e2e.outages import eventually

EVENT = "UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)"
ETH = 10**18  # wei
# The last of anvil's own accounts, by address: the node's list has those as well in whose
# name somebody else acts at the moment. One for each test process, for a node may give
# two payments of one account the same nonce.
RICH_ACCOUNTS = (
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
)
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
RICH = RICH_ACCOUNTS[WORKER % len(RICH_ACCOUNTS)]


@dataclass(frozen=True, slots=True)
class Ledger:
    """One chain behind a node's URL; addresses are text, as the pages show them."""

    node_url: str

    def call(self, method: str, *params: object) -> Any:
        """Return the result of one JSON-RPC call."""
        return JsonRpc(url=self.node_url, timeout=30.0).call(method, *params)

    def read(self, account: str, signature: str, *types: str) -> tuple[Any, ...]:
        """Return what a function without arguments of a contract answers."""
        call = {"to": account, "data": f"0x{keccak(text=signature)[:4].hex()}"}
        answer = self.call("eth_call", call, "latest")
        return decode(types, bytes.fromhex(answer[2:]))

    def owners(self, account: str) -> list[str]:
        """Return the owners of a Safe, checksummed."""
        (owners,) = self.read(account, "getOwners()", "address[]")
        return [checksum_address(Address(bytes.fromhex(item[2:]))) for item in owners]

    def threshold(self, account: str) -> int:
        """Return how many owners of a Safe must sign."""
        return int(self.read(account, "getThreshold()", "uint256")[0])

    def guardians(self, account: str, module: str) -> list[str]:
        """Return whom a recovery module names as guardians of a Safe, checksummed."""
        asked = call_data("getGuardians(address)", to_address(account))
        call = {"to": module, "data": f"0x{asked.hex()}"}
        answer = self.call("eth_call", call, "latest")
        (found,) = decode(["address[]"], bytes.fromhex(answer[2:]))
        return [checksum_address(Address(bytes.fromhex(item[2:]))) for item in found]

    def refusal(self, to: str, data: bytes) -> str:
        """Return why a call would fail if anybody sent it now; empty: it would not."""
        try:
            self.call("eth_call", {"to": to, "data": f"0x{data.hex()}"}, "latest")
        except RpcError as error:
            return str(error)
        return ""

    def has_code(self, account: str) -> bool:
        """True once a contract is there."""
        return self.call("eth_getCode", account, "latest") != "0x"

    def balance_wei(self, account: str) -> int:
        """Return what an account has at the newest block."""
        return int(self.call("eth_getBalance", account, "latest"), 16)

    def transact(
        self, sender: str, to: str, data: str = "0x", value_wei: int = 0
    ) -> None:
        """Send from an address the node acts for; return when it succeeded in a block.

        A node knows a transaction before it counts: whoever was just given money may
        be refused for having none.
        """
        call = {"from": sender, "to": to, "data": data, "value": hex(value_wei)}
        sent = self.call("eth_sendTransaction", call)
        eventually(lambda: self.receipt(sent) is not None, "a transaction is mined")
        assert self.receipt(sent)["status"] == "0x1", "a transaction was reverted"

    def give(self, account: str, value_wei: int) -> None:
        """Pay from one of the local chain's own rich accounts."""
        self.transact(RICH, account, value_wei=value_wei)

    def make(self, factory: str, data: str) -> str:
        """Have a factory make a contract, at a rich account's cost; its address."""
        made = self.call(
            "eth_call", {"from": RICH, "to": factory, "data": data}, "latest"
        )
        self.transact(RICH, factory, data)
        return checksum_address(Address(bytes.fromhex(made[-40:])))

    def pay_for(self, account: str, data: str) -> None:
        """Send a call without value from a rich account, as any wallet could."""
        self.transact(RICH, account, data)

    def act_as(self, account: str, call: Call) -> None:
        """Let an account make a call, at its own cost, whoever owns it."""
        self.call("anvil_impersonateAccount", account)
        self.transact(account, checksum_address(call.to), f"0x{call.data.hex()}")
        self.call("anvil_stopImpersonatingAccount", account)

    def act_on_itself(self, account: str, data: bytes) -> None:
        """Let an account call itself, as its owners' change of it would."""
        self.act_as(account, Call(to=to_address(account), value_wei=0, data=data))

    def add_stranger(self, account: str, *, threshold: int) -> None:
        """Make somebody whom nobody knows an owner of a Safe, past the site."""
        add = "addOwnerWithThreshold(address,uint256)"
        data = call_data(add, to_address(new_recipient()), threshold)
        self.act_on_itself(account, data)

    def replace_second_owner(self, account: str) -> None:
        """Give the place of a Safe's second owner to somebody whom nobody knows."""
        first, second = self.owners(account)
        taken = [to_address(item) for item in (first, second, new_recipient())]
        swap = call_data("swapOwner(address,address,address)", *taken)
        self.act_on_itself(account, swap)

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """Return the receipt of a transaction."""
        receipt: dict[str, Any] = self.call(
            "eth_getTransactionReceipt", transaction_hash
        )
        return receipt

    def operations(self, account: str) -> list[dict[str, Any]]:
        """Return the EntryPoint's event of each user operation of an account."""
        sender = f"0x{account[2:].lower():0>64}"
        topics = [f"0x{keccak(text=EVENT).hex()}", None, sender]
        found: list[dict[str, Any]] = self.call(
            "eth_getLogs", {"fromBlock": "0x0", "topics": topics}
        )
        return found


def new_recipient() -> str:
    """Return an address that nobody has ever used."""
    return checksum_address(Address(secrets.token_bytes(20)))
