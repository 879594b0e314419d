"""Codes of the clients: what bundlers and nodes say no with.

Sources: ERC-7769 (bundler JSON-RPC, "error codes"), EIP-1474 and JSON-RPC 2.0. The
clients turn numbers into these names (``clients.bundler``, ``clients.node_requests``).
"""

from __future__ import annotations

from onchain.failures.words import AGAIN, AGAIN_LATER, OPERATOR, Words

WORDS = {
    "execution-reverted": Words(
        "The recipient refused it",
        "The payment was tried, and the recipient's contract refused it.",
        "Check the recipient. A contract may not accept ETH.",
    ),
    # Bundlers
    "bundler-refused": Words(
        "The network service refused it",
        "The bundler, which carries payments to the chain, did not accept this one.",
        AGAIN,
    ),
    "bundler-validation-failed": Words(
        "It did not pass the bundler's check",
        "The bundler tried the account's check of this, and it failed without a code.",
        AGAIN,
    ),
    "bundler-sponsor-refused": Words(
        "The sponsor refused it",
        "The bundler tried the sponsor's check of this, and the sponsor said no.",
        "Prepare it again: the account may pay the fee then.",
    ),
    "bundler-forbidden-code": Words(
        "The bundler does not carry such an account",
        "The account's or the sponsor's check does something that bundlers forbid.",
        OPERATOR,
    ),
    "bundler-out-of-time": Words(
        "It expires too soon",
        "The bundler cannot get it into a block before its time is over.",
        AGAIN,
    ),
    "bundler-throttled": Words(
        "The network service is busy",
        "The bundler takes no more from this account or this sponsor for now.",
        AGAIN_LATER,
    ),
    "bundler-stake-too-low": Words(
        "The bundler asks for a larger stake",
        "The sponsor's contract has locked less money than this bundler asks for.",
        OPERATOR,
    ),
    "bundler-aggregator-unknown": Words(
        "The bundler does not know this kind of signature",
        "The account asks for a shared signature checker that the bundler does not "
        "have.",
        OPERATOR,
    ),
    "bundler-signature-failed": Words(
        "The signature does not fit",
        "The bundler found that the account or the sponsor does not accept the "
        "signature.",
        "Prepare it again with a passkey that owns this account.",
    ),
    "bundler-sponsor-overdrawn": Words(
        "The sponsor's money is spoken for",
        "Other payments that wait at the bundler use up the sponsor's deposit.",
        AGAIN_LATER,
    ),
    "sponsor-declined": Words(
        "The sponsor declined",
        "The service that would pay the fee does not pay for this.",
        "Prepare it again: the account pays the fee then.",
    ),
    "bundler-fields": Words(
        "The bundler could not read it",
        "A part of it is not in the form that this bundler expects.",
        OPERATOR,
    ),
    "bundler-fee-too-low": Words(
        "Its fee is too low now",
        "The network has become dearer since this was prepared.",
        AGAIN,
    ),
    "bundler-nonce-held": Words(
        "The bundler has another one with its number",
        "An earlier version of this waits at the bundler.",
        "Wait until that one is carried out or expires, and look at the activity of "
        "the account.",
    ),
    "bundler-method": Words(
        "The bundler is the wrong kind of service",
        "The address set for the bundler answers, but does not carry payments.",
        OPERATOR,
    ),
    # Nodes
    "node-refused": Words(
        "The network refused it",
        "The chain's node did not accept the request.",
        AGAIN,
    ),
    "node-method": Words(
        "The node lacks a function",
        "The chain's node does not offer something that this site needs.",
        OPERATOR,
    ),
    "node-fields": Words(
        "The node could not read the request",
        "The chain's node does not understand a part of what it was asked.",
        OPERATOR,
    ),
    "insufficient-funds": Words(
        "Not enough money for the fee",
        "The address that pays the network fee does not have enough.",
        "Add money to the account, then prepare it again.",
    ),
    "out-of-gas": Words(
        "It ran out of gas",
        "Carrying it out costs more gas than was set aside.",
        AGAIN,
    ),
    "nonce-too-low": Words(
        "Its place on the chain is taken",
        "Another transaction of the same sender was carried out first.",
        AGAIN_LATER,
    ),
}

# Why a worker has not got on yet: a part of the problem's text, and what people read.
WAITING = {
    "429": "The network service asks us to slow down. Trying again in a moment.",
    "imeout": "The network or the bundler takes too long to answer. Trying again.",
    "another hash": "The bundler answers about something else. Asking again.",
    "-32005": "The network service asks us to slow down. Trying again in a moment.",
    "": "The network or the bundler does not answer. Trying again.",
}
