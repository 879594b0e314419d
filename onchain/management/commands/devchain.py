"""``manage.py devchain``: make the running local chain ready for the site."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from eth_account import Account

from onchain.clients.anvil import Anvil
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.node import Node
from onchain.errors import LocalChainError
from onchain.protocol.types import to_address
from onchain.services import local_chain


class Command(BaseCommand):
    """Deploy what is missing, check everything, say what was done."""

    help = "Deploys every contract at its canonical address on the local chain."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Deploy to NODE_URL, which must be a local anvil (security.md R70)."""
        started = time.monotonic()
        if not settings.LOCAL_CHAIN:
            raise CommandError(
                "This works on the local chain only: SITE_MODE=local, CHAIN_ID=31337 "
                "and a NODE_URL on this machine."
            )
        rpc = JsonRpc(url=settings.NODE_URL, timeout=settings.CLIENT_TIMEOUT)
        chain = local_chain.LocalChain(
            node=Node(rpc),
            anvil=Anvil(rpc),
            packages=Path(settings.BASE_DIR) / "devchain" / "node_modules",
        )
        signer = Account.from_key(settings.SPONSOR_PRIVATE_KEY).address
        sponsor = local_chain.Sponsor(
            paymaster=to_address(settings.PAYMASTER_ADDRESS), signer=to_address(signer)
        )
        try:
            created = local_chain.deploy(
                chain=chain, sponsor=sponsor, report=self.stdout.write
            )
        except LocalChainError as error:
            raise CommandError(str(error)) from error
        except (ClientError, TransientClientError) as error:
            raise CommandError(local_chain.describe(error)) from error
        seconds = time.monotonic() - started
        verb = f"{created} deployed" if created else "all there already"
        self.stdout.write(f"Contracts: {verb}, all checked, in {seconds:.1f} s.")
