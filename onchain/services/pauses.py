"""An operator's switches: what this site stops paying for until told otherwise.

What was promised before stays: a prepared operation keeps its sponsor. Nothing about
money, keys or owners is written (security.md R26).
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import TextChoices

from accounts.models import User
from onchain.models import Chain
from onchain.services import journal

logger = logging.getLogger(__name__)


class Switch(TextChoices):
    """What can be paused: the column of the chain's row, and its name in words."""

    SPONSORSHIP = "sponsorship_paused", "sponsorship"
    DEPLOYMENTS = "deployments_paused", "deployments"


def set_paused(*, chain: Chain, switch: Switch, is_paused: bool, actor: User) -> bool:
    """Pause or resume; True if that changed anything. The journal has it then.

    Safe to repeat.
    """
    verb = "pause" if is_paused else "resume"
    with transaction.atomic():
        rows = Chain.objects.filter(pk=chain.pk, **{switch.value: not is_paused})
        if not rows.update(**{switch.value: is_paused}):
            return False
        journal.note(actor=actor, action=f"{verb}-{switch.label}", target=str(chain))
    logger.warning("%s of chain %s: %s", switch.label, chain.chain_id, verb)
    return True
