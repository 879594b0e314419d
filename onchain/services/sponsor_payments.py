"""What a block says of a sponsor's promises: paid, or open again.

Called by the follower, in the transaction in which it moves the operation.
"""

from __future__ import annotations

from django.db.models import F, Value
from django.db.models.functions import Least
from django.utils import timezone

from onchain.amounts import COUNTED_MAX_WEI
from onchain.models import Sponsorship, UserOperation


def settle(*, op: UserOperation, cost_wei: int) -> None:
    """Count an included operation at its cost, also one that reverted.

    The EntryPoint charges the promised most at most, and so no log can say more.
    """
    if not op.is_sponsored:
        return
    cost = Least(F("reserved_wei"), Value(min(cost_wei, COUNTED_MAX_WEI)))
    Sponsorship.objects.filter(operation=op).update(
        paid_wei=cost, paid_at=timezone.now()
    )


def reopen(*, op: UserOperation) -> None:
    """Count an operation that fell out of the chain at its most again."""
    if op.is_sponsored:
        Sponsorship.objects.filter(operation=op).update(paid_wei=None, paid_at=None)
