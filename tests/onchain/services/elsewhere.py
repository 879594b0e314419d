"""Accounts that were made elsewhere, on the fake chain."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from onchain.models import AccountLookup, KeyProof, Safe
from onchain.models.owner import public_key_of
from onchain.protocol.deployments import (
    SHARED_SIGNER,
    VERIFIERS,
)
from onchain.protocol.shared_signer import SharedKey
from onchain.protocol.types import Address
from onchain.services import account_lookups, key_proofs, signers
from tests.factories import ETHER, World, assertion_text
from tests.fakes import ORDINARY
from tests.signing_oracle import SAFE_PROXY_ARTIFACT

ACCOUNT = Address(b"\x5a" * 20)


@cache
def proxy_code() -> bytes:
    """Return the runtime code of a Safe's proxy, as its package publishes it."""
    artifact = json.loads(SAFE_PROXY_ARTIFACT.read_text())
    return bytes.fromhex(artifact["deployedBytecode"][2:])


def place(world: World, *, is_shared: bool = False, **changes: Any) -> Address:
    """Put an account of the world's passkey on chain; return its owner's address."""
    verifiers = changes.pop("verifiers", VERIFIERS)
    key = public_key_of(world.wallet.credential)
    signer = signers.signer_of(public_key=key, chain=world.chain, verifiers=verifiers)
    shared = SharedKey(public_key=key, verifiers=verifiers) if is_shared else None
    owner = SHARED_SIGNER if is_shared else signer
    node = world.node
    node.account_codes[ACCOUNT] = changes.pop("code", proxy_code())
    node.account_balances[ACCOUNT] = ETHER
    node.set_owners(ACCOUNT, changes.pop("owners", [owner]))
    node.keys[ACCOUNT] = {}
    for known in (signer, SHARED_SIGNER):
        node.give_key(known, key, account=ACCOUNT)
    configuration = replace(ORDINARY, shared_key=shared)
    node.account_configurations[ACCOUNT] = replace(configuration, **changes)
    return owner


def look_up(world: World, address: Address = ACCOUNT) -> AccountLookup:
    """Ask about an address and let the worker read it."""
    lookup = account_lookups.ask(
        user=world.wallet.user, chain=world.chain, address=address
    )
    account_lookups.read(lookup=lookup, node=world.node)
    lookup.refresh_from_db()
    return lookup


def prove_lookup(world: World, lookup: AccountLookup) -> KeyProof:
    """Touch the passkey that the question found, and let the chain check it."""
    named = {"credential": lookup.credential, "safe": lookup.safe}
    proof = key_proofs.open_proof(**named)
    response = assertion_text(world.wallet.passkey, bytes(proof.challenge))
    proof = key_proofs.answer(**named, response=response)
    key_proofs.check(proof=proof, node=world.node)
    return proof


def own_accounts(world: World) -> list[Safe]:
    """Return the accounts that the world's person sees, oldest first."""
    return list(Safe.objects.visible_to(world.wallet.user).order_by("pk"))
