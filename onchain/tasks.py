"""Celery entry points: load the row, call one service, nothing else."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import sessions
from accounts.ceremonies import sweep_expired
from accounts.tasks import send_mails
from onchain import recovery_tasks
from onchain.clients.errors import TransientClientError
from onchain.clients.factory import (
    bundler_for,
    bundlers_for,
    node_for,
    paymaster_service_for,
)
from onchain.errors import NotNow
from onchain.models import (
    AccountLookup,
    Chain,
    Heartbeat,
    KeyProof,
    OperationSignature,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.operation_states import Status
from onchain.services import (
    account_lookups,
    chains,
    health,
    key_proofs,
    network_quotas,
    owner_kinds,
    preparation,
    recovery_alarms,
    relayer,
    relayer_watch,
    relaying,
    safes,
    sponsor_watch,
    submission,
    user_operations,
    wallet_approvals,
    wallet_proofs,
)
from onchain.services.handing_over import TURN_SECONDS, Carriers

logger = logging.getLogger(__name__)

RETRY = {
    "autoretry_for": (TransientClientError,),
    "retry_backoff": 1,  # seconds: 1, 2, 4 ... with jitter
    "retry_backoff_max": 30,
    "max_retries": 3,  # afterwards the sweep tries again
}
NUDGE_SECONDS = 2  # a younger row still has its nudge on the way


@shared_task(**RETRY)
def prepare_user_operation(pk: int) -> None:
    """Prepare one draft. Idempotent: see ``preparation.prepare``."""
    op = UserOperation.objects.select_related("safe__chain", "predecessor").get(pk=pk)
    try:
        preparation.prepare(
            op=op,
            node=node_for(op.safe.chain.chain_id),
            bundler=bundler_for(op.safe.chain.chain_id),
            sponsor_key=settings.SPONSOR_PRIVATE_KEY,
            paymaster_service=paymaster_service_for(op.safe.chain.chain_id),
        )
    except TransientClientError as error:
        _note_problem(pk, error)
        raise


@shared_task(**RETRY)
def submit_user_operation(pk: int) -> None:
    """Send one signed operation. Idempotent: see ``submission.submit``."""
    op = UserOperation.objects.select_related("safe__chain").get(pk=pk)
    account = relayer.account_of(settings.RELAYER_PRIVATE_KEY)
    carriers = Carriers(
        node=node_for(op.safe.chain.chain_id),
        bundlers=bundlers_for(op.safe.chain.chain_id),
        relayer=relayer.sender_of(account),
    )
    try:
        submission.submit(op=op, carriers=carriers)
    except TransientClientError as error:
        _note_problem(pk, error)
        raise


def _note_problem(pk: int, error: TransientClientError) -> None:
    UserOperation.objects.filter(pk=pk).update(last_problem=str(error)[:200])


@shared_task(**RETRY)
def check_key_proof(pk: int) -> None:
    """Ask the chain about one signed proof. Idempotent."""
    rows = KeyProof.objects.select_related("safe__chain", "credential")
    proof = rows.filter(pk=pk).first()
    if proof is None:
        return  # of an account that was forming, and whose list has changed
    key_proofs.check(proof=proof, node=node_for(proof.safe.chain.chain_id))


@shared_task(**RETRY)
def check_wallet_proof(pk: int) -> None:
    """Ask a contract about the proof that it signed. Idempotent."""
    proof = WalletProof.objects.select_related("safe__chain").filter(pk=pk).first()
    if proof is None:
        return  # of an account that was forming, and whose list has changed
    wallet_proofs.check(proof=proof, node=node_for(proof.safe.chain.chain_id))


@shared_task(**RETRY)
def check_wallet_signature(pk: int) -> None:
    """Ask a contract whether it signed an operation; then it may go. Idempotent."""
    related = ("operation__safe__chain", "owner")
    signature = OperationSignature.objects.select_related(*related).get(pk=pk)
    chain = signature.operation.safe.chain
    wallet_approvals.check(signature=signature, node=node_for(chain.chain_id))
    submit_user_operation.delay(signature.operation_id)


@shared_task(**RETRY)
def read_owner_kinds(chain_pk: int) -> None:
    """Look at the code of owners that nobody has recognised. Idempotent."""
    chain = Chain.objects.get(pk=chain_pk)
    owner_kinds.read(chain=chain, node=node_for(chain.chain_id))


@shared_task(**RETRY)
def read_account(pk: int) -> None:
    """Ask the chain about an account that somebody wants to add. Idempotent."""
    lookup = AccountLookup.objects.select_related("chain", "user").get(pk=pk)
    node = node_for(lookup.chain.chain_id)
    account_lookups.read(lookup=lookup, node=node)


@shared_task(**RETRY)
def refresh_balance(pk: int) -> None:
    """Write one account's balance."""
    safe = Safe.objects.select_related("chain").get(pk=pk)
    safes.refresh_balance(safe=safe, node=node_for(safe.chain.chain_id))


