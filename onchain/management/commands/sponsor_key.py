"""Checks the paymaster against the sponsor's key, and says how to rotate the key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from onchain.amounts import ether_text
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.factory import node_for
from onchain.protocol.abi import call_data, encode
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, checksum_address, to_address
from onchain.services import sponsor_watch, sponsorship
from onchain.services.sponsor_watch import OwnKeys, PaymasterState

# VerifyingPaymaster keeps its signer for ever: another key needs another paymaster.
STEPS = """To give signing to {signer}:

1. Stop what is new: "Pause sponsorship" in the console.
2. From the cold key, create VerifyingPaymaster 0.7 (the npm package
   @account-abstraction/contracts, version 0.7.0). Constructor's arguments, encoded:
   {arguments}
3. Check it: manage.py sponsor_key --paymaster ADDRESS --signer {signer}
4. Set SPONSOR_PRIVATE_KEY and PAYMASTER_ADDRESS to the new ones, restart every process,
   and run manage.py sponsor_key: it must find everything in order.
5. From the cold key, pay a deposit for the new paymaster: send the wei it shall have to
   {entry_point} with the data of
   depositTo(address) for its address.
6. Resume sponsorship in the console.
7. After 10 minutes (and the longest proposal) nothing refers to the old paymaster any
   more. From the cold key send to {paymaster}, without wei:
   {withdrawal}
   It withdraws {deposit} ETH to its owner {owner}.
"""


class Command(BaseCommand):
    """Exit code 1 when an operator has to do something."""

    help = "Checks the paymaster against the sponsor's key; says how to rotate the key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Both default to the settings; --rotate-to prints what to send."""
        parser.add_argument("--paymaster", help="check this one instead of the setting")
        parser.add_argument("--signer", help="address that it has to accept")
        parser.add_argument("--rotate-to", help="address of the new key; prints steps")

    def handle(
        self,
        *,
        paymaster: str | None,
        signer: str | None,
        rotate_to: str | None,
        **_options: Any,
    ) -> None:
        """Read the chain, print what it says, and what is wrong. Nothing is sent."""
        try:
            address = (
                sponsorship.paymaster_address()
                if paymaster is None
                else to_address(paymaster)
            )
            keys = _keys(signer)
            new_signer = None if rotate_to is None else to_address(rotate_to)
        except EncodingError as error:
            raise CommandError(f"{error}.") from error
        if address is None:
            raise CommandError("PAYMASTER_ADDRESS is empty: there is nothing to check.")
        try:
            node = node_for(settings.CHAIN_ID)
            state = sponsor_watch.read(node=node, paymaster=address)
        except (ClientError, TransientClientError) as error:
            raise CommandError(f"The node did not answer: {error}") from error
        self._describe(address, state, keys)
        if new_signer is not None:
            self._show_steps(address, state, new_signer)
        problem = sponsor_watch.problem_of(state, keys=keys)
        if problem:
            raise CommandError(problem)
        self.stdout.write("Everything is in order.")

    def _describe(self, address: Address, state: PaymasterState, keys: OwnKeys) -> None:
        lines = {
            "Paymaster": checksum_address(address),
            "Deposit": f"{ether_text(state.deposit_wei)} ETH",
            "Owner": _text(state.owner),
            "It accepts": _text(state.verifying_signer),
            "Sponsor's key": checksum_address(keys.sponsor),
        }
        for name, value in lines.items():
            self.stdout.write(f"{name + ':':15}{value}")

    def _show_steps(
        self, address: Address, state: PaymasterState, signer: Address
    ) -> None:
        if state.owner is None:
            raise CommandError("There is no VerifyingPaymaster to rotate from.")
        arguments = encode(["address", "address"], [ENTRY_POINT, signer])
        withdrawal = call_data(
            "withdrawTo(address,uint256)", state.owner, state.deposit_wei
        )
        self.stdout.write("")
        self.stdout.write(
            STEPS.format(
                signer=checksum_address(signer),
                arguments=f"0x{arguments.hex()}",
                entry_point=checksum_address(ENTRY_POINT),
                paymaster=checksum_address(address),
                withdrawal=f"0x{withdrawal.hex()}",
                deposit=ether_text(state.deposit_wei),
                owner=checksum_address(state.owner),
            )
        )


def _keys(signer: str | None) -> OwnKeys:
    """Return the addresses to compare with; a given signer takes the sponsor's place.

    Raises:
        EncodingError: it is not an address.
    """
    keys = OwnKeys.of(
        relayer=settings.RELAYER_PRIVATE_KEY, sponsor=settings.SPONSOR_PRIVATE_KEY
    )
    if signer is None:
        return keys
    return OwnKeys(relayer=keys.relayer, sponsor=to_address(signer))


def _text(address: Address | None) -> str:
    return "there is none" if address is None else checksum_address(address)
