"""Rehearsals of recoveries: who is asked, what counts, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import EmailAddress, OutgoingMail, User
from onchain import recovery_tasks
from onchain.errors import DrillRefused, SignatureRefused
from onchain.models import (
    AccountClaim,
    DrillAnswer,
    Guardian,
    RecoveryDrill,
    RecoverySetup,
    RelayerTransaction,
    UserOperation,
)
from onchain.protocol.types import Address
from onchain.services import drill_answers, drill_results, recovery_drills
from tests.drills import answered, drill_answer, guarded_by, recovery_drill
from tests.factories import World, make_user
from tests.onchain.services.guarding import MODULE, NEW, WEEK, guard, read
from tests.undoing import undone
from tests.wallet_keys import SoftWallet

Status = RecoveryDrill.Status


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """An account with three wallets as guardians, two of which must approve."""

    world: World
    wallets: list[SoftWallet]
    people: list[User]

    @property
    def owner(self) -> User:
        return self.world.wallet.user

    def start(self) -> RecoveryDrill:
        return recovery_drills.start(safe=self.world.wallet.safe, user=self.owner)

    def answer(self, drill: RecoveryDrill, place: int) -> DrillAnswer:
        return answered(drill, self.wallets[place], self.people[place])


@pytest.fixture
def guarded(world: World) -> Guarded:
    wallets = [SoftWallet() for _ in range(3)]
    people = guarded_by(world, *wallets)
    return Guarded(world=world, wallets=wallets, people=people)


def told(user: User) -> list[str]:
    events = user.security_events.filter(kind__startswith="rehearsal")
    return list(events.order_by("pk").values_list("kind", flat=True))


def fresh(drill: RecoveryDrill) -> RecoveryDrill:
    return RecoveryDrill.objects.select_related("safe__chain").get(pk=drill.pk)


# --- Starting -----------------------------------------------------------------------------


def test_an_owner_asks_every_guardian_once(guarded: Guarded):
    drill = guarded.start()

    assert drill.guardian_list == [wallet.address for wallet in guarded.wallets]
    assert (drill.threshold, drill.status) == (2, Status.RUNNING)
    assert drill.until - drill.asked_at == timedelta(days=14)
    assert guarded.start() == drill
    assert RecoveryDrill.objects.count() == 1
    assert [told(user) for user in guarded.people] == [["rehearsal-asked"]] * 3
    assert told(guarded.owner) == ["rehearsal-started"]


def test_a_guardian_with_two_keys_gets_one_mail(guarded: Guarded, settings: Any):
    settings.HAS_EMAIL = True
    friend = guarded.people[0]
    EmailAddress.objects.create(
        user=friend, address="ann@example.com", status=EmailAddress.Status.ACTIVE
    )
    setup = RecoverySetup.objects.get()
    setup.guardians.filter(address=guarded.wallets[1].address).update(holder=friend)

    guarded.start()

    assert told(friend) == ["rehearsal-asked"]
    assert OutgoingMail.objects.count() == 1


def test_nobody_is_asked_where_nobody_guards_or_too_often(guarded: Guarded):
    with undone():
        RecoverySetup.objects.update(is_enabled=False)
        with pytest.raises(DrillRefused, match="Nobody guards"):
            guarded.start()
    for _ in range(3):
        recovery_drills.end(drill=guarded.start())
    with pytest.raises(DrillRefused, match="3 times this week"):
        guarded.start()
    RecoveryDrill.objects.update(asked_at=timezone.now() - timedelta(days=8))

    assert guarded.start().is_running


# --- Answering ----------------------------------------------------------------------------


def test_enough_answers_show_that_a_recovery_would_work(guarded: Guarded):
    drill = guarded.start()
    tallies = []
    for place in range(2):
        tallies.append(drill_results.tally_of(fresh(drill)))
        assert guarded.answer(drill, place).status == "valid"
    tallies.append(drill_results.tally_of(fresh(drill)))

    assert [tally.answered for tally in tallies] == [0, 1, 2]
    assert [tally.is_enough for tally in tallies] == [False, False, True]
    assert fresh(drill).is_running  # the third may still answer
    guarded.answer(drill, 2)
    over = fresh(drill)
    assert (over.status, over.answered, over.asked, over.needed) == (
        *(Status.COMPLETE, 3, 3, 2),
    )
    assert over.was_enough
    assert told(guarded.owner) == ["rehearsal-started", "rehearsal-ended"]
    event = guarded.owner.security_events.first()
    words = "3 of 3 have answered, 2 would be enough: this recovery would have worked."
    assert words in event.detail


def test_a_guardian_answers_once_and_only_to_this(guarded: Guarded):
    drill, safe = guarded.start(), guarded.world.wallet.safe
    wallet, user = guarded.wallets[0], guarded.people[0]
    other = recovery_drill(safe, status=Status.ENDED)
    right = wallet.sign_hash(bytes(drill.hash_to_sign))
    asked = {"drill": drill, "user": user, "guardian": wallet.address}
    wrong = {
        "of another rehearsal": wallet.sign_hash(bytes(other.hash_to_sign)),
        "of another guardian": guarded.wallets[1].sign_hash(bytes(drill.hash_to_sign)),
    }

    for signature in wrong.values():
        # Not this wallet's own, so it could be a contract's only: a worker asks.
        with undone():
            answer = drill_answers.sign_with_wallet(**asked, signature=signature)
            assert (answer.kind, answer.status) == ("contract", "signed")
    for signature in (b"", b"\1" * 4_097):
        with pytest.raises(SignatureRefused):
            drill_answers.sign_with_wallet(**asked, signature=signature)
    for guardian in (NEW, Address(safe.address)):
        with pytest.raises(DrillRefused, match="no guardian"):
            drill_answers.sign_with_wallet(
                **asked | {"guardian": guardian}, signature=right
            )
    with pytest.raises(DrillRefused, match="None of your passkeys"):
        drill_answers.sign_with_passkey(drill=drill, user=user, response="{}")
    first = drill_answers.sign_with_wallet(**asked, signature=right)
    assert drill_answers.sign_with_wallet(**asked, signature=right) == first
    assert drill_results.tally_of(drill).answered == 1


def test_what_is_over_takes_no_answer_and_no_link(guarded: Guarded):
    drill = guarded.start()
    token = recovery_drills.renew_link(drill=drill)
    assert recovery_drills.of_token(token) == drill
    with undone():
        recovery_drills.renew_link(drill=drill)
        with pytest.raises(DrillRefused):
            recovery_drills.of_token(token)
    with undone():
        RecoveryDrill.objects.update(until=timezone.now())
        with pytest.raises(DrillRefused):
            guarded.answer(drill, 0)
        with pytest.raises(DrillRefused):
            recovery_drills.of_token(token)

    recovery_drills.end(drill=drill)
    recovery_drills.end(drill=drill)

    with pytest.raises(DrillRefused, match="is over"):
        guarded.answer(drill, 0)
    for act in (
        recovery_drills.of_token,
        lambda _t: recovery_drills.renew_link(drill=drill),
    ):
        with pytest.raises(DrillRefused):
            act(token)
    assert told(guarded.owner).count("rehearsal-ended") == 1


# --- Whom it counts, and how it ends ------------------------------------------------------


def test_guardians_changed_meanwhile_are_judged_as_they_are_now(guarded: Guarded):
    drill = guarded.start()
    guarded.answer(drill, 0)
    guarded.answer(drill, 1)
    addresses = [wallet.address for wallet in guarded.wallets]

    with undone():
        guard(guarded.world, *addresses[1:], NEW, threshold=2)
        tally = drill_results.tally_of(drill)
        assert (tally.answered, tally.asked, tally.needed) == (1, 2, 2)
        assert not tally.is_enough
        standing = drill_results.standing_of(drill)
        lines = standing.lines
        assert standing.unasked == 1
        assert [line.is_gone for line in lines] == [True, False, False]
        assert [line.named.address for line in lines] == addresses
    with undone():
        guard(guarded.world, *addresses, threshold=3)
        assert not drill_results.tally_of(drill).is_enough
    with undone():
        fake = guard(guarded.world, *addresses[:2], threshold=1)
        recovery_drills.look(drill=drill)
        # Who is left has answered.
        assert fresh(drill).status == Status.COMPLETE
        fake.guard(NEW, threshold=1)
        read(guarded.world, fake)
        # What it has shown at its end stays.
        assert fresh(drill).was_enough
    RecoverySetup.objects.update(is_enabled=False)
    tally = drill_results.tally_of(drill)
    assert (tally.answered, tally.asked, tally.needed) == (0, 0, 0)
    assert not tally.is_enough


def test_its_time_ends_it_and_the_sweep_finds_what_was_lost(
    guarded: Guarded, monkeypatch: Any
):
    drill = guarded.start()
    guarded.answer(drill, 0)
    waiting = drill_answer(
        drill.safe, drill=drill, guardian=guarded.wallets[1].address, kind="contract"
    )
    nudged = []
    for name in ("check_drill_answer", "look_at_drill"):
        task = getattr(recovery_tasks, name)
        monkeypatch.setattr(
            task, "delay", lambda pk, name=name: nudged.append((name, pk))
        )

    def sweep() -> list[tuple[str, int]]:
        nudged.clear()
        recovery_tasks.sweep(chain=drill.safe.chain, older=timezone.now())
        return nudged

    assert sweep() == [("check_drill_answer", waiting.pk)]
    recovery_tasks.look_at_drill(drill.pk)
    assert fresh(drill).is_running
    RecoveryDrill.objects.update(until=timezone.now())
    assert sweep()[1:] == [("look_at_drill", drill.pk)]
    recovery_tasks.look_at_drill(drill.pk)
    recovery_tasks.look_at_drill(drill.pk)

    over = fresh(drill)
    assert (over.status, over.was_enough, over.answered) == (Status.LAPSED, False, 1)
    assert told(guarded.owner).count("rehearsal-ended") == 1
    # Signed in time and checked afterwards: it counts.
    DrillAnswer.objects.filter(pk=waiting.pk).update(status="valid")
    recovery_drills.settle(answer=waiting)
    assert fresh(drill).was_enough


def test_a_rehearsal_asks_nothing_of_the_chain_and_is_no_claim(guarded: Guarded):
    for place in range(3):
        guarded.answer(guarded.start(), place)

    for model in (AccountClaim, RelayerTransaction, UserOperation):
        assert not model.objects.exists()


# --- Who sees it --------------------------------------------------------------------------


def test_guardians_see_it_and_strangers_only_by_its_link(guarded: Guarded):
    drill, stranger = guarded.start(), make_user()

    def asked(user: User, *opened: int) -> list[RecoveryDrill]:
        return drill_answers.asked_of(user=user, opened=opened)

    assert asked(guarded.people[0]) == [drill]
    assert asked(stranger) == []
    assert asked(stranger, drill.pk) == [drill]
    guarded.answer(drill, 0)
    assert asked(guarded.people[0]) == []
    assert asked(guarded.people[1]) == [drill]
    visible = drill_answers.visible_to(user=guarded.people[0], opened=[])
    assert list(visible) == [drill]
    with undone():
        # Who came later was not asked, nor who guards by another module.
        for module, kept in ((MODULE, guarded.wallets[0].address), (WEEK, NEW)):
            guard(guarded.world, kept, NEW, module=module)
            guardians = Guardian.objects.filter(setup__module=module, address=NEW)
            guardians.update(holder=stranger)
            assert asked(stranger) == []
            assert not drill_answers.visible_to(user=stranger, opened=[]).exists()
    recovery_drills.end(drill=drill)
    assert asked(guarded.people[1]) == []
    assert drill_answers.visible_to(user=guarded.people[1], opened=[]).exists()
    RecoveryDrill.objects.update(asked_at=timezone.now() - timedelta(days=61))
    assert not drill_answers.visible_to(user=guarded.people[1], opened=[]).exists()
    assert drill_answers.visible_to(user=guarded.people[0], opened=[]).exists()
