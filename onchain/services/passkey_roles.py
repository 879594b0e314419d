"""What a passkey is for on chain: the accounts it owns and those it guards.

Removing a passkey here changes nothing there. Whoever removes one should know what
stays, and whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import Credential, User
from onchain.models import KeyProof, Owner, Safe, UserOperation
from onchain.services import change_lane


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRoles:
    """Everything on chain that names one passkey, or is about to."""

    own: Sequence[Owner]  # of accounts that its person opened
    shared: Sequence[Owner]  # of accounts that somebody else opened
    guarded: Sequence[Safe]  # accounts it proved itself for as a guardian
    joining: Sequence[Safe]  # accounts that an operation under way adds it to

    @property
    def is_named(self) -> bool:
        """Whether an account on chain counts on the key, so that it must be kept."""
        return bool(self.own or self.shared or self.guarded or self.joining)


def roles_of(*, credential: Credential) -> PasskeyRoles:
    """Return what a passkey is for, in four queries however much it is."""
    owners = list(
        Owner.objects.current()
        .filter(credential=credential)
        .select_related("safe__chain")
        .order_by("safe_id")
    )
    proofs = KeyProof.objects.filter(
        credential=credential,
        role=KeyProof.Role.GUARDIAN,
        status=KeyProof.Status.PROVEN,
    )
    additions = UserOperation.objects.filter(new_credential=credential)
    joined = _safes(additions.values_list("safe_id", flat=True))
    pending = change_lane.in_flight(joined).filter(new_credential=credential)
    under_way = set(pending.values_list("safe_id", flat=True))
    under_way -= {row.safe_id for row in owners}
    return PasskeyRoles(
        own=[row for row in owners if row.safe.created_by_id == credential.user_id],
        shared=[row for row in owners if row.safe.created_by_id != credential.user_id],
        guarded=_safes(proofs.values_list("safe_id", flat=True)),
        joining=[safe for safe in joined if safe.pk in under_way],
    )


def accepted_by_site(*, user: User) -> list[Credential]:
    """Return the passkeys that a provider must keep for the person.

    Those that sign in, and those removed here whose key still signs on chain.
    """
    rows = Credential.objects.filter(user=user).order_by("pk")
    removed = [row for row in rows if row.removed_at is not None]
    still_named = {row.pk for row in removed if roles_of(credential=row).is_named}
    return [row for row in rows if row.removed_at is None or row.pk in still_named]


def _safes(keys: Iterable[int]) -> list[Safe]:
    safes = Safe.objects.filter(pk__in=keys).select_related("chain")
    return list(safes.order_by("pk"))
