"""Each task loads a row, calls one service, and may be called again."""

from __future__ import annotations

import pytest

from onchain import tasks
from onchain.clients.errors import TransientClientError
from onchain.models import (
    Chain,
    Heartbeat,
    Owner,
    PaymasterDeposit,
    RelayerTransaction,
    Safe,
    UserOperation,
)
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.protocol.wallet_signature import OLDER_MAGIC
from onchain.services import key_proofs, wallet_approvals, wallet_proofs
from tests.factories import (
    RELAYER_KEY,
    World,
    assertion_text,
    make_queued_wallet,
    make_relayer_transaction,
)
from tests.fake_accounts import MAGIC
from tests.onchain.tasks.conftest import BUNDLER_ANSWERS
from tests.stub_rpc import RpcFailure, StubRpc
from tests.wallet_keys import SoftWallet, make_wallet_owner
from tests.wallets import key_of

RETRIED = [
    tasks.prepare_user_operation,
    tasks.submit_user_operation,
    tasks.check_key_proof,
    tasks.check_wallet_proof,
    tasks.check_wallet_signature,
    tasks.read_owner_kinds,
    tasks.refresh_balance,
    tasks.run_relayer,
]


@pytest.fixture(autouse=True)
def relayer_key(settings):
    settings.RELAYER_PRIVATE_KEY = RELAYER_KEY


def test_a_draft_is_prepared(world: World):
    op = world.draft()

    tasks.prepare_user_operation(op.pk)

    assert world.fresh(op).status == Status.AWAITING_SIGNATURES


def test_a_signed_operation_is_submitted(world: World, bundler_stub):
    op = world.sign()
    answer = "0x" + op.user_operation_hash.hex()
    bundler_stub.answers["eth_sendUserOperation"] = answer

    tasks.submit_user_operation(op.pk)

    assert world.fresh(op).status == Status.SUBMITTED


def test_a_signed_proof_is_checked(world: World, node_stub):
    owner = world.wallet.owner
    proof = key_proofs.open_proof(**key_of(owner))
    key_proofs.answer(
        **key_of(owner),
        response=assertion_text(world.wallet.passkey, bytes(proof.challenge)),
    )
    node_stub.answers["eth_call"] = "0x" + MAGIC.hex()

    tasks.check_key_proof(proof.pk)

    proof.refresh_from_db()
    assert proof.status == "proven"


CONTRACT = Address(b"\xc0" * 20)
YES = "0x" + OLDER_MAGIC.ljust(32, b"\0").hex()


def test_a_contracts_proof_is_checked(world: World, node_stub):
    safe, user = world.wallet.safe, world.wallet.user
    proof = wallet_proofs.open_proof(user=user, safe=safe, address=CONTRACT)
    wallet_proofs.answer(proof=proof, signature=b"what it reads")
    node_stub.answers["eth_call"] = YES

    tasks.check_wallet_proof(proof.pk)

    proof.refresh_from_db()
    assert proof.status == "proven"


@pytest.mark.services
def test_a_contracts_signature_is_checked_and_what_it_signed_goes_on(
    world: World, node_stub, queued
):
    op = world.prepare()
    owner = make_wallet_owner(
        SoftWallet(),
        safe=world.wallet.safe,
        holder=world.wallet.user,
        address=CONTRACT,
        kind=Owner.Kind.CONTRACT,
    )
    row = wallet_approvals.sign(
        op=op, user=world.wallet.user, account=CONTRACT, signature=b"what it reads"
    )
    node_stub.answers["eth_call"] = YES

    tasks.check_wallet_signature(row.pk)

    assert row.owner == owner
    assert world.fresh(op).status == Status.SIGNED
    assert ("submit_user_operation", [op.pk]) in queued()


def test_unrecognised_owners_are_looked_at(world: World, node_stub):
    fields = {"kind": Owner.Kind.UNKNOWN}
    owner = make_wallet_owner(SoftWallet(), safe=world.wallet.safe, **fields)
    node_stub.answers["eth_getCode"] = "0x6080"

    tasks.read_owner_kinds(world.chain.pk)

    owner.refresh_from_db()
    assert owner.kind == Owner.Kind.CONTRACT


def test_a_balance_is_refreshed(world: World, node_stub):
    node_stub.answers["eth_getBalance"] = hex(7)

    tasks.refresh_balance(world.wallet.safe.pk)

    assert Safe.objects.get(pk=world.wallet.safe.pk).balance_wei == 7


# --- What is worth another try ----------------------------------------------------------


def test_a_failed_try_is_told_and_raised(world: World, node_stub):
    op = world.draft()
    node_stub.status = 503

    with pytest.raises(TransientClientError):
        tasks.prepare_user_operation(op.pk)

    op = world.fresh(op)
    assert (op.status, op.last_problem) == (Status.DRAFT, "HTTP 503")


def test_success_forgets_the_last_problem(world: World):
    op = world.draft()
    UserOperation.objects.update(last_problem="HTTP 503")

    tasks.prepare_user_operation(op.pk)

    assert world.fresh(op).last_problem == ""


def test_no_answer_is_tried_again_three_times(world: World, node_stub):
    op = world.draft()
    node_stub.status = 503

    result = tasks.prepare_user_operation.apply(args=(op.pk,))

    assert isinstance(result.result, TransientClientError)
    assert len(node_stub.requests) == 4


