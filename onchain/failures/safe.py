"""Codes of the Safe (GS and three digits) and names of its modules' refusals.

Sources: the reverts of Safe 1.4.1, explained in its ``docs/error_codes.md``; the custom
errors of ``Safe4337Module.sol`` 0.3.0 and of the passkey signers 0.2.0. They stand in
the detail of a failure, where ``protocol.revert`` puts them.
"""

from __future__ import annotations

import re

from onchain.failures.words import AGAIN, LOOK_AT_OWNERS, OPERATOR, Words

_SET_UP = "This is about how an account is set up, which is done once. "

WORDS = {
    # Setting up
    "GS000": Words(
        "The account was not set up",
        "A step of setting up the account did not finish.",
        OPERATOR,
    ),
    "GS001": Words(
        "The account has no rule yet",
        "The account is not set up: it does not say how many owners must approve.",
        "Wait until the account is live, then prepare it again.",
    ),
    "GS002": Words(
        "A part of setting up is missing",
        "Setting up the account calls a contract that is not on this chain.",
        OPERATOR,
    ),
    # Carrying out
    "GS010": Words(
        "It had too little gas",
        "The account was given less gas than this call needs.",
        AGAIN,
    ),
    "GS011": Words(
        "The fee could not be paid back in ETH",
        "The account promised to pay whoever sent this, and could not.",
        "Add money to the account, then prepare it again.",
    ),
    "GS012": Words(
        "The fee could not be paid back in a token",
        "The account promised to pay whoever sent this in a token, and could not.",
        "Add that token to the account, then prepare it again.",
    ),
    "GS013": Words(
        "The call inside failed",
        "The account made the call, and the contract that it called refused.",
        "Check the recipient. A contract may not accept ETH.",
    ),
    # Signatures
    "GS020": Words(
        "A signature is missing",
        "There are fewer signatures than owners that must approve.",
        "Prepare it again and let every needed owner sign.",
    ),
    "GS021": Words(
        "A signature is in the wrong place",
        "A signature points into the list of signatures itself.",
        OPERATOR,
    ),
    "GS022": Words(
        "A signature is cut off",
        "A signature ends before its length is told.",
        OPERATOR,
    ),
    "GS023": Words(
        "A signature is incomplete",
        "A signature is shorter than it says.",
        OPERATOR,
    ),
    "GS024": Words(
        "A passkey's signature was refused",
        "The contract of the passkey did not accept its signature for this.",
        "Prepare it again with the same passkey. If it happens again, prove the "
        "passkey on the Receive page.",
    ),
    "GS025": Words(
        "An approval is missing",
        "An owner was to have approved this on chain before, and has not.",
        "Prepare it again and let that owner sign it here.",
    ),
    "GS026": Words(
        "Somebody signed who is not an owner",
        "A signature is of a key that does not own this account, or the same owner "
        "signed twice.",
        LOOK_AT_OWNERS,
    ),
    "GS027": Words(
        "What was signed is something else",
        "The signed text and its fingerprint do not belong together.",
        AGAIN,
    ),
    "GS030": Words(
        "Only an owner may approve",
        "An approval on chain came from an address that does not own this account.",
        LOOK_AT_OWNERS,
    ),
    "GS031": Words(
        "Only the account may do this",
        "The account changes its own rules only when it is the one that asks.",
        AGAIN,
    ),
    # Modules
    "GS100": Words(
        "Its modules were set up before",
        f"{_SET_UP}It has its modules already.",
        OPERATOR,
    ),
    "GS101": Words(
        "That is no module",
        "The address of the module is one that an account cannot have as a module.",
        "Check the module's address, then prepare it again.",
    ),
    "GS102": Words(
        "The module is on already",
        "The account has this module already.",
        "Nothing more to do: look at the settings of the account.",
    ),
    "GS103": Words(
        "The list of modules has changed",
        "The module does not stand where it stood when this was prepared.",
        AGAIN,
    ),
    "GS104": Words(
        "The module is not on",
        "Something asked the account to act that is not one of its modules.",
        "Look at the modules in the settings of the account.",
    ),
    "GS105": Words(
        "The list of modules was read wrongly",
        "The list was asked for from a place where no module stands.",
        AGAIN,
    ),
    "GS106": Words(
        "Nothing was asked of the list of modules",
        "The list of modules was asked for no entries at all.",
        AGAIN,
    ),
    # Owners
    "GS200": Words(
        "Its owners were set up before",
        f"{_SET_UP}It has its owners already.",
        OPERATOR,
    ),
    "GS201": Words(
        "More approvals than owners",
        "More owners would have to approve than the account has.",
        "Ask for fewer approvals, or add an owner first.",
    ),
    "GS202": Words(
        "Nobody would have to approve",
        "At least one owner must approve what an account does.",
        "Ask for one approval or more.",
    ),
    "GS203": Words(
        "That address cannot be an owner",
        "The address is empty, reserved, or the account's own.",
        "Choose another owner, then prepare it again.",
    ),
    "GS204": Words(
        "It is an owner already",
        "The account has this address among its owners.",
        "Nothing more to do: look at the owners in the settings of the account.",
    ),
    "GS205": Words(
        "The list of owners has changed",
        "The owner does not stand where it stood when this was prepared.",
        "Look at the owners in the settings, then prepare it again.",
    ),
    # Guard and fallback handler
    "GS300": Words(
        "That is no guard",
        "The contract that should watch the account's payments is not made for that.",
        "Choose another guard, then prepare it again.",
    ),
    "GS400": Words(
        "The account cannot answer for itself",
        "The account was named as its own handler of unknown calls.",
        "Choose another handler, then prepare it again.",
    ),
    # Safe4337Module
    "InvalidEntryPoint": Words(
        "The module was made for nothing",
        "The account's module was set up without the contract that calls it.",
        OPERATOR,
    ),
    "InvalidCaller": Words(
        "It is for another account",
        "The account was asked to check something that names another account.",
        OPERATOR,
    ),
    "UnsupportedEntryPoint": Words(
        "It came from another contract",
        "The account's module only listens to the contract it was made for.",
        OPERATOR,
    ),
    "UnsupportedExecutionFunction": Words(
        "The account does not know this step",
        "The account's module carries out two kinds of steps, and this is neither.",
        OPERATOR,
    ),
    "ExecutionFailed": Words(
        "The call inside failed",
        "The account made the call, and the contract that it called gave no reason "
        "for refusing.",
        "Check the recipient. A contract may not accept ETH.",
    ),
    # Signers of passkeys
    "InvalidAuthenticatorData": Words(
        "The passkey's answer is not one",
        "The first part of the passkey's answer does not say what it must.",
        "Prepare it again with the same passkey, or with another one.",
    ),
    "InvalidClientData": Words(
        "The browser's part of the answer is not one",
        "What the browser added to the passkey's answer cannot be read.",
        "Prepare it again in another browser, or with another passkey.",
    ),
    "InvalidSignature": Words(
        "The passkey's signature cannot be read",
        "The passkey's answer does not have the form of a signature.",
        "Prepare it again with the same passkey, or with another one.",
    ),
    "NotDelegateCalled": Words(
        "A passkey was set up in the wrong way",
        "The shared signer was called itself, where the account had to call it.",
        OPERATOR,
    ),
}

_CODE = re.compile(
    r"\b(?:GS\d{3}|{names})\b".replace(
        "{names}", "|".join(name for name in WORDS if not name.startswith("GS"))
    )
)


def code_in(detail: str) -> str:
    """Return the Safe's own code that a detail names, or nothing."""
    found = _CODE.search(detail)
    return "" if found is None else found.group()
