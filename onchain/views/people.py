"""What every page that lists an account's people shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onchain.models import Owner, Role, Safe
from onchain.services import invitations, roles


def people_context(safe: Safe, owners: Sequence[Owner]) -> dict[str, Any]:
    """Return what templates/components/_people.html shows, in two queries.

    The owners must have been loaded with their names. Only an owner sees who is
    invited.
    """
    context: dict[str, Any] = {"people": roles.people_of(safe=safe, owners=owners)}
    if safe.role == Role.OWNER:
        context["open_invitations"] = list(invitations.open_of(safe=safe))
    return context
