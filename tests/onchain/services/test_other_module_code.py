"""R22: a recovery module with other code stops what touches it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from onchain.guardian_errors import DelayImpossible, ModuleChanged
from onchain.models import ModuleCode
from onchain.models.operation_states import Status
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.services import guardian_rules, module_codes
from tests.factories import World, make_world
from tests.onchain.services.guarding import (
    ASKS,
    MODULE,
    add,
    cancel,
    change,
    end,
    guard,
    revoke,
)
from tests.undoing import undone

pytestmark = pytest.mark.django_db
SAFE_KINDS = ("cancel-recovery", "remove-recovery")
OTHER = RECOVERY_MODULES[14 * DAY]


def confirm_all(world: World) -> None:
    """Let every module be confirmed, as if the chain were a public one."""
    ModuleCode.objects.bulk_create(
        ModuleCode(
            chain=world.chain,
            module=module,
            code_hash=b"\1" * 32,
            confirmed_at=timezone.now(),
        )
        for module in RECOVERY_MODULES.values()
    )


def change_code(*, changed: bool = True) -> None:
    """Let the module of these tests have other code than was confirmed, or not."""
    at = timezone.now() if changed else None
    ModuleCode.objects.filter(module=MODULE).update(changed_at=at)


def test_what_touches_the_module_stops_and_what_rids_an_account_of_it_goes_on(
    db: None, subtests: Any
):
    for name, ask in ASKS.items():
        with subtests.test(name):
            world = make_world()
            if not ModuleCode.objects.exists():
                confirm_all(world)
            change_code(changed=False)
            draft = ask(world)
            with undone():
                change_code()
                stopped_early = world.prepare(draft).failure_code
            first = world.prepare(draft)
            assert first.status == Status.AWAITING_SIGNATURES, first.failure_code
            is_safe = first.kind in SAFE_KINDS
            assert stopped_early == ("" if is_safe else "module-changed")

            change_code()
            sent = world.submit(world.sign(first))

            stopped = (Status.REJECTED, "module-changed")
            got = (sent.status, sent.failure_code)
            assert got == ((Status.SUBMITTED, "") if is_safe else stopped)
            assert bool(world.bundler.sent) == is_safe


def test_nothing_is_drafted_for_it_but_its_end(world: World, settings: Any):
    guard(world, begun=True)
    confirm_all(world)
    change_code()

    for ask in (add, revoke, change):
        with pytest.raises(ModuleChanged, match="turn recovery off"):
            ask(world)
    assert cancel(world).pk
    assert end(world).pk

    settings.LOCAL_CHAIN = False
    assert module_codes.usable_delays(world.chain) == [3 * DAY, 7 * DAY, 14 * DAY]
    ModuleCode.objects.filter(module=OTHER).update(changed_at=timezone.now())
    assert module_codes.usable_delays(world.chain) == [3 * DAY, 7 * DAY]
    with pytest.raises(DelayImpossible):
        guardian_rules.require_module(module=OTHER, chain=world.chain)


def test_payments_of_the_account_and_its_other_modules_go_on(world: World):
    guard(world)
    confirm_all(world)
    change_code()

    payment = world.submit(world.sign(world.prepare(world.draft())))
    assert payment.status == Status.SUBMITTED
    guardian_rules.require_unchanged(module=OTHER, chain=world.chain)
