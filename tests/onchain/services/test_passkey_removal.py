"""R13, R14, R7 and product.md I-15: what may be removed, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import OperatorsElsewhere, RemovalRefused
from accounts.models import Credential, SecurityEvent, Session, User
from accounts.step_up import SETTLING
from onchain.models import KeyProof, Owner, Safe, UserOperation
from onchain.services import key_proofs, passkey_removal
from onchain.services.passkey_roles import roles_of
from tests.factories import Wallet, World, make_credential, make_user, make_wallet
from tests.onchain.services.additions import draft_addition, proven_newcomer
from tests.threads import all_at_once

pytestmark = [pytest.mark.django_db, pytest.mark.services]

LONG_AGO = timezone.now() - SETTLING - timedelta(days=1)


@pytest.fixture
def wallet() -> Wallet:
    return make_wallet()


def another(wallet: Wallet, **fields: Any) -> Credential:
    """Return a further passkey of the wallet's person, added long ago."""
    credential = make_credential(user=wallet.user)
    Credential.objects.filter(pk=credential.pk).update(
        **{"created_at": LONG_AGO} | fields
    )
    credential.refresh_from_db()
    return credential


def own(wallet: Wallet, credential: Credential | None = None, **fields: Any) -> Owner:
    """Give an account another owner, as the follower reads it from the chain."""
    position = wallet.safe.owners.count()
    defaults = {"address": bytes([position + 1]) * 20, "position": position}
    return Owner.objects.create(
        safe=wallet.safe, credential=credential, **defaults | fields
    )


def set_threshold(wallet: Wallet, threshold: int) -> None:
    Safe.objects.filter(pk=wallet.safe.pk).update(threshold=threshold)


def remove(credential: Credential, *, by: Credential | None = None) -> bool:
    return passkey_removal.remove(
        user=credential.user, pk=credential.pk, confirmed_with=by or credential
    )


def obstacles(credential: Credential) -> list[str]:
    return passkey_removal.obstacles_to(
        credential=credential, roles=roles_of(credential=credential)
    )


def assert_refused(credential: Credential, words: str, **arguments: Any) -> None:
    """Refused in these words, and nothing is different afterwards."""
    before = list(Credential.objects.order_by("pk").values())
    with pytest.raises(RemovalRefused, match=words):
        remove(credential, **arguments)
    assert list(Credential.objects.order_by("pk").values()) == before
    assert not SecurityEvent.objects.exists()


# --- What becomes of it ------------------------------------------------------------------


def test_a_passkey_that_nothing_names_is_gone_without_a_trace(wallet):
    second = another(wallet)

    is_kept = remove(second, by=wallet.credential)

    assert not is_kept
    assert list(Credential.objects.of(wallet.user)) == [wallet.credential]
    assert not Credential.objects.filter(pk=second.pk).exists()


def test_of_an_owner_the_public_key_is_kept(wallet):
    second = another(wallet)
    own(wallet, second)

    is_kept = remove(second, by=wallet.credential)

    assert is_kept
    second.refresh_from_db()
    assert second.removed_at is not None
    assert second.owners.get().is_current
    assert second not in Credential.objects.of(wallet.user)


@pytest.mark.parametrize("is_current", [True, False])
def test_the_row_of_a_former_owner_is_kept_for_its_signatures(is_current, wallet):
    second = another(wallet)
    own(wallet, second, is_current=is_current)

    assert remove(second, by=wallet.credential)
    assert Credential.objects.filter(pk=second.pk).exists()


def test_of_a_guardian_the_public_key_is_kept(wallet):
    second = another(wallet)
    proof = key_proofs.open_proof(
        credential=second, safe=make_wallet().safe, role=KeyProof.Role.GUARDIAN
    )
    KeyProof.objects.filter(pk=proof.pk).update(status=KeyProof.Status.PROVEN)

    assert remove(second, by=wallet.credential)
    assert KeyProof.objects.filter(pk=proof.pk).exists()


def test_a_passkey_that_was_once_to_be_added_is_kept(world: World):
    new = proven_newcomer(world)
    op = draft_addition(world, new)
    UserOperation.objects.filter(pk=op.pk).update(status="withdrawn")

    assert remove(new.credential, by=world.wallet.credential)


