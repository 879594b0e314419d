"""What every explanation consists of, and the sentences about money.

An explanation says what happened and what to do; whether money moved follows from the
operation's state, of which only the usual answer stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

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
# The same of a change of the account.
NOT_CHANGED = {
    NOTHING_MOVED: "No money moved, and the account was not changed.",
    FEE_ONLY: "The account was not changed. The network fee was used up.",
    OTHER_MOVED: "No money moved. Another change of the account was made instead.",
    MAY_MOVE: "No money moves. The account may still be changed until it expires.",
    MAY_HAVE_MOVED: "No money moved. The account may have been changed already.",
    MADE_ONCE: "No money moved. The account was changed once, by that version.",
    SPONSOR_PAID: "The account was not changed. The sponsor paid the network fee.",
}
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

AGAIN = "Prepare it again."
AGAIN_LATER = "Wait a minute, then prepare it again."
OPERATOR = "The operator of this site has to look. Your money is safe."
LOOK_AT_OWNERS = (
    "Look at the owners in the settings of the account before you try again."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a code means: a title, what happened, what to do, and about the money."""

    title: str
    what: str
    way_out: str
    money: str = NOTHING_MOVED
