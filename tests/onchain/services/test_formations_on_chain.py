"""Accounts with several owners from the first block, on the real chain (R6, R63)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings
from eth_account import Account
from eth_account.signers.local import LocalAccount

from accounts.models import Credential
from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import Chain, Formation, Owner, RelayerTransaction, Safe, Seat
from onchain.models.operation_states import Status
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, to_address
from onchain.services import (
    authorization,
    chains,
    follower,
    formations,
    key_proofs,
    relayer,
    relaying,
    seats,
)
from onchain.services.formations import Wanted
from onchain.services.local_chain import LocalChain
from tests.factories import ETHER, Wallet, World, assertion_text, make_credential
from tests.soft_authenticator import SoftAuthenticator
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

PATIENCE = 30.0  # seconds; a busy machine is no failure
PAYEE = to_address("0x" + "5a" * 20)
# Measured for two passkeys, with room for the batch around them (protocol.md section 3).
MOST_DEPLOYMENT_GAS = 560_000


@dataclass(frozen=True, kw_only=True)
class Site:
    """The site on a real chain: relayer, follower, bundler."""

    local: LocalChain
    chain: Chain
    relayer: LocalAccount
    bundler: Bundler

    def until(self, condition: Callable[[], bool]) -> None:
        """Relay and follow until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it never came about"
            chain = Chain.objects.get(pk=self.chain.pk)
            relaying.run(chain=chain, node=self.local.node, account=self.relayer)
            if not follower.advance(chain=chain, node=self.local.node):
                time.sleep(0.05)


@pytest.fixture
def site(node_url: str, bundler_url: str, site: None) -> Site:
    local = chain_state.connect(url=node_url)
    account: LocalAccount = Account.create()
    local.anvil.set_balance(relayer.sender_of(account), 10 * ETHER)
    chain = chains.connect(node=local.node)
    follower.advance(chain=chain, node=local.node)
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    return Site(local=local, chain=chain, relayer=account, bundler=Bundler(rpc))


def person() -> tuple[SoftAuthenticator, Credential]:
    passkey = SoftAuthenticator()
    return passkey, make_credential(passkey)


def begin(site: Site, credential: Credential, **changes: object) -> Formation:
    asked: dict[str, object] = {
        "name": "Us",
        "threshold": 2,
        "passkeys": [credential],
        "people": [],
        "wallets": [],
        "key": uuid.uuid4(),
    }
    wanted = Wanted(**asked | changes)  # type: ignore[arg-type]
    return formations.begin(user=credential.user, chain=site.chain, wanted=wanted)


def forming(formation: Formation) -> Safe:
    formation.refresh_from_db()
    assert formation.safe_id is not None
    return Safe.objects.select_related("chain").get(pk=formation.safe_id)


def confirm(site: Site, safe: Safe, key: SoftAuthenticator, of: Credential) -> None:
    """Touch the passkey for exactly this address; the chain says whether it counts."""
    asked = key_proofs.open_proof(credential=of, safe=safe)
    response = assertion_text(key, bytes(asked.challenge))
    proof = key_proofs.answer(credential=of, safe=safe, response=response)
    key_proofs.check(proof=proof, node=site.local.node)


def make_live(site: Site, safe: Safe) -> Safe:
    """Let the relayer deploy it, and the follower read it."""
    site.until(lambda: Safe.objects.get(pk=safe.pk).owners_synced_block is not None)
    site.local.anvil.set_balance(Address(safe.address), ETHER)
    return Safe.objects.select_related("chain").get(pk=safe.pk)


def owners_on_chain(site: Site, safe: Safe) -> AccountOwners | None:
    """Return what the account itself says of its owners."""
    node = site.local.node
    return node.owners([Address(safe.address)], node.head().hash)[0]


def test_two_passkeys_of_two_people_move_it_together_from_the_first_block(site: Site):
    (first, alice), (second, bob) = person(), person()
    formation = begin(site, alice, people=["Bob"])
    seat: Seat = formation.seats.get(credential=None)
    invitation = seat.invitation
    invitation.accepted_by = bob.user
    invitation.save(update_fields=["accepted_by"])
    seats.fill_seat(invitation=invitation, user=bob.user, credential=bob)
    safe = forming(formation)

    confirm(site, safe, first, alice)
    confirm(site, safe, second, bob)
    safe = make_live(site, safe)

    owners = owners_on_chain(site, safe)
    assert owners is not None
    signers = [bytes(row.address) for row in safe.owners.order_by("position")]
    assert [bytes(owner) for owner in owners.owners] == signers
    assert owners.threshold == 2
    assert all(site.local.node.codes([Address(raw) for raw in signers], "latest"))
    row = RelayerTransaction.objects.get(status="mined")
    assert row.gas_used is not None
    assert row.gas_used <= MOST_DEPLOYMENT_GAS

    wallet = Wallet(passkey=first, user=alice.user, credential=alice, safe=safe)
    world = World(
        wallet=wallet,
        node=site.local.node,
        bundler=site.bundler,
        sponsor_key=django_settings.SPONSOR_PRIVATE_KEY,
    )
    op = world.prepare(world.draft(recipient=PAYEE, value_wei=7))
    op = world.sign(op, first)
    assert op.status == Status.AWAITING_SIGNATURES
    authorization.sign(op=op, user=bob.user, response=world.answer(op, second))
    op = world.submit(world.fresh(op))
    site.until(lambda: world.fresh(op).status == Status.INCLUDED)
    assert site.local.node.balances([PAYEE])[0] >= 7


def test_a_passkey_and_a_wallet_address_own_it_from_the_first_block(site: Site):
    (first, alice) = person()
    wallet = Account.create()
    address = to_address(wallet.address)
    formation = begin(site, alice, wallets=[address])
    safe = forming(formation)

    confirm(site, safe, first, alice)
    safe = make_live(site, safe)

    owners = owners_on_chain(site, safe)
    assert owners is not None
    assert bytes(address) in {bytes(owner) for owner in owners.owners}
    assert owners.threshold == 2
    kinds = set(safe.owners.current().values_list("kind", flat=True))
    assert Owner.Kind.PASSKEY in kinds
