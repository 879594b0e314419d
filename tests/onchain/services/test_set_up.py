"""Accounts that set themselves up with their own first operation (R23, R24, R28)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from onchain.clients.errors import TransientClientError
from onchain.errors import IdempotencyConflict
from onchain.models import Owner, Safe, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.abi import selector
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.deployments import (
    SAFE_PROXY_FACTORY,
    SHARED_SIGNER,
    SIGNER_FACTORY,
    VERIFIERS,
)
from onchain.protocol.owner_changes import SWAP_OWNER
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import Address, PublicKey, checksum_address, to_hex
from onchain.services import (
    authorization,
    owner_sync,
    preparation,
    rewinding,
    safes,
    set_up,
    signers,
)
from tests.factories import PAYEE, World, make_credential
from tests.fake_events import proxy_creation_event
from tests.onchain.services.happenings import BLOCK, happen, outcome
from tests.onchain.services.self_paid import (
    make_self_paid_wallet,
    make_self_paid_world,
    open_self_paid,
)
from tests.signing_answers import VECTORS
from tests.signing_oracle import creation
from tests.tampering import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return make_self_paid_world()


def own_signer(world: World) -> Address:
    key = set_up.shared_owner(world.wallet.safe).public_key
    return signers.signer_for(public_key=key, safe=world.wallet.safe)


def read_owners(world: World, *owners: bytes, block: int = BLOCK) -> None:
    """Let the follower find these owners."""
    safe = Safe.objects.get(pk=world.wallet.safe.pk)
    found = AccountOwners(owners=[Address(item) for item in owners], threshold=1)
    owner_sync.apply(changed=[safe], found={safe: found}, block_number=block)
    world.wallet.safe.refresh_from_db()


def deploy(world: World, *, by: UserOperation | None = None) -> None:
    """Put the account on chain: by its operation, or by somebody with the factory."""
    safe = world.wallet.safe
    events = [proxy_creation_event(safe.address)]
    if by is not None:
        events.append(outcome(by))
    happen(world, *events)
    world.node.account_codes[safe.address] = b"\1"
    world.node.keys[safe.address] = {}
    for signer in (SHARED_SIGNER, own_signer(world)):
        owner = set_up.shared_owner(safe)
        world.node.give_key(signer, owner.public_key, account=safe.address)
    first = SHARED_SIGNER if by is None else own_signer(world)
    world.node.set_owners(safe.address, [first])
    safe.refresh_from_db()


@pytest.mark.parametrize("salt", [0, 1, 2])
def test_its_address_is_the_one_that_the_contracts_give(salt: int):
    credential = make_credential()
    made = [open_self_paid(credential) for _ in range(salt + 1)][-1]

    key = made.owners.get().public_key
    account, _code = creation(
        x=key.x, y=key.y, verifiers=made.verifiers, salt=made.salt_nonce
    )
    assert made.salt_nonce == salt
    assert made.address_text == account


def test_its_address_is_abstractionkits():
    vectors = json.loads(VECTORS.read_text())
    (vector,) = (
        vector
        for vector in vectors
        if (int(vector["c2Nonce"], 16), vector["extraOwner"]) == (0, False)
        and int(vector["verifiers"], 16) == VERIFIERS
    )
    x, y = (int(vector[name], 16).to_bytes(32, "big") for name in ("x", "y"))

    safe = open_self_paid(make_credential(public_key_x=x, public_key_y=y))

    assert safe.address_text == vector["account"]
    factory = set_up.factory_of(safe)
    assert checksum_address(factory.address) == vector["factory"]
    assert to_hex(factory.data) == vector["factoryData"]


def test_one_form_opens_one_account():
    credential = make_credential()
    key = uuid.uuid4()

    first = open_self_paid(credential, key=key)

    assert open_self_paid(credential, key=key) == first
    assert Safe.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        open_self_paid(credential, key=key, name="Another")
    with pytest.raises(IdempotencyConflict):
        open_self_paid(make_credential(), key=key)


def test_a_further_account_of_the_direct_layout_is_another_one():
    wallet = make_self_paid_wallet()
    direct = {"layout": Safe.Layout.DIRECT}
    first = open_self_paid(wallet.credential, **direct)
    second = open_self_paid(wallet.credential, **direct)

    assert (first.salt_nonce, second.salt_nonce) == (0, 1)
    assert len({first.address, second.address, wallet.safe.address}) == 3
    assert second.deployment_requested_at is not None


def test_nobody_else_is_asked_to_put_it_on_chain(world: World):
    safe = world.wallet.safe

    safes.request_funded_deployments(chain=world.chain)
    safes.request_deployment(safe=safe)

    safe.refresh_from_db()
    assert safe.deployment_requested_at is None
    assert safe.deploys_itself


def test_the_first_operation_sets_the_account_up(world: World):
    op = world.prepare(world.draft(value_wei=7))

    assert op.status == Status.AWAITING_SIGNATURES, op.failure_code
    assert (op.factory, op.installs_signer) == (SAFE_PROXY_FACTORY, True)
    assert not op.is_sponsored
    assert op.verification_gas_limit > 444_000
    create, swap, payment = decode_call_data(bytes(op.call_data))
    assert create.to == SIGNER_FACTORY
    assert (swap.to, swap.data[:4]) == (world.wallet.safe.address, selector(SWAP_OWNER))
    assert swap.data[-20:] == own_signer(world)
    assert (payment.to, payment.value_wei) == (PAYEE, 7)


def test_it_is_signed_as_the_shared_signer_and_submitted(world: World):
    op = world.submit()

    assert op.status == Status.SUBMITTED, (op.failure_code, op.failure_detail)
    (sent,) = world.bundler.sent
    assert sent.factory.address == SAFE_PROXY_FACTORY
    assert sent.signature[24:44] == SHARED_SIGNER


def test_a_wrong_signature_never_reaches_the_bundler(world: World):
    op = world.sign()
    row = op.signatures.get()
    forged = bytearray(row.signature)
    forged[95] ^= 1  # the last byte of r
    row.signature = bytes(forged)
    row.save(update_fields=["signature"])

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA24")
    assert world.bundler.sent == []


def test_an_account_that_cannot_pay_is_told_so(world: World):
    op = world.sign()
    world.node.account_balances[world.wallet.safe.address] = 1

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "AA21")


def test_only_one_operation_sets_it_up(world: World):
    world.prepare()

    second = world.prepare()

    assert (second.status, second.failure_code) == (Status.REJECTED, "set-up-first")


def test_after_it_the_passkeys_own_signer_is_the_owner(world: World):
    op = world.submit()
    shared = set_up.shared_owner(world.wallet.safe)

    deploy(world, by=op)
    read_owners(world, own_signer(world))

    safe = world.wallet.safe
    assert safe.is_live
    assert world.fresh(op).status == Status.INCLUDED
    owner = safe.owners.current().get()
    assert (owner.address, owner.credential) == (own_signer(world), shared.credential)
    assert owner.proven_at is not None
    assert Safe.objects.visible_to(world.wallet.user).get() == safe
    assert not world.wallet.user.security_events.exists()
    later = world.prepare()
    assert (later.factory, later.installs_signer) == (None, False)


def test_between_its_deployment_and_its_owners_nothing_is_prepared(world: World):
    op = world.submit()
    draft = world.draft()
    deploy(world, by=op)

    with pytest.raises(TransientClientError, match="owners are being read"):
        world.prepare(draft)


def test_somebody_else_deploys_it_first(world: World):
    op = world.sign()
    deploy(world)
    read_owners(world, SHARED_SIGNER)

    rejected = world.submit(op)
    again = world.prepare_again(rejected)

    assert (rejected.status, rejected.failure_code) == (Status.REJECTED, "AA10")
    assert again.status == Status.AWAITING_SIGNATURES, again.failure_code
    assert (again.factory, again.installs_signer) == (None, True)
    assert (again.nonce_key, again.nonce_sequence) == (op.nonce_key, op.nonce_sequence)
    assert len(decode_call_data(bytes(again.call_data))) == 3
    sent = world.submit(world.sign(again))
    assert sent.status == Status.SUBMITTED, sent.failure_code


def test_an_operation_whose_set_up_was_done_meanwhile_does_not_go_out(world: World):
    deploy(world)
    read_owners(world, SHARED_SIGNER)
    op = world.sign()
    Owner.objects.filter(safe=world.wallet.safe).update(is_current=False)

    op = world.submit(op)

    assert (op.status, op.failure_code) == (Status.REJECTED, "set-up-done")


def test_where_the_shared_signer_is_not_first_it_stays(world: World):
    deploy(world)
    read_owners(world, b"\xcc" * 20, SHARED_SIGNER)

    op = world.prepare()

    assert (op.factory, op.installs_signer) == (None, False)
    assert len(decode_call_data(bytes(op.call_data))) == 1


def test_a_reorg_takes_it_back_and_it_is_sent_again_unchanged(world: World):
    op = world.submit()
    before = world.bundler.sent[-1]
    deploy(world, by=op)
    read_owners(world, own_signer(world))
    Safe.objects.filter(pk=world.wallet.safe.pk).update(deployed_block=BLOCK)

    rewinding.rewind(chain=world.chain, fork_number=BLOCK - 1)

    del world.node.account_codes[world.wallet.safe.address]
    world.wallet.safe.refresh_from_db()
    assert world.wallet.safe.deploys_itself
    world.bundler.held.clear()
    world.submit(world.later(op))
    assert len(world.bundler.sent) == 2
    assert world.bundler.sent[-1] == before


CHANGES = {
    "another factory": {"factory": PAYEE},
    "another set-up": {"factory_data": b"\1\2"},
    "no factory": {"factory": None},
    "no installation": {"installs_signer": False},
}


@pytest.mark.parametrize("fields", CHANGES.values(), ids=CHANGES)
def test_a_row_that_was_changed_is_stopped(world: World, fields: dict[str, Any]):
    op = world.sign()
    tamper(op, **fields)

    op = world.submit(op)

    assert op.status == Status.REJECTED
    assert op.failure_code in {"hash-mismatch", "intent-mismatch"}
    assert world.bundler.sent == []


def test_an_account_of_another_passkey_is_not_prepared(world: World):
    owner = world.wallet.safe.owners.get()
    owner.credential = make_credential(user=world.wallet.user)
    owner.save(update_fields=["credential"])

    op = world.prepare()

    assert (op.status, op.failure_code) == (Status.REJECTED, "intent-mismatch")


def test_the_browser_is_told_what_is_set_up(world: World):
    op = world.prepare()

    request = authorization.signing_request(op=op, user=world.wallet.user)

    key = set_up.shared_owner(world.wallet.safe).public_key
    account, code = creation(
        x=key.x,
        y=key.y,
        verifiers=world.wallet.safe.verifiers,
        salt=world.wallet.safe.salt_nonce,
    )
    assert request["message"]["initCode"] == code
    assert request["message"]["safe"] == account
    assert request["creation"] == {"saltNonce": str(world.wallet.safe.salt_nonce)}
    assert PublicKey(x=int(request["setUp"]["x"]), y=int(request["setUp"]["y"])) == key


def test_preparing_it_takes_two_requests(world: World):
    op = world.fresh(world.draft())
    before = len(world.node.calls), len(world.bundler.calls)

    preparation.prepare(
        op=op, node=world.node, bundler=world.bundler, sponsor_key=world.sponsor_key
    )

    after = len(world.node.calls), len(world.bundler.calls)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
