"""The accounts of one claim: the one it began with, and others of the same guardians.

Each account is proven, asked for and signed by itself. What they share is the new key,
the link that guardians open, and who those guardians are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onchain.models import AccountClaim, RecoveryClaim, RecoveryLookup, Safe
from onchain.protocol.types import Address
from onchain.services import recovery_triage

Status = RecoveryLookup.Status
NONE_THERE = (
    "The chain has no account here that this site can work with. Check that the "
    "address is whole and of this chain."
)
OTHER_GUARDIANS = (
    "This account has other guardians, or none. Only accounts of the same guardians "
    "can be asked for together: begin a claim of its own for it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One account of a claim, as far as the chain has told of it."""

    claim: RecoveryClaim
    lookup: RecoveryLookup
    safe: Safe | None  # None while the chain is asked, or where it cannot be asked for
    refusal: str = ""  # why it cannot, in words

    @property
    def row(self) -> AccountClaim | None:
        """What is asked for it, None before that."""
        rows = self.claim.accounts.filter(
            safe__chain=self.lookup.chain_id, safe__address=self.lookup.address
        )
        return rows.select_related("safe__chain", "claim").first()


def first_lookup(claim: RecoveryClaim) -> RecoveryLookup:
    """Return what the chain said of the account that a claim began with.

    Raises:
        TypeError: the claim was not made on a page.
    """
    if claim.lookup is None:
        raise TypeError("claims that begin on a page have an account")
    return claim.lookup


def subject_of(*, claim: RecoveryClaim, address: Address | None = None) -> Subject:
    """Return an account of a claim; by default the one that it began with.

    Raises:
        RecoveryLookup.DoesNotExist: nobody has asked the chain about this address.
    """
    first = lookup = first_lookup(claim)
    if address is not None and address != first.address:
        rows = RecoveryLookup.objects.select_related("chain")
        lookup = rows.get(chain=first.chain_id, address=address)
        asked = claim.accounts.filter(
            safe__chain=lookup.chain_id, safe__address=lookup.address
        )
        if not asked.exists():
            refusal = _refusal(first, lookup)
            if refusal or lookup.status == Status.READING:
                return Subject(claim=claim, lookup=lookup, safe=None, refusal=refusal)
    safe = recovery_triage.account_of(lookup=lookup, user=claim.user)
    return Subject(claim=claim, lookup=lookup, safe=safe)


def shared_setups(*, claim: RecoveryClaim, lookup: RecoveryLookup) -> list[Any]:
    """Return the modules of an account whose guardians are those of the claim."""
    return _shared(first_lookup(claim), lookup)


def _shared(first: RecoveryLookup, lookup: RecoveryLookup) -> list[Any]:
    known = [set(setup["guardians"]) for setup in first.setups]
    return [setup for setup in lookup.setups if set(setup["guardians"]) in known]


def _refusal(first: RecoveryLookup, lookup: RecoveryLookup) -> str:
    """Return why an account cannot be asked for together with the first one."""
    if lookup.status == Status.REFUSED:
        return NONE_THERE
    if lookup.status == Status.FOUND and not _shared(first, lookup):
        return OTHER_GUARDIANS
    return ""
