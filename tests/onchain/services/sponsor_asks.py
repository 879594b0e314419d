"""Asking the sponsor: what was granted, what was refused and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from onchain.clients.errors import TransientClientError
from onchain.models import PaymasterDeposit, Safe, Sponsorship, UserOperation
from onchain.protocol.types import to_address
from onchain.services import sponsor_limits, sponsorship
from tests.factories import World, make_world


def sponsored() -> int:
    """Return how many operations the sponsor pays for."""
    granted = UserOperation.objects.filter(paymaster__isnull=False).count()
    assert Sponsorship.objects.count() == granted
    return granted


def reasons(*ops: UserOperation) -> list[str]:
    """Return why each is not sponsored, empty for one that is."""
    assert all(op.is_sponsored == (op.unsponsored_reason == "") for op in ops)
    return [op.unsponsored_reason for op in ops]


def make_funded_world(**fields: Any) -> World:
    """Return a world whose account the chain has shown money on."""
    world = make_world(**fields)
    world.fund()
    return world


def make_old(world: World, days: int) -> None:
    """Let an account be this old."""
    created_at = timezone.now() - timedelta(days=days, seconds=1)
    Safe.objects.filter(pk=world.wallet.safe.pk).update(created_at=created_at)


def make_deposit(world: World, deposit_wei: int, **fields: Any) -> PaymasterDeposit:
    """Store what the chain says of the paymaster."""
    defaults = {
        "chain": world.chain,
        "address": sponsorship.paymaster_address(),
        "deposit_wei": deposit_wei,
        "owner": to_address("0x" + "c0" * 20),
        "accepts_our_key": True,
        "read_at": timezone.now(),
    }
    return PaymasterDeposit.objects.create(**defaults | fields)


def ask(world: World, **fields: Any) -> sponsor_limits.Request:
    """Return a request for a new draft, by default a cheap one of ten minutes."""
    op = world.fresh(world.draft(value_wei=1))
    head = world.node.blocks[-1].timestamp
    defaults = {"gas": 1, "wei": 1_000, "valid_until": head + 600, "watched": None}
    return sponsor_limits.Request(op=op, **defaults | fields)


def reserve(request: sponsor_limits.Request) -> str | None:
    """Reserve without preparing: the row moves with its end alone."""
    fields = {"valid_until": request.valid_until}
    return sponsor_limits.reserve(request=request, fields=fields)


def prepared_until_done(world: World, op: UserOperation) -> None:
    """Prepare as a worker does: again after another one took the nonce."""
    for _attempt in range(20):
        try:
            world.prepare(op)
        except TransientClientError:
            continue
        return
