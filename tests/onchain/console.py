"""The console's models and addresses, and one row of each model."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_results.models import GroupResult, TaskResult

from accounts.models import (
    Ceremony,
    EmailAddress,
    Enrolment,
    KnownBrowser,
    OutgoingMail,
    Outsider,
    SecurityEvent,
    Session,
)
from onchain.admin_base import NudgeAdmin
from onchain.models import (
    AccountLookup,
    Acknowledgement,
    AlertContact,
    Block,
    Budget,
    ConfigurationAcknowledgement,
    Contact,
    ForeignConfiguration,
    Formation,
    Guardian,
    Invitation,
    JournalEntry,
    Membership,
    ModuleCode,
    NetworkQuota,
    Owner,
    PaymasterDeposit,
    RecoveryNickname,
    RecoveryRequest,
    RecoverySetup,
    RelayerAttempt,
    RelayerTransaction,
    Reminder,
    Role,
    Seat,
    Sponsorship,
    Transfer,
    UnwarnedAcknowledgement,
    UserOperation,
    WalletProof,
)
from onchain.services import key_proofs
from tests.claims import guardian_approval, recovery_lookup
from tests.drills import drill_answer
from tests.wallets import Status, Wallet, key_of, make_operation

REGISTERED = admin.site._registry
MODELS = sorted(REGISTERED, key=lambda model: model._meta.label)
NUDGED = [model for model in MODELS if isinstance(REGISTERED[model], NudgeAdmin)]
HASH = b"\xab" * 32


def label(model: type) -> str:
    """Return a model's name, for the ids of tests."""
    return model._meta.label


