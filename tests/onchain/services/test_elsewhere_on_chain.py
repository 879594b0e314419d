"""An account that AbstractionKit made, added here and paid from (R6, R67).

AbstractionKit itself makes the account and its first operation on the real chain with
the real bundler; this site has never heard of it before.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from onchain.clients.bundler import Bundler
from onchain.clients.json_rpc import JsonRpc
from onchain.models import Chain, ForeignConfiguration, Safe
from onchain.models.operation_states import Status
from onchain.protocol.deployments import (
    P256_PRECOMPILE,
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
)
from onchain.protocol.passkey_signature import client_data_fields
from onchain.protocol.safe import factory_data, shared_setup
from onchain.protocol.shared_signer import VERIFIER_ALONE
from onchain.protocol.types import Address, PublicKey, checksum_address, to_address
from onchain.services import account_lookups, chains, user_operations
from onchain.services.local_chain import LocalChain
from tests.factories import ETHER, PAYEE, Wallet, World, make_credential
from tests.fakes import CHAIN_ID
from tests.onchain.services.elsewhere import look_up, own_accounts, prove_lookup
from tests.onchain.services.test_owners_on_chain import eventually, execute, settled
from tests.soft_authenticator import SoftAuthenticator
from wallet_site import chain_state

pytestmark = [pytest.mark.chain, pytest.mark.django_db]
VERIFICATION_GAS = 900_000  # deploying, with the Solidity verifier
PEER = django_settings.BASE_DIR / "bench" / "abstractionkit_peer.mjs"


@pytest.fixture
def local(node_url: str) -> LocalChain:
    return chain_state.connect(url=node_url)


class AbstractionKit:
    """AbstractionKit in a process of its own: one JSON line asked, one answered."""

    def __init__(self, node_url: str, bundler_url: str, precompile: int) -> None:
        node = shutil.which("node")
        assert node, "Node 20 or newer is needed"
        words = [node_url, bundler_url, str(CHAIN_ID), f"0x{precompile:040x}"]
        self.process = subprocess.Popen(
            [node, str(PEER), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"command": command, **fields}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(
    params=[
        pytest.param(0, id="its default"),
        pytest.param(P256_PRECOMPILE, id="our verifiers", marks=pytest.mark.thorough),
    ]
)
def kit(
    request: pytest.FixtureRequest, node_url: str, bundler_url: str
) -> Iterator[AbstractionKit]:
    kit = AbstractionKit(node_url, bundler_url, request.param)
    yield kit
    kit.close()


@pytest.fixture
def world(local: LocalChain, bundler_url: str) -> World:
    """A person with a passkey and no account at all, on the real chain."""
    chains.connect(node=local.node)
    passkey = SoftAuthenticator()
    credential = make_credential(passkey)
    nobody = Safe(address=bytes(20))
    wallet = Wallet(
        passkey=passkey, user=credential.user, credential=credential, safe=nobody
    )
    rpc = JsonRpc(url=bundler_url, timeout=django_settings.CLIENT_TIMEOUT)
    return LonelyWorld(
        wallet=wallet,
        node=local.node,
        bundler=Bundler(rpc),
        sponsor_key=django_settings.SPONSOR_PRIVATE_KEY,
    )


class LonelyWorld(World):
    """A world whose person has no account yet."""

    @property
    def chain(self) -> Chain:
        """The chain's row as it is now."""
        return Chain.objects.get(chain_id=CHAIN_ID)


def opened_by(kit: AbstractionKit, world: World, local: LocalChain) -> Address:
    """Let AbstractionKit say where the passkey's account is, and give it 1 ETH."""
    passkey = world.wallet.passkey
    x, y = (f"0x{half.hex()}" for half in (passkey.x, passkey.y))
    address = to_address(kit.ask("open", x=x, y=y)["address"])
    local.anvil.set_balance(address, ETHER)
    return address


def paid_by(kit: AbstractionKit, world: World, address: Address) -> None:
    """Let AbstractionKit make the account's first operation, and send it."""
    text = checksum_address(address)
    prepared = kit.ask(
        "prepare",
        address=text,
        to=checksum_address(PAYEE),
        value="1",
        isFirst=True,
        verificationGas=str(VERIFICATION_GAS),
    )
    challenge = bytes.fromhex(prepared["hash"][2:])
    assertion = world.wallet.passkey.assert_challenge(challenge)
    r, s = assertion.r_and_s
    answer = kit.ask(
        "send",
        address=text,
        authenticatorData=assertion.authenticator_data.hex(),
        clientDataFields=client_data_fields(
            assertion.client_data_json, challenge
        ).hex(),
        r=str(r),
        s=str(s),
    )
    assert answer["receipt"]["success"]


def add(world: World, address: Address) -> Safe:
    """Add the account by its address and a touch."""
    lookup = look_up(world, address)
    assert lookup.failure_code == ""
    prove_lookup(world, lookup)
    eventually(world, lambda: account_lookups.is_added(lookup))
    (safe,) = own_accounts(world)
    return Safe.objects.select_related("chain").get(pk=safe.pk)


def pay(world: World, safe: Safe) -> Any:
    """Pay from an account and return the operation as the chain left it."""
    draft = user_operations.draft(
        safe=safe,
        user=world.wallet.user,
        recipient=PAYEE,
        value_wei=5,
        idempotency_key=uuid.uuid4(),
    )
    return settled(world, world.sign(world.prepare(draft)))


def test_an_account_of_abstractionkits_is_added_and_paid_from(
    kit: AbstractionKit, world: World, local: LocalChain
):
    address = opened_by(kit, world, local)
    paid_by(kit, world, address)

    safe = add(world, address)

    assert not ForeignConfiguration.objects.exists()
    op = pay(world, safe)
    assert op.status == Status.INCLUDED, op.failure_detail
    assert (op.factory, op.installs_signer) == (None, False)


@pytest.mark.thorough
def test_one_that_was_only_deployed_is_repaired_by_its_first_payment_here(
    world: World, local: LocalChain, node_url: str, bundler_url: str
):
    kit = AbstractionKit(node_url, bundler_url, 0)
    address = opened_by(kit, world, local)
    kit.close()
    passkey = world.wallet.passkey
    setup = shared_setup(public_key=key_of(passkey), verifiers=VERIFIER_ALONE)
    execute(local, factory_data(setup=setup, salt_nonce=0), to=SAFE_PROXY_FACTORY)

    safe = add(world, address)
    op = pay(world, safe)

    assert op.status == Status.INCLUDED, op.failure_detail
    assert op.installs_signer
    eventually(world, lambda: own_of(safe) != SHARED_SIGNER)
    assert safe.owners.current().get().credential == world.wallet.credential
    assert pay(world, Safe.objects.get(pk=safe.pk)).status == Status.INCLUDED


def own_of(safe: Safe) -> bytes:
    return safe.owners.current().get().address


def key_of(passkey: SoftAuthenticator) -> PublicKey:
    return PublicKey(
        x=int.from_bytes(passkey.x, "big"), y=int.from_bytes(passkey.y, "big")
    )
