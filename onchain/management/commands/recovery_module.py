"""Reads a recovery module's code from two nodes, and confirms it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onchain.clients.factory import node_for, second_node_for
from onchain.errors import ChainNotReady, ModuleCodeRefused
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import checksum_address, to_bytes32, to_hex
from onchain.services import chains, module_codes

DAYS = [delay // DAY for delay in sorted(RECOVERY_MODULES) if delay >= DAY]
FOUND = """Recovery module of {days} days on {chain}: {module}
Both nodes give code with keccak-256
  {code_hash}

Compare it with what the module's makers publish and with an explorer that runs neither
node. Whoever wrote this code can take every account that uses it. If it is right, press
"Confirm this code" beside it in the console, or run this again with
  --confirm {code_hash}
"""


class Command(BaseCommand):
    """``manage.py recovery_module --days 7 [--confirm 0x...]``."""

    help = "Reads a recovery module's code from two nodes; --confirm lets it be used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, choices=DAYS, required=True)
        parser.add_argument("--confirm", help="the hash that you compared")

    def handle(self, *, days: int, confirm: str | None, **_options: Any) -> None:
        if settings.LOCAL_CHAIN:
            raise CommandError(
                "This is a local chain: its modules are a stand-in of our own, and "
                "nothing about them needs to be confirmed."
            )
        module = RECOVERY_MODULES[days * DAY]
        try:
            chain = chains.current()
            row = module_codes.read(
                chain=chain,
                module=module,
                node=node_for(chain.chain_id),
                second=second_node_for(chain.chain_id),
            )
            if confirm is None:
                self.stdout.write(
                    FOUND.format(
                        days=days,
                        chain=chain,
                        module=checksum_address(module),
                        code_hash=to_hex(row.code_hash),
                    )
                )
                return
            code_hash = to_bytes32(confirm)
            is_new = module_codes.confirm(row=row, code_hash=code_hash, actor=None)
        except EncodingError:
            raise CommandError(f"{confirm} is no hash of 32 bytes.") from None
        except (ChainNotReady, ModuleCodeRefused) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Confirmed." if is_new else "It was confirmed before.")
