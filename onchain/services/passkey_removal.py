"""Removing a passkey, unless it is needed (security.md R13, R14; product.md I-15).

Refused, not warned: a passkey that is the last way in, the person's last one for an
account, or one without which an account could not reach its threshold. What may be
removed stops signing in at once; an owner on chain stays one until the account itself
removes it, so its public key is kept then.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max

from accounts import credentials, step_up
from accounts.errors import RemovalRefused
from accounts.models import Credential, User
from onchain.models import Owner, Safe, UserOperation
from onchain.services import change_lane
from onchain.services.passkey_roles import PasskeyRoles, roles_of

LAST_WAY_IN = (
    "It is your only passkey. Without it nobody could sign in as you. "
    "Add another one first."
)
BEING_ADDED = (
    "It is being added to {name}. Wait until that is done, or withdraw it first."
)
LAST_SIGNER = (
    "{name} needs {threshold} of its owners to sign, and without this passkey "
    "{left} could. Add another passkey to that account first."
)
LAST_OWN_SIGNER = (
    "It is your only passkey for {name}. Without it you could look at that account and "
    "sign nothing. Add another of your passkeys to it first."
)
TOO_YOUNG = (
    "Confirm with a passkey that is older than this one, or wait: the passkey you used "
    "was added less than 72 hours ago, and may remove itself and younger ones only."
)
NO_LONGER_YOURS = "The passkey you confirmed with was removed meanwhile."


def obstacles_to(*, credential: Credential, roles: PasskeyRoles) -> list[str]:
    """Return why a passkey cannot be removed now, in words; empty when it can."""
    found = []
    others = Credential.objects.of(credential.user).exclude(pk=credential.pk)
    if not others.exists():
        found.append(LAST_WAY_IN)
    found += [BEING_ADDED.format(name=safe.name) for safe in roles.joining]
    for safe in (owner.safe for owner in (*roles.own, *roles.shared)):
        words = _obstacle_of_account(safe, credential)
        found += [words] if words else []
    return found


def signers_left(*, safe: Safe, without: Credential) -> int:
    """Return how many owners could still sign for an account without this passkey."""
    owners = safe.owners.current().select_related("credential__user")
    return sum(row.can_sign for row in owners if row.credential_id != without.pk)


def remove(
    *, user: User, pk: int, confirmed_with: Credential, browser: str = ""
) -> bool:
    """Remove a passkey of a person; return whether its row is kept.

    The person's row is locked, then the accounts, so of removals at once each sees
    what the others did. Safe to repeat: what is removed is refused as unknown.

    Raises:
        Credential.DoesNotExist: the person has no such passkey.
        OperatorsElsewhere: an operator's passkey is replaced on the terminal.
        RemovalRefused: with words; nothing was changed.
    """
    credentials.require_person(user)
    with transaction.atomic():
        # no_key: the follower, which holds an account meanwhile, may tell the person.
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        mine = Credential.objects.of(user).select_related("user")
        credential = mine.get(pk=pk)
        _check_confirmation(credential, mine.filter(pk=confirmed_with.pk).first())
        _lock_accounts(credential)
        roles = roles_of(credential=credential)
        obstacles = obstacles_to(credential=credential, roles=roles)
        if obstacles:
            raise RemovalRefused(" ".join(obstacles))
        is_kept = roles.is_named or _is_remembered(credential)
        credentials.end(credential=credential, is_kept=is_kept, browser=browser)
    return is_kept


def _obstacle_of_account(safe: Safe, credential: Credential) -> str:
    left, threshold = signers_left(safe=safe, without=credential), _threshold(safe)
    if left < threshold:
        words = {0: "none", 1: "only 1"}.get(left, f"only {left}")
        return LAST_SIGNER.format(name=safe.name, threshold=threshold, left=words)
    own = safe.owners.current().filter(
        credential__user=credential.user, credential__removed_at=None
    )
    if not own.exclude(credential=credential).exists():
        return LAST_OWN_SIGNER.format(name=safe.name)
    return ""


def _threshold(safe: Safe) -> int:
    """Return the threshold to reach, also after the changes that are under way."""
    pending = change_lane.in_flight([safe]).aggregate(most=Max("new_threshold"))
    return max(safe.threshold, pending["most"] or 0)


def _check_confirmation(credential: Credential, confirmed: Credential | None) -> None:
    """Hold that a young passkey removes no older one (R14)."""
    if confirmed is None:
        raise RemovalRefused(NO_LONGER_YOURS)
    is_older = credential.pk < confirmed.pk
    if is_older and step_up.settles_at(confirmed) is not None:
        raise RemovalRefused(TOO_YOUNG)


def _lock_accounts(credential: Credential) -> None:
    """Make co-owners who remove their own passkeys at this moment wait."""
    keys: Iterable[int] = Owner.objects.filter(credential=credential).values_list(
        "safe_id", flat=True
    )
    safes = Safe.objects.select_for_update().filter(pk__in=list(keys))
    list(safes.order_by("pk").values_list("pk"))


def _is_remembered(credential: Credential) -> bool:
    """Whether rows of the past refer to the passkey: former owner, operations."""
    return (
        Owner.objects.filter(credential=credential).exists()
        or UserOperation.objects.filter(new_credential=credential).exists()
    )
