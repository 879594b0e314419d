"""What one of a person's passkeys may do for each of their accounts, and what is next.

A passkey that signs somebody in owns nothing by that. It becomes an owner of an account
in steps: it proves that it signs there, a present owner authorises it, the chain adds
it (security.md R6, K-03).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from accounts.models import Credential, User
from onchain.models import Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.services import change_lane, roles
from onchain.services.addable_accounts import AddableAccount, addable_accounts
from onchain.services.addition_rounds import TO_SIGN


class State(models.TextChoices):
    """How far a passkey is with an account; the label is what the page says."""

    OWNER = "owner", "Owner"
    UNPROVEN = "unproven", "Prove it first"
    NOT_ADDED = "not-added", "Not added"
    TO_AUTHORISE = "to-authorise", "Waiting for authorisation"
    UNDER_WAY = "under-way", "Being added"
    BLOCKED = "blocked", "Another change first"
    NOT_LIVE = "not-live", "Not live yet"


CHOOSABLE = (State.UNPROVEN, State.NOT_ADDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAccount:
    """One account as the page of a passkey shows it."""

    safe: Safe
    state: State
    operation: UserOperation | None = None  # of which the state speaks

    @property
    def is_choosable(self) -> bool:
        """Whether the passkey may be added to it now."""
        return self.state in CHOOSABLE


def accounts_of(*, user: User, credential: Credential) -> list[PasskeyAccount]:
    """Return the person's accounts, oldest first, each with the passkey's state.

    Seven queries, however many accounts there are.
    """
    safes = roles.proposable_by(user).select_related("chain").order_by("pk")
    own = {"owners__credential": credential, "owners__is_current": True}
    owned = set(Safe.objects.filter(**own).values_list("pk", flat=True))
    addable = {
        account.safe.pk: account
        for account in addable_accounts(user=user, credential=credential)
    }
    included = {op.safe_id: op for op in _unread(credential)}
    found = []
    for safe in safes:
        operation = included.get(safe.pk)
        if safe.pk in owned:
            state, operation = State.OWNER, None
        elif operation is not None:
            state = State.UNDER_WAY
        elif safe.pk not in addable:
            state = State.NOT_LIVE
        else:
            operation = addable[safe.pk].pending
            state = _state(addable[safe.pk], credential)
        found.append(PasskeyAccount(safe=safe, state=state, operation=operation))
    return found


def _state(account: AddableAccount, credential: Credential) -> State:
    op = account.pending
    if op is None:
        return State.NOT_ADDED if account.is_proven else State.UNPROVEN
    if op.new_credential_id != credential.pk or op.status == Status.REJECTED:
        return State.BLOCKED
    return State.TO_AUTHORISE if op.status in TO_SIGN else State.UNDER_WAY


def _unread(credential: Credential) -> models.QuerySet[UserOperation]:
    """Return its additions on chain after which the owners were not read yet."""
    return change_lane.not_read_yet().filter(new_credential=credential)
