"""Taking a guardian's answer to a rehearsal, and asking the chain whether it counts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Credential, User
from onchain.clients.node import Node
from onchain.errors import DrillRefused
from onchain.models import DrillAnswer, Guardian, RecoveryDrill
from onchain.models.recovery_drill import RecoveryDrillQuerySet
from onchain.protocol.types import Address
from onchain.services import guardian_signatures, recovery_drills
from onchain.services.guardian_signatures import COUNTING, MOST_REFUSED, Signed

logger = logging.getLogger(__name__)

Status = DrillAnswer.Status
SHOWN_FOR = timedelta(days=60)  # to guardians who were asked and did not answer


def own_keys(*, drill: RecoveryDrill, user: User) -> dict[Address, Credential]:
    """Return the person's passkeys among who is asked, by their signers."""
    return guardian_signatures.own_keys(
        safe=drill.safe, guardians=drill.guardian_list, user=user
    )


def sign_with_passkey(
    *, drill: RecoveryDrill, user: User, response: str
) -> DrillAnswer:
    """Take a passkey guardian's answer; a worker asks the chain about it.

    Safe to repeat: a guardian answers a rehearsal once.

    Raises:
        DrillRefused: it is over, or the person guards nothing.
        SignatureRefused: the answer is none to this; nothing was changed.
    """
    refuse_unless_running(drill)
    keys = own_keys(drill=drill, user=user)
    if not keys:
        raise DrillRefused("None of your passkeys is a guardian of this account.")
    signed = guardian_signatures.of_passkey(
        keys=keys, response=response, digest=drill.hash_to_sign
    )
    return _keep(drill, user, signed)


def sign_with_wallet(
    *, drill: RecoveryDrill, user: User, guardian: Address, signature: bytes
) -> DrillAnswer:
    """Take the answer of a wallet or of a contract that is a guardian.

    Raises:
        DrillRefused: it is over, or this is no guardian.
        SignatureRefused: nothing that a wallet signs.
    """
    refuse_unless_running(drill)
    if guardian not in drill.guardian_list:
        raise DrillRefused("This address is no guardian of this account.")
    refused = drill.answers.filter(guardian=guardian, status=Status.REFUSED)
    if refused.count() >= MOST_REFUSED:
        raise DrillRefused("Too many signatures of this guardian did not count.")
    signed = guardian_signatures.of_wallet(
        guardian=guardian,
        account=guardian,
        signature=signature,
        digest=drill.hash_to_sign,
    )
    return _keep(drill, user, signed)


def is_open(drill: RecoveryDrill) -> bool:
    """Whether guardians are being asked."""
    return drill.is_running and drill.until > timezone.now()


def refuse_unless_running(drill: RecoveryDrill) -> None:
    """Check that guardians are being asked.

    Raises:
        DrillRefused: not any more.
    """
    if not is_open(drill):
        raise DrillRefused("This rehearsal is over. Nothing was signed.")


def _keep(drill: RecoveryDrill, user: User, signed: Signed) -> DrillAnswer:
    answer = DrillAnswer(drill=drill, user=user, **signed.columns)
    try:
        with transaction.atomic():
            answer.save(force_insert=True)
            if answer.status == Status.VALID:
                recovery_drills.settle(answer=answer)
    except IntegrityError:
        return drill.answers.get(guardian=signed.guardian, status__in=COUNTING)
    logger.info("answer %s is %s", answer.pk, answer.status)
    return answer


def check(*, answer: DrillAnswer, node: Node) -> None:
    """Ask the chain about a stored answer and remember its word. Safe to repeat.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    if answer.status != Status.SIGNED:
        return
    drill = answer.drill
    is_valid = guardian_signatures.is_valid(
        row=answer, safe=drill.safe, digest=drill.hash_to_sign, node=node
    )
    _settle(answer, Status.VALID if is_valid else Status.REFUSED)


@transaction.atomic
def _settle(answer: DrillAnswer, target: str) -> None:
    if DrillAnswer.objects.transition(answer.pk, source=Status.SIGNED, target=target):
        logger.info("answer %s is %s", answer.pk, target)
        recovery_drills.settle(answer=answer)


# --- Who is asked ---------------------------------------------------------------------


def visible_to(*, user: User, opened: Sequence[int]) -> RecoveryDrillQuerySet:
    """Return the rehearsals that the person may look at.

    Args:
        opened: rehearsals whose links this browser opened.
    """
    answered = DrillAnswer.objects.filter(user=user).values("drill")
    known = [*opened, *_asked_as_guardian(user)]
    return RecoveryDrill.objects.filter(Q(pk__in=known) | Q(pk__in=answered))


def _asked_as_guardian(user: User) -> list[int]:
    """Return the newer rehearsals that asked one of the person's keys.

    Who guards an account by another module, or came later, was not asked.
    """
    guarding = Guardian.objects.of(user).select_related("setup")
    keys = {(row.setup.safe_id, row.setup.module, row.address_text) for row in guarding}
    newer = RecoveryDrill.objects.filter(
        safe__in={safe for safe, _module, _text in keys},
        asked_at__gt=timezone.now() - SHOWN_FOR,
    )
    return [
        drill.pk
        for drill in newer
        if any((drill.safe_id, drill.module, text) in keys for text in drill.guardians)
    ]


def asked_of(*, user: User, opened: Sequence[int]) -> list[RecoveryDrill]:
    """Return the rehearsals in which the person is still asked for an answer."""
    running = visible_to(user=user, opened=opened).running()
    rows = running.select_related("safe__chain", "started_by")
    return [drill for drill in rows if is_asked(drill=drill, user=user)]


def is_asked(*, drill: RecoveryDrill, user: User) -> bool:
    """Whether the person has something left to answer: each of their keys guards."""
    if not is_open(drill):
        return False
    answered = answered_by_anybody(drill)
    if not drill.answers.filter(user=user, status__in=COUNTING).exists():
        return len(answered) < len(drill.guardians)
    linked = Guardian.objects.of(user).filter(
        setup__safe=drill.safe_id, setup__module=drill.module
    )
    own = {Address(row.address) for row in linked} & set(drill.guardian_list)
    return not own | set(own_keys(drill=drill, user=user)) <= answered


def answered_by_anybody(drill: RecoveryDrill) -> set[Address]:
    """Return the guardians who need not sign again."""
    rows = drill.answers.filter(status__in=COUNTING)
    return {Address(row.guardian) for row in rows}
