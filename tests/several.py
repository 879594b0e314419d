"""Accounts that several people own, each with a passkey in the hand and a browser."""

from __future__ import annotations

from dataclasses import dataclass, field

from onchain.models import Owner, Safe, UserOperation
from onchain.models.owner import public_key_of
from onchain.services import authorization, signers
from tests import wallets
from tests.factories import World, make_credential, make_world
from tests.soft_authenticator import SoftAuthenticator


def make_co_owner(safe: Safe) -> wallets.Wallet:
    """Return another person whose passkey is an owner of the account from now on."""
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    signer = signers.signer_for(public_key=public_key_of(credential), safe=safe)
    Owner.objects.create(
        safe=safe,
        credential=credential,
        address=signer,
        position=safe.owners.count(),
    )
    wallet = wallets.Wallet(user=credential.user, passkey=passkey, safe=safe)
    wallet.client.force_login(credential.user)
    return wallet


def ask_for(safe: Safe, threshold: int) -> None:
    """Let so many have to approve, in the row and in what the test holds."""
    Safe.objects.filter(pk=safe.pk).update(threshold=threshold)
    safe.threshold = threshold


@dataclass(frozen=True, kw_only=True)
class SharedWorld(World):
    """A world whose account has further owners, in the order in which they came."""

    others: list[wallets.Wallet] = field(default_factory=list)

    def approve(self, op: UserOperation, place: int = 0) -> UserOperation:
        """Let the owner at a place approve; 0 is the one who opened the account."""
        who = self.wallet if place == 0 else self.others[place - 1]
        authorization.sign(
            op=self.fresh(op), user=who.user, response=self.answer(op, who.passkey)
        )
        return self.fresh(op)


def make_shared_world(*, owners: int = 2, threshold: int = 2) -> SharedWorld:
    """Return an account with 1 ETH that so many people own and must approve for."""
    world = make_world()
    safe = world.wallet.safe
    others = [make_co_owner(safe) for _ in range(owners - 1)]
    ask_for(safe, threshold)
    world.node.deploy(safe)
    owners_now = [owner.address for owner in safe.owners.all()]
    world.node.set_owners(safe.address, owners_now, threshold)
    return SharedWorld(
        wallet=world.wallet, node=world.node, bundler=world.bundler, others=others
    )
