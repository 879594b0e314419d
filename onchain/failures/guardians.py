"""Codes about guardians: what became of an account's recovery while a change waited."""

from __future__ import annotations

from onchain.failures.words import Words

LOOK = "Look at the recovery page of the account, then prepare it again."

WORDS = {
    "guardians-changed": Words(
        "The guardians were changed meanwhile",
        "The guardians of this account, or how many of them must approve, are others "
        "than when this began.",
        LOOK,
    ),
    "recovery-changed": Words(
        "Recovery was changed meanwhile",
        "Recovery was switched on or off for this account since this began.",
        LOOK,
    ),
    "recovery-begun": Words(
        "A recovery has begun",
        "Guardians began to give this account new owners after this was prepared, and "
        "it would not have stopped them.",
        "If you know nothing of it, cancel the recovery now. The recovery page says "
        "until when you can.",
    ),
    "recovery-ended": Words(
        "The recovery is over",
        "The chain shows no recovery of this account any more: it was cancelled, or it "
        "was carried out.",
        "Look at the recovery page and at the owners of the account.",
    ),
    "guardian-is-owner": Words(
        "A guardian became an owner",
        "One of these guardians is an owner of this account by now. Nobody can be "
        "both.",
        "Choose another guardian.",
    ),
    "guardian-not-proven": Words(
        "A guardian’s word was taken back",
        "One of these guardians accepted again with another key, or their invitation "
        "was taken back.",
        "Compare the words with them again and confirm it, or choose another guardian.",
    ),
    "module-changed": Words(
        "The recovery module has other code now",
        "The operator of this site confirmed another code than the chain has. Nothing "
        "goes to that module any more, save for what cancels a recovery or turns it "
        "off.",
        "Turn recovery off on the recovery page. It can be set up again with another "
        "delay.",
    ),
    "no-module-there": Words(
        "This chain has no such module",
        "The contract that guardians work through is not on this chain.",
        "Choose another delay. The operator of this site can say which ones there are.",
    ),
}
