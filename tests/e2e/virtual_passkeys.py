"""The browser's own virtual authenticator, over the DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/. It makes real
keys and real signatures; what is virtual is the finger.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from playwright.sync_api import Page

from onchain.protocol.types import PublicKey

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class VirtualPasskeys:
    """The passkeys that one tab's device holds."""

    def __init__(self, page: Page, **options: Any) -> None:
        """Give the page's tab a device; a second one needs another transport."""
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable")
        added = self._devtools.send(
            "WebAuthn.addVirtualAuthenticator", {"options": OPTIONS | options}
        )
        self._id = added["authenticatorId"]

    def _send(self, command: str, **parameters: Any) -> dict[str, Any]:
        parameters["authenticatorId"] = self._id
        answer: dict[str, Any] = self._devtools.send(f"WebAuthn.{command}", parameters)
        return answer

    def all(self) -> list[dict[str, Any]]:
        """Return everything there is to know about the passkeys, private keys too."""
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def bring(self, credentials: list[dict[str, Any]]) -> None:
        """Hold these passkeys too, as a synced provider on another device does."""
        for credential in credentials:
            self._send("addCredential", credential=credential)

    def refuse_to_verify(self, refuses: bool = True) -> None:
        """Be a person whose finger is not recognised, or one whose finger is."""
        self._send("setUserVerified", isUserVerified=not refuses)

    def hold_still(self, still: bool = True) -> None:
        """Be a person who does not touch yet, or one who does."""
        self._send("setAutomaticPresenceSimulation", enabled=not still)

    def public_key(self) -> PublicKey:
        """Return the public half of the only passkey."""
        (credential,) = self.all()
        key = load_der_private_key(base64.b64decode(credential["privateKey"]), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        numbers = key.public_key().public_numbers()
        return PublicKey(x=numbers.x, y=numbers.y)
