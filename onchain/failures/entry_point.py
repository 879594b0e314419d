"""Codes of the EntryPoint: AA and two digits.

Source: the reverts of ``EntryPoint.sol`` and ``SenderCreator.sol`` of
account-abstraction v0.7.0, and of the ERC-4337 texts that go with them. AA1x are about
putting an account on chain, AA2x about the account, AA3x about the sponsor's contract,
AA9x about the call of the EntryPoint itself.
"""

from __future__ import annotations

from onchain.failures.words import (
    AGAIN,
    AGAIN_LATER,
    MAY_HAVE_MOVED,
    OPERATOR,
    Words,
)

WORDS = {
    "AA10": Words(
        "The account exists already",
        "This would have set up the account, and somebody had set it up before.",
        AGAIN,
    ),
    "AA13": Words(
        "Setting up the account failed",
        "The account's contract could not be made, or the gas for that ran out.",
        AGAIN,
    ),
    "AA14": Words(
        "Another account would have been made",
        "Setting up gave an account at another address than yours.",
        OPERATOR,
    ),
    "AA15": Words(
        "Setting up made nothing",
        "The step that should have put the account on chain left no account there.",
        OPERATOR,
    ),
    "AA20": Words(
        "The account is not live yet",
        "The chain does not have this account's code.",
        "Wait until the account is live, then prepare it again.",
    ),
    "AA21": Words(
        "Not enough for the fee",
        "The account could not pay the network fee in advance.",
        "Add money to the account, then prepare it again.",
    ),
    "AA22": Words(
        "It expired",
        "The chain's clock is past its end.",
        AGAIN,
    ),
    "AA23": Words(
        "The account refused it",
        "The account's check of the passkey's signature failed.",
        "Prepare it again with the same passkey. If it happens again, prove the "
        "passkey on the Receive page.",
    ),
    "AA24": Words(
        "The signature does not fit",
        "The account does not accept this passkey's signature.",
        "Prepare it again with a passkey that owns this account.",
    ),
    "AA25": Words(
        "Its number was used",
        "Another payment of this account was carried out first.",
        "Look at the activity of the account, then prepare it again.",
        MAY_HAVE_MOVED,
    ),
    "AA26": Words(
        "Its gas was too low",
        "Checking the signature cost more than was set aside.",
        AGAIN,
    ),
    "AA30": Words(
        "The sponsor's contract is missing",
        "The contract that should pay the fee is not on this chain.",
        OPERATOR,
    ),
    "AA31": Words(
        "The sponsor is out of money",
        "The operator's deposit cannot pay the fee.",
        "Prepare it again: the account pays the fee then. Or try later.",
    ),
    "AA32": Words(
        "The sponsorship expired",
        "The time in which the sponsor pays for this is over, or has not begun.",
        AGAIN,
    ),
    "AA33": Words(
        "The sponsor refused it",
        "The sponsor's contract would not pay for this.",
        "Prepare it again: the account pays the fee then.",
    ),
    "AA34": Words(
        "The sponsorship does not fit",
        "The sponsor's signature is not one for this.",
        AGAIN,
    ),
    "AA36": Words(
        "The sponsor's gas was too low",
        "The sponsor's own check cost more than was set aside for it.",
        AGAIN,
    ),
    "AA90": Words(
        "Nobody was named to be paid back",
        "Whoever sent it to the chain left out who gets the network fee.",
        AGAIN_LATER,
    ),
    "AA91": Words(
        "The sender could not be paid back",
        "Whoever sent it to the chain could not receive the network fee.",
        AGAIN_LATER,
    ),
    "AA92": Words(
        "It was called in the wrong way",
        "A step that the chain's contract keeps for itself was called from outside.",
        OPERATOR,
    ),
    "AA93": Words(
        "The sponsor's part is damaged",
        "What names the sponsor is too short to be read.",
        AGAIN,
    ),
    "AA94": Words(
        "A gas figure is too large",
        "One of the figures about gas is larger than the chain's contract takes.",
        AGAIN,
    ),
    "AA95": Words(
        "It was sent with too little gas",
        "Whoever sent it to the chain gave less gas than it may use.",
        AGAIN_LATER,
    ),
    "AA96": Words(
        "A checker that does not exist",
        "It names a shared signature checker that is not one.",
        OPERATOR,
    ),
}
