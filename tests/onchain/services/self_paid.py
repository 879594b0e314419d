"""Accounts that put themselves on chain with their first operation."""

from __future__ import annotations

import uuid
from typing import Any

from onchain.models import Chain, Safe
from onchain.services import safes
from tests.factories import ETHER, Wallet, World, make_credential, the_chain
from tests.fake_bundler import FakeBundler
from tests.fakes import FakeNode
from tests.soft_authenticator import SoftAuthenticator


def make_self_paid_wallet(chain: Chain | None = None, **wanted: Any) -> Wallet:
    """Return a new person with one account that is not on chain."""
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    safe = open_self_paid(credential, chain=chain, **wanted)
    return Wallet(
        passkey=passkey, user=credential.user, credential=credential, safe=safe
    )


def open_self_paid(
    credential: Any, *, chain: Chain | None = None, **wanted: Any
) -> Safe:
    """Open one more account of a passkey that pays for its own set-up."""
    fields = {"name": "Savings", "layout": Safe.Layout.SHARED, "key": uuid.uuid4()}
    return safes.open_another(
        user=credential.user,
        credential=credential,
        chain=chain or the_chain(),
        wanted=safes.NewAccount(**fields | wanted),
    )


def make_self_paid_world() -> World:
    """Return such an account with 1 ETH on a fake chain with a fake bundler."""
    wallet = make_self_paid_wallet()
    node = FakeNode()
    node.account_balances[wallet.safe.address] = ETHER
    Safe.objects.filter(pk=wallet.safe.pk).update(balance_wei=ETHER)
    return World(wallet=wallet, node=node, bundler=FakeBundler())
