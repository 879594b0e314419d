"""Who approved an operation, who is missing, and whose signature no longer counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from onchain.models import OperationSignature, Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.services import owner_names, signatories
from onchain.services.signatories import Signatories


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One owner, as the account's people know it, and when it signed."""

    owner: Owner
    holder: User | None  # the person behind the key, where one is known here
    name: str  # of the person or of the address; empty: only the address is known
    is_mine: bool
    signed_at: datetime | None
    voided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """How far an operation is approved."""

    needed: int
    given: tuple[Approver, ...]  # in the order in which they signed
    missing: tuple[Approver, ...]
    void: tuple[Approver, ...]  # of owners that were removed since

    @property
    def count(self) -> int:
        """How many approvals count, the needed ones at most."""
        return min(len(self.given), self.needed)

    @property
    def words(self) -> str:
        """What stands beside the ring."""
        return f"{self.count} of {self.needed} approved"

    @property
    def is_enough(self) -> bool:
        """True when as many signed as must."""
        return len(self.given) >= self.needed

    @property
    def is_mine_given(self) -> bool:
        """True when one of the person's own keys signed."""
        return any(item.is_mine for item in self.given)

    @property
    def awaits_me(self) -> bool:
        """True while the person has a key that could still add to it."""
        return not self.is_enough and any(item.is_mine for item in self.missing)

    @property
    def missing_people(self) -> list[User]:
        """The other people who could approve, each of them once."""
        found = {item.holder: None for item in self.missing if not item.is_mine}
        return [user for user in found if user is not None]


def approvals_of(
    *, op: UserOperation, user: User, known: Signatories | None = None
) -> Approvals:
    """Return how far an operation is approved, as this person sees it.

    Args:
        known: who owns and who signed, where the caller has read it.
    """
    known = signatories.of(op) if known is None else known
    # What is signed by all is as it was then, whoever is an owner now.
    is_open = op.status == Status.AWAITING_SIGNATURES
    counting: list[OperationSignature] = []
    void: list[OperationSignature] = []
    for row in known.signatures:
        if not row.is_checked:
            continue  # a contract's answer is none before the chain has said so
        counts = row.voided_at is None and (row.owner.is_current or not is_open)
        (counting if counts else void).append(row)
    signed = {row.owner_id for row in counting}
    return Approvals(
        needed=op.safe.threshold if is_open else max(len(counting), 1),
        given=tuple(_approver(row.owner, user, row) for row in counting),
        missing=tuple(
            _approver(owner, user)
            for owner in known.current
            if is_open and owner.pk not in signed
        ),
        void=tuple(_approver(row.owner, user, row) for row in void),
    )


def _approver(
    owner: Owner, user: User, row: OperationSignature | None = None
) -> Approver:
    return Approver(
        owner=owner,
        holder=owner.person,
        name=owner_names.name_of(owner),
        is_mine=owner.person == user,
        signed_at=None if row is None else row.created_at,
        voided_at=None if row is None else row.voided_at,
    )