def test_the_person_is_told_by_name(wallet):
    second = another(wallet, name="Old phone")

    passkey_removal.remove(
        user=wallet.user,
        pk=second.pk,
        confirmed_with=wallet.credential,
        browser="Firefox on Linux",
    )

    event = SecurityEvent.objects.get()
    assert event.kind == SecurityEvent.Kind.PASSKEY_REMOVED
    assert (event.user, event.detail) == (wallet.user, "Old phone")
    assert event.browser == "Firefox on Linux"


def test_only_the_sessions_that_it_opened_end(wallet):
    second = another(wallet)
    for number, credential in enumerate([wallet.credential, second, second, None]):
        Session.objects.create(
            key_hash=bytes([number]) * 32,
            data="",
            user=wallet.user,
            credential=credential,
            expires_at=timezone.now() + timedelta(hours=1),
        )

    remove(second, by=wallet.credential)

    left = Session.objects.values_list("key_hash", flat=True)
    assert sorted(bytes(each)[:1] for each in left) == [b"\0", b"\3"]


# --- R13: the last way in ----------------------------------------------------------------


def test_the_only_passkey_stays(wallet):
    assert_refused(wallet.credential, "only passkey")


@pytest.mark.parametrize("others", ["removed", "of-somebody-else"])
def test_a_passkey_that_does_not_sign_in_is_no_other_way(others):
    user = make_user()
    only = make_credential(user=user)
    if others == "removed":
        make_credential(user=user, removed_at=timezone.now())
    else:
        make_credential()

    assert_refused(only, "only passkey")


@pytest.mark.django_db(transaction=True)
def test_of_20_parallel_removals_of_two_passkeys_one_is_left():
    user = make_user()
    first, second = (make_credential(user=user) for _ in range(2))
    wanted = [first, second] * 10

    def once() -> bool:
        return remove(wanted.pop())

    outcomes = all_at_once(20, once)

    assert outcomes.count(False) == 1
    assert {type(each) for each in outcomes} <= {
        bool,
        RemovalRefused,
        Credential.DoesNotExist,
    }
    assert Credential.objects.of(user).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_co_owners_who_remove_their_passkeys_at_once_one_keeps_it():
    alice, bob = make_wallet(), make_wallet()
    hers, his, his_other = another(alice), another(bob), another(bob)
    for credential in (hers, his, his_other):
        own(alice, credential)
    set_threshold(alice, 3)
    # Four owners, three of whom must sign: one may go, not two.
    wanted = [(hers, alice.credential), (his, bob.credential)]

    def once() -> bool:
        credential, by = wanted.pop()
        return remove(credential, by=by)

    outcomes = all_at_once(2, once)

    assert sorted(type(each) is RemovalRefused for each in outcomes) == [False, True]


# --- I-15: the last way to reach a threshold ---------------------------------------------


def test_the_only_signer_of_an_account_stays(wallet):
    second = another(wallet)

    assert_refused(wallet.credential, "Account 1 needs 1 .* none could", by=second)


def test_an_owner_beside_another_one_may_go(wallet):
    second = another(wallet)
    own(wallet, second)

    assert remove(wallet.credential, by=second)


@pytest.mark.parametrize("kind", ["wallet", "contract", "unknown"])
@pytest.mark.parametrize("counts", [True, False], ids=["proven", "not-proven"])
def test_owners_elsewhere_count_when_they_have_shown_that_they_sign(
    kind, counts, wallet
):
    second = another(wallet)
    own(wallet, second)
    own(wallet, kind=kind, proven_at=timezone.now() if counts else None)
    set_threshold(wallet, 2)

    found = obstacles(wallet.credential)

    assert (found == []) is counts


@pytest.mark.parametrize(
    "change",
    [
        lambda owner: Owner.objects.filter(pk=owner.pk).update(is_current=False),
        lambda owner: Credential.objects.filter(pk=owner.credential_id).update(
            removed_at=timezone.now()
        ),
        lambda owner: User.objects.filter(credentials=owner.credential_id).update(
            is_active=False
        ),
    ],
    ids=["no-owner-any-more", "signs-in-no-more", "inactive-person"],
)
def test_a_co_owner_that_cannot_sign_here_does_not_count(change, wallet):
    own(wallet, another(wallet))
    bob = make_wallet()
    owner = own(wallet, bob.credential)
    set_threshold(wallet, 2)
    assert obstacles(wallet.credential) == []

    change(owner)

    assert len(obstacles(wallet.credential)) == 1


