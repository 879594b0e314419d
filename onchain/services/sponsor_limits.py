"""Which operations the sponsor pays for: its limits, its pools, and why it does not.

Exact under parallel asks: what counts is added up under a lock on the chain's row,
in the transaction that promises more (security.md R57, R69).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from onchain.amounts import COUNTED_MAX_WEI
from onchain.models import (
    Chain,
    PaymasterDeposit,
    Safe,
    Sponsorship,
    Unsponsored,
    UserOperation,
)
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.services.sponsor_usage import Today, Use, today

logger = logging.getLogger(__name__)

# Kinds that keep an account safe: they have a budget of their own, outside limits and
# pauses (R69). Cancelling a recovery, removing a guardian and turning recovery off also
# make approvals worthless (invalidateNonce).
SAFETY_KINDS: frozenset[str] = frozenset(
    {
        UserOperation.Kind.CANCEL,
        UserOperation.Kind.REMOVE_OWNER,
        UserOperation.Kind.SWAP_OWNER,
        UserOperation.Kind.DISABLE_MODULE,
        UserOperation.Kind.CANCEL_RECOVERY,
        UserOperation.Kind.REVOKE_GUARDIAN,
        UserOperation.Kind.REMOVE_RECOVERY,
    }
)
NEWCOMER_DAYS = 7  # an account is new for so long, unless it holds money
MAX_PROPOSALS = 3  # of one account, sponsored, that may still be included (R57)
Pool = Sponsorship.Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one operation asks of the sponsor."""

    op: UserOperation
    gas: int  # the most it can use
    wei: int  # the most it can cost
    valid_until: int  # seconds, chain time
    watched: Address | None  # the paymaster, where this site watches its deposit
    sponsor_name: str = ""

    @property
    def signers(self) -> int:
        """How many have to sign; more than one make it a proposal."""
        return self.op.safe.threshold


def refusal(*, request: Request) -> Unsponsored | None:
    """Return why the operation would not be sponsored now, None if it would be.

    Only ``reserve`` is exact: others may take what is left in between.
    """
    chain = Chain.objects.get(pk=request.op.safe.chain_id)
    return _decide(request, chain, request.op.safe)[1]


def reserve(*, request: Request, fields: dict[str, object]) -> Unsponsored | None:
    """Move a draft to AWAITING_SIGNATURES and promise its fee; else return why not.

    One transaction, which locks in the order of ``row_locks``: the promise refers to
    the account and to its chain.
    None as well where the draft is none any more: then nothing is promised.
    """
    op = request.op
    with transaction.atomic():
        safe = Safe.objects.select_for_update().get(pk=op.safe_id)
        chain = Chain.objects.select_for_update(no_key=True).get(pk=safe.chain_id)
        pool, reason = _decide(request, chain, safe)
        if pool is None:
            logger.info("operation %s is not sponsored: %s", op.pk, reason)
            return reason
        moved = UserOperation.objects.transition(
            op.pk,
            source=Status.DRAFT,
            target=Status.AWAITING_SIGNATURES,
            **fields,
        )
        if moved:
            Sponsorship.objects.create(
                operation=op,
                safe=safe,
                chain=chain,
                pool=pool,
                signers=request.signers,
                sponsor_name=request.sponsor_name,
                reserved_wei=request.wei,
                valid_until=request.valid_until,
            )
    return None


def _decide(
    request: Request, chain: Chain, safe: Safe
) -> tuple[Pool | None, Unsponsored | None]:
    """Return the pool that pays, or the reason why none does."""
    used = today(chain=chain, safe=safe)
    shortage = _deposit_refusal(request, chain, used)
    if shortage is None and _fits_safety_reserve(request, used):
        return Pool.SAFETY, None
    pool = Pool.NEWCOMER if is_newcomer(safe) else Pool.ESTABLISHED
    reason = (
        _rule_refusal(request, chain)
        or _account_refusal(request, used)
        or _chain_refusal(request, used, pool)
        or shortage
    )
    return (None, reason) if reason is not None else (pool, None)


def _fits_safety_reserve(request: Request, used: Today) -> bool:
    if request.op.kind not in SAFETY_KINDS or request.wei > COUNTED_MAX_WEI:
        return False
    if used.account_safety.wei + request.wei > settings.SPONSOR_SAFETY_ACCOUNT_WEI:
        return False  # or one account could leave nothing to those in danger
    return used.safety.wei + request.wei <= settings.SPONSOR_SAFETY_WEI


def is_newcomer(safe: Safe) -> bool:
    """Whether an account is limited to the newcomers' half of the day's pool.

    It is older than a week, or the chain has shown money on it, else.
    """
    is_funded = safe.synced_at_block is not None and safe.balance_wei > 0
    old = timezone.now() - timedelta(days=NEWCOMER_DAYS)
    return not is_funded and safe.created_at > old


def _deposit_refusal(request: Request, chain: Chain, used: Today) -> Unsponsored | None:
    """The deposit covers all that is promised, and what the safety reserve keeps."""
    row = PaymasterDeposit.objects.filter(chain=chain, address=request.watched).first()
    if row is None:
        return None  # not read yet, or another's: its estimate says so
    if not row.accepts_our_key:
        return Unsponsored.UNUSABLE
    left = row.deposit_wei - used.open_wei - request.wei
    if request.op.kind not in SAFETY_KINDS:
        left -= max(0, settings.SPONSOR_SAFETY_WEI - used.safety.wei)
    return None if left >= 0 else Unsponsored.DEPOSIT_LOW


def _rule_refusal(request: Request, chain: Chain) -> Unsponsored | None:
    """The switch, the caps of one operation, and the rules of proposals."""
    if chain.sponsorship_paused:
        return Unsponsored.PAUSED
    most = min(settings.SPONSOR_OPERATION_WEI, COUNTED_MAX_WEI)
    if request.wei > most or request.gas > settings.SPONSOR_OPERATION_GAS:
        return Unsponsored.TOO_DEAR
    if request.signers == 1:
        return None
    if not settings.SPONSOR_PROPOSALS:
        return Unsponsored.PROPOSALS_OFF
    confirmed = chain.confirmed_timestamp
    proposals = Sponsorship.objects.outstanding(confirmed=confirmed).filter(
        safe=request.op.safe_id, signers__gt=1
    )
    if proposals.count() >= MAX_PROPOSALS:
        return Unsponsored.PROPOSALS_FULL
    return None


def _account_refusal(request: Request, used: Today) -> Unsponsored | None:
    too_many = used.account.operations >= settings.SPONSOR_DAILY_OPERATIONS
    too_dear = used.account.wei + request.wei > settings.SPONSOR_DAILY_WEI
    return Unsponsored.SHARE_USED_UP if too_many or too_dear else None


def _chain_refusal(request: Request, used: Today, pool: Pool) -> Unsponsored | None:
    """The day's pool, of which newcomers have half at most."""
    limits = (settings.SPONSOR_DAILY_TOTAL, settings.SPONSOR_DAILY_TOTAL_WEI)
    half = (limits[0] // 2, limits[1] // 2)
    if not _has_room(request, used.total, limits):
        return Unsponsored.USED_UP
    if pool == Pool.NEWCOMER and not _has_room(request, used.newcomers, half):
        return Unsponsored.NEWCOMERS_USED_UP
    return None


def _has_room(request: Request, use: Use, limits: tuple[int, int]) -> bool:
    operations, wei = limits
    return use.operations < operations and use.wei + request.wei <= wei
