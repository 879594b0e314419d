"""Who hears of a recovery, when and how often (R58, R61)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import mails
from accounts.models import EmailAddress, SecurityEvent, User
from onchain import tasks
from onchain.models import Guardian, RecoveryRequest
from onchain.protocol.deployments import DAY, RECOVERY_MODULES
from onchain.services import recovery_alarms
from tests.factories import World, make_credential, make_user
from tests.onchain.services.additions import added
from tests.onchain.services.happenings import follow
from tests.onchain.services.recoveries import (
    GUARDIANS,
    NEW_OWNERS,
    FakeModule,
    setup_of,
)
from tests.soft_authenticator import SoftAuthenticator

BEGAN, WAITS, ENDED = "recovery-began", "recovery-waits", "recovery-ended"


@pytest.fixture
def module(world: World, settings: Any) -> FakeModule:
    """The module of an account with one guardian who is a person here."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.HAS_EMAIL = True
    follow(world)
    module = FakeModule(world)
    world.node.mine(*module.guard(*GUARDIANS, threshold=2))
    follow(world)
    return module


@pytest.fixture
def friend(module: FakeModule) -> User:
    """Whose passkey the first guardian is."""
    user = make_user(name="Ann")
    credential = make_credential(SoftAuthenticator(), user=user)
    Guardian.objects.filter(address=GUARDIANS[0]).update(credential=credential)
    return user


def happen(world: World, *events: object) -> None:
    world.node.mine(*events)
    follow(world)
    recovery_alarms.tell_due(chain=world.chain)


def heard(user: User) -> list[str]:
    events = user.security_events.filter(kind__startswith="recovery")
    return list(events.order_by("pk").values_list("kind", flat=True))


def days_pass(days: int) -> None:
    earlier = timezone.now() - timedelta(days=days)
    RecoveryRequest.objects.update(told_at=earlier)


def reachable(user: User) -> EmailAddress:
    return EmailAddress.objects.create(
        user=user,
        address=f"{user.pk}@example.com",
        status=EmailAddress.Status.ACTIVE,
        verified_at=timezone.now(),
    )


def test_owners_and_guardians_hear_at_once_daily_and_of_the_end(
    world: World, module: FakeModule, friend: User
):
    owner = world.wallet.user
    happen(world, module.start())
    assert (heard(owner), heard(friend)) == ([BEGAN], [BEGAN])

    for _ in range(3):
        recovery_alarms.tell_due(chain=world.chain)
    assert heard(owner) == [BEGAN]
    for _ in range(2):
        days_pass(1)
        for _ in range(2):
            recovery_alarms.tell_due(chain=world.chain)
    assert heard(owner) == [BEGAN, WAITS, WAITS]

    happen(world, module.cancel())
    days_pass(3)
    recovery_alarms.tell_due(chain=world.chain)
    assert (heard(owner), heard(friend)) == ([BEGAN, WAITS, WAITS, ENDED],) * 2


def test_who_lost_the_account_hears_that_it_is_finished(
    world: World, module: FakeModule
):
    owner = world.wallet.user
    happen(world, module.start())
    world.node.mine(module.finalize(), added(module.account, NEW_OWNERS[0]))
    follow(world)
    assert not world.wallet.safe.owners.current().filter(credential__user=owner)

    recovery_alarms.tell_due(chain=world.chain)

    assert heard(owner) == [BEGAN, ENDED]
    assert "its owners were replaced" in owner.security_events.first().detail


def test_a_larger_one_in_its_place_is_told_as_another(world: World, module: FakeModule):
    happen(world, module.start())

    happen(world, module.start(approvals=3))

    assert heard(world.wallet.user) == [BEGAN, ENDED, BEGAN]


def test_one_that_a_reorg_brings_back_is_told_again(world: World, module: FakeModule):
    happen(world, module.start())
    pending = module.record
    happen(world, module.cancel())

    world.node.reorganise(1)
    module.restore(pending)
    world.node.mine()
    happen(world)

    assert heard(world.wallet.user) == [BEGAN, ENDED, BEGAN]


def test_what_came_and_went_in_a_gap_is_told_and_what_is_long_past_is_not(
    world: World, module: FakeModule
):
    old = module.start()
    world.node.mine(old, module.cancel())
    world.node.mine(seconds=3 * DAY)
    world.node.mine(module.start())
    happen(world, module.cancel())

    assert heard(world.wallet.user) == [ENDED]
    assert not recovery_alarms.due(chain=world.chain).exists()


def test_two_workers_tell_once(world: World, module: FakeModule, monkeypatch: Any):
    world.node.mine(module.start())
    follow(world)
    rows = list(recovery_alarms.due(chain=world.chain))
    for row in rows * 2:  # both have read it before either of them wrote
        recovery_alarms._tell(row)

    assert heard(world.wallet.user) == [BEGAN]


def test_the_sweep_looks_for_it_and_mails_go_out_without_a_link_that_acts(
    world: World,
    module: FakeModule,
    friend: User,
    mailoutbox: list[Any],
    monkeypatch: Any,
):
    reachable(world.wallet.user)
    reachable(friend)
    world.node.mine(module.start())
    follow(world)
    asked: list[int] = []
    monkeypatch.setattr(tasks.tell_of_recoveries, "delay", asked.append)
    for name in ("run_relayer", "check_components"):
        monkeypatch.setattr(getattr(tasks, name), "delay", lambda _pk: None)
    tasks.sweep()
    assert asked == [world.chain.pk]

    recovery_alarms.tell_due(chain=world.chain)
    mails.send_due()

    assert {mail.to[0] for mail in mailoutbox} == {
        f"{user.pk}@example.com" for user in (world.wallet.user, friend)
    }
    for mail in mailoutbox:
        assert mail.subject == "Latchkey: A recovery has begun"
        assert "can cancel it until" in mail.body
        assert "/recovery" not in mail.body
        assert "#" not in mail.body


@pytest.mark.parametrize(
    ("delay", "margin"), [(180, 60), (3 * DAY, 3_600), (14 * DAY, 3_600)]
)
def test_the_time_to_cancel_by_has_a_margin(
    world: World, module: FakeModule, delay: int, margin: int
):
    world.node.mine(module.start())
    follow(world)
    setup = setup_of(world)
    request = setup.pending
    setup.module = RECOVERY_MODULES[delay]
    request.setup = setup

    assert recovery_alarms.cancel_by(request) == request.execute_after - margin


def test_a_name_that_fills_a_line_leaves_room_for_the_time(
    world: World, module: FakeModule
):
    type(world.wallet.safe).objects.update(name="\u202e" * 40)
    happen(world, module.start())

    event = SecurityEvent.objects.get(kind=BEGAN)
    assert event.detail.endswith(" UTC.")
