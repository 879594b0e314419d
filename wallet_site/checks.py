"""System checks: what no start accepts, and what production refuses (R12, R70, R71).

Every management command runs them. The web server and the worker, which Django does
not check, ask ``require_safe_start`` instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from eth_account import Account

from accounts.attestation_policy import CONVEYANCES
from accounts.client_address import UNIX_SOCKET, parse_network
from wallet_site.sponsor_checks import sponsor_errors

LOCAL_CHAIN_ID = 31337
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", ""}

# The ten accounts of anvil's mnemonic. Everybody has their keys.
PUBLIC_ACCOUNTS = {
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
}


def safe_start(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Return an error for each setting that is wrong, or that production refuses."""
    errors = [*sponsor_errors(), *_policy_errors(), *_proxy_errors()]
    if settings.SITE_MODE == "production":
        errors += [*_site_errors(), *_chain_errors(), *_key_errors()]
    return errors


def require_safe_start() -> None:
    """Refuse to serve or to work with settings that ``safe_start`` refuses.

    Raises:
        ImproperlyConfigured: all of them, in words.
    """
    errors = safe_start(None)
    if errors:
        words = (f"{error.msg} {error.hint}" for error in errors)
        raise ImproperlyConfigured("\n".join(words))


def _policy_errors() -> Iterator[CheckMessage]:
    if settings.ATTESTATION not in CONVEYANCES:
        yield Error(
            f"ATTESTATION is {settings.ATTESTATION}.",
            hint=f"Choose one of: {', '.join(CONVEYANCES)}.",
            id="latchkey.E011",
        )
    for name in ("AAGUID_ALLOW", "AAGUID_DENY"):
        for text in getattr(settings, name):
            try:
                uuid.UUID(text)
            except ValueError:
                yield Error(
                    f"{name} holds {text!r}, which is no AAGUID.",
                    hint="Give UUIDs, separated by commas, or leave it empty.",
                    id="latchkey.E012",
                )


def _proxy_errors() -> Iterator[CheckMessage]:
    for text in settings.TRUSTED_PROXIES:
        try:
            if text != UNIX_SOCKET:
                parse_network(text)
        except ValueError:
            yield Error(
                f"TRUSTED_PROXIES holds {text!r}, which is no network.",
                hint=f"Give addresses, networks such as 10.0.0.0/8, or {UNIX_SOCKET}.",
                id="latchkey.E013",
            )
    if settings.TRUST_PROXY_HEADERS and not settings.TRUSTED_PROXIES:
        yield Error(
            "TRUST_PROXY_HEADERS is on and TRUSTED_PROXIES is empty.",
            hint="Everybody would count as one address: name the proxies in front.",
            id="latchkey.E014",
        )


def _site_errors() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error(
            "DEBUG is on in production.",
            hint="Leave it off: its pages show settings to strangers.",
            id="latchkey.E001",
        )
    if not settings.SITE_ORIGIN.startswith("https://"):
        yield Error(
            "SITE_ORIGIN is not https.",
            hint="Passkeys and secure cookies need https, also behind a proxy.",
            id="latchkey.E002",
        )
    rp_id = settings.WEBAUTHN_RP_ID
    if rp_id in LOCAL_HOSTS or rp_id.endswith(".localhost"):
        yield Error(
            f"WEBAUTHN_RP_ID is {rp_id or 'empty'}.",
            hint="Passkeys are bound to it for ever: choose the site's real host name.",
            id="latchkey.E003",
        )
    if settings.HAS_EMAIL and settings.EMAIL_BACKEND.endswith(".console.EmailBackend"):
        yield Error(
            "EMAIL_URL prints mails.",
            hint="Their links would stand in logs: name a mail server, or none.",
            id="latchkey.E010",
        )
    if not f".{settings.SITE_HOST}".endswith(f".{rp_id}"):
        yield Error(
            f"WEBAUTHN_RP_ID {rp_id} does not cover the host of SITE_ORIGIN.",
            hint="Browsers refuse every ceremony: use that host, or a parent of it.",
            id="latchkey.E004",
        )


def _chain_errors() -> Iterator[CheckMessage]:
    if settings.CHAIN_ID == LOCAL_CHAIN_ID:
        yield Error(
            f"CHAIN_ID is {LOCAL_CHAIN_ID}, a local chain's.",
            hint="Set CHAIN_ID, NODE_URL and BUNDLER_URL of a public chain.",
            id="latchkey.E005",
        )


def _key_errors() -> Iterator[CheckMessage]:
    addresses = {}
    for name in ("RELAYER_PRIVATE_KEY", "SPONSOR_PRIVATE_KEY"):
        address = _address_of(getattr(settings, name))
        if address is None:
            yield Error(
                f"{name} is not a private key.",
                hint="Give 0x and 64 hex digits.",
                id="latchkey.E006",
            )
            continue
        addresses[name] = address
        if address in PUBLIC_ACCOUNTS:
            yield Error(
                f"{name} is a key that everybody has.",
                hint="Anvil publishes it: whatever it holds is taken at once.",
                id="latchkey.E007",
            )
    if len(addresses) == 2 and len(set(addresses.values())) == 1:
        yield Error(
            "RELAYER_PRIVATE_KEY and SPONSOR_PRIVATE_KEY are the same key.",
            hint="Use two: losing one must not lose what the other pays for.",
            id="latchkey.E008",
        )


def _address_of(key: str) -> str | None:
    """Return the address of a private key, None for anything else."""
    try:
        return str(Account.from_key(key).address)
    except Exception:  # noqa: BLE001 - each library below raises its own kind
        return None
