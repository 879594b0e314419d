"""Celery entry points of claims to recover accounts, and of rehearsals of that.

``tasks.sweep`` wakes them too.
"""

from __future__ import annotations

from datetime import datetime

from celery import current_app, shared_task
from django.conf import settings

from accounts.tasks import send_mails
from onchain.clients.errors import TransientClientError
from onchain.clients.factory import node_for
from onchain.models import (
    AccountClaim,
    Chain,
    DrillAnswer,
    GuardianApproval,
    RecoveryDrill,
    RecoveryLookup,
    RelayerTransaction,
)
from onchain.services import (
    drill_answers,
    drill_reminders,
    guardian_approvals,
    recovery_drills,
    recovery_progress,
    recovery_triage,
    relayer,
)

RETRY = {
    "autoretry_for": (TransientClientError,),
    "retry_backoff": 1,  # seconds: 1, 2, 4 ... with jitter
    "retry_backoff_max": 30,
    "max_retries": 3,  # afterwards the sweep tries again
}
RUN_RELAYER = "onchain.tasks.run_relayer"


@shared_task(**RETRY)
def read_recovery_lookup(pk: int) -> None:
    """Ask the chain who could bring an account back. Idempotent."""
    lookup = RecoveryLookup.objects.select_related("chain").get(pk=pk)
    recovery_triage.read(lookup=lookup, node=node_for(lookup.chain.chain_id))


@shared_task(**RETRY)
def check_guardian_approval(pk: int) -> None:
    """Ask the chain about a guardian's signature; its claim goes on. Idempotent."""
    related = ("account_claim__safe__chain", "credential")
    approval = GuardianApproval.objects.select_related(*related).get(pk=pk)
    chain = approval.account_claim.safe.chain
    guardian_approvals.check(approval=approval, node=node_for(chain.chain_id))
    advance_recovery.delay(approval.account_claim_id)


@shared_task(**RETRY)
def advance_recovery(pk: int) -> None:
    """Take one claim as far as the chain allows. Idempotent."""
    related = ("safe__chain", "claim__user", "claim__credential")
    row = AccountClaim.objects.select_related(*related).get(pk=pk)
    account = relayer.account_of(settings.RELAYER_PRIVATE_KEY)
    recovery_progress.advance(
        row=row,
        node=node_for(row.safe.chain.chain_id),
        relayer=relayer.sender_of(account),
    )
    waiting = RelayerTransaction.Status.QUEUED
    if row.relayer_transactions.filter(status=waiting).exists():
        current_app.tasks[RUN_RELAYER].delay(row.safe.chain_id)


@shared_task(**RETRY)
def check_drill_answer(pk: int) -> None:
    """Ask the chain about a guardian's answer to a rehearsal. Idempotent."""
    related = ("drill__safe__chain", "credential")
    answer = DrillAnswer.objects.select_related(*related).get(pk=pk)
    chain = answer.drill.safe.chain
    drill_answers.check(answer=answer, node=node_for(chain.chain_id))


@shared_task
def look_at_drill(pk: int) -> None:
    """End a rehearsal whose time is over, or that everybody answered. Idempotent."""
    drill = RecoveryDrill.objects.select_related("safe__chain").get(pk=pk)
    recovery_drills.look(drill=drill)


@shared_task
def remind_of_rehearsals() -> None:
    """Remind owners of what nobody tried for half a year. Beat runs this hourly."""
    chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
    if chain is not None and drill_reminders.tell_due(chain=chain):
        send_mails.delay()


def sweep(*, chain: Chain, older: datetime) -> None:
    """Find the work whose nudge was lost, among rows that are older than this."""
    approvals = GuardianApproval.objects.filter(
        account_claim__safe__chain=chain,
        status=GuardianApproval.Status.SIGNED,
        created_at__lt=older,
    )
    for pk in approvals.values_list("pk", flat=True):
        check_guardian_approval.delay(pk)
    asked = RecoveryLookup.objects.filter(
        chain=chain, status=RecoveryLookup.Status.READING, asked_at__lt=older
    )
    for pk in asked.values_list("pk", flat=True):
        read_recovery_lookup.delay(pk)
    answers = DrillAnswer.objects.filter(
        drill__safe__chain=chain,
        status=DrillAnswer.Status.SIGNED,
        created_at__lt=older,
    )
    for pk in answers.values_list("pk", flat=True):
        check_drill_answer.delay(pk)
    for pk in recovery_drills.due(chain=chain).values_list("pk", flat=True):
        look_at_drill.delay(pk)
    for pk in recovery_progress.due(chain=chain).values_list("pk", flat=True):
        advance_recovery.delay(pk)
