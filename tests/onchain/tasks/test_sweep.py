"""A lost nudge costs seconds: the sweep finds every row that waits for a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from onchain import tasks
from onchain.models import (
    AccountClaim,
    GuardianApproval,
    KeyProof,
    OperationSignature,
    Owner,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import Status
from onchain.services import key_proofs, wallet_approvals, wallet_proofs
from tests.claims import guardian_approval
from tests.factories import World, make_chain, make_wallet, make_world
from tests.wallet_keys import SoftWallet, make_wallet_owner
from tests.wallets import key_of
from wallet_site.celery import app

pytestmark = pytest.mark.services


def ago(seconds: float):
    return timezone.now() - timedelta(seconds=seconds)


def aged(op: UserOperation, **fields) -> UserOperation:
    """Let an operation be older than any nudge takes."""
    UserOperation.objects.filter(pk=op.pk).update(**{"created_at": ago(60)} | fields)
    return op


def test_a_forgotten_draft_is_prepared(world: World, queued):
    op = aged(world.draft())

    tasks.sweep()

    assert ("prepare_user_operation", [op.pk]) in queued()


def test_a_forgotten_signature_is_submitted(world: World, queued):
    op = aged(world.sign())

    tasks.sweep()

    assert ("submit_user_operation", [op.pk]) in queued()


def test_a_forgotten_proof_is_checked(world: World, queued):
    proof = key_proofs.open_proof(**key_of(world.wallet.owner))
    KeyProof.objects.update(status="signed", created_at=ago(60))

    tasks.sweep()

    assert ("check_key_proof", [proof.pk]) in queued()


def test_a_forgotten_wallet_proof_is_checked_and_owners_looked_at(world: World, queued):
    safe, user = world.wallet.safe, world.wallet.user
    proof = wallet_proofs.open_proof(user=user, safe=safe, address=b"\xc0" * 20)
    WalletProof.objects.update(status="signed", created_at=ago(60))
    make_wallet_owner(SoftWallet(), safe=safe, kind=Owner.Kind.UNKNOWN)

    tasks.sweep()

    names = {("check_wallet_proof", proof.pk), ("read_owner_kinds", safe.chain_id)}
    assert names <= {(name, arguments[0]) for name, arguments in queued()}


def test_a_forgotten_signature_of_a_contract_is_checked(world: World, queued):
    op = world.prepare()
    owner = make_wallet_owner(
        SoftWallet(),
        safe=world.wallet.safe,
        holder=world.wallet.user,
        kind=Owner.Kind.CONTRACT,
    )
    row = wallet_approvals.sign(
        op=op, user=world.wallet.user, account=owner.address, signature=b"1271"
    )
    OperationSignature.objects.update(created_at=ago(60))

    tasks.sweep()

    assert ("check_wallet_signature", [row.pk]) in queued()


def test_a_claim_that_is_due_is_looked_at_and_an_approval_is_checked(
    world: World, queued
):
    approval = guardian_approval(world.wallet.safe)
    GuardianApproval.objects.update(created_at=ago(60))

    tasks.sweep()

    found = queued()
    assert ("advance_recovery", [approval.account_claim_id]) in found
    assert ("check_guardian_approval", [approval.pk]) in found
    AccountClaim.objects.update(look_at=timezone.now() + timedelta(minutes=1))
    tasks.sweep()
    assert "advance_recovery" not in {name for name, _ in queued()}


def test_a_row_whose_nudge_is_on_its_way_is_left_to_it(world: World, queued):
    world.draft()
    world.sign()
    key_proofs.open_proof(**key_of(world.wallet.owner))
    KeyProof.objects.update(status="signed")

    tasks.sweep()

    names = {name for name, _ in queued()}
    assert names == {"run_relayer", "check_components"}


# R47
@pytest.mark.parametrize(("seconds", "is_due"), [(14, False), (16, True)])
def test_what_the_bundler_does_not_include_is_handed_over_again(
    world: World, queued, seconds: int, is_due: bool
):
    op = aged(world.submit(), attempted_at=ago(seconds), submitted_at=ago(seconds))

    tasks.sweep()

    assert (("submit_user_operation", [op.pk]) in queued()) == is_due


# R49
def test_what_a_reorg_took_back_is_sent_again_at_once(world: World, queued):
    op = aged(world.submit(), attempted_at=None)

    tasks.sweep()

    assert ("submit_user_operation", [op.pk]) in queued()


# R49
def test_what_a_reorg_took_back_before_it_was_noted_as_sent_is_sent_again(
    world: World, queued
):
    op = aged(
        world.sign(), status=Status.SUBMITTED, submitted_at=None, attempted_at=ago(60)
    )

    tasks.sweep()

    assert ("submit_user_operation", [op.pk]) in queued()


@pytest.mark.parametrize(
    "status",
    [s for s in Status if s not in (Status.DRAFT, Status.SIGNED, Status.SUBMITTED)],
)
def test_what_waits_for_nobody_wakes_nobody(world: World, queued, status: Status):
    aged(world.sign(), status=status)

    tasks.sweep()

    names = {name for name, _ in queued()}
    assert names == {"run_relayer", "check_components"}


def test_a_chain_that_is_no_longer_configured_is_left_alone(world: World, queued):
    make_chain(chain_id=31338)

    tasks.sweep()

    rounds = [args for name, args in queued() if name == "run_relayer"]
    assert rounds == [[world.chain.pk]]


def test_a_draft_that_is_too_old_is_given_up_and_not_prepared(world: World, queued):
    op = aged(world.draft(), created_at=ago(16 * 60))

    tasks.sweep()

    assert world.fresh(op).status == Status.EXPIRED
    assert ("prepare_user_operation", [op.pk]) not in queued()


def test_each_row_is_swept_once(world: World, queued):
    ops = [aged(world.draft()) for _ in range(5)]
    aged(make_world().draft())
    make_wallet()

    tasks.sweep()

    swept = [args[0] for name, args in queued() if name == "prepare_user_operation"]
    assert len(swept) == len(set(swept)) == 6
    assert {op.pk for op in ops} < set(swept)


def test_beat_runs_the_sweep_every_few_seconds(settings):
    entry = app.conf.beat_schedule["sweep"]

    assert entry["task"] == tasks.sweep.name
    assert entry["schedule"] == settings.SWEEP_SECONDS <= 5


def test_what_only_piles_up_is_deleted(world: World):
    old = key_proofs.open_proof(**key_of(world.wallet.owner))
    KeyProof.objects.filter(pk=old.pk).update(expires_at=ago(60))
    fresh = key_proofs.open_proof(**key_of(world.wallet.owner))
    Session.objects.create(key_hash=b"\1" * 32, data="", expires_at=ago(60))

    tasks.clean_up()

    assert list(KeyProof.objects.all()) == [fresh]
    assert not Session.objects.exists()