def url_of(model: type, action: str, *arguments: object) -> str:
    """Return the address of a model's list, or of one of its rows."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}"
    return reverse(name, args=arguments)


def nudge(client: Client, *rows: object) -> HttpResponse:
    """Choose rows of one model and press "Nudge again"."""
    return client.post(
        url_of(type(rows[0]), "changelist"),
        {"action": "nudge_again", "_selected_action": [row.pk for row in rows]},
    )


def fill_console(wallet: Wallet) -> None:
    """Store one row at least of every model that the console shows."""
    op = make_operation(wallet, Status.INCLUDED)
    make_operation(wallet, Status.DRAFT)
    chain = wallet.safe.chain
    key_proofs.open_proof(**key_of(wallet.safe.owners.get()))
    Block.objects.create(chain=chain, number=100, hash=HASH, timestamp=1)
    sent = RelayerTransaction.objects.create(
        chain=chain,
        purpose=RelayerTransaction.Purpose.FAUCET,
        requested_by=wallet.user,
        to=wallet.safe.address,
        value_wei=10**18,
        sender=b"\1" * 20,
        nonce=1,
        raw=b"\2",
        hash=HASH,
    )
    Budget.objects.create(
        chain=chain, pool=Budget.Pool.SAFETY, day=timezone.now().date(), used_wei=7
    )
    NetworkQuota.objects.create(
        chain=chain, network_hash=HASH, day=timezone.now().date(), accounts=3
    )
    RelayerAttempt.objects.create(
        transaction=sent, raw=b"\1", hash=b"\xac" * 32, max_fee_per_gas=1
    )
    Acknowledgement.objects.create(safe=wallet.safe, user=wallet.user)
    Sponsorship.objects.create(
        operation=op,
        safe=wallet.safe,
        chain=chain,
        pool=Sponsorship.Pool.ESTABLISHED,
        signers=1,
        reserved_wei=10**15,
        paid_wei=10**14,
        valid_until=1,
        paid_at=timezone.now(),
    )
    PaymasterDeposit.objects.create(
        chain=chain, address=b"\5" * 20, deposit_wei=10**18, read_at=timezone.now()
    )
    foreign = {"safe": wallet.safe, "seen_hash": HASH}
    ForeignConfiguration.objects.create(
        **foreign, findings=[["guard", "0x" + "ab" * 20]], block_number=100
    )
    ConfigurationAcknowledgement.objects.create(**foreign, user=wallet.user)
    AccountLookup.objects.create(
        user=wallet.user, chain=chain, address=b"\xac" * 20, asked_at=timezone.now()
    )
    Transfer.objects.create(
        chain=chain,
        safe=wallet.safe,
        sender=b"\1" * 20,
        value_wei=1,
        transaction_hash=HASH,
        block_number=100,
        received_at=timezone.now(),
    )
    _share(wallet, op)
    _guard(wallet)
    JournalEntry.objects.create(actor=wallet.user, action="test", target=f"{op}")
    later = timezone.now() + timedelta(minutes=5)
    enrolment = Enrolment.objects.create(
        token_hash=HASH, operator_name="sam", expires_at=later
    )
    Ceremony.objects.create(
        challenge=b"\3" * 64,
        purpose=Ceremony.Purpose.ENROLMENT,
        session_hash=HASH,
        enrolment=enrolment,
        expires_at=later,
    )
    Session.objects.create(
        key_hash=HASH, data="", user=wallet.user, last_seen_at=later, expires_at=later
    )
    KnownBrowser.objects.create(user=wallet.user, token_hash=HASH)
    event = SecurityEvent.objects.create(
        user=wallet.user, kind=SecurityEvent.Kind.NEW_BROWSER
    )
    address = EmailAddress.objects.create(user=wallet.user, address="a@example.com")
    OutgoingMail.objects.create(to=address, kind=OutgoingMail.Kind.EVENT, event=event)
    TaskResult.objects.create(task_id=str(uuid.uuid4()), task_name="sweep")
    GroupResult.objects.create(group_id=str(uuid.uuid4()))


def _guard(wallet: Wallet) -> None:
    """Store what recovery with guardians leaves behind."""
    guardian_approval(wallet.safe)
    recovery_lookup(wallet.safe)
    drill_answer(wallet.safe)
    RecoveryNickname.objects.create(
        safe=wallet.safe, name="console", chosen_by=wallet.user
    )
    setup = RecoverySetup.objects.create(safe=wallet.safe, module=b"\7" * 20)
    Guardian.objects.create(setup=setup, address=b"\6" * 20, position=0)
    ModuleCode.objects.create(
        chain=wallet.safe.chain, module=b"\7" * 20, code_hash=HASH
    )
    outsider = Outsider.objects.create(
        name="Anna", address="anna@example.com", about="an account"
    )
    AlertContact.objects.create(
        safe=wallet.safe, outsider=outsider, created_by=wallet.user
    )
    UnwarnedAcknowledgement.objects.create(safe=wallet.safe, user=wallet.user)
    RecoveryRequest.objects.create(
        setup=setup,
        nonce=0,
        new_owners_hash=HASH,
        new_threshold=1,
        approvals=1,
        execute_after=1,
        started_block=100,
    )


def _share(wallet: Wallet, op: UserOperation) -> None:
    """Store what several people leave behind who share an account."""
    safe, user = wallet.safe, wallet.user
    later = timezone.now() + timedelta(days=7)
    Membership.objects.create(safe=safe, user=user, role=Role.VIEWER, created_by=user)
    formation = Formation.objects.create(
        chain=safe.chain,
        created_by=user,
        creation_key=uuid.uuid4(),
        name="Club",
        threshold=2,
    )
    seat = Seat.objects.create(
        formation=formation, position=0, kind=Owner.Kind.WALLET, address=b"\6" * 20
    )
    Invitation.objects.create(
        token_hash=HASH,
        seat=seat,
        role=Role.OWNER,
        name="Anna",
        created_by=user,
        expires_at=later,
    )
    WalletProof.objects.create(
        user=user,
        safe=safe,
        address=b"\6" * 20,
        nonce=HASH,
        text="a text",
        expires_at=later,
    )
    Reminder.objects.create(
        operation=op, user=user, sent_by=user, day=timezone.now().date()
    )
    Contact.objects.create(safe=safe, address=b"\6" * 20, name="Anna", created_by=user)
