"""Asking for changes of an account: what is drafted, refused, and overtaken.

security.md R6, R13, R14, R16, R62, R67, R69.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Credential
from onchain.change_errors import (
    AddressImpossible,
    AddressIsGuardian,
    ConfigurationGone,
    ConfigurationUnread,
    InvitationNotConfirmed,
    LastWayIn,
    NotAnOwner,
    PasskeyTooYoung,
    ThresholdImpossible,
    ThresholdSame,
    ThresholdUnproven,
)
from onchain.errors import (
    AccountNotLive,
    AlreadyOwner,
    IdempotencyConflict,
    NotYourAccount,
    OwnerChangeInFlight,
    OwnerChangeRefused,
    PasskeyNotProven,
    SignatureRefused,
    WalletNotProven,
)
from onchain.models import (
    ForeignConfiguration,
    Invitation,
    KeyProof,
    Owner,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import Status
from onchain.protocol import owner_changes as encodings
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.owners import add_owner_call, create_signer_call
from onchain.protocol.types import SENTINEL_ADDRESS, Address
from onchain.services import intents, new_owners, sponsor_limits
from onchain.services.lanes import CONFIGURATION_KEY
from tests.factories import World, make_user
from tests.onchain.services.additions import newcomer, proven_newcomer
from tests.onchain.services.changes import (
    CONTRACT,
    GUARD,
    HANDLER,
    MODULES,
    NAMES,
    WALLET,
    add_invited,
    add_owner,
    add_passkey_owner,
    add_wallet,
    change_threshold,
    make_foreign,
    make_invitation,
    make_three,
    new_passkey,
    one_of_each,
    prove_wallet,
    remove,
    remove_foreign,
    set_threshold,
    swap,
)
from tests.tampering import tamper
from tests.undoing import undone

Kind = UserOperation.Kind


def account_of(world: World) -> Address:
    return Address(world.wallet.safe.address)


def calls(world: World, op: UserOperation) -> list[Any]:
    op = world.prepare(op)
    assert op.status == Status.AWAITING_SIGNATURES, op.failure_code
    assert op.nonce_key == CONFIGURATION_KEY
    return decode_call_data(bytes(op.call_data))


# --- What each kind does ------------------------------------------------------------------


def test_a_proven_wallet_is_added_with_the_threshold_as_it_is(world: World):
    prove_wallet(world)

    op = add_wallet(world)

    assert (op.new_threshold, op.threshold_before) == (1, 1)
    assert calls(world, op) == [
        add_owner_call(account=account_of(world), owner=WALLET, threshold=1)
    ]


def test_an_owner_is_added_and_the_threshold_raised_in_one_operation(world: World):
    prove_wallet(world)
    world.wallet.safe.owners.update(proven_at=timezone.now())

    op = add_wallet(world, threshold=2)

    assert (op.new_threshold, op.threshold_before) == (2, 1)
    assert calls(world, op) == [
        add_owner_call(account=account_of(world), owner=WALLET, threshold=2)
    ]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["head", "middle", "tail"])
def test_an_owner_is_replaced_and_removed_at_its_place(world: World, place: int):
    owners = make_three(world)
    prove_wallet(world, CONTRACT)
    previous = SENTINEL_ADDRESS if place == 0 else Address(owners[place - 1].address)
    removed = Address(owners[place].address)

    op = swap(world, owners[place], new_owners.wallet(address=CONTRACT))
    swapped = calls(world, op)
    tamper(op, status=Status.WITHDRAWN)
    taken = calls(world, remove(world, owners[place]))

    assert swapped == [
        encodings.swap_owner_call(
            account=account_of(world), previous=previous, removed=removed, new=CONTRACT
        )
    ]
    assert taken == [
        encodings.remove_owner_call(
            account=account_of(world), previous=previous, removed=removed, threshold=2
        )
    ]


def test_an_owner_is_replaced_by_a_passkey_whose_signer_is_made_first(world: World):
    owners = make_three(world)
    new = proven_newcomer(world)
    named = new_owners.own_passkey(safe=world.wallet.safe, credential=new.credential)

    create, swapped = calls(world, swap(world, owners[0], named))

    key = new_owners.public_key_of(new.credential)
    assert create == create_signer_call(public_key=key)
    assert swapped.data[-20:] == new.signer


def test_removing_takes_the_threshold_down_to_who_is_left(world: World):
    owners = make_three(world, threshold=3)

    op = remove(world, owners[1])

    assert (op.new_threshold, op.threshold_before) == (2, 3)


def test_the_threshold_is_chosen_while_removing(world: World):
    owners = make_three(world, threshold=2)

    assert remove(world, owners[2], threshold=1).new_threshold == 1


@pytest.mark.parametrize("threshold", [1, 3])
def test_how_many_must_approve_is_changed(world: World, threshold: int):
    make_three(world)

    op = change_threshold(world, threshold)

    assert calls(world, op) == [
        encodings.change_threshold_call(account=account_of(world), threshold=threshold)
    ]


def test_what_is_foreign_is_removed_from_the_account(world: World):
    make_foreign(world)
    account = account_of(world)

    found = []
    for kind, removed in [
        (Kind.DISABLE_MODULE, MODULES[2]),
        (Kind.REMOVE_GUARD, GUARD),
    ]:
        op = remove_foreign(world, kind, removed)
        found += calls(world, op)
        tamper(op, status=Status.WITHDRAWN)

    assert found == [
        # The module before it is the one of this site, which is not foreign.
        encodings.disable_module_call(
            account=account, previous=MODULES[1], module=MODULES[2]
        ),
        encodings.remove_guard_call(account=account),
    ]


def test_an_invited_passkey_is_built_from_its_invitation(world: World):
    bob = make_user()
    new = proven_newcomer(world, user=bob)
    invitation = make_invitation(world, new)

    op = add_invited(world, invitation)

    assert (op.invitation, op.new_credential) == (invitation, new.credential)
    create, added = calls(world, op)
    key = new_owners.public_key_in(invitation)
    assert create == create_signer_call(public_key=key)
    assert added == add_owner_call(
        account=account_of(world), owner=new.signer, threshold=1
    )


# --- Who may become an owner. R6, R62 -----------------------------------------------------


def test_a_wallet_that_proved_nothing_is_refused(world: World):
    with pytest.raises(WalletNotProven):
        add_wallet(world)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": WalletProof.Status.SIGNED},
        {"status": WalletProof.Status.REFUSED},
        {"address": CONTRACT},
    ],
    ids=["unchecked", "refused", "another"],
)
def test_a_proof_of_something_else_does_not_count(world: World, fields: dict[str, Any]):
    prove_wallet(world, **fields)

    with pytest.raises(WalletNotProven):
        add_wallet(world)


def test_a_contract_becomes_an_owner_without_a_proof_if_somebody_says_so(world: World):
    world.node.account_codes[CONTRACT] = b"\x60"

    op = world.prepare(add_wallet(world, address=CONTRACT, is_proof_waived=True))

    assert op.status == Status.AWAITING_SIGNATURES
    assert op.is_proof_waived


def test_nobody_becomes_an_owner_without_a_proof_where_no_contract_is(world: World):
    op = world.prepare(add_wallet(world, is_proof_waived=True))

    assert (op.status, op.failure_code) == (Status.REJECTED, "no-contract-there")


@pytest.mark.parametrize(
    "address",
    [bytes(20), bytes(19) + b"\1", None],
    ids=["zero", "sentinel", "the account itself"],
)
def test_an_address_that_no_safe_takes_is_refused(world: World, address: bytes | None):
    with pytest.raises(AddressImpossible):
        add_wallet(
            world,
            address=Address(address or world.wallet.safe.address),
            is_proof_waived=True,
        )


def test_who_is_an_owner_already_is_refused(world: World):
    owners = make_three(world)

    with pytest.raises(AlreadyOwner, match="address"):
        add_wallet(world)
    with pytest.raises(AlreadyOwner):
        swap(world, owners[0], new_owners.wallet(address=WALLET))


def test_a_guardian_is_refused(world: World):
    prove_wallet(world)
    prove_wallet(world, role=WalletProof.Role.GUARDIAN)

    with pytest.raises(AddressIsGuardian):
        add_wallet(world)


def test_a_passkey_that_takes_anothers_place_must_have_proven_itself(world: World):
    owners = make_three(world)
    new = newcomer(world)
    named = new_owners.own_passkey(safe=world.wallet.safe, credential=new.credential)

    with pytest.raises(PasskeyNotProven):
        swap(world, owners[0], named)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Invitation.Status.ACCEPTED},
        {"status": Invitation.Status.REVOKED},
        {"status": Invitation.Status.OPEN},
        {"role": "viewer"},
        {"key_proof": None},
        {"address": WALLET},
        {"address": None},
    ],
    ids=str,
)
def test_an_invitation_counts_only_confirmed_and_proven(
    world: World, fields: dict[str, Any]
):
    new = proven_newcomer(world, user=make_user())
    invitation = make_invitation(world, new, **fields)

    with pytest.raises(InvitationNotConfirmed):
        add_invited(world, invitation)


@pytest.mark.parametrize(
    "fields",
    [{"role": KeyProof.Role.GUARDIAN}, {"status": KeyProof.Status.REFUSED}],
    ids=["as guardian", "refused"],
)
def test_an_invitation_with_another_proof_is_refused(
    world: World, fields: dict[str, str]
):
    new = proven_newcomer(world, user=make_user())
    invitation = make_invitation(world, new)
    KeyProof.objects.update(**fields)
    invitation.refresh_from_db()

    with pytest.raises(InvitationNotConfirmed):
        add_invited(world, invitation)


# --- Nobody locks the account. R13, R14 ---------------------------------------------------


def test_the_last_owner_is_not_removed(world: World):
    world.wallet.safe.owners.update(proven_at=timezone.now())

    with pytest.raises(LastWayIn):
        remove(world, world.wallet.owner)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": Owner.Kind.UNKNOWN, "proven_at": None},
        {"kind": Owner.Kind.WALLET, "proven_at": None},
        {"kind": Owner.Kind.CONTRACT, "proven_at": None},
    ],
    ids=["unknown", "wallet", "contract"],
)
def test_an_owner_that_proved_nothing_does_not_count_as_a_way_in(
    world: World, fields: dict[str, Any]
):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.owner
    add_owner(world, CONTRACT, **fields)

    with pytest.raises(LastWayIn):
        remove(world, first)


def test_a_contract_counts_if_somebody_says_so_and_a_wallet_never(world: World):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.owner
    other = add_owner(world, CONTRACT, kind=Owner.Kind.WALLET, proven_at=None)

    with pytest.raises(LastWayIn):
        remove(world, first, is_proof_waived=True)
    Owner.objects.filter(pk=other.pk).update(kind=Owner.Kind.CONTRACT)

    assert remove(world, first, is_proof_waived=True).is_proof_waived


def test_a_passkey_that_was_removed_here_is_no_way_in(world: World):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.owner
    new, _owner = add_passkey_owner(world)
    add_owner(world, WALLET, holder=world.wallet.user, proven_at=None)
    Credential.objects.filter(pk=new.credential.pk).update(removed_at=timezone.now())

    with pytest.raises(LastWayIn):
        remove(world, first)


def test_a_threshold_above_who_has_proven_themselves_is_refused(world: World):
    make_three(world, threshold=1)
    world.wallet.safe.owners.filter(address=WALLET).update(proven_at=None)

    with pytest.raises(ThresholdUnproven, match="Only 2 of the owners have"):
        change_threshold(world, 3)
    prove_wallet(world)
    assert change_threshold(world, 3).new_threshold == 3


def test_a_threshold_that_nobody_reaches_is_refused(world: World):
    owners = make_three(world)

    with pytest.raises(ThresholdImpossible, match="there would be 3 owners"):
        change_threshold(world, 4)
    with pytest.raises(ThresholdImpossible, match="there would be 2 owners"):
        remove(world, owners[2], threshold=3)
    with pytest.raises(ThresholdImpossible):
        change_threshold(world, 0)
    with pytest.raises(ThresholdSame):
        change_threshold(world, 2)


def test_a_threshold_that_few_can_reach_may_be_lowered(world: World):
    make_three(world, threshold=3)
    world.wallet.safe.owners.filter(position__gt=0).update(proven_at=None)

    assert change_threshold(world, 2).new_threshold == 2


def age(credential: Credential, hours: int) -> None:
    moment = timezone.now() - timedelta(hours=hours)
    Credential.objects.filter(pk=credential.pk).update(created_at=moment)


def test_a_young_passkey_removes_no_older_owner(world: World):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.owner
    age(world.wallet.credential, 100)
    new, second = add_passkey_owner(world)
    third = add_owner(world, WALLET)

    op = world.prepare(remove(world, first))
    with pytest.raises(SignatureRefused, match="less than 72 hours ago"):
        world.sign(op, new.passkey)
    tamper(op, status=Status.WITHDRAWN)
    Credential.objects.filter(pk=world.wallet.credential.pk).update(
        removed_at=timezone.now()
    )
    with pytest.raises(PasskeyTooYoung):
        remove(world, first)

    assert remove(world, third).removed == third.address
    assert second.address == new.signer


def test_after_three_days_it_may(world: World):
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.owner
    age(world.wallet.credential, 100)
    new, _second = add_passkey_owner(world)
    age(new.credential, 73)

    op = world.sign(world.prepare(remove(world, first)), new.passkey)

    assert op.status == Status.SIGNED


# --- Refused in words, whatever is asked --------------------------------------------------


def test_who_is_no_owner_is_not_removed(world: World):
    owners = make_three(world)
    Owner.objects.filter(pk=owners[2].pk).update(is_current=False)

    with pytest.raises(NotAnOwner):
        remove(world, owners[2])


def test_what_is_not_foreign_is_not_removed(world: World):
    with pytest.raises(ConfigurationGone):
        remove_foreign(world, Kind.REMOVE_GUARD, GUARD)
    make_foreign(world)
    with pytest.raises(ConfigurationGone):
        remove_foreign(world, Kind.DISABLE_MODULE, MODULES[1])
    with pytest.raises(ConfigurationGone):
        remove_foreign(world, Kind.REMOVE_GUARD, HANDLER)


def test_a_module_whose_place_was_never_read_is_asked_about_later(world: World):
    make_foreign(world, modules=[])

    with pytest.raises(ConfigurationUnread):
        remove_foreign(world, Kind.DISABLE_MODULE, MODULES[0])


@pytest.mark.parametrize("name", NAMES)
def test_each_change_waits_for_the_one_under_way(world: World, name: str):
    ask = one_of_each(world)
    ask["change the threshold"]()

    with pytest.raises(OwnerChangeInFlight):
        ask[name]()


@pytest.mark.parametrize("name", NAMES)
def test_no_change_of_an_account_that_is_not_live(world: World, name: str):
    ask = one_of_each(world)
    Safe.objects.update(status=Safe.Status.BROADCAST)

    with pytest.raises(AccountNotLive):
        ask[name]()


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_changes_nothing(world: World, name: str):
    ask = one_of_each(world)
    object.__setattr__(world.wallet, "user", make_user())

    with pytest.raises(NotYourAccount):
        ask[name]()

    assert not UserOperation.objects.exists()


def test_every_refusal_is_a_sentence():
    for error in OwnerChangeRefused.__subclasses__():
        assert error.message.endswith(".")


def test_the_same_form_makes_one_draft_and_another_one_a_conflict(world: World):
    owners = make_three(world)
    key = uuid.uuid4()

    first = remove(world, owners[2], idempotency_key=key)

    assert remove(world, owners[2], idempotency_key=key) == first
    with pytest.raises(IdempotencyConflict):
        remove(world, owners[1], idempotency_key=key)
    with pytest.raises(IdempotencyConflict):
        remove(world, owners[2], threshold=1, idempotency_key=key)


# --- R16, R28: a row that was changed behind the site's back ------------------------------

STRANGER = Address(b"\xee" * 20)
COLUMNS: dict[str, Any] = {
    "kind": Kind.PAYMENT,
    "recipient": STRANGER,
    "value_wei": 1,
    "new_signer": STRANGER,
    "new_threshold": 1,
    "removed": STRANGER,
    "previous": STRANGER,
}
# What each kind of change is made of, beside what all of them have.
PARTS = {
    "add a wallet": {"new_signer", "new_threshold"},
    "add an invited passkey": {"new_signer", "new_threshold"},
    "swap for a wallet": {"new_signer", "removed", "previous"},
    "swap for a passkey": {"new_signer", "removed", "previous"},
    "remove": {"removed", "previous", "new_threshold"},
    "change the threshold": {"new_threshold"},
    "disable a module": {"removed", "previous"},
    "remove the guard": set(),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_signed_change_that_was_changed_is_never_sent(
    world: World, name: str, subtests
):
    prepared = world.prepare(one_of_each(world)[name]())
    for column in ("kind", "recipient", "value_wei", *sorted(PARTS[name])):
        with subtests.test(column), undone():
            tamper(prepared, status=Status.SIGNED, **{column: COLUMNS[column]})

            op = world.submit(prepared)

            assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")
            assert world.bundler.sent == []


@pytest.mark.parametrize("name", NAMES)
def test_another_kind_of_change_in_the_row_is_noticed(world: World, name: str):
    op = world.prepare(one_of_each(world)[name]())
    other = Kind.CHANGE_THRESHOLD if op.new_threshold is None else Kind.REMOVE_GUARD
    tamper(op, status=Status.SIGNED, kind=other)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")


# --- What the world did meanwhile. R67 ----------------------------------------------------


def another_at_the_head(world: World) -> None:
    for owner in world.wallet.safe.owners.order_by("-position"):
        Owner.objects.filter(pk=owner.pk).update(position=owner.position + 1)
    add_owner(world, STRANGER, position=0)


def removed_elsewhere(world: World) -> None:
    Owner.objects.filter(safe=world.wallet.safe, position__gt=0).update(
        is_current=False
    )


def threshold_elsewhere(world: World) -> None:
    set_threshold(world, 1)


def added_elsewhere(world: World) -> None:
    op = UserOperation.objects.get()
    add_owner(world, op.new_signer)


def accepted_again(world: World) -> None:
    Invitation.objects.update(status=Invitation.Status.ACCEPTED, address=STRANGER)


def accepted_and_confirmed_again(world: World) -> None:
    later = timezone.now() + timedelta(seconds=1)
    Invitation.objects.update(address=STRANGER, confirmed_at=later)


def revoked(world: World) -> None:
    Invitation.objects.update(status=Invitation.Status.REVOKED)


def configured_elsewhere(world: World) -> None:
    ForeignConfiguration.objects.all().delete()


def module_before_it_gone(world: World) -> None:
    row = ForeignConfiguration.objects.get()
    row.modules = [row.modules[0], row.modules[2]]
    row.save(update_fields=["modules"])


OVERTAKEN = [
    ("add a wallet", added_elsewhere, "already-owner"),
    ("add a wallet", threshold_elsewhere, "threshold-changed"),
    ("add an invited passkey", accepted_again, "invitation-changed"),
    ("add an invited passkey", accepted_and_confirmed_again, "invitation-changed"),
    ("add an invited passkey", revoked, "invitation-changed"),
    ("swap for a wallet", added_elsewhere, "already-owner"),
    ("swap for a wallet", removed_elsewhere, "already-removed"),
    ("swap for a passkey", removed_elsewhere, "already-removed"),
    ("remove", removed_elsewhere, "already-removed"),
    ("remove", threshold_elsewhere, "threshold-changed"),
    ("change the threshold", threshold_elsewhere, "threshold-changed"),
    ("disable a module", configured_elsewhere, "already-removed"),
    ("disable a module", module_before_it_gone, "owners-changed"),
    ("remove the guard", configured_elsewhere, "already-removed"),
]


@pytest.mark.parametrize("is_signed", [False, True], ids=["draft", "signed"])
@pytest.mark.parametrize(("name", "happen", "code"), OVERTAKEN)
def test_a_change_that_was_overtaken_goes_no_further(
    world: World, name: str, happen: Any, code: str, is_signed: bool
):
    op = one_of_each(world)[name]()
    if is_signed:
        op = world.prepare(op)
        tamper(op, status=Status.SIGNED)
    happen(world)

    op = world.submit(op) if is_signed else world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, code)
    assert world.bundler.sent == []


def test_who_stands_before_an_owner_by_now_is_noticed(world: World):
    owners = make_three(world)
    op = remove(world, owners[0])
    another_at_the_head(world)

    op = world.prepare(op)
    again = world.prepare_again(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "owners-changed")
    assert op.previous == SENTINEL_ADDRESS
    assert (again.status, again.previous) == (Status.AWAITING_SIGNATURES, STRANGER)


@pytest.mark.parametrize("name", NAMES)
def test_each_change_can_be_asked_for_again(world: World, name: str):
    op = world.prepare(one_of_each(world)[name]())
    tamper(op, status=Status.EXPIRED)

    again = world.prepare_again(op)

    assert again.status == Status.AWAITING_SIGNATURES
    assert again.predecessor == op
    assert intents.calls_of(again) == intents.calls_of(op)


# --- What keeps an account safe has a budget of its own. R69 ------------------------------

SAFETY = {
    "swap for a wallet",
    "swap for a passkey",
    "remove",
    "disable a module",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_keeps_an_account_safe_is_paid_for_when_all_else_is_used_up(
    world: World, name: str, settings: Any
):
    settings.SPONSOR_DAILY_OPERATIONS = 0
    ask = one_of_each(world)
    world.node.account_balances[world.wallet.safe.address] = 0

    op = world.prepare(ask[name]())

    is_safety = name in SAFETY
    assert op.is_sponsored == is_safety
    assert (op.status == Status.AWAITING_SIGNATURES) == is_safety


def test_cancelling_a_nonce_is_one_of_them():
    assert Kind.CANCEL in sponsor_limits.SAFETY_KINDS


def test_another_passkey_takes_anothers_place_and_is_named(world: World):
    owners = make_three(world)

    op = swap(world, owners[1], new_passkey(world))

    assert op.new_credential is not None
    assert op.new_threshold is None