@pytest.mark.parametrize(("threshold", "is_free"), [(1, True), (2, True), (3, False)])
def test_the_threshold_is_counted_without_it(threshold, is_free, wallet):
    second, third = another(wallet), another(wallet)
    own(wallet, second)
    own(wallet, third)
    set_threshold(wallet, threshold)

    found = obstacles(second)

    assert (found == []) is is_free
    if not is_free:
        assert "needs 3 of its owners to sign" in found[0]
        assert "only 2 could" in found[0]


def test_the_account_of_somebody_else_counts_too(wallet):
    bob = make_wallet()
    second = another(wallet)
    own(bob, second)
    set_threshold(bob, 2)

    assert len(obstacles(second)) == 1


@pytest.mark.parametrize("is_own_account", [True, False])
def test_nobody_is_left_with_an_account_that_they_can_only_look_at(
    is_own_account, wallet
):
    """Co-owners could still move it; this person could sign nothing there."""
    bob = make_wallet()
    if is_own_account:
        another(wallet)
        own(wallet, bob.credential)
        needed = wallet.credential
    else:
        needed = another(wallet)
        own(bob, needed)

    assert_refused(needed, "your only passkey for Account 1", by=needed)


def test_a_threshold_that_is_about_to_rise_counts_already(world: World):
    wallet = world.wallet
    new = proven_newcomer(world)
    second = another(wallet)
    own(wallet, second)
    op = draft_addition(world, new)
    assert obstacles(second) == []

    UserOperation.objects.filter(pk=op.pk).update(new_threshold=2)

    assert len(obstacles(second)) == 1


def test_a_passkey_that_is_being_added_waits(world: World):
    new = proven_newcomer(world)
    draft_addition(world, new)

    assert_refused(new.credential, "being added to", by=world.wallet.credential)


# --- R14: who may remove what ------------------------------------------------------------


def test_a_young_passkey_removes_no_older_one(wallet):
    older = another(wallet)
    young = another(wallet, created_at=timezone.now())

    assert_refused(older, "less than 72 hours ago", by=young)


def test_a_young_passkey_removes_itself_and_younger_ones(wallet):
    young = another(wallet, created_at=timezone.now())
    youngest = another(wallet, created_at=timezone.now())

    assert not remove(youngest, by=young)
    assert not remove(young, by=young)


def test_a_settled_passkey_removes_older_ones(wallet):
    older, settled = another(wallet), another(wallet)

    assert not remove(older, by=settled)


def test_a_passkey_that_was_removed_meanwhile_confirms_nothing(wallet):
    second, third = another(wallet), another(wallet)
    Credential.objects.filter(pk=second.pk).update(removed_at=timezone.now())

    assert_refused(third, "removed meanwhile", by=second)


def test_a_passkey_of_somebody_else_confirms_nothing(wallet):
    second = another(wallet)

    assert_refused(second, "removed meanwhile", by=make_wallet().credential)


# --- Whose it is -------------------------------------------------------------------------


def test_the_passkey_of_somebody_else_does_not_exist(wallet):
    bob = make_wallet()
    another(bob)

    with pytest.raises(Credential.DoesNotExist):
        passkey_removal.remove(
            user=wallet.user, pk=bob.credential.pk, confirmed_with=wallet.credential
        )


def test_what_was_removed_is_not_removed_again(wallet):
    second = another(wallet)
    own(wallet, second)
    remove(second, by=wallet.credential)

    with pytest.raises(Credential.DoesNotExist):
        remove(second, by=wallet.credential)


def test_an_operators_passkey_is_replaced_on_the_terminal(wallet):
    second = another(wallet)
    User.objects.filter(pk=wallet.user.pk).update(is_staff=True)
    wallet.user.refresh_from_db()

    with pytest.raises(OperatorsElsewhere):
        passkey_removal.remove(
            user=wallet.user, pk=second.pk, confirmed_with=wallet.credential
        )