def test_a_refusal_is_a_state_and_not_tried_again(world: World, bundler_stub):
    op = world.draft()
    bundler_stub.answers["eth_estimateUserOperationGas"] = RpcFailure(-32500, "AA20")

    result = tasks.prepare_user_operation.apply(args=(op.pk,))

    assert result.successful()
    assert len(bundler_stub.requests) == 1
    assert world.fresh(op).failure_code == "AA20"


def test_a_fault_of_ours_is_not_tried_again(world: World):
    result = tasks.prepare_user_operation.apply(args=(0,))

    assert isinstance(result.result, UserOperation.DoesNotExist)
    assert result.retries in (None, 0)


@pytest.mark.parametrize("task", RETRIED, ids=lambda task: task.name)
def test_only_a_transient_error_is_retried(task):
    assert task.autoretry_for == (TransientClientError,)


# --- The relayer's round ----------------------------------------------------------------


def test_one_round_signs_and_sends_all_that_waits(world: World, node_stub):
    account = make_queued_wallet().safe
    payment = make_relayer_transaction(chain=world.chain)

    tasks.run_relayer(world.chain.pk)

    account.refresh_from_db()
    payment.refresh_from_db()
    assert (account.status, payment.status) == ("broadcast", "broadcast")
    sent = [item for item in node_stub.methods if item == "eth_sendRawTransaction"]
    assert len(sent) == 2


# R68: it would be written down as a worker's error every few seconds.
def test_what_waits_for_lower_fees_is_no_failure_and_is_not_retried(
    world: World, node_stub, settings
):
    settings.MAX_FEE_PER_GAS = 1
    account = make_queued_wallet().safe

    result = tasks.run_relayer.apply(args=(world.chain.pk,))

    account.refresh_from_db()
    assert (result.status, account.status) == ("SUCCESS", "queued")
    assert node_stub.methods.count("eth_estimateGas") == 1


def test_a_second_round_moments_later_sends_nothing(world: World, node_stub):
    make_relayer_transaction(chain=world.chain)
    tasks.run_relayer(world.chain.pk)
    node_stub.requests.clear()

    tasks.run_relayer(world.chain.pk)

    assert node_stub.methods == []


# R22
def test_while_a_contract_is_not_the_pinned_one_nothing_new_is_signed(
    world: World, node_stub
):
    account = make_queued_wallet().safe
    payment = make_relayer_transaction(chain=world.chain)
    Chain.objects.update(problem="SafeL2 is not on the chain.")

    tasks.run_relayer(world.chain.pk)

    account.refresh_from_db()
    payment.refresh_from_db()
    assert (account.status, payment.status) == ("queued", "queued")


# R68
def test_the_round_deploys_an_account_that_was_funded(world: World, settings):
    settings.DEPLOYMENT_FLOOR_WEI = 100
    account = make_queued_wallet(deployment_requested_at=None, balance_wei=100).safe

    tasks.run_relayer(world.chain.pk)

    account.refresh_from_db()
    assert account.status == "broadcast"


def test_transactions_are_sent_in_the_order_of_their_nonces(world: World, node_stub):
    for _ in range(3):
        make_relayer_transaction(chain=world.chain)
    tasks.run_relayer(world.chain.pk)
    raw = RelayerTransaction.objects.order_by("nonce").values_list("raw", flat=True)

    sent = [
        request["params"][0]
        for request in node_stub.requests
        if isinstance(request, dict) and request["method"] == "eth_sendRawTransaction"
    ]

    assert sent == [f"0x{bytes(item).hex()}" for item in raw]


# --- Who answers ------------------------------------------------------------------------


def heartbeat(component: str) -> Heartbeat:
    return Heartbeat.objects.get(component=component)


def test_a_round_of_checks_notes_worker_and_bundler(world: World):
    tasks.check_components(world.chain.pk)

    assert not heartbeat("worker").is_stale
    assert not heartbeat("bundler").is_stale
    assert PaymasterDeposit.objects.get().deposit_wei == 0


@pytest.mark.parametrize(
    "failure", [None, RpcFailure(-32601, "no such method")], ids=["away", "refuses"]
)
def test_a_bundler_that_does_not_answer_is_noted(world: World, bundler_stub, failure):
    if failure is None:
        bundler_stub.status = 503
    else:
        bundler_stub.answers["eth_chainId"] = failure

    tasks.check_components(world.chain.pk)

    assert heartbeat("bundler").is_stale
    assert heartbeat("bundler").detail
    assert not heartbeat("worker").is_stale


def test_each_of_two_bundlers_is_asked_for_itself(world: World, bundler_stub, settings):
    bundler_stub.status = 503
    with StubRpc() as second:
        second.answers = dict(BUNDLER_ANSWERS)
        settings.SECOND_BUNDLER_URL = second.url
        tasks.check_components(world.chain.pk)

    assert heartbeat("bundler").detail
    assert heartbeat("bundler").is_stale
    assert not heartbeat("second-bundler").is_stale


def test_a_configured_paymaster_service_is_asked_by_the_worker(world: World, settings):
    settings.PAYMASTER_ADDRESS = ""
    with StubRpc() as service:
        settings.PAYMASTER_URL = service.url
        op = world.draft()
        tasks.prepare_user_operation(op.pk)

    op = world.fresh(op)
    assert service.methods == ["pm_getPaymasterStubData"]
    assert (op.status, op.unsponsored_reason) == ("awaiting_signatures", "declined")
