"""Accounts with several owners, and asking for changes of them."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from onchain.models import (
    ForeignConfiguration,
    Invitation,
    KeyProof,
    Owner,
    Role,
    Safe,
    UserOperation,
    WalletProof,
)
from onchain.models.owner import public_key_of
from onchain.protocol.configuration import seen_hash
from onchain.protocol.deployments import SAFE_4337_MODULE
from onchain.protocol.types import Address, checksum_address
from onchain.services import configuration_changes, new_owners, owner_changes
from onchain.services.new_owners import NewOwner
from tests.factories import World
from tests.onchain.services.additions import Newcomer, newcomer, proven_newcomer

Kind = UserOperation.Kind
WALLET = Address(b"\x57" * 20)
CONTRACT = Address(b"\xc0" * 20)
MODULES = [Address(b"\xf1" * 20), SAFE_4337_MODULE, Address(b"\xf3" * 20)]
GUARD = Address(b"\x9a" * 20)
HANDLER = Address(b"\xfa" * 20)
FOREIGN_HANDLER = ("fallback handler", HANDLER)


def add_owner(world: World, address: bytes, **fields: Any) -> Owner:
    """Say that the chain has this address at the end of the account's owners."""
    defaults = {
        "kind": Owner.Kind.WALLET,
        "address": address,
        "position": world.wallet.safe.owners.count(),
        "proven_at": timezone.now(),
    }
    return Owner.objects.create(safe=world.wallet.safe, **defaults | fields)


def add_passkey_owner(world: World, **fields: Any) -> tuple[Newcomer, Owner]:
    """Say that the chain has another passkey of the person among the owners."""
    new = newcomer(world)
    defaults = {"credential": new.credential, "kind": Owner.Kind.PASSKEY}
    return new, add_owner(world, new.signer, **defaults | fields)


def make_three(world: World, *, threshold: int = 2) -> list[Owner]:
    """Give the world's account a passkey, another passkey and a wallet as owners."""
    world.wallet.safe.owners.update(proven_at=timezone.now())
    first = world.wallet.safe.owners.get()
    _new, second = add_passkey_owner(world)
    third = add_owner(world, WALLET)
    set_threshold(world, threshold)
    return [first, second, third]


def set_threshold(world: World, threshold: int) -> None:
    """Say that the chain has this threshold."""
    Safe.objects.filter(pk=world.wallet.safe.pk).update(threshold=threshold)
    world.wallet.safe.refresh_from_db()


def prove_wallet(world: World, address: bytes = WALLET, **fields: Any) -> WalletProof:
    """Remember that somebody signed for the account with this wallet."""
    now = timezone.now()
    defaults = {
        "user": world.wallet.user,
        "safe": world.wallet.safe,
        "address": address,
        "nonce": secrets.token_bytes(32),
        "text": "text",
        "status": WalletProof.Status.PROVEN,
        "expires_at": now,
        "signed_at": now,
    }
    return WalletProof.objects.create(**defaults | fields)


def make_invitation(world: World, new: Newcomer, **fields: Any) -> Invitation:
    """Return an invitation that was accepted with this passkey and confirmed."""
    key, now = public_key_of(new.credential), timezone.now()
    proof = KeyProof.objects.filter(credential=new.credential).first()
    defaults = {
        "token_hash": secrets.token_bytes(32),
        "safe": world.wallet.safe,
        "role": Role.OWNER,
        "name": "Bob",
        "created_by": world.wallet.user,
        "expires_at": now + timedelta(days=1),
        "accepted_by": new.credential.user,
        "credential": new.credential,
        "public_key_x": key.x,
        "public_key_y": key.y,
        "address": new.signer,
        "key_proof": proof,
        "accepted_at": now,
        "confirmed_by": world.wallet.user,
        "confirmed_at": now,
        "status": Invitation.Status.CONFIRMED,
    }
    return Invitation.objects.create(**defaults | fields)


def make_foreign(world: World, **fields: Any) -> ForeignConfiguration:
    """Say that two modules and a guard act for the account; ``more`` does as well."""
    foreign = [("module", item) for item in MODULES if item != SAFE_4337_MODULE]
    foreign += [("guard", GUARD), *fields.pop("more", [])]
    defaults = {
        "findings": [[kind, checksum_address(at)] for kind, at in foreign],
        "modules": [checksum_address(at) for at in MODULES],
        "seen_hash": seen_hash(foreign),
        "block_number": 99,
    }
    return ForeignConfiguration.objects.create(
        safe=world.wallet.safe, **defaults | fields
    )


# --- Asking -------------------------------------------------------------------------------


def _asked(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    user: User = world.wallet.user
    defaults = {
        "safe": world.wallet.safe,
        "user": user,
        "idempotency_key": uuid.uuid4(),
    }
    return defaults | fields


def add_wallet(world: World, **fields: Any) -> UserOperation:
    return owner_changes.draft_wallet(**_asked(world, {"address": WALLET} | fields))


def swap(world: World, removed: Owner, new: NewOwner, **fields: Any) -> UserOperation:
    named = {"removed": Address(removed.address), "new": new}
    return owner_changes.draft_swap(**_asked(world, named | fields))


def remove(world: World, removed: Owner, **fields: Any) -> UserOperation:
    named = {"removed": Address(removed.address)}
    return owner_changes.draft_removal(**_asked(world, named | fields))


def change_threshold(world: World, threshold: int, **fields: Any) -> UserOperation:
    named = {"threshold": threshold}
    return owner_changes.draft_threshold(**_asked(world, named | fields))


def add_invited(world: World, invitation: Invitation, **fields: Any) -> UserOperation:
    asked = _asked(world, {"invitation": invitation} | fields)
    del asked["safe"]
    return owner_changes.draft_invited_owner(**asked)


def remove_foreign(
    world: World, kind: str, removed: Address, **fields: Any
) -> UserOperation:
    named = {"kind": kind, "removed": removed}
    return configuration_changes.draft_configuration(**_asked(world, named | fields))


def new_passkey(world: World) -> NewOwner:
    """Return another passkey of the person that has proven itself."""
    new = proven_newcomer(world)
    return new_owners.own_passkey(safe=world.wallet.safe, credential=new.credential)


def one_of_each(world: World) -> dict[str, Any]:
    """Return, by name, how to ask for each kind of change of one account.

    The account has three owners, two of whom must approve, and foreign parts.
    """
    owners = make_three(world)
    make_foreign(world)
    prove_wallet(world, CONTRACT)
    invited = proven_newcomer(world, user=None)
    invitation = make_invitation(world, invited)
    return {
        "add a wallet": lambda: add_wallet(world, address=CONTRACT),
        "add an invited passkey": lambda: add_invited(world, invitation),
        "swap for a wallet": lambda: swap(
            world, owners[1], new_owners.wallet(address=CONTRACT)
        ),
        "swap for a passkey": lambda: swap(world, owners[2], new_passkey(world)),
        "remove": lambda: remove(world, owners[2]),
        "change the threshold": lambda: change_threshold(world, 3),
        "disable a module": lambda: remove_foreign(
            world, Kind.DISABLE_MODULE, MODULES[2]
        ),
        "remove the guard": lambda: remove_foreign(world, Kind.REMOVE_GUARD, GUARD),
    }


NAMES = (
    "add a wallet",
    "add an invited passkey",
    "swap for a wallet",
    "swap for a passkey",
    "remove",
    "change the threshold",
    "disable a module",
    "remove the guard",
)
