"""Read what concerns one account again, from a block on."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.factory import node_for
from onchain.errors import ReindexRefused
from onchain.models import Safe
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import to_address
from onchain.services import reindexing


class Command(BaseCommand):
    """``manage.py reindex --safe 0x... --from 1234``."""

    help = "Read the logs of one account again from a block on, and say what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--safe", required=True, help="the account's address")
        parser.add_argument(
            "--from", dest="first", required=True, type=int, help="a block's number"
        )

    def handle(self, *, safe: str, first: int, **_options: Any) -> None:
        account = self._account(safe)
        try:
            report = reindexing.reindex(
                safe=account, node=node_for(settings.CHAIN_ID), first=first
            )
        except ReindexRefused as error:
            raise CommandError(str(error)) from None
        except (ClientError, TransientClientError) as error:
            raise CommandError(f"The node: {error}. Run it again.") from None
        self.stdout.write(
            f"Blocks {report.first:,} to {report.last:,}: {report.logs} logs read."
        )
        for change in report.changes or ["Nothing changed."]:
            self.stdout.write(change)

    def _account(self, text: str) -> Safe:
        try:
            address = to_address(text)
        except (EncodingError, ValueError):
            raise CommandError(f"{text} is not an address.") from None
        safe = Safe.objects.filter(
            chain__chain_id=settings.CHAIN_ID, address=address
        ).first()
        if safe is None:
            raise CommandError(f"There is no account {text} on {settings.CHAIN_NAME}.")
        return safe
