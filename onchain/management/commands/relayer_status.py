"""Says how the relayer is, and whether its key can be swapped."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onchain.amounts import ether_text
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.factory import node_for
from onchain.errors import ChainNotReady
from onchain.models import Budget
from onchain.protocol.types import checksum_address
from onchain.services import budgets, chains, relayer, relayer_watch


class Command(BaseCommand):
    """Exit code 1 while a swap would leave something behind that cannot pay more."""

    help = "Says how the relayer is, and whether its key can be swapped."

    def handle(self, **_options: Any) -> None:
        """Read rows and the balance, print them. Nothing is sent."""
        account = relayer.account_of(settings.RELAYER_PRIVATE_KEY)
        address = relayer.sender_of(account)
        try:
            chain = chains.current()
            used, balance = node_for(chain.chain_id).nonce_and_balance(address)
        except ChainNotReady as error:
            raise CommandError(str(error)) from error
        except (ClientError, TransientClientError) as error:
            raise CommandError(f"The node did not answer: {error}") from error
        self._line("Relayer", checksum_address(address))
        self._line("Balance", f"{ether_text(balance)} ETH")
        self._line("Next nonce", str(used))
        for pool in Budget.Pool:
            spent = ether_text(budgets.used_today(chain=chain, pool=pool))
            most = ether_text(budgets.limit(pool))
            self._line(str(pool.label), f"{spent} of {most} ETH today")
        waiting = 0
        for key in relayer_watch.keys_in_use(chain=chain, account=account):
            whose = "its own" if key.is_current else "of another key"
            self._line("In flight", f"{key.in_flight}, {whose}")
            waiting += key.in_flight
        if waiting:
            raise CommandError("Not yet: wait until nothing is in flight.")
        self.stdout.write("Nothing is in flight: the key can be swapped.")

    def _line(self, name: str, value: str) -> None:
        self.stdout.write(f"{name + ':':17}{value}")
