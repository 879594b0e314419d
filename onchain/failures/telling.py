"""Why an operation ended, in words: what happened, whether money moved, what to do.

Codes come from the EntryPoint (AA.., ERC-4337), from the Safe (GS..), from bundlers and
nodes, and from our own services; each family has its words in a module of its own. An
unknown code still gets an honest sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.failures import entry_point, guardians, own, rpc, safe
from onchain.failures.words import (
    AGAIN,
    FEE_ONLY,
    MADE_ONCE,
    MAY_MOVE,
    NOT_ADDED,
    NOT_CHANGED,
    NOTHING_MOVED,
    SPONSOR_PAID,
    Words,
)
from onchain.models import UserOperation
from onchain.models.operation_states import Status

WORDS = own.WORDS | guardians.WORDS | entry_point.WORDS | rpc.WORDS | safe.WORDS
# What the Safe says more exactly, where these only say that it said no.
REFUSALS_OF_THE_SAFE = ("execution-reverted", "AA23", "bundler-validation-failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure as the page shows it."""

    title: str
    what: str
    money: str
    way_out: str
    code: str


_UNKNOWN = Words(
    "It did not go through",
    "The network gave a reason that this site does not know.",
    AGAIN,
)
_VERSION_WENT_THROUGH = Words(
    "An earlier version went through",
    "The same payment, as you signed it before, was carried out.",
    "Nothing more to do: see it in the activity of the account.",
    MADE_ONCE,
)
NONCE_CODES = {"replaced", "nonce-used", "AA25"}


def failure_of(op: UserOperation) -> Failure | None:
    """Return why the operation ended, None while it is well."""
    if op.status not in (
        Status.REJECTED,
        Status.REVERTED,
        Status.EXPIRED,
        Status.REPLACED,
    ):
        return None
    words = WORDS.get(op.failure_code, _UNKNOWN)
    if not op.is_payment:
        words = own.ADDITION_WORDS.get(op.failure_code, words)
    if op.failure_code in NONCE_CODES and _version_went_through(op):
        words = _VERSION_WENT_THROUGH
    safe_code = safe.code_in(op.failure_detail)
    if op.failure_code in REFUSALS_OF_THE_SAFE:
        words = safe.WORDS.get(safe_code, words)
    what = words.what
    if op.failure_code == "insufficient-balance-for-fee" and op.unsponsored_reason:
        what = f"{what} {op.get_unsponsored_reason_display()}"
    code = safe_code or op.failure_code
    money = _money(op, words)
    return Failure(
        title=_about(op, words.title),
        what=_about(op, what),
        money=money if op.is_payment else _about_account(op)[money],
        way_out=_about(op, words.way_out),
        code=f"{code}: {op.failure_detail}" if op.failure_detail else code,
    )


def _about_account(op: UserOperation) -> dict[str, str]:
    """Return what became of the change instead of the money."""
    return NOT_ADDED if op.kind == op.Kind.ADD_PASSKEY else NOT_CHANGED


def _about(op: UserOperation, sentence: str) -> str:
    """Return a sentence about a payment as one about what this operation is."""
    return sentence.replace("payment", op.noun)


def _money(op: UserOperation, words: Words) -> str:
    """Return what became of the money, never more certain than the chain is."""
    if op.status == Status.REVERTED:
        if op.is_sponsored:
            return SPONSOR_PAID
        return FEE_ONLY
    if words.money == NOTHING_MOVED and _may_still_be_included(op):
        return MAY_MOVE
    return words.money


def _may_still_be_included(op: UserOperation) -> bool:
    """Whether somebody who holds the signed operation can still carry it out."""
    return op.status == Status.REJECTED and op.may_still_be_included


def _version_went_through(op: UserOperation) -> bool:
    """Whether another version of the same payment was carried out (R64)."""
    before = op.predecessor
    while before is not None:
        if before.status == Status.INCLUDED:
            return True
        before = before.predecessor
    return op.successors.filter(status=Status.INCLUDED).exists()
