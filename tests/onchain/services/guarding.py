"""Accounts with guardians, and asking for changes of them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from accounts.models import User
from onchain.models import (
    ForeignConfiguration,
    KeyProof,
    RecoverySetup,
    UserOperation,
)
from onchain.protocol.configuration import seen_hash
from onchain.protocol.deployments import (
    DAY,
    RECOVERY_MODULES,
    SAFE_4337_MODULE,
    TEST_RECOVERY_DELAY,
)
from onchain.protocol.types import Address, checksum_address
from onchain.services import guardian_changes, recovery_sync
from tests.factories import World
from tests.onchain.services.changes import prove_wallet
from tests.onchain.services.recoveries import GUARDIANS, FakeModule

MODULE = RECOVERY_MODULES[TEST_RECOVERY_DELAY]
WEEK = RECOVERY_MODULES[7 * DAY]
NEW = Address(b"\xb7" * 20)
ROLE = KeyProof.Role.GUARDIAN


def prove_guardians(world: World, *addresses: bytes, **fields: Any) -> None:
    """Remember that the person signed as a guardian with these wallets."""
    for address in addresses:
        prove_wallet(world, address, role=ROLE, **fields)


def guard(
    world: World,
    *guardians: Address,
    threshold: int = 2,
    begun: bool = False,
    enabled: bool = True,
    module: Address = MODULE,
) -> FakeModule:
    """Say that the chain has these guardians, and that it was read."""
    fake = FakeModule(world, module)
    fake.guard(*(guardians or GUARDIANS), threshold=threshold)
    if begun:
        fake.start()
    if not enabled:
        fake.restore(replace(fake.record, is_enabled=False))
    read(world, fake)
    ForeignConfiguration.objects.update_or_create(
        safe=world.wallet.safe,
        defaults={
            "findings": [],
            "modules": [checksum_address(each) for each in (module, SAFE_4337_MODULE)],
            "seen_hash": seen_hash([]),
            "block_number": 100,
        },
    )
    return fake


def read(world: World, fake: FakeModule) -> RecoverySetup:
    """Let the rows say what the module says."""
    pair = (world.wallet.safe, fake.module)
    recovery_sync.apply(found={pair: fake.record}, block_number=100)
    return RecoverySetup.objects.get(safe=world.wallet.safe, module=fake.module)


def asked(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    user: User = world.wallet.user
    defaults = {
        "safe": world.wallet.safe,
        "user": user,
        "idempotency_key": uuid.uuid4(),
        "module": MODULE,
    }
    return defaults | fields


def set_up(world: World, **fields: Any) -> UserOperation:
    named = {"guardians": list(GUARDIANS), "threshold": 2, "is_unwarned": True}
    return guardian_changes.draft_set_up(**asked(world, named | fields))


def add(world: World, **fields: Any) -> UserOperation:
    return guardian_changes.draft_guardian(**asked(world, {"guardian": NEW} | fields))


def revoke(world: World, **fields: Any) -> UserOperation:
    named = {"guardian": GUARDIANS[1]}
    return guardian_changes.draft_revocation(**asked(world, named | fields))


def change(world: World, threshold: int = 3, **fields: Any) -> UserOperation:
    named = {"threshold": threshold}
    return guardian_changes.draft_guardian_threshold(**asked(world, named | fields))


def cancel(world: World, **fields: Any) -> UserOperation:
    return guardian_changes.draft_recovery_cancellation(**asked(world, fields))


def end(world: World, **fields: Any) -> UserOperation:
    return guardian_changes.draft_end(**asked(world, fields))


def set_up_anew(world: World) -> UserOperation:
    """Set up a module in which guardians of before stayed, and a request of theirs."""
    prove_guardians(world, *GUARDIANS)
    guard(world, NEW, GUARDIANS[0], begun=True, enabled=False, threshold=1)
    return set_up(world)


def first_set_up(world: World) -> UserOperation:
    prove_guardians(world, *GUARDIANS)
    return set_up(world)


def addition(world: World, *, begun: bool = False) -> UserOperation:
    prove_guardians(world, NEW)
    guard(world, begun=begun)
    return add(world)


def revocation(world: World) -> UserOperation:
    guard(world)
    return revoke(world)


def revocation_while_begun(world: World) -> UserOperation:
    guard(world, begun=True)
    return revoke(world, guardian=GUARDIANS[0])


def threshold_change(world: World) -> UserOperation:
    guard(world)
    return change(world)


def cancellation(world: World) -> UserOperation:
    guard(world, begun=True)
    return cancel(world)


def an_end(world: World) -> UserOperation:
    guard(world)
    return end(world)


def an_end_while_begun(world: World) -> UserOperation:
    guard(world, GUARDIANS[0], threshold=1, begun=True)
    return end(world)


# Each kind of change, in a world of its own.
ASKS = {
    "set up": first_set_up,
    "set up anew": set_up_anew,
    "add": addition,
    "add while begun": lambda world: addition(world, begun=True),
    "revoke": revocation,
    "revoke while begun": revocation_while_begun,
    "change": threshold_change,
    "cancel": cancellation,
    "end": an_end,
    "end while begun": an_end_while_begun,
}
