"""A paymaster service as the sponsor: believed as far as the chain agrees (R57)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from onchain.clients.errors import ClientError
from onchain.clients.json_rpc import JsonRpc
from onchain.clients.paymaster import PaymasterService
from onchain.models import UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.abi import encode, selector
from onchain.protocol.paymaster import VALIDATE_PAYMASTER
from onchain.protocol.types import Address
from onchain.services.paymaster_services import GAS_CAP
from tests.factories import World, make_world
from tests.onchain.services.sponsor_asks import reasons
from tests.paymaster_service import DATA, STUB, PaymasterServer
from tests.stub_rpc import RpcFailure

PAYMASTER = Address(b"\xfe" * 20)
KEY = "0x" + "5e" * 32


def says(world: World, *, until: int = 0, after: int = 0, authorizer: int = 0) -> None:
    """Let the paymaster's contract answer this to whatever it is asked."""
    packed = after << 208 | until << 160 | authorizer
    answer = encode(("bytes", "uint256"), (b"", packed))
    world.node.call_answers[PAYMASTER, selector(VALIDATE_PAYMASTER)] = answer


@pytest.fixture
def server(db: None) -> Iterator[PaymasterServer]:
    server = PaymasterServer(paymaster=PAYMASTER, private_key=KEY, valid_until=2**40)
    with server:
        yield server


@pytest.fixture
def world(server: PaymasterServer, settings) -> World:
    settings.PAYMASTER_URL, settings.PAYMASTER_ADDRESS = server.url, ""
    service = PaymasterService(rpc=JsonRpc(url=server.url, timeout=5))
    world = replace(make_world(), paymaster_service=service)
    world.fund()
    says(world)
    return world


def test_the_service_pays(world: World, server: PaymasterServer):
    op = world.prepare()

    assert (op.status, op.paymaster) == (Status.AWAITING_SIGNATURES, PAYMASTER)
    assert server.methods == [STUB, DATA]
    assert world.node.calls == ["account_snapshot", "call"]
    assert world.bundler.calls == ["estimate"]
    assert op.sponsorship.sponsor_name == "Gas & Co"
    assert op.sponsorship.reserved_wei == op.max_cost_wei


def test_what_the_service_signed_is_what_the_account_signs(
    world: World, server: PaymasterServer
):
    op = world.prepare()

    fields = server.asked[-1][0]
    protocol = op.to_protocol()
    assert int(fields["callGasLimit"], 16) == protocol.call_gas_limit
    assert int(fields["preVerificationGas"], 16) == protocol.pre_verification_gas
    assert int(fields["maxFeePerGas"], 16) == protocol.max_fee_per_gas
    assert bytes.fromhex(fields["callData"][2:]) == protocol.call_data
    assert world.submit(world.sign(op)).status == Status.SUBMITTED


def test_a_final_stub_saves_a_request(world: World, server: PaymasterServer):
    server.changes = {"isFinal": True}

    assert world.prepare().is_sponsored
    assert server.methods == [STUB]


def test_the_operation_ends_with_the_services_promise(world: World):
    head = world.node.blocks[-1].timestamp
    says(world, until=head + 200)

    op = world.prepare()

    assert op.valid_until == op.sponsorship.valid_until == head + 200


def test_a_long_promise_does_not_make_the_operation_longer(world: World):
    head = world.node.blocks[-1].timestamp
    says(world, until=head + 10_000)

    assert world.prepare().valid_until == head + 600


@pytest.mark.parametrize(
    ("until", "after", "authorizer"),
    [(0, 0, 1), (0, 0, 2**160 - 1), (100, 0, 0), (0, 1_000, 0)],
    ids=["refused", "by an aggregator", "over too soon", "begins later"],
)
def test_what_the_paymaster_does_not_accept_the_account_pays(
    world: World, until: int, after: int, authorizer: int
):
    head = world.node.blocks[-1].timestamp
    says(
        world,
        until=until and head + until,
        after=after and head + after,
        authorizer=authorizer,
    )

    op = world.prepare()

    assert op.status == Status.AWAITING_SIGNATURES
    assert reasons(op) == ["unusable"]


@pytest.mark.parametrize("answer", [b"", b"\1"], ids=["no code", "something else"])
def test_an_address_that_is_no_paymaster_pays_for_nobody(world: World, answer: bytes):
    world.node.call_answers[PAYMASTER, selector(VALIDATE_PAYMASTER)] = answer

    assert reasons(world.prepare()) == ["unusable"]


def test_a_paymaster_that_reverts_pays_for_nobody(world: World):
    world.node.call_answers.clear()

    assert reasons(world.prepare()) == ["unusable"]


@pytest.mark.parametrize(
    "changes",
    [
        {"paymasterPostOpGasLimit": hex(GAS_CAP + 1)},
        {"paymasterVerificationGasLimit": hex(GAS_CAP + 1)},
    ],
    ids=str,
)
def test_gas_beyond_the_caps_is_refused(
    world: World, server: PaymasterServer, changes: dict[str, str]
):
    server.changes = changes

    assert reasons(world.prepare()) == ["unusable"]


def test_data_that_grows_after_the_estimate_is_refused(
    world: World, server: PaymasterServer
):
    server.answers[DATA] = {
        "paymaster": "0x" + PAYMASTER.hex(),
        "paymasterData": "0x" + "00" * 130,
    }

    assert reasons(world.prepare()) == ["unusable"]


@pytest.mark.parametrize("method", [STUB, DATA])
def test_a_refusal_of_the_service_is_said(
    world: World, server: PaymasterServer, method: str
):
    server.answers[method] = RpcFailure(-32000, "no policy")

    assert reasons(world.prepare()) == ["declined"]


def test_a_service_that_is_away_is_said(world: World, server: PaymasterServer):
    server.status = 503

    assert reasons(world.prepare()) == ["away"]


def test_an_estimate_that_the_paymaster_fails_is_said(world: World):
    estimate = world.bundler.estimate

    def empty_deposit(op):
        if op.paymaster is not None:
            raise ClientError("AA31", "paymaster deposit too low")
        return estimate(op)

    world.bundler.estimate = empty_deposit

    assert reasons(world.prepare()) == ["unusable"]


def test_our_limits_apply_before_a_service_signs(
    world: World, server: PaymasterServer, settings
):
    settings.SPONSOR_OPERATION_WEI = 1
    assert reasons(world.prepare()) == ["too-dear"]
    assert server.methods == [STUB]

    settings.SPONSOR_DAILY_OPERATIONS = 0
    settings.SPONSOR_OPERATION_WEI = 10**16
    assert reasons(world.prepare()) == ["share-used-up"]
    assert server.methods == [STUB]
    assert UserOperation.objects.filter(paymaster__isnull=False).count() == 0
