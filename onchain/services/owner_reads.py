"""Which accounts the follower asks about their owners and configuration, and when."""

from __future__ import annotations

from collections.abc import Sequence

from onchain.clients.node_types import LogRecord
from onchain.models import Chain, Safe
from onchain.protocol.allowances import account_of
from onchain.protocol.events import ACCOUNT_EVENTS

READ_AT_ONCE = 25  # accounts that one pass asks about, in one request


def changed(*, chain: Chain, logs: Sequence[LogRecord]) -> list[Safe]:
    """Return the known accounts whose owners or configuration a block may change."""
    named = {log.address for log in logs if log.topics[0] in ACCOUNT_EVENTS}
    about = (account_of(emitter=log.address, topics=log.topics) for log in logs)
    named |= {account for account in about if account is not None}
    if not named:
        return []
    return list(Safe.objects.filter(chain=chain, address__in=named).order_by("pk"))


def due(*, chain: Chain, changed: Sequence[Safe]) -> list[Safe]:
    """Return the accounts to ask about now: the changed ones, and those never read.

    Bounded: the others wait, marked as to be read. Neither those that change all the
    time nor those that come first by age can keep the others from their turn.
    """
    live = Safe.objects.filter(chain=chain, status=Safe.Status.DEPLOYED)
    first = [safe for safe in changed if safe.is_live]
    unread = live.filter(owners_synced_block__isnull=True)
    rest = unread.exclude(pk__in=[safe.pk for safe in first])
    waiting = list(rest.order_by("pk")[: READ_AT_ONCE + 1])
    if len(waiting) > READ_AT_ONCE:
        waiting = list(rest.order_by("?")[:READ_AT_ONCE])
    kept = max(READ_AT_ONCE - len(waiting), READ_AT_ONCE // 2)
    return [*first[:kept], *waiting][:READ_AT_ONCE]
