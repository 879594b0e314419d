"""A browser wallet as an extension injects it, with a real key.

It announces itself as EIP-6963 says and answers as EIP-1193 says; the key stays in
Python, where eth_account signs. What it was asked stands in ``asked``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from eth_account.messages import (
    SignableMessage,
    encode_defunct,
    encode_typed_data,
)
from playwright.sync_api import BrowserContext

from onchain.protocol.abi import keccak
from onchain.protocol.types import to_address
from tests.wallet_keys import SoftWallet, safe_message_hash

REJECTED = (4001, "User rejected the request.")
UNKNOWN_CHAIN = (4902, "Unrecognized chain ID.")
INJECT = """
(() => {
  const request = async ({ method, params }) => {
    const { result, error } = await window.askWallet(method, params ?? []);
    if (error) throw Object.assign(new Error(error[1]), { code: error[0] });
    return result;
  };
  if (window.isOldWallet) {
    window.ethereum = { request };
    return;
  }
  const info = { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Test wallet",
    rdns: "org.example.wallet", icon: "data:image/svg+xml," };
  const detail = Object.freeze({ info, provider: { request } });
  const announce = () =>
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class Refused(Exception):
    """What the wallet answers instead of a result: code and words."""


@dataclass
class InjectedWallet:
    """One wallet with one chosen account; a test changes what it would do next."""

    wallet: SoftWallet = field(default_factory=SoftWallet)
    chain_id: int = 31337
    is_locked: bool = False
    declines: set[str] = field(default_factory=set)  # methods that its person declines
    failure: int | None = None  # the code of what it answers to everything
    knows_chains: bool = True
    asked: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # that it showed and signed

    @property
    def address_text(self) -> str:
        """The account that it offers, checksummed."""
        return self.wallet.address_text

    def sign(self, message: SignableMessage) -> bytes:
        """Return the signature that it answers with."""
        return bytes(self.wallet.account.sign_message(message).signature)

    def inject(self, context: BrowserContext, *, is_old: bool = False) -> None:
        """Be there on every page that is opened from now on.

        Args:
            is_old: announce nothing, and stand at ``window.ethereum``.
        """
        context.expose_function("askWallet", self.answer)
        if is_old:
            context.add_init_script("window.isOldWallet = true;")
        context.add_init_script(INJECT)

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Answer one request as JSON."""
        self.asked.append(method)
        if self.failure is not None:
            return {"error": (self.failure, "The wallet's own words.")}
        if method in self.declines:
            return {"error": REJECTED}
        try:
            return {"result": getattr(self, f"_{method}")(*params)}
        except Refused as error:
            return {"error": error.args[0]}

    def _eth_requestAccounts(self) -> list[str]:
        return [] if self.is_locked else [self.address_text.lower()]

    def _eth_chainId(self) -> str:
        return hex(self.chain_id)

    def _wallet_switchEthereumChain(self, wanted: dict[str, str]) -> None:
        if not self.knows_chains:
            raise Refused(UNKNOWN_CHAIN)
        self.chain_id = int(wanted["chainId"], 16)

    def _personal_sign(self, data: str, account: str) -> str:
        self._require(account)
        text = bytes.fromhex(data[2:]).decode()
        self.texts.append(text)
        return f"0x{self.sign(encode_defunct(text=text)).hex()}"

    def _eth_signTypedData_v4(self, account: str, text: str) -> str:
        self._require(account)
        message = json.loads(text)
        assert message["domain"]["chainId"] == self.chain_id
        signature = self.sign(encode_typed_data(full_message=message))
        self.texts.append(text)
        return f"0x{signature.hex()}"

    def _require(self, account: str) -> None:
        if account.lower() != self.address_text.lower():
            raise Refused((4100, "Not this account."))


@dataclass
class InjectedSafe(InjectedWallet):
    """A wallet that speaks for a Safe, of which its key is the one owner.

    What it answers only that contract can check: its own message around the data that
    another Safe asks it about, or around the hash of a text (EIP-1271).
    """

    safe: str = ""  # its address, checksummed
    around_hashes: bool = False  # whoever asks about typed data knows its hash only

    @property
    def address_text(self) -> str:
        """The contract, not the key."""
        return self.safe

    def sign(self, message: SignableMessage) -> bytes:
        """Return the key's signature of the Safe's own message."""
        asked = b"\x19" + message.version + message.header + message.body
        is_hash = self.around_hashes or message.version == b"E"
        data = keccak(asked) if is_hash else asked
        return self.wallet.sign_hash(safe_message_hash(to_address(self.safe), data))
