"""Watching the operator's paymaster: its deposit, its owner, the signer it trusts.

What is found stands in the PaymasterDeposit, which the limits and the console read
(security.md R57, R71).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from eth_account import Account

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.models import Chain, PaymasterDeposit
from onchain.protocol.abi import call_data
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.types import Address, require_bytes32, to_address
from onchain.services import sponsorship

logger = logging.getLogger(__name__)

READ_SECONDS = 15  # between two readings; what is promised meanwhile is in rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymasterState:
    """A VerifyingPaymaster as the chain has it."""

    deposit_wei: int
    owner: Address | None  # None: there is no such contract
    verifying_signer: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """The addresses of the keys that this site holds."""

    relayer: Address
    sponsor: Address

    @classmethod
    def of(cls, *, relayer: str, sponsor: str) -> OwnKeys:
        """Return the addresses of two private keys."""
        return cls(relayer=_address_of(relayer), sponsor=_address_of(sponsor))


def watch_configured(*, chain: Chain, node: Node, keys: OwnKeys) -> None:
    """Watch the paymaster of the settings, if this site has one of its own.

    Raises:
        TransientClientError: the node is out of reach; nothing was noted.
    """
    paymaster = sponsorship.paymaster_address()
    if paymaster is not None and not settings.PAYMASTER_URL:
        watch(chain=chain, node=node, paymaster=paymaster, keys=keys)


def watch(*, chain: Chain, node: Node, paymaster: Address, keys: OwnKeys) -> None:
    """Read the paymaster's deposit, owner and signer, unless that was done just now.

    Safe to repeat; three requests to the node.

    Raises:
        TransientClientError: the node is out of reach; nothing was noted.
    """
    rows = PaymasterDeposit.objects.filter(chain=chain, address=paymaster)
    since = timezone.now() - timedelta(seconds=READ_SECONDS)
    if rows.filter(read_at__gt=since).exists():
        return
    try:
        state = read(node=node, paymaster=paymaster)
    except ClientError as error:
        logger.error("the node does not say how the paymaster is: %s", error)
        return
    problem = problem_of(state, keys=keys)
    if problem:
        logger.error("the paymaster: %s", problem)
    PaymasterDeposit.objects.update_or_create(
        chain=chain,
        address=paymaster,
        defaults={
            "deposit_wei": state.deposit_wei,
            "owner": state.owner,
            "verifying_signer": state.verifying_signer,
            "accepts_our_key": state.verifying_signer == keys.sponsor,
            "problem": problem,
            "read_at": timezone.now(),
        },
    )


def read(*, node: Node, paymaster: Address) -> PaymasterState:
    """Return what the chain says of a VerifyingPaymaster.

    Raises:
        ClientError: the node refuses to say.
        TransientClientError: it is out of reach.
    """
    balance = node.call(ENTRY_POINT, call_data("balanceOf(address)", paymaster))
    return PaymasterState(
        deposit_wei=int.from_bytes(balance, "big"),
        owner=_address(node, paymaster, "owner()"),
        verifying_signer=_address(node, paymaster, "verifyingSigner()"),
    )


def _address_of(private_key: str) -> Address:
    return to_address(Account.from_key(private_key).address)


def _address(node: Node, paymaster: Address, question: str) -> Address | None:
    try:
        word = require_bytes32(node.call(paymaster, call_data(question)))
    except ClientError as error:
        if error.code != "execution-reverted":
            raise
        return None
    except EncodingError:  # no code there
        return None
    return Address(word[12:])


def problem_of(state: PaymasterState, *, keys: OwnKeys) -> str:
    """Return what an operator has to look at, in one sentence; empty when all is well.

    The gravest comes first: who can take the deposit, then why nobody is sponsored.
    """
    if state.owner is None or state.verifying_signer is None:
        return "There is no VerifyingPaymaster at its address: nobody is sponsored."
    if state.owner in (keys.relayer, keys.sponsor):
        return "Its owner is a key of this site: transfer it to a cold address."
    if state.verifying_signer != keys.sponsor:
        return "It accepts another key than the sponsor's: nobody is sponsored."
    if state.deposit_wei < settings.SPONSOR_DEPOSIT_FLOOR_WEI:
        return "Its deposit is low: add to it, or accounts pay their own fees."
    return ""
