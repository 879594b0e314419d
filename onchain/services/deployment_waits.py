"""Why an account is not put on chain yet, and how its owner can do it (R23, R68).

Read from rows: what the relayer found out, and what the operator decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from onchain.models import Budget, Safe
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.types import Address
from onchain.services import budgets, deployments, network_quotas

LONG_SECONDS = 600  # after which people are offered to do it themselves
# Gas of a transaction that brings an account with one passkey, and each further one
# (protocol.md section 3), and of a passkey alone where the account is there already.
ACCOUNT_GAS = 393_000
PASSKEY_GAS = 120_000


class Reason(TextChoices):
    """What an account waits for, other than its turn."""

    PAUSED = "paused"
    BUDGET = "budget"
    NETWORK = "network"
    FEES = "fees"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCall:
    """The one call that brings an account and its signers on chain, for any wallet."""

    to: Address
    data: bytes
    cost_wei: int | None  # at the head's base fee; None: no block was read yet


def reason(*, safe: Safe) -> Reason | None:
    """Return why a queued account does not go; None: it waits for its turn only."""
    asked = safe.deployment_requested_at is not None
    if safe.status != Safe.Status.QUEUED or not asked:
        return None
    chain = safe.chain
    if chain.deployments_paused:
        return Reason.PAUSED
    if budgets.is_used_up(chain=chain, pool=Budget.Pool.DEPLOYMENTS):
        return Reason.BUDGET
    if network_quotas.is_used_up(safe=safe):
        return Reason.NETWORK
    if (chain.base_fee_wei or 0) > settings.MAX_FEE_PER_GAS:
        return Reason.FEES
    return None


def own_call(*, safe: Safe) -> OwnCall | None:
    """Return the call while setting up is stuck: failed, held back, or over 10 minutes.

    Where somebody made the account without its signers it brings those alone: the
    call for the account would burn the sender's gas.
    """
    if not _is_stuck(safe):
        return None
    is_there = safe.noticed_block is not None
    calls = deployments.signer_calls(safe) if is_there else deployments.calls(safe)
    passkeys = len(deployments.signers(safe))
    gas = PASSKEY_GAS * (passkeys if is_there else passkeys - 1)
    gas += 0 if is_there else ACCOUNT_GAS
    base_fee = safe.chain.base_fee_wei
    return OwnCall(
        to=MULTICALL3,
        data=aggregate3_data(calls, allow_failure=False),
        cost_wei=None if base_fee is None else gas * base_fee,
    )


def _is_stuck(safe: Safe) -> bool:
    if safe.is_live:
        return False
    if safe.status == Safe.Status.FAILED or reason(safe=safe) is not None:
        return True
    long_ago = timezone.now() - timedelta(seconds=LONG_SECONDS)
    asked = safe.deployment_requested_at
    return asked is not None and asked < long_ago
