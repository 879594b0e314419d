"""Why an operation ended, in words: what happened, whether money moved, what to do.

Codes come from the EntryPoint (AA.., ERC-4337), from the Safe (GS..) and from our own
services. An unknown code still gets an honest sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from onchain.models import UserOperation
from onchain.models.operation_states import Status

NOTHING_MOVED = "No money moved."
FEE_ONLY = "The amount was not sent. The network fee was used up."
OTHER_MOVED = "This payment was not made; another one of the account was."
MAY_MOVE = (
    "It may still be carried out until it expires. Preparing it again here cannot pay "
    "twice; a new payment could."
)
MAY_HAVE_MOVED = "It may have been made already."
MADE_ONCE = "The payment was made once, by that version."
SPONSOR_PAID = "No money moved. The sponsor paid the network fee."
# The same of a passkey that was to be added.
NOT_ADDED = {
    NOTHING_MOVED: "No money moved, and the passkey was not added.",
    FEE_ONLY: "The passkey was not added. The network fee was used up.",
    OTHER_MOVED: "No money moved. Another change of the account was made instead.",
    MAY_MOVE: "No money moves. The passkey may still be added until it expires.",
    MAY_HAVE_MOVED: "No money moved. The passkey may have been added already.",
    MADE_ONCE: "No money moved. The passkey was added once, by that version.",
    SPONSOR_PAID: "The passkey was not added. The sponsor paid the network fee.",
}
SAFE_CODE = re.compile(r"\bGS\d{3}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure as the page shows it."""

    title: str
    what: str
    money: str
    way_out: str
    code: str


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    what: str
    way_out: str
    money: str = NOTHING_MOVED


_AGAIN = "Prepare it again."
_OPERATOR = "The operator of this site has to look. Your money is safe."

WORDS = {
    "insufficient-balance": _Words(
        "Not enough balance",
        "The amount is more than this account has.",
        "Add money to the account or send less.",
    ),
    "insufficient-balance-for-fee": _Words(
        "Not enough for the fee",
        "This payment is not sponsored, and the amount plus the network fee is more "
        "than this account has.",
        "Add money to the account or send less.",
    ),
    "nonce-used": _Words(
        "An earlier version went through",
        "The payment you prepared again was carried out after all, or another one took "
        "its place.",
        "Look at the activity of the account before you send anything again.",
        MAY_HAVE_MOVED,
    ),
    "too-many-in-flight": _Words(
        "Too many payments at once",
        "This account has eight payments under way.",
        "Wait until one of them is confirmed, then prepare it again.",
    ),
    "expired": _Words(
        "It expired",
        "The time to carry out this payment is over.",
        _AGAIN,
    ),
    "not-prepared": _Words(
        "It could not be prepared in time",
        "The network or the bundler was away for fifteen minutes.",
        _AGAIN,
    ),
    "replaced": _Words(
        "Another payment took its place",
        "A different payment with the same number was carried out first.",
        "Look at the activity of the account before you send anything again.",
        OTHER_MOVED,
    ),
    "hash-mismatch": _Words(
        "It was stopped",
        "The stored payment is not the one that you signed.",
        _OPERATOR,
    ),
    "intent-mismatch": _Words(
        "It was stopped",
        "The stored payment is not the one that you asked for.",
        _OPERATOR,
    ),
    "execution-reverted": _Words(
        "The recipient refused it",
        "The payment was tried, and the recipient's contract refused it.",
        "Check the recipient. A contract may not accept ETH.",
    ),
    "bundler-refused": _Words(
        "The network service refused it",
        "The bundler, which carries payments to the chain, did not accept this one.",
        _AGAIN,
    ),
    "node-refused": _Words(
        "The network refused it",
        "The chain's node did not accept the request.",
        _AGAIN,
    ),
    "owner-change-first": _Words(
        "Another change goes first",
        "This account has another change of its owners under way.",
        "Finish or discard that one, then prepare it again.",
    ),
    "already-owner": _Words(
        "It was added already",
        "The account has this passkey among its owners.",
        "Nothing more to do: it can pay from this account.",
    ),
    "threshold-changed": _Words(
        "The account was changed meanwhile",
        "The number of owners that must approve is another than when this began.",
        "Look at the settings of the account, then prepare it again.",
    ),
    "passkey-removed": _Words(
        "The passkey was removed",
        "It was removed from your passkeys before it was added here.",
        "Choose another passkey on the passkeys page.",
    ),
    "AA10": _Words("The account exists already", "It was set up before.", _AGAIN),
    "AA13": _Words("Setting up failed", "The account's code ran out of gas.", _AGAIN),
    "AA20": _Words(
        "The account is not live yet",
        "The chain does not have this account's code.",
        "Wait until the account is live, then prepare it again.",
    ),
    "AA21": _Words(
        "Not enough for the fee",
        "The account could not pay the network fee in advance.",
        "Add money to the account, then prepare it again.",
    ),
    "AA22": _Words("It expired", "The chain's clock is past its end.", _AGAIN),
    "AA23": _Words(
        "The account refused it",
        "The account's check of the passkey's signature failed.",
        "Prepare it again with the same passkey. If it happens again, prove the "
        "passkey on the Receive page.",
    ),
    "AA24": _Words(
        "The signature does not fit",
        "The account does not accept this passkey's signature.",
        "Prepare it again with a passkey that owns this account.",
    ),
    "AA25": _Words(
        "Its number was used",
        "Another payment of this account was carried out first.",
        "Look at the activity of the account, then prepare it again.",
        MAY_HAVE_MOVED,
    ),
    "AA26": _Words(
        "Its gas was too low",
        "Checking the signature cost more than was set aside.",
        _AGAIN,
    ),
    "AA31": _Words(
        "The sponsor is out of money",
        "The operator's deposit cannot pay the fee.",
        "Try again later, or pay the fee from your account.",
    ),
    "AA32": _Words("The sponsorship expired", "Its time is over.", _AGAIN),
    "AA33": _Words("The sponsor refused it", "Its contract said no.", _AGAIN),
    "AA34": _Words(
        "The sponsorship does not fit",
        "The sponsor's signature was not accepted.",
        _AGAIN,
    ),
}


