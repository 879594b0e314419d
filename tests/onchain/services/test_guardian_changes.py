"""Asking for changes of guardians: what is drafted, refused and overtaken.

security.md R6, R16, R58, R62, R67, R69.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from accounts.models import Credential
from onchain.errors import (
    IdempotencyConflict,
    NotYourAccount,
    OwnerChangeInFlight,
    OwnerChangeRefused,
)
from onchain.guardian_errors import (
    AlreadyGuardian,
    DelayImpossible,
    GuardianImpossible,
    GuardianIsOwner,
    GuardianNotProven,
    GuardianThresholdImpossible,
    GuardianThresholdSame,
    GuardianTwice,
    LastGuardian,
    ModuleNotConfirmed,
    NoGuardians,
    NoRecoveryBegun,
    NotAGuardian,
    RecoveryOff,
    RecoveryOn,
    RecoveryUnread,
    TooManyGuardians,
)
from onchain.models import (
    Chain,
    ForeignConfiguration,
    Invitation,
    KeyProof,
    Membership,
    ModuleCode,
    RecoverySetup,
    Role,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import Status
from onchain.protocol.abi import call_data
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.deployments import (
    MULTI_SEND,
    RECOVERY_MODULES,
    SAFE_4337_MODULE,
    SHARED_SIGNER,
)
from onchain.protocol.types import (
    SENTINEL_ADDRESS,
    ZERO_ADDRESS,
    Address,
    Call,
    checksum_address,
)
from onchain.services import guardian_rules, intents
from onchain.services.lanes import CONFIGURATION_KEY, SAFETY_KEYS
from tests.factories import World, make_user, make_world
from tests.onchain.services.additions import newcomer, prove
from tests.onchain.services.changes import (
    add_owner,
    change_threshold,
    make_invitation,
    make_three,
    prove_wallet,
)
from tests.onchain.services.guarding import (
    ASKS,
    MODULE,
    NEW,
    ROLE,
    WEEK,
    add,
    cancel,
    change,
    end,
    guard,
    prove_guardians,
    read,
    revoke,
    set_up,
)
from tests.onchain.services.recoveries import GUARDIANS, FakeModule
from tests.tampering import tamper

Kind = UserOperation.Kind
STRANGER = Address(b"\xee" * 20)
A, B, C = GUARDIANS


def to_module(signature: str, *values: object) -> Call:
    return Call(to=MODULE, value_wei=0, data=call_data(signature, *values))


def adding(guardian: Address, threshold: int) -> Call:
    return to_module("addGuardianWithThreshold(address,uint256)", guardian, threshold)


def revoking(previous: Address, guardian: Address, threshold: int) -> Call:
    signature = "revokeGuardianWithThreshold(address,address,uint256)"
    return to_module(signature, previous, guardian, threshold)


CANCEL, FORGET = to_module("cancelRecovery()"), to_module("invalidateNonce()")
HEAD = SENTINEL_ADDRESS
ADD_ALL = [adding(A, 1), adding(B, 2), adding(C, 2)]


def expected(account: Address) -> dict[str, list[Call]]:
    """Return the calls of each change, written down by hand."""
    enable = Call(
        to=account, value_wei=0, data=call_data("enableModule(address)", MODULE)
    )
    disable = Call(
        to=account,
        value_wei=0,
        data=call_data("disableModule(address,address)", HEAD, MODULE),
    )
    everyone = [revoking(HEAD, A, 1), revoking(HEAD, B, 1), revoking(HEAD, C, 0)]
    left = [revoking(HEAD, NEW, 1), revoking(HEAD, A, 0)]
    return {
        "set up": [enable, *ADD_ALL, FORGET],
        "set up anew": [CANCEL, enable, *left, *ADD_ALL, FORGET],
        "add": [adding(NEW, 2), FORGET],
        "add while begun": [CANCEL, adding(NEW, 2), FORGET],
        "revoke": [revoking(A, B, 2), FORGET],
        "revoke while begun": [CANCEL, revoking(HEAD, A, 2), FORGET],
        "change": [to_module("changeThreshold(uint256)", 3), FORGET],
        "cancel": [CANCEL, FORGET],
        "end": [*everyone, FORGET, disable],
        "end while begun": [CANCEL, revoking(HEAD, A, 0), FORGET, disable],
    }


def test_each_change_makes_these_calls_and_no_others(db: None, subtests: Any):
    for name, ask in ASKS.items():
        with subtests.test(name):
            world = make_world()

            op = world.prepare(ask(world))

            assert op.status == Status.AWAITING_SIGNATURES, op.failure_code
            account = Address(world.wallet.safe.address)
            calls = decode_call_data(bytes(op.call_data))
            assert calls == expected(account)[name]
            is_urgent = op.kind == Kind.CANCEL_RECOVERY
            keys = SAFETY_KEYS if is_urgent else [CONFIGURATION_KEY]
            assert op.nonce_key in keys


def test_each_change_can_be_asked_for_again(db: None, subtests: Any):
    for name, ask in ASKS.items():
        with subtests.test(name):
            world = make_world()
            op = world.prepare(ask(world))
            tamper(op, status=Status.EXPIRED)

            again = world.prepare_again(op)

            assert again.status == Status.AWAITING_SIGNATURES
            assert again.predecessor == op
            assert intents.calls_of(again) == intents.calls_of(op)


def test_a_module_that_is_enabled_without_guardians_is_not_enabled_again(world: World):
    prove_guardians(world, *GUARDIANS)
    fake = guard(world)
    fake.restore(replace(fake.record, guardians=[], threshold=0))
    read(world, fake)

    op = world.prepare(set_up(world))

    assert not op.enables_module
    assert decode_call_data(bytes(op.call_data)) == [*ADD_ALL, FORGET]


def test_a_threshold_falls_with_the_guardians_or_is_chosen(world: World):
    guard(world, threshold=3)

    assert revoke(world).new_threshold == 2


def test_a_guardian_can_come_and_go_with_another_threshold(world: World):
    prove_guardians(world, NEW)
    guard(world)

    op = add(world, threshold=4)
    tamper(op, status=Status.WITHDRAWN)

    assert op.new_threshold == 4
    assert revoke(world, threshold=1).new_threshold == 1


# --- Who may be a guardian. R6, R62 -------------------------------------------------------


def owner_of(world: World) -> Address:
    return Address(world.wallet.owner.address)


REFUSED: dict[str, tuple[Callable[[World], Any], type[OwnerChangeRefused]]] = {
    "nobody": (lambda world: set_up(world, guardians=[]), NoGuardians),
    "the same twice": (lambda world: set_up(world, guardians=[A, A]), GuardianTwice),
    "zero": (lambda world: set_up(world, guardians=[ZERO_ADDRESS]), GuardianImpossible),
    "the sentinel": (
        lambda world: set_up(world, guardians=[SENTINEL_ADDRESS]),
        GuardianImpossible,
    ),
    "the account": (
        lambda world: set_up(world, guardians=[Address(world.wallet.safe.address)]),
        GuardianImpossible,
    ),
    "the shared signer": (
        lambda world: set_up(world, guardians=[SHARED_SIGNER], is_proof_waived=True),
        GuardianImpossible,
    ),
    "the module": (
        lambda world: set_up(world, guardians=[MODULE], is_proof_waived=True),
        GuardianImpossible,
    ),
    "a contract of everybody's": (
        lambda world: set_up(world, guardians=[MULTI_SEND], is_proof_waived=True),
        GuardianImpossible,
    ),
    "an owner": (
        lambda world: set_up(world, guardians=[owner_of(world)]),
        GuardianIsOwner,
    ),
    "an owner on one's word": (
        lambda world: set_up(world, guardians=[owner_of(world)], is_proof_waived=True),
        GuardianIsOwner,
    ),
    "without proof": (
        lambda world: set_up(world, guardians=[A, STRANGER]),
        GuardianNotProven,
    ),
    "eleven": (
        lambda world: set_up(
            world, guardians=[Address(bytes([place]) * 20) for place in range(40, 51)]
        ),
        TooManyGuardians,
    ),
    "more than there are": (
        lambda world: set_up(world, threshold=4),
        GuardianThresholdImpossible,
    ),
    "none of them": (
        lambda world: set_up(world, threshold=0),
        GuardianThresholdImpossible,
    ),
    "another module": (
        lambda world: set_up(world, module=SAFE_4337_MODULE),
        DelayImpossible,
    ),
    "nothing to change": (lambda world: add(world, guardian=A), RecoveryOff),
    "nothing to cancel": (cancel, NoRecoveryBegun),
    "nothing to turn off": (end, RecoveryOff),
}
REFUSED_LATER: dict[str, tuple[Callable[[World], Any], type[OwnerChangeRefused]]] = {
    "a second time": (set_up, RecoveryOn),
    "by another module": (lambda world: set_up(world, module=WEEK), RecoveryOn),
    "a guardian again": (lambda world: add(world, guardian=A), AlreadyGuardian),
    "an owner added": (
        lambda world: add(world, guardian=owner_of(world)),
        GuardianIsOwner,
    ),
    "no guardian": (lambda world: revoke(world, guardian=STRANGER), NotAGuardian),
    "the threshold as it is": (
        lambda world: change(world, 2),
        GuardianThresholdSame,
    ),
    "a threshold beyond them": (
        lambda world: change(world, 4),
        GuardianThresholdImpossible,
    ),
    "nobody to approve": (lambda world: change(world, 0), GuardianThresholdImpossible),
    "a threshold that those left do not reach": (
        lambda world: revoke(world, threshold=3),
        GuardianThresholdImpossible,
    ),
    "no recovery begun": (cancel, NoRecoveryBegun),
}


def test_what_is_refused_says_why_and_leaves_nothing(world: World, subtests: Any):
    prove_guardians(world, *GUARDIANS, owner_of(world), world.wallet.safe.address)
    prove_guardians(world, ZERO_ADDRESS, SENTINEL_ADDRESS)
    for place in range(40, 51):
        prove_guardians(world, bytes([place]) * 20)
    for cases, is_on in ((REFUSED, False), (REFUSED_LATER, True)):
        if is_on:
            guard(world)
        for name, (ask, error) in cases.items():
            with subtests.test(name):
                with pytest.raises(error) as raised:
                    ask(world)

                assert str(raised.value).endswith(".")
                assert not UserOperation.objects.exists()


def test_the_last_guardian_does_not_go_alone(world: World):
    guard(world, A, threshold=1)

    with pytest.raises(LastGuardian):
        revoke(world, guardian=A)


def test_what_is_still_to_be_read_is_not_changed(world: World, subtests: Any):
    prove_guardians(world, *GUARDIANS, NEW)
    guard(world)
    RecoverySetup.objects.update(read_block=None)

    for ask in (add, revoke, change, end):
        with subtests.test(ask.__name__), pytest.raises(RecoveryUnread):
            ask(world)


def test_three_minutes_are_for_a_local_chain_only(world: World, settings: Any):
    prove_guardians(world, *GUARDIANS)
    settings.LOCAL_CHAIN = False
    with pytest.raises(ModuleNotConfirmed):
        set_up(world, module=WEEK)
    for module in RECOVERY_MODULES.values():
        ModuleCode.objects.create(
            chain=world.chain,
            module=module,
            code_hash=b"\1" * 32,
            confirmed_at=timezone.now(),
        )

    with pytest.raises(DelayImpossible):
        set_up(world)

    assert set_up(world, module=WEEK).module == WEEK
    assert len(guardian_rules.offered_delays(world.chain)) == 3
    settings.LOCAL_CHAIN = True
    offered = guardian_rules.offered_delays(world.chain)
    assert {RECOVERY_MODULES[delay] for delay in offered} == set(
        RECOVERY_MODULES.values()
    )


def test_a_proof_of_something_else_does_not_count(world: World, subtests: Any):
    for name, fields in {
        "as an owner": {"role": KeyProof.Role.OWNER},
        "not checked yet": {"role": ROLE, "status": WalletProof.Status.SIGNED},
        "of a stranger": {"role": ROLE, "user": make_user()},
    }.items():
        with subtests.test(name):
            address = Address(uuid.uuid4().bytes + b"\0" * 4)
            prove_wallet(world, address, **fields)

            with pytest.raises(GuardianNotProven):
                set_up(world, guardians=[address], threshold=1)


def test_nobodys_word_stands_for_a_key_that_somebody_else_proved(world: World):
    """Who got hold of an invitation's link is no guardian by an owner's word (R62)."""
    guard(world, A)
    bob = make_user()
    prove_guardians(world, STRANGER, user=bob)
    with pytest.raises(GuardianNotProven):
        add(world, guardian=STRANGER, is_proof_waived=True)
    new = newcomer(world, user=bob)
    prove_as_guardian(world, new)
    with pytest.raises(GuardianNotProven):
        add(world, guardian=new.signer, is_proof_waived=True)
    # Nor does a passkey of one's own that was removed here since.
    mine = newcomer(world, user=world.wallet.user)
    prove_as_guardian(world, mine)
    assert guardian_rules.is_proven(
        safe=world.wallet.safe, user=world.wallet.user, address=mine.signer
    )
    Credential.objects.filter(pk=mine.credential.pk).update(removed_at=timezone.now())
    with pytest.raises(GuardianNotProven):
        add(world, guardian=mine.signer)


def test_words_that_were_compared_for_another_role_do_not_count(world: World):
    guard(world, A)
    new = newcomer(world, user=make_user())
    prove_as_guardian(world, new)
    invitation = make_invitation(
        world, new, role=KeyProof.Role.OWNER, status=Invitation.Status.CONFIRMED
    )
    with pytest.raises(GuardianNotProven):
        add(world, guardian=new.signer)

    Invitation.objects.filter(pk=invitation.pk).update(role=ROLE)

    assert add(world, guardian=new.signer).guardian_list == [new.signer]


def test_an_address_that_is_not_of_the_proven_key_counts_for_nothing(world: World):
    guard(world, A)
    mine = newcomer(world, user=world.wallet.user)
    prove_as_guardian(world, mine)
    KeyProof.objects.filter(signer=mine.signer).update(signer=STRANGER)

    with pytest.raises(GuardianNotProven):
        add(world, guardian=STRANGER)


def test_those_who_guard_already_count_towards_ten(world: World):
    ten = [Address(bytes([0x30 + place]) * 20) for place in range(10)]
    guard(world, *ten[:9])
    prove_guardians(world, *ten, NEW)

    assert len(add(world, guardian=ten[9]).guardian_list) == 1
    UserOperation.objects.all().delete()
    guard(world, *ten)
    with pytest.raises(TooManyGuardians):
        add(world, guardian=NEW)


def test_whom_an_invitation_brought_counts_once_the_words_were_compared(world: World):
    bob = make_user()
    new = newcomer(world, user=bob)
    prove_as_guardian(world, new)
    invitation = make_invitation(
        world, new, role=ROLE, status=Invitation.Status.ACCEPTED
    )
    with pytest.raises(GuardianNotProven):
        set_up(world, guardians=[new.signer], threshold=1)
    Invitation.objects.update(status=Invitation.Status.CONFIRMED)

    op = world.prepare(set_up(world, guardians=[new.signer], threshold=1))

    assert op.status == Status.AWAITING_SIGNATURES
    # Accepted anew, with another key: the old one is nobody's word any more.
    Invitation.objects.filter(pk=invitation.pk).update(
        status=Invitation.Status.ACCEPTED, address=STRANGER
    )
    tamper(op, status=Status.SIGNED)
    op = world.submit(op)
    assert (op.status, op.failure_code) == (Status.REJECTED, "guardian-not-proven")
    assert world.bundler.sent == []


def test_a_word_that_was_taken_back_stops_an_addition_too(world: World):
    guard(world, A)
    new = newcomer(world, user=make_user())
    prove_as_guardian(world, new)
    make_invitation(world, new, role=ROLE, status=Invitation.Status.CONFIRMED)
    op = world.sign(world.prepare(add(world, guardian=new.signer)))
    Invitation.objects.update(status=Invitation.Status.ACCEPTED, address=STRANGER)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "guardian-not-proven")
    assert world.bundler.sent == []


def prove_as_guardian(world: World, new: Any) -> None:
    proof = prove(world, new)
    KeyProof.objects.filter(pk=proof.pk).update(role=ROLE)


def test_of_two_contracts_on_a_word_each_has_to_be_there(world: World):
    prove_guardians(world, A)
    world.node.account_codes[STRANGER] = b"\x60"

    both = [A, STRANGER, NEW]
    op = world.prepare(set_up(world, guardians=both, is_proof_waived=True))

    assert (op.status, op.failure_code) == (Status.REJECTED, "no-contract-there")


def test_a_row_that_asks_for_more_approvals_than_guardians_has_no_calls(world: World):
    prove_guardians(world, *GUARDIANS)
    op = set_up(world)
    assert intents.calls_of(op)

    op.new_threshold = 4

    with pytest.raises(intents.IntentChanged):
        intents.calls_of(op)


def test_turning_it_off_takes_out_everybody_or_has_no_calls(world: World):
    guard(world)
    op = end(world)
    assert intents.calls_of(op)

    op.guardians = op.guardians[:1]

    with pytest.raises(intents.IntentChanged):
        intents.calls_of(op)


def test_another_module_that_was_set_up_meanwhile_is_noticed(world: World):
    prove_guardians(world, *GUARDIANS)
    op = set_up(world)
    guard(world, module=WEEK)

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "recovery-changed")


def test_a_contract_guards_on_somebodys_word_where_there_is_one(world: World):
    prove_guardians(world, A)
    for code, status in ((b"", Status.REJECTED), (b"\x60", Status.AWAITING_SIGNATURES)):
        world.node.account_codes[STRANGER] = code

        op = world.prepare(set_up(world, guardians=[A, STRANGER], is_proof_waived=True))

        assert op.status == status
        assert op.failure_code == ("" if code else "no-contract-there")


# --- R16, R28: a row that was changed behind the site's back ------------------------------

OTHER = checksum_address(STRANGER)
TAMPERED: dict[str, Any] = {
    "module": WEEK,
    "guardians": [OTHER],
    "guardians_before": [OTHER],
    "new_threshold": 1,
    "removed": STRANGER,
    "previous": STRANGER,
    "cancels_recovery": True,
    "enables_module": False,
    "recipient": STRANGER,
    "value_wei": 1,
}
PARTS = {
    "set up": {"module", "guardians", "new_threshold", "enables_module"},
    "add": {"module", "guardians", "guardians_before", "new_threshold"},
    "revoke": {"module", "removed", "guardians_before", "new_threshold"},
    "change": {"module", "guardians_before", "new_threshold"},
    "cancel": {"module"},
    "end": {"module", "guardians", "guardians_before", "previous"},
}


def test_a_signed_change_that_was_changed_is_never_sent(db: None, subtests: Any):
    always = {"recipient", "value_wei"}
    for name, parts in PARTS.items():
        world = make_world()
        op = world.prepare(ASKS[name](world))
        cancels = set() if name == "cancel" else {"cancels_recovery"}
        for column in parts | always | cancels:
            with subtests.test(f"{name}: {column}"):
                before = getattr(op, column)
                tamper(op, status=Status.SIGNED, **{column: TAMPERED[column]})

                sent = world.submit(op)

                assert sent.status == Status.REJECTED
                assert sent.failure_code in {
                    "intent-mismatch",
                    "guardian-not-proven",
                    "recovery-changed",
                    "guardians-changed",
                }
                assert world.bundler.sent == []
                tamper(op, attempted_at=None, **{column: before})


# --- What the world did meanwhile. R67 ----------------------------------------------------


def another_guardian(fake: Any) -> None:
    fake.restore(replace(fake.record, guardians=[STRANGER, *fake.record.guardians]))


def another_order(fake: Any) -> None:
    fake.restore(replace(fake.record, guardians=fake.record.guardians[::-1]))


def another_threshold(fake: Any) -> None:
    fake.restore(replace(fake.record, threshold=1))


def switched_off(fake: Any) -> None:
    fake.restore(replace(fake.record, is_enabled=False))


def switched_on(fake: Any) -> None:
    fake.restore(replace(fake.record, is_enabled=True))


def begun(fake: Any) -> None:
    fake.start()


def canceled(fake: Any) -> None:
    fake.cancel()


OVERTAKEN = [
    ("set up anew", another_guardian, "guardians-changed"),
    ("set up anew", switched_on, "recovery-changed"),
    ("set up anew", canceled, "recovery-ended"),
    ("add", another_guardian, "guardians-changed"),
    ("add", begun, "recovery-begun"),
    ("add", switched_off, "recovery-changed"),
    ("add while begun", canceled, "recovery-ended"),
    ("revoke", another_order, "guardians-changed"),
    ("revoke", another_threshold, "guardians-changed"),
    ("revoke", begun, "recovery-begun"),
    ("change", another_threshold, "guardians-changed"),
    ("change", begun, "recovery-begun"),
    ("end", another_guardian, "guardians-changed"),
    ("end", begun, "recovery-begun"),
    ("end", switched_off, "recovery-changed"),
]


def fake_of(world: World) -> Any:
    fake = FakeModule(world, MODULE)
    fake.record = world.node.recoveries[fake.account, MODULE]
    return fake


def test_what_was_overtaken_goes_no_further(db: None, subtests: Any):
    for name, happen, code in OVERTAKEN:
        for way in ("only the chain says so", "signed"):
            with subtests.test(f"{name}: {code}, {way}"):
                world = make_world()
                op = ASKS[name](world)
                if way == "signed":
                    op = world.prepare(op)
                    tamper(op, status=Status.SIGNED)
                fake = fake_of(world)
                happen(fake)
                if way != "only the chain says so":
                    read(world, fake)

                op = world.submit(op) if way == "signed" else world.prepare(op)

                assert (op.status, op.failure_code) == (Status.REJECTED, code)
                assert world.bundler.sent == []
                # What the rows did not know is read again.
                setup = RecoverySetup.objects.get(safe=world.wallet.safe)
                knew = way != "only the chain says so"
                assert (setup.read_block is not None) == knew


def test_guardians_that_this_site_never_heard_of_are_noticed(world: World):
    prove_guardians(world, *GUARDIANS)
    op = set_up(world)
    fake = FakeModule(world, MODULE)
    fake.guard(STRANGER)
    switched_off(fake)

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "guardians-changed")
    assert RecoverySetup.objects.get().read_block is None


def test_a_chain_without_the_module_says_so(world: World):
    prove_guardians(world, *GUARDIANS)
    op = set_up(world)
    fake = guard(world)
    RecoverySetup.objects.get().guardians.all().delete()
    RecoverySetup.objects.all().delete()
    fake.restore(replace(fake.record, guardians=None, is_enabled=False))

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "no-module-there")
    assert not RecoverySetup.objects.exists()


def test_a_guardian_who_became_an_owner_is_added_no_more(world: World):
    prove_guardians(world, *GUARDIANS)
    op = set_up(world)
    add_owner(world, A)

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "guardian-is-owner")


def test_who_stands_before_the_module_by_now_is_noticed(world: World):
    op = ASKS["end"](world)
    row = ForeignConfiguration.objects.get()
    row.modules = [OTHER, *row.modules]
    row.save(update_fields=["modules"])

    op = world.prepare(op)
    again = world.prepare_again(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "owners-changed")
    assert again.previous == STRANGER


# --- What ends a recovery waits for nothing. R69 ------------------------------------------


def test_cancelling_a_recovery_waits_for_no_other_change(world: World):
    make_three(world)
    guard(world, begun=True)
    world.prepare(change_threshold(world, 3))
    with pytest.raises(OwnerChangeInFlight):
        end(world)

    op = world.prepare(cancel(world))

    assert op.status == Status.AWAITING_SIGNATURES, op.failure_code
    # Nor does a change wait for it, or it could be kept up by cancelling.
    assert cancel(world) == op


def test_nothing_is_signed_to_cancel_what_has_ended_on_chain(world: World):
    fake = guard(world, begun=True)
    op = cancel(world)
    fake.cancel()  # elsewhere, and nobody has read it yet

    op = world.prepare(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "recovery-ended")


def test_one_that_ran_out_before_anybody_signed_is_asked_for_anew(world: World):
    guard(world, begun=True)
    draft = cancel(world)
    assert cancel(world) == draft  # which nobody has prepared yet
    first = world.prepare(draft)
    chain = Chain.objects.filter(pk=world.chain.pk)
    safes = Safe.objects.select_related("chain")
    chain.update(head_timestamp=first.valid_until - 1)
    assert cancel(world, safe=safes.get()) == first

    chain.update(head_timestamp=first.valid_until)

    assert cancel(world, safe=safes.get()) != first


def test_one_of_another_module_is_another_one(world: World):
    guard(world, begun=True)
    guard(world, begun=True, module=WEEK)

    first, second = cancel(world), cancel(world, module=WEEK)

    assert first != second
    assert (first.module, second.module) == (MODULE, WEEK)


def test_an_approver_may_ask_for_it_and_a_stranger_may_not(world: World):
    guard(world, begun=True)
    Membership.objects.create(
        safe=world.wallet.safe,
        user=world.wallet.user,
        role=Role.APPROVER,
        created_by=make_user(),
    )

    assert cancel(world).kind == Kind.CANCEL_RECOVERY
    with pytest.raises(NotYourAccount):
        change(world)
    with pytest.raises(NotYourAccount):
        cancel(world, user=make_user())


def test_it_is_paid_for_when_all_else_is_used_up(world: World, settings: Any):
    settings.SPONSOR_DAILY_OPERATIONS = 0
    world.node.account_balances[world.wallet.safe.address] = 0
    guard(world, begun=True)

    assert world.prepare(change(world)).status == Status.REJECTED
    op = world.prepare(cancel(world))

    assert (op.status, op.is_sponsored) == (Status.AWAITING_SIGNATURES, True)


def test_an_earlier_one_that_was_given_up_is_not_in_its_way(world: World):
    guard(world, begun=True)
    first = world.prepare(cancel(world))
    tamper(first, status=Status.WITHDRAWN, signed_at=first.prepared_at)

    second = world.prepare(cancel(world))

    assert second.status == Status.AWAITING_SIGNATURES
    assert second.nonce_key != first.nonce_key


def test_the_same_form_makes_one_draft_and_another_one_a_conflict(world: World):
    prove_guardians(world, *GUARDIANS)
    key = uuid.uuid4()

    first = set_up(world, idempotency_key=key)

    assert set_up(world, idempotency_key=key) == first
    with pytest.raises(IdempotencyConflict):
        set_up(world, guardians=[B, A, C], idempotency_key=key)
    with pytest.raises(IdempotencyConflict):
        set_up(world, threshold=3, idempotency_key=key)


def test_the_site_under_test_is_on_a_local_chain():
    assert django_settings.LOCAL_CHAIN
