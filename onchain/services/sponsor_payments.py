"""What a block says of a sponsor's promises: paid, void, or open again.

Called by the follower, in the transaction in which it moves the operation.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Least
from django.utils import timezone

from onchain.amounts import COUNTED_MAX_WEI
from onchain.models import Chain, Sponsorship, UserOperation
from onchain.models.operation_states import GIVEN_UP, Status

VOID = 0  # seconds: a promise that nobody can redeem ended before time began
# States of what may be sent by others, and no longer is by this site.
LEFT = (*GIVEN_UP, Status.REPLACED)


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


def release_overtaken(*, chain: Chain) -> None:
    """Give back what is reserved for operations whose nonce another one used.

    Such an operation can never be included, whoever holds its signatures: so it is
    after cancelling it for certain, and not after a mere withdrawal (security.md R57,
    R66). Only once the other one is confirmed: a reorg could free the nonce again.
    """
    if chain.confirmed_timestamp is None:
        return
    used = UserOperation.objects.filter(
        safe=OuterRef("operation__safe"),
        nonce_key=OuterRef("operation__nonce_key"),
        nonce_sequence=OuterRef("operation__nonce_sequence"),
        status__in=(Status.INCLUDED, Status.REVERTED),
        block_number__lte=chain.confirmed_number,
    )
    promised = Sponsorship.objects.filter(chain=chain, operation__status__in=LEFT)
    open_ones = promised.outstanding(confirmed=chain.confirmed_timestamp)
    overtaken = list(open_ones.filter(Exists(used)).values_list("pk", flat=True))
    if overtaken:
        Sponsorship.objects.filter(pk__in=overtaken).update(valid_until=VOID)


def reinstate_overtaken(*, op: UserOperation) -> None:
    """Reserve again what the operation had made void: it fell out of the chain."""
    same_nonce = UserOperation.objects.filter(
        safe=op.safe_id, nonce_key=op.nonce_key, nonce_sequence=op.nonce_sequence
    )
    until = same_nonce.filter(pk=OuterRef("operation")).values("valid_until")[:1]
    void = Sponsorship.objects.filter(operation__in=same_nonce, valid_until=VOID)
    void.update(valid_until=Subquery(until))