# Where a passkey that is added needs other words than a payment.
ADDITION_WORDS = {
    "insufficient-balance-for-fee": _Words(
        "Not enough for the fee",
        "This request is not sponsored, and the network fee is more than this account "
        "has.",
        "Add money to the account, then prepare it again.",
    ),
    "execution-reverted": _Words(
        "The account refused it",
        "The change was tried, and the account refused it. Perhaps this passkey is an "
        "owner already.",
        "Look at the settings of the account before you try again.",
    ),
}


_UNKNOWN = _Words(
    "It did not go through",
    "The network gave a reason that this site does not know.",
    _AGAIN,
)
_VERSION_WENT_THROUGH = _Words(
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
        words = ADDITION_WORDS.get(op.failure_code, words)
    if op.failure_code in NONCE_CODES and _version_went_through(op):
        words = _VERSION_WENT_THROUGH
    safe_code = SAFE_CODE.search(op.failure_detail)
    code = op.failure_code if safe_code is None else safe_code.group()
    money = _money(op, words)
    what = words.what
    if op.failure_code == "insufficient-balance-for-fee" and op.unsponsored_reason:
        what = f"{what} {op.get_unsponsored_reason_display()}"
    return Failure(
        title=_about(op, words.title),
        what=_about(op, what),
        money=money if op.is_payment else NOT_ADDED[money],
        way_out=_about(op, words.way_out),
        code=f"{code}: {op.failure_detail}" if op.failure_detail else code,
    )


def _about(op: UserOperation, sentence: str) -> str:
    """Return a sentence about a payment as one about what this operation is."""
    return sentence.replace("payment", op.noun)


def _money(op: UserOperation, words: _Words) -> str:
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
    if op.status != Status.REJECTED or op.signed_at is None or op.valid_until is None:
        return False
    confirmed = op.safe.chain.confirmed_timestamp
    return confirmed is None or op.valid_until >= confirmed


def _version_went_through(op: UserOperation) -> bool:
    """Whether another version of the same payment was carried out (R64)."""
    before = op.predecessor
    while before is not None:
        if before.status == Status.INCLUDED:
            return True
        before = before.predecessor
    return op.successors.filter(status=Status.INCLUDED).exists()
