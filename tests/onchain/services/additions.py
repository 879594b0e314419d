"""A person's further passkeys: proven, drafted as owners, added on a chain."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from accounts.models import Credential, User
from onchain.models import Chain, KeyProof, Safe, UserOperation
from onchain.models.owner import public_key_of
from onchain.protocol.events import ADDED_OWNER, CHANGED_THRESHOLD, REMOVED_OWNER
from onchain.protocol.types import Address, Bytes32
from onchain.services import key_proofs, owner_changes
from onchain.services.signers import signer_of
from tests.factories import World, assertion_text, make_credential, make_world
from tests.fake_events import Event, word
from tests.soft_authenticator import SoftAuthenticator


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """A passkey that signs in and owns nothing yet."""

    passkey: SoftAuthenticator
    credential: Credential
    chain: Chain

    @property
    def signer(self) -> Address:
        """The address it would have among the owners."""
        key = public_key_of(self.credential)
        return signer_of(public_key=key, chain=self.chain)


def newcomer(world: World, *, user: User | None = None, **fields: Any) -> Newcomer:
    """Return another passkey of the wallet's person, or of somebody else."""
    passkey = SoftAuthenticator()
    credential = make_credential(passkey, user=user or world.wallet.user, **fields)
    return Newcomer(passkey=passkey, credential=credential, chain=world.chain)


def prove(world: World, new: Newcomer, *, safe: Safe | None = None) -> KeyProof:
    """Touch the passkey once and let the chain check what it signed."""
    safe = safe or world.wallet.safe
    named = {"credential": new.credential, "safe": safe}
    proof = key_proofs.open_proof(**named)
    response = assertion_text(new.passkey, bytes(proof.challenge))
    proof = key_proofs.answer(**named, response=response)
    key_proofs.check(proof=proof, node=world.node)
    proof.refresh_from_db()
    assert proof.status == KeyProof.Status.PROVEN
    return proof


def proven_newcomer(world: World, **fields: Any) -> Newcomer:
    """Return another passkey that may become an owner of the world's account."""
    new = newcomer(world, **fields)
    prove(world, new)
    return new


def draft_addition(world: World, new: Newcomer, **fields: Any) -> UserOperation:
    """Ask for the passkey to become an owner of the world's account."""
    defaults = {
        "safe": world.wallet.safe,
        "user": world.wallet.user,
        "credential": new.credential,
        "idempotency_key": uuid.uuid4(),
    }
    return owner_changes.draft_addition(**defaults | fields)


def owner_event(
    topic: bytes, account: bytes, owner: bytes = b"", **fields: Any
) -> Event:
    """Return what an account says when its owners or threshold change."""
    topics = (Bytes32(topic), word(owner)) if owner else (Bytes32(topic),)
    return Event(address=Address(account), topics=topics, **fields)


def added(account: bytes, owner: bytes) -> Event:
    """Return AddedOwner."""
    return owner_event(ADDED_OWNER, account, owner)


def removed(account: bytes, owner: bytes) -> Event:
    """Return RemovedOwner."""
    return owner_event(REMOVED_OWNER, account, owner)


def threshold_changed(account: bytes) -> Event:
    """Return ChangedThreshold."""
    return owner_event(CHANGED_THRESHOLD, account, data=bytes(32))


@dataclass(frozen=True, kw_only=True)
class AdditionWorld(World):
    """A world in which every draft is the addition of the same proven passkey."""

    new: Newcomer

    def draft(self, **fields: Any) -> UserOperation:
        """Ask for the passkey to become an owner."""
        return draft_addition(self, self.new, **fields)


def make_world_of(kind: str) -> World:
    """Return a world whose drafts are of one kind."""
    world = make_world()
    if kind == UserOperation.Kind.PAYMENT:
        return world
    assert kind == UserOperation.Kind.ADD_PASSKEY
    return AdditionWorld(
        wallet=world.wallet,
        node=world.node,
        bundler=world.bundler,
        new=proven_newcomer(world),
    )
