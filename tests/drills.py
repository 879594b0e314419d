"""Rehearsals of recoveries, as rows."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from onchain.models import DrillAnswer, Guardian, RecoveryDrill, Safe
from onchain.protocol.types import Address, checksum_address
from onchain.services import drill_answers
from tests.claims import GUARDIAN, MODULE
from tests.factories import World, make_user
from tests.onchain.services.guarding import guard
from tests.wallet_keys import SoftWallet


def guarded_by(world: World, *guardians: Any, threshold: int = 2) -> list[User]:
    """Say that these wallets guard the account, each held by somebody known here."""
    guard(world, *(wallet.address for wallet in guardians), threshold=threshold)
    people = []
    for wallet in guardians:
        people.append(make_user())
        Guardian.objects.filter(address=wallet.address).update(
            kind=Guardian.Kind.WALLET, holder=people[-1], proven_at=timezone.now()
        )
    return people


def answered(drill: RecoveryDrill, wallet: SoftWallet, user: User) -> DrillAnswer:
    """Return a wallet's answer to a rehearsal, which counts at once."""
    return drill_answers.sign_with_wallet(
        drill=RecoveryDrill.objects.select_related("safe__chain").get(pk=drill.pk),
        user=user,
        guardian=wallet.address,
        signature=wallet.sign_hash(bytes(drill.hash_to_sign)),
    )


def recovery_drill(safe: Safe, **fields: Any) -> RecoveryDrill:
    """Return a rehearsal that asks one guardian."""
    now = timezone.now().replace(microsecond=0)
    defaults = {
        "safe": safe,
        "started_by": safe.created_by,
        "module": MODULE,
        "nonce": secrets.token_bytes(32),
        "guardians": [checksum_address(Address(GUARDIAN))],
        "threshold": 1,
        "asked_at": now,
        "until": now + timedelta(days=14),
    }
    return RecoveryDrill.objects.create(**defaults | fields)


def drill_answer(safe: Safe, **fields: Any) -> DrillAnswer:
    """Return a guardian's answer that nobody has checked."""
    defaults = {
        "guardian": GUARDIAN,
        "user": fields.pop("user", None) or make_user(),
        "kind": DrillAnswer.Kind.WALLET,
        "signature": b"\1",
    }
    drill = fields.pop("drill", None) or recovery_drill(safe)
    return DrillAnswer.objects.create(drill=drill, **defaults | fields)
