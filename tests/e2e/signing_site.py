"""A small web server with the site's scripts and policy, and a virtual passkey.

Tests use it to lie to a real browser as a broken or malicious server would.
"""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from csp.utils import build_policy
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template

from wallet_site.middleware import INTEGRITY_POLICY

HEAD = """{% load static_integrity %}
{% module_preload "js/preflight.js" %}
{% module_preload "js/webauthn.js" %}
{% module_script "js/passkey_forms.js" %}
{% module_preload "js/signing.js" %}
{% module_preload "js/wallets.js" %}
{% module_script "js/signing_forms.js" %}
{% script "vendor/htmx.min.js" %}"""
REGISTRATION = {
    "rp": {"id": "localhost", "name": "Latchkey"},
    "user": {"id": "YWxpY2U", "name": "Alice", "displayName": "Alice"},
    "challenge": "A" * 86,
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    "authenticatorSelection": {
        "residentKey": "required",
        "userVerification": "required",
    },
}


class Site(ThreadingHTTPServer):
    """Static files under the site's policy, one page, and what was posted."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.policy = build_policy()
        self.head = Template(HEAD).render(Context())
        self.names = dict(staticfiles_storage.hashed_files)
        self.start()

    def start(self) -> None:
        """Forget what the last test changed and received."""
        self.body = ""
        self.page_head = self.head
        self.challenge = b""
        self.suffix: dict[str, bytes] = {}  # appended to a file as it is served
        self.posted: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}/"

    def module(self, name: str) -> str:
        return f"/static/{self.names[name]}"

    def answer(self, path: str) -> tuple[str, bytes]:
        if path.startswith("/static/"):
            name = path.removeprefix("/static/")
            content = (self.root / name).read_bytes() + self.suffix.get(path, b"")
            return "text/javascript", content
        html = f"<!DOCTYPE html><title>Latchkey</title>{self.page_head}{self.body}"
        return "text/html; charset=utf-8", html.encode()


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.reply(*self.server.answer(self.path))

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/begin":
            options = {
                "challenge": base64url(self.server.challenge),
                "rpId": "localhost",
            }
            self.reply("application/json", json.dumps(options).encode())
            return
        self.server.posted.append(parse_qs(text, keep_blank_values=True))
        self.reply("text/html", b"<h1>Received</h1>")

    def reply(self, content_type: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Integrity-Policy", INTEGRITY_POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Passkey:
    """A virtual authenticator of the browser, with one registered credential."""

    def __init__(self, page: Any, site: Site) -> None:
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator_id = added["authenticatorId"]
        page.goto(site.url)
        made = page.evaluate(
            "async ([url, options]) => (await import(url)).createCredential(options)",
            [site.module("js/webauthn.js"), REGISTRATION],
        )
        self.id = made["id"]
        attested = cbor2.loads(from_base64url(made["response"]["attestationObject"]))
        data = attested["authData"]
        length = int.from_bytes(data[53:55], "big")
        key = cbor2.loads(data[55 + length :])
        x, y = (int.from_bytes(key[label], "big") for label in (-2, -3))
        numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
        self.public_key = numbers.public_key()

    @property
    def sign_count(self) -> int:
        credentials = self.cdp.send(
            "WebAuthn.getCredentials", {"authenticatorId": self.authenticator_id}
        )["credentials"]
        return credentials[0]["signCount"]

    def has_signed(self, credential: dict[str, Any], digest: bytes) -> bool:
        response = credential["response"]
        client_data = from_base64url(response["clientDataJSON"])
        if json.loads(client_data)["challenge"] != base64url(digest):
            return False
        signed = from_base64url(response["authenticatorData"])
        signed += hashlib.sha256(client_data).digest()
        try:
            self.public_key.verify(
                from_base64url(response["signature"]), signed, ec.ECDSA(SHA256())
            )
        except InvalidSignature:
            return False
        return True


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
