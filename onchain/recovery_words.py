"""Why a claim to recover an account stopped, and what to do then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason as the pages show it."""

    title: str
    what: str


AGAIN = "Begin a new claim and ask the guardians again."
STOPS = {
    "no-account": Stop(
        "This account does not answer",
        "The chain has no account here that this site can work with. Nobody was asked.",
    ),
    "no-guardians": Stop(
        "This account has no guardians",
        "The module it names has none. Nobody was asked. Look the account up again to "
        "see which guardians it has.",
    ),
    "module-disabled": Stop(
        "The account does not let guardians replace its owners",
        "Its recovery module is not enabled, or not any more. Only the account's "
        "owners can enable it. If you know one of them, ask.",
    ),
    "module-changed": Stop(
        "The recovery module has other code now",
        "The operator of this site confirmed another code than the chain has. Nothing "
        "was sent to it. Ask the operator what happened before you do anything else.",
    ),
    "owner-guards": Stop(
        "A new owner is a guardian of the account",
        "The module refuses that at the very end. Begin a new claim with other owners.",
    ),
    "already-begun": Stop(
        "This very recovery has begun already",
        "The chain has it, with the same owners. Once its delay is over, anybody can "
        "finish it.",
    ),
    "already-owned": Stop(
        "The account has these owners already",
        "There is nothing to recover. Sign in with the key that you named.",
    ),
    "cannot-outvote": Stop(
        "Another recovery of this account has begun",
        "As many guardians approved it as there are, and only more could replace it. "
        "The owners can cancel it; then begin a new claim.",
    ),
    "would-not-finish": Stop(
        "The account would refuse these owners",
        "The chain was asked whether it would take them, and said no. Begin a new "
        "claim with other owners.",
    ),
    "nonce-moved": Stop(
        "What the guardians signed counts no more",
        "The owners changed the guardians, or called older approvals off. If you did "
        f"not expect that, talk to them. {AGAIN}",
    ),
    "another-recovery": Stop(
        "Another recovery of this account began first",
        "What was signed for this one counts no more. Ask your guardians what they "
        f"approved. Once that one is over: {AGAIN.lower()}",
    ),
    "replaced": Stop(
        "Another recovery replaced this one",
        "More guardians approved it than yours. Ask them what they approved, by voice "
        "and not by a link.",
    ),
    "cancelled": Stop(
        "The owners cancelled this recovery",
        "Somebody who has a key of the account stopped it. If that was a thief, ask "
        f"your guardians how to go on. {AGAIN}",
    ),
    "not-enough-approvals": Stop(
        "Not enough guardians approved in time",
        f"The claim was open for 14 days. Nothing was sent. {AGAIN}",
    ),
    "withdrawn": Stop("You took this claim back", "Nothing was sent."),
    "too-much-gas": Stop(
        "This recovery does not fit into a block",
        "Name fewer owners, or let fewer guardians approve on this page.",
    ),
    "relay-refused": Stop(
        "The chain refused it three times",
        "What guardians signed was not accepted. Nothing on the chain changed. "
        f"{AGAIN}",
    ),
}


def stop_of(code: str) -> Stop:
    """Return the words of a claim that stopped."""
    return STOPS[code]