@shared_task(**RETRY)
def run_relayer(chain_pk: int) -> None:
    """Broadcast what is signed, sign what is queued, broadcast that."""
    chain = Chain.objects.get(pk=chain_pk)
    try:
        relaying.run(
            chain=chain,
            node=node_for(chain.chain_id),
            account=relayer.account_of(settings.RELAYER_PRIVATE_KEY),
        )
    except NotNow as error:
        # No failure: it waits for money, fees or tomorrow, and the sweep asks again.
        logger.info("the relayer waits on %s: %s", chain.chain_id, error)


@shared_task
def tell_of_recoveries(chain_pk: int) -> None:
    """Tell people what guardians began, and how it ended. Idempotent."""
    if recovery_alarms.tell_due(chain=Chain.objects.get(pk=chain_pk)):
        send_mails.delay()


@shared_task
def sweep() -> None:
    """Find the work whose nudge was lost. Beat runs this every few seconds."""
    sweep_expired()
    user_operations.expire_drafts()
    chain = Chain.objects.filter(chain_id=settings.CHAIN_ID).first()
    if chain is None:
        return
    operations = UserOperation.objects.filter(safe__chain=chain)
    older = timezone.now() - timedelta(seconds=NUDGE_SECONDS)
    for pk in _pks(operations.filter(status=Status.DRAFT), older):
        prepare_user_operation.delay(pk)
    for pk in _pks(operations.filter(status=Status.SIGNED), older):
        submit_user_operation.delay(pk)
    resend = timezone.now() - timedelta(seconds=TURN_SECONDS)
    # Without an attempt: a reorg took it back.
    is_due = Q(attempted_at__lt=resend) | Q(attempted_at__isnull=True)
    submitted = operations.filter(is_due, status=Status.SUBMITTED)
    for pk in submitted.values_list("pk", flat=True):
        submit_user_operation.delay(pk)
    proofs = KeyProof.objects.filter(safe__chain=chain)
    for pk in _pks(proofs.filter(status=KeyProof.Status.SIGNED), older):
        check_key_proof.delay(pk)
    wallets = WalletProof.objects.filter(safe__chain=chain)
    for pk in _pks(wallets.filter(status=WalletProof.Status.SIGNED), older):
        check_wallet_proof.delay(pk)
    answers = OperationSignature.objects.filter(
        operation__safe__chain=chain, is_checked=False, voided_at=None
    )
    for pk in _pks(answers, older):
        check_wallet_signature.delay(pk)
    if owner_kinds.unread(chain=chain).exists():
        read_owner_kinds.delay(chain.pk)
    reading = AccountLookup.objects.filter(
        chain=chain, status=AccountLookup.Status.READING, asked_at__lt=older
    )
    for pk in reading.values_list("pk", flat=True):
        read_account.delay(pk)
    recovery_tasks.sweep(chain=chain, older=older)
    if recovery_alarms.due(chain=chain).exists():
        tell_of_recoveries.delay(chain.pk)
    run_relayer.delay(chain.pk)
    check_components.delay(chain.pk)


def _pks(rows: QuerySet[Any], older: datetime) -> list[int]:
    return list(rows.filter(created_at__lt=older).values_list("pk", flat=True))


@shared_task
def check_components(chain_pk: int) -> None:
    """Note who answers, and how the relayer and the sponsor's paymaster are."""
    chain = Chain.objects.get(pk=chain_pk)
    node = node_for(chain.chain_id)
    chains.heard(chain=chain, component=Heartbeat.Component.WORKER)
    bundlers = bundlers_for(chain.chain_id)
    for component, bundler in zip(health.BUNDLERS, bundlers, strict=False):
        chains.check_bundler(chain=chain, bundler=bundler, component=component)
    account = relayer.account_of(settings.RELAYER_PRIVATE_KEY)
    relayer_watch.watch(chain=chain, node=node, account=account)
    sponsor_watch.watch_configured(
        chain=chain,
        node=node,
        keys=sponsor_watch.OwnKeys.of(
            relayer=settings.RELAYER_PRIVATE_KEY, sponsor=settings.SPONSOR_PRIVATE_KEY
        ),
    )


@shared_task
def clean_up() -> None:
    """Delete what only piles up. Beat runs this every hour."""
    key_proofs.sweep_expired()
    wallet_proofs.sweep_expired()
    network_quotas.forget()
    sessions.sweep_expired()
