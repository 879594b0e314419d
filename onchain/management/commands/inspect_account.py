"""``manage.py inspect_account``: which account these passkeys and owners make.

Nothing is read from the database and nothing is sent: anyone can check the site's
addresses with it, or with another implementation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onchain.clients.factory import node_for
from onchain.errors import ChainNotReady
from onchain.protocol.deployments import SAFE_PROXY_FACTORY, VERIFIERS
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe import (
    account_address,
    direct_setup,
    factory_data,
    shared_setup,
    signer_address,
)
from onchain.protocol.types import (
    Address,
    PublicKey,
    checksum_address,
    to_address,
    to_hex,
)
from onchain.services.contracts import signer_proxy_code

LAYOUTS = ("direct", "shared")

_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{1,64})", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for, read and checked one by one."""

    public_keys: list[PublicKey]
    owners: list[Address]
    layout: str
    verifiers: int
    salt_nonce: int
    threshold: int


class Command(BaseCommand):
    """Compute an account and print it as JSON."""

    help = "Prints the account of these passkeys and owners: address, signers, factory."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take text only: what is wrong with it is said by ``handle``."""
        several: dict[str, Any] = {"action": "append", "default": []}
        parser.add_argument(
            "--x", metavar="HEX", help="a passkey's x; repeat for each", **several
        )
        parser.add_argument(
            "--y", metavar="HEX", help="the same passkey's y", **several
        )
        parser.add_argument("--layout", default="direct", help="direct or shared")
        parser.add_argument(
            "--verifiers", metavar="HEX", default=hex(VERIFIERS), help="uint176"
        )
        parser.add_argument("--salt", metavar="N", default="0", help="salt nonce")
        parser.add_argument(
            "--owner", metavar="ADDRESS", help="another owner; repeat", **several
        )
        parser.add_argument("--threshold", metavar="N", default="1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print {account, signers, factory, factoryData}, or say what is wrong."""
        try:
            request = _read(options)
            code = signer_proxy_code(
                packages=Path(settings.BASE_DIR) / "devchain" / "node_modules",
                node=node_for(settings.CHAIN_ID),
            )
            result = _describe(request, code)
        except EncodingError as error:
            text = str(error)
            raise CommandError(f"{text[0].upper()}{text[1:]}.") from error
        except ChainNotReady as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(result, indent=2))


def _read(options: dict[str, Any]) -> Request:
    if len(options["x"]) != len(options["y"]):
        raise EncodingError("each passkey needs both --x and --y")
    if not options["x"]:
        raise EncodingError("name at least one passkey with --x and --y")
    if options["layout"] not in LAYOUTS:
        raise EncodingError("--layout is direct or shared")
    if options["layout"] == "shared" and len(options["x"]) > 1:
        raise EncodingError("the shared layout has one passkey only")
    return Request(
        public_keys=[
            PublicKey(x=_read_hex("--x", x), y=_read_hex("--y", y))
            for x, y in zip(options["x"], options["y"], strict=True)
        ],
        owners=[_read_owner(text) for text in options["owner"]],
        layout=options["layout"],
        verifiers=_read_hex("--verifiers", options["verifiers"]),
        salt_nonce=_read_number("--salt", options["salt"]),
        threshold=_read_number("--threshold", options["threshold"]),
    )


def _describe(request: Request, proxy_code: bytes) -> dict[str, Any]:
    signers = [
        signer_address(
            public_key=key, proxy_code=proxy_code, verifiers=request.verifiers
        )
        for key in request.public_keys
    ]
    if request.layout == "shared":
        setup = shared_setup(
            public_key=request.public_keys[0],
            extra_owners=request.owners,
            threshold=request.threshold,
            verifiers=request.verifiers,
        )
    else:
        setup = direct_setup(
            owners=[*signers, *request.owners], threshold=request.threshold
        )
    account = account_address(setup=setup, salt_nonce=request.salt_nonce)
    data = factory_data(setup=setup, salt_nonce=request.salt_nonce)
    return {
        "account": checksum_address(account),
        "signers": [checksum_address(signer) for signer in signers],
        "factory": checksum_address(SAFE_PROXY_FACTORY),
        "factoryData": to_hex(data),
    }


def _read_hex(name: str, text: str) -> int:
    match = _HEX.fullmatch(str(text))
    if match is None:
        raise EncodingError(f"{name} takes 1 to 64 hex digits")
    return int(match[1], 16)


def _read_number(name: str, text: str) -> int:
    text = str(text)
    if not _NUMBER.fullmatch(text):
        raise EncodingError(f"{name} takes a whole number, decimal or 0x and hex")
    return int(text, 16 if text.startswith("0x") else 10)


def _read_owner(text: str) -> Address:
    try:
        return to_address(text)
    except EncodingError as error:
        raise EncodingError(f"--owner {text}: {error}") from error
