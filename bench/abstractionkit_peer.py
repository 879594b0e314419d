"""AbstractionKit in a process of its own, and an account of its making that pays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from bench import environment
from bench.gas import KNOWN, VALUE_WEI
from onchain.clients.anvil import Anvil
from onchain.clients.factory import node_for
from onchain.protocol.deployments import P256_PRECOMPILE
from onchain.protocol.passkey_signature import client_data_fields
from onchain.protocol.types import Bytes32, checksum_address, to_address
from tests.soft_authenticator import SoftAuthenticator

SCRIPT = environment.ROOT / "bench" / "abstractionkit_peer.mjs"


@dataclass(frozen=True, slots=True)
class Paid:
    """What one payment cost: gas of its transaction, what was charged, and waiting."""

    transaction: int
    charged: int
    milliseconds: float  # from handing it over to knowing that it is included


@dataclass
class Peer:
    """The process that holds AbstractionKit."""

    process: subprocess.Popen[str]

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        """Return the answer to one command."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("AbstractionKit's process has no pipes")
        self.process.stdin.write(json.dumps({"command": command, **fields}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"AbstractionKit: {answer['error']}")
        return answer


@dataclass
class Theirs:
    """One account of AbstractionKit's making and its passkey."""

    peer: Peer
    passkey: SoftAuthenticator = field(
        default_factory=lambda: SoftAuthenticator(origin=settings.SITE_ORIGIN)
    )
    address: str = ""
    is_new: bool = True

    def open(self) -> None:
        """Compute its address and give it ETH; nothing is on chain yet."""
        x, y = (f"0x{half.hex()}" for half in (self.passkey.x, self.passkey.y))
        self.address = self.peer.ask("open", x=x, y=y)["address"]
        anvil = Anvil(node_for(settings.CHAIN_ID).rpc)
        anvil.set_balance(to_address(self.address), 10**18)

    def prepare(self, change: dict[str, object] | None = None) -> dict[str, Any]:
        """Prepare a payment, or a change of owners, with createUserOperation."""
        return self.peer.ask(
            "prepare",
            address=self.address,
            to=checksum_address(KNOWN),
            value=str(VALUE_WEI),
            isFirst=self.is_new,
            change=change,
        )

    def pay(self, change: dict[str, object] | None = None) -> Paid:
        """Prepare, sign and send a payment or a change; wait until it is included."""
        challenge = bytes.fromhex(self.prepare(change)["hash"][2:])
        assertion = self.passkey.assert_challenge(challenge)
        r, s = assertion.r_and_s
        fields = client_data_fields(assertion.client_data_json, challenge)
        answer = self.peer.ask(
            "send",
            address=self.address,
            authenticatorData=assertion.authenticator_data.hex(),
            clientDataFields=fields.hex(),
            r=str(r),
            s=str(s),
        )
        self.is_new = False
        receipt = answer["receipt"]
        if receipt is None or not receipt["success"]:
            raise RuntimeError("AbstractionKit's operation was not carried out")
        transaction_hash = receipt["receipt"]["transactionHash"]
        return Paid(
            transaction=transaction_gas(bytes.fromhex(transaction_hash[2:])),
            charged=int(receipt["actualGasUsed"], 16),
            milliseconds=answer["milliseconds"],
        )


@contextmanager
def running_peer() -> Iterator[Peer]:
    """Yield AbstractionKit in a process of its own."""
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [
            *("node", str(SCRIPT), settings.NODE_URL, settings.BUNDLER_URL),
            *(str(settings.CHAIN_ID), f"0x{P256_PRECOMPILE:040x}"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )
    try:
        yield Peer(process)
    finally:
        process.terminate()
        process.wait(10)


def transaction_gas(transaction_hash: bytes) -> int:
    """Return the gasUsed of a transaction."""
    (receipt,) = node_for(settings.CHAIN_ID).receipts([Bytes32(transaction_hash)])
    if receipt is None:
        raise RuntimeError("the transaction has no receipt")
    return receipt.gas_used
