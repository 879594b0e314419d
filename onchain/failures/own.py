"""Codes of this site's own services: what it noticed before anybody else was asked."""

from __future__ import annotations

from onchain.failures.words import (
    AGAIN,
    MAY_HAVE_MOVED,
    OPERATOR,
    OTHER_MOVED,
    Words,
)

WORDS = {
    "insufficient-balance": Words(
        "Not enough balance",
        "The amount is more than this account has.",
        "Add money to the account or send less.",
    ),
    "insufficient-balance-for-fee": Words(
        "Not enough for the fee",
        "This payment is not sponsored, and the amount plus the network fee is more "
        "than this account has.",
        "Add money to the account or send less.",
    ),
    "nonce-used": Words(
        "An earlier version went through",
        "The payment you prepared again was carried out after all, or another one took "
        "its place.",
        "Look at the activity of the account before you send anything again.",
        MAY_HAVE_MOVED,
    ),
    "nothing-to-cancel": Words(
        "Nothing is left to cancel",
        "The place of what this was to cancel is used already, perhaps by that itself.",
        "Look at the activity of the account: it says what was carried out.",
        MAY_HAVE_MOVED,
    ),
    "too-many-in-flight": Words(
        "Too many payments at once",
        "This account has eight payments under way.",
        "Wait until one of them is confirmed, then prepare it again.",
    ),
    "expired": Words(
        "It expired",
        "The time to carry out this payment is over.",
        AGAIN,
    ),
    "not-prepared": Words(
        "It could not be prepared in time",
        "The network or the bundler was away for fifteen minutes.",
        AGAIN,
    ),
    "replaced": Words(
        "Another payment took its place",
        "A different payment with the same number was carried out first.",
        "Look at the activity of the account before you send anything again.",
        OTHER_MOVED,
    ),
    "hash-mismatch": Words(
        "It was stopped",
        "The stored payment is not the one that you signed.",
        OPERATOR,
    ),
    "intent-mismatch": Words(
        "It was stopped",
        "The stored payment is not the one that you asked for.",
        OPERATOR,
    ),
    "owner-change-first": Words(
        "Another change goes first",
        "This account has another change of its owners under way.",
        "Finish or discard that one, then prepare it again.",
    ),
    "set-up-first": Words(
        "The first payment goes first",
        "Another payment of this account sets it up, and is under way.",
        "Finish or discard that one, then prepare it again.",
    ),
    "set-up-done": Words(
        "The account was set up meanwhile",
        "This payment would have set it up once more.",
        AGAIN,
    ),
    "already-owner": Words(
        "It was added already",
        "The account has this new owner among its owners.",
        "Nothing more to do.",
    ),
    "threshold-changed": Words(
        "The account was changed meanwhile",
        "The number of owners that must approve is another than when this began.",
        "Look at the owners of the account, then prepare it again.",
    ),
    "already-removed": Words(
        "It is gone already",
        "The chain does not show in this account any more what was to be removed.",
        "Nothing more to do.",
    ),
    "owners-changed": Words(
        "The account was changed meanwhile",
        "The order of its owners or modules is another than when this began.",
        "Look at the owners of the account, then prepare it again.",
    ),
    "invitation-changed": Words(
        "The invitation was changed",
        "It was accepted again or taken back after you confirmed it.",
        "Compare the words with the other person again, and confirm it anew.",
    ),
    "no-contract-there": Words(
        "There is no contract at this address",
        "Only a contract can become an owner or a guardian without having shown that "
        "it can approve, and the chain has none at this address.",
        "Check the address, or let the wallet sign the text first.",
    ),
    "passkey-removed": Words(
        "The passkey was removed",
        "It was removed from your passkeys before it was added here.",
        "Choose another passkey on the passkeys page.",
    ),
    "account-blocked": Words(
        "Nothing works from here now",
        "Safe’s 4337 module is switched off in this account, or another contract "
        "answers in its place: the chain would refuse every payment.",
        "The owners page says how the owners put the module back. Prepare it again "
        "then.",
    ),
    "over-gas-caps": Words(
        "It was stopped",
        "It would cost more gas than this site allows for such a payment.",
        AGAIN,
    ),
}


# Where a passkey that is added needs other words than a payment.
ADDITION_WORDS = {
    "insufficient-balance-for-fee": Words(
        "Not enough for the fee",
        "This request is not sponsored, and the network fee is more than this account "
        "has.",
        "Add money to the account, then prepare it again.",
    ),
    "execution-reverted": Words(
        "The account refused it",
        "The change was tried, and the account refused it. Perhaps this passkey is an "
        "owner already.",
        "Look at the settings of the account before you try again.",
    ),
}
