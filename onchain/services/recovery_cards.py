"""A recovery that has begun, as its account's page shows it: who comes, who goes.

What was begun is compared with the owners that the account has: whoever is told that a
recovery has begun must see at once whether it is the one they asked for. And the two
calls that stop it, for whoever has to stop it without this site.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.models import User
from onchain.models import Owner, RecoveryRequest, RecoverySetup, Safe
from onchain.protocol.recovery import cancel_recovery_call, invalidate_nonce_call
from onchain.protocol.types import Address, Call, checksum_address, to_hex
from onchain.services import owner_names, recovery_alarms
from onchain.services.recovery_alarms import Alarm

SHOWN_ENDED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLine:
    """An owner that comes, stays or goes."""

    address: str  # checksummed
    name: str  # empty: nobody here knows it
    is_yours: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KitCall:
    """One call that the account makes to stop a recovery."""

    name: str  # the function's
    to: str  # checksummed
    data: str  # 0x and hex


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCard:
    """What has begun at one module."""

    alarm: Alarm
    coming: Sequence[OwnerLine]
    going: Sequence[OwnerLine]
    kit: Sequence[KitCall]
    form_key: uuid.UUID = field(default_factory=uuid.uuid4)  # of "Cancel recovery"

    @property
    def request(self) -> RecoveryRequest:
        """The request that waits."""
        return self.alarm.request


def cards_of(*, safe: Safe, user: User) -> list[RecoveryCard]:
    """Return what has begun on an account, oldest first."""
    pending = RecoveryRequest.objects.filter(
        setup__safe=safe, status=RecoveryRequest.Status.PENDING
    )
    rows = list(pending.select_related("setup__safe__chain").order_by("pk"))
    owners = list(owner_names.with_names(safe.owners.current())) if rows else []
    return [_card(row, owners, user) for row in rows]


def history_of(*, safe: Safe) -> list[RecoveryRequest]:
    """Return the newest recoveries of an account that have ended."""
    ended = RecoveryRequest.objects.filter(setup__safe=safe).exclude(
        status=RecoveryRequest.Status.PENDING
    )
    return list(ended.order_by("-execute_after", "-pk")[:SHOWN_ENDED])


def kit_of(setup: RecoverySetup) -> list[KitCall]:
    """Return the calls that stop whatever is pending at a module, and the next one.

    The second makes the approvals worthless with which the same recovery could begin
    once more.
    """
    module = Address(setup.module)
    return [
        _kit_call("cancelRecovery()", cancel_recovery_call(module=module)),
        _kit_call("invalidateNonce()", invalidate_nonce_call(module=module)),
    ]


def _card(
    request: RecoveryRequest, owners: Sequence[Owner], user: User
) -> RecoveryCard:
    lines = {
        owner.address_text: OwnerLine(
            address=owner.address_text,
            name=owner_names.name_of(owner),
            is_yours=owner.person == user,
            stays=owner.address_text in (request.new_owners or []),
        )
        for owner in owners
    }
    return RecoveryCard(
        alarm=recovery_alarms.alarm_of(request),
        coming=[
            lines.get(text, OwnerLine(address=text, name=""))
            for text in request.new_owners or []
        ],
        going=[line for line in lines.values() if not line.stays],
        kit=kit_of(request.setup),
    )


def _kit_call(name: str, call: Call) -> KitCall:
    return KitCall(name=name, to=checksum_address(call.to), data=to_hex(call.data))
