"""When owners are reminded to rehearse a recovery: twice a year at most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import EmailAddress, OutgoingMail
from onchain import recovery_tasks
from onchain.models import RecoveryDrill, RecoverySetup, Safe
from onchain.services import drill_contents, drill_reminders, recovery_drills
from tests.factories import World, make_wallet
from tests.onchain.services.guarding import WEEK, guard, read
from tests.onchain.services.recoveries import GUARDIANS
from tests.undoing import undone

HALF_YEAR = timedelta(days=182)


def told(world: World) -> int:
    return world.wallet.user.security_events.filter(kind="rehearsal-due").count()


def look(world: World) -> bool:
    """Let a worker look; whether the page says the same as what is told first."""
    drill_reminders.tell_due(chain=world.wallet.safe.chain)
    card = drill_contents.card_of(world.wallet.safe)
    return card is not None and card.is_due


def passes(world: World, span: timedelta = HALF_YEAR) -> None:
    """Let everything have happened so much earlier."""
    for setup in RecoverySetup.objects.all():
        if setup.active_since is not None:
            setup.active_since -= span
        setup.save(update_fields=["active_since"])
    for drill in RecoveryDrill.objects.exclude(ended_at=None):
        drill.ended_at -= span
        drill.save(update_fields=["ended_at"])
    safe = Safe.objects.get(pk=world.wallet.safe.pk)
    if safe.rehearsal_reminded_at is not None:
        safe.rehearsal_reminded_at -= span
        safe.save(update_fields=["rehearsal_reminded_at"])


def rehearse(world: World) -> None:
    safe, user = world.wallet.safe, world.wallet.user
    recovery_drills.end(drill=recovery_drills.start(safe=safe, user=user))


def test_owners_hear_twice_a_year_until_somebody_rehearses(world: World):
    guard(world)
    assert (look(world), told(world)) == (False, 0)
    passes(world, timedelta(days=181))
    assert (look(world), told(world)) == (False, 0)
    passes(world, timedelta(days=1))
    for _ in range(3):
        assert (look(world), told(world)) == (True, 1)
    passes(world, timedelta(days=100))
    assert (look(world), told(world)) == (True, 1)
    passes(world, timedelta(days=82))
    assert (look(world), told(world)) == (True, 2)

    rehearse(world)
    passes(world, timedelta(days=181))
    assert (look(world), told(world)) == (False, 2)
    passes(world, timedelta(days=1))
    assert (look(world), told(world)) == (True, 3)


def test_nobody_is_reminded_where_nothing_is_to_be_tried(world: World):
    make_wallet()
    guard(world)
    passes(world)
    with undone():
        RecoverySetup.objects.update(is_enabled=False)
        assert (look(world), told(world)) == (False, 0)
    with undone():
        recovery_drills.start(safe=world.wallet.safe, user=world.wallet.user)
        assert (look(world), told(world)) == (False, 0)
    with undone():
        # Guardians of another module came lately: set-up was no half year ago.
        guard(world, module=WEEK)
        assert (look(world), told(world)) == (False, 0)
    assert drill_reminders.tell_due(chain=world.wallet.safe.chain) == 1


def test_half_a_year_counts_from_when_guardians_could_recover_it(world: World):
    fake = guard(world, enabled=False)
    assert RecoverySetup.objects.get().active_since is None
    RecoverySetup.objects.update(created_at=timezone.now() - 2 * HALF_YEAR)

    fake.guard(*GUARDIANS, threshold=2)
    read(world, fake)

    since = RecoverySetup.objects.get().active_since
    assert since is not None
    assert timezone.now() - since < timedelta(minutes=1)
    fake.guard(*GUARDIANS, threshold=3)
    read(world, fake)
    assert RecoverySetup.objects.get().active_since == since
    assert (look(world), told(world)) == (False, 0)
    # One that was known before this was written down.
    RecoverySetup.objects.update(active_since=None)
    assert (look(world), told(world)) == (True, 1)


def test_a_worker_reminds_by_mail_once(world: World, settings: Any, monkeypatch: Any):
    settings.HAS_EMAIL = True
    EmailAddress.objects.create(
        user=world.wallet.user,
        address="alice@example.com",
        status=EmailAddress.Status.ACTIVE,
    )
    guard(world)
    OutgoingMail.objects.all().delete()
    passes(world)
    nudged = []
    monkeypatch.setattr(recovery_tasks.send_mails, "delay", lambda: nudged.append(1))

    recovery_tasks.remind_of_rehearsals()
    recovery_tasks.remind_of_rehearsals()

    assert (OutgoingMail.objects.count(), nudged) == (1, [1])


def test_two_workers_remind_once(world: World):
    guard(world)
    passes(world)
    (read_by_both,) = drill_reminders.due(chain=world.wallet.safe.chain)

    told_by = [drill_reminders._tell(read_by_both) for _ in range(2)]

    assert (told_by, told(world)) == ([True, False], 1)


@pytest.fixture(autouse=True)
def is_named(world: World) -> None:
    Safe.objects.update(name="Club")
