"""Watching the relayer: is it funded, is its key used elsewhere, is a nonce missing?

What is found stands in the Heartbeat of the relayer, which the console, the health
page and the metrics show; a use of the key elsewhere is also written to the journal.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from eth_account.signers.local import LocalAccount

from onchain.clients.node import Node
from onchain.models import Chain, Heartbeat, JournalEntry, RelayerTransaction
from onchain.protocol.types import Address
from onchain.services import chains, journal, relayer

logger = logging.getLogger(__name__)

ELSEWHERE = "relayer-key-used-elsewhere"  # action of the journal
WINDOW = 500  # nonces below the newest that are compared with rows
ALARM_HOURS = 24  # how long the console warns of a key that was used elsewhere
Purpose = RelayerTransaction.Purpose


def watch(*, chain: Chain, node: Node, account: LocalAccount) -> None:
    """Note how the relayer is, and queue what fills a gap in its nonces.

    Safe to repeat; one request to the node.

    Raises:
        TransientClientError: the node is out of reach; nothing was noted.
    """
    sender = relayer.sender_of(account)
    used, balance = node.nonce_and_balance(sender)
    _note_foreign(chain, sender, used)
    _fill_gap(chain, sender, used)
    problem = _problem(balance)
    component = Heartbeat.Component.RELAYER
    if problem:
        chains.silent(chain=chain, component=component, detail=problem)
    else:
        chains.heard(chain=chain, component=component)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """One key of the relayer's, and what it has in flight."""

    address: Address
    is_current: bool
    in_flight: int


def keys_in_use(*, chain: Chain, account: LocalAccount) -> list[KeyUse]:
    """Return the key of the settings and each other one that has something in flight.

    What another key signed is sent and settled like the rest, but it can never be
    replaced with higher fees: a key is swapped when it has nothing in flight (R71).
    """
    current = relayer.sender_of(account)
    senders = chain.relayer_transactions.in_flight().values_list("sender", flat=True)
    counts = Counter(sender for sender in senders if sender is not None)
    counts[current] += 0
    return [
        KeyUse(address=address, is_current=address == current, in_flight=count)
        for address, count in counts.items()
    ]


def _problem(balance: int) -> str:
    if balance < settings.RELAYER_FLOOR_WEI:
        return "Its balance is low: fund it, or new accounts will have to wait."
    since = timezone.now() - timedelta(hours=ALARM_HOURS)
    if JournalEntry.objects.filter(action=ELSEWHERE, created_at__gt=since).exists():
        return "Somebody else used its key: see the journal, and rotate the key."
    return ""


def _note_foreign(chain: Chain, sender: Address, used: int) -> None:
    """Write down each used nonce that no row of ours has, once."""
    rows = chain.relayer_transactions.filter(sender=sender, nonce__isnull=False)
    first = rows.order_by("nonce").values_list("nonce", flat=True).first()
    if first is None:
        return  # a key that was used before this site had it
    start = max(first, used - WINDOW)
    ours = set(rows.filter(nonce__gte=start).values_list("nonce", flat=True))
    for nonce in sorted(set(range(start, used)) - ours):
        target = f"nonce {nonce} on chain {chain.chain_id}"
        if JournalEntry.objects.filter(action=ELSEWHERE, target=target).exists():
            continue
        logger.critical("the relayer's key was used elsewhere: %s", target)
        journal.note(actor=None, action=ELSEWHERE, target=target)


def _fill_gap(chain: Chain, sender: Address, used: int) -> None:
    """Queue a payment of nothing where a missing nonce holds up all that follow.

    Anything else that is queued takes the missing nonce as well.
    """
    in_flight = chain.relayer_transactions.in_flight().filter(sender=sender)
    first = in_flight.order_by("nonce").first()
    if first is None or first.nonce is None or first.nonce <= used:
        return
    patience = timezone.now() - timedelta(seconds=settings.RELAYER_STUCK_SECONDS)
    is_waiting = first.broadcast_at is not None and first.broadcast_at < patience
    queued = chain.relayer_transactions.filter(status=RelayerTransaction.Status.QUEUED)
    if is_waiting and not queued.exists():
        logger.error("nonce %s of the relayer is missing, filling it", used)
        RelayerTransaction.objects.create(chain=chain, purpose=Purpose.FILL, to=sender)
