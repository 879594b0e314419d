"""``manage.py devchain``: make the running local chain ready for the site."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onchain.clients.errors import ClientError, TransientClientError
from onchain.errors import LocalChainError
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
        chain = local_chain.LocalChain.at(
            settings.NODE_URL,
            timeout=settings.CLIENT_TIMEOUT,
            packages=settings.BASE_DIR / "devchain" / "node_modules",
        )
        sponsor = local_chain.Sponsor.of(
            paymaster=settings.PAYMASTER_ADDRESS,
            private_key=settings.SPONSOR_PRIVATE_KEY,
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
