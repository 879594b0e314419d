"""Nicknames of accounts, by which who lost one finds it on /recover/.

Nothing follows from a name but the address, so unknown names answer as accounts do that
the chain does not have: each stands for an address that nobody can ever own.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from onchain.errors import NicknameRefused
from onchain.models import RecoveryNickname, Safe
from onchain.protocol.types import Address

logger = logging.getLogger(__name__)

SHAPE = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
# What reads like the beginning of an address, or like the digits of one.
LIKE_ADDRESS = re.compile(r"[0o]-?x.*|[0-9a-f-]{12,}")
MOST = 5  # names that one account ever had: each stays with it
SALT = "onchain.recovery_nicknames"


def is_name(text: str) -> bool:
    """Whether a text has the form of a nickname."""
    return SHAPE.fullmatch(text) is not None and not LIKE_ADDRESS.fullmatch(text)


def address_of(*, name: str) -> Address:
    """Return the address that a name stands for: an account's, or nobody's."""
    rows = RecoveryNickname.objects.filter(
        name=name, removed_at=None, safe__chain__chain_id=settings.CHAIN_ID
    )
    row = rows.select_related("safe").first()
    if row is not None:
        return Address(bytes(row.safe.address))
    return Address(salted_hmac(SALT, name, algorithm="sha256").digest()[:20])


def in_use(*, safe: Safe) -> RecoveryNickname | None:
    """Return the name of an account, None where it has none."""
    return safe.recovery_nicknames.filter(removed_at=None).first()


def choose(*, safe: Safe, user: User, name: str) -> RecoveryNickname:
    """Let a name stand for the account, in place of the one before. Safe to repeat.

    Raises:
        NicknameRefused: with words for each reason; nothing was changed.
    """
    if not is_name(name):
        raise NicknameRefused(
            "A nickname has 3 to 32 characters: the letters a to z, digits, and "
            "hyphens between them. It does not look like an address."
        )
    own = safe.recovery_nicknames.filter(name=name).first()
    if own is None and safe.recovery_nicknames.count() >= MOST:
        raise NicknameRefused(
            f"This account has had {MOST} nicknames. Take one of them again: "
            f"{', '.join(safe.recovery_nicknames.values_list('name', flat=True))}."
        )
    try:
        with transaction.atomic():
            others = safe.recovery_nicknames.filter(removed_at=None).exclude(name=name)
            others.update(removed_at=timezone.now())
            if own is not None:
                safe.recovery_nicknames.filter(pk=own.pk).update(removed_at=None)
            else:
                own = RecoveryNickname.objects.create(
                    safe=safe, name=name, chosen_by=user
                )
    except IntegrityError as error:
        raise NicknameRefused(
            "This nickname is taken, or was by another account. Choose another."
        ) from error
    logger.info("safe %s is found by a nickname", safe.pk)
    return own


def remove(*, safe: Safe) -> None:
    """Let no name stand for the account any more. Safe to repeat."""
    rows = safe.recovery_nicknames.filter(removed_at=None)
    if rows.update(removed_at=timezone.now()):
        logger.info("safe %s is found by its address only", safe.pk)
