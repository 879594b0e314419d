"""The node's methods over recorded answers, right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_isolation import READ_GAS
from onchain.clients.node_types import Receipt
from onchain.protocol.abi import encode, selector
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.owners import AccountOwners
from onchain.protocol.types import checksum_address
from tests.stub_rpc import RpcFailure, StubRpc

A, B = b"\xaa" * 20, b"\xbb" * 20
HASH = "0x" + "11" * 32
TOPIC = b"\x22" * 32
BLOCK = {
    "number": "0x65",
    "hash": HASH,
    "parentHash": "0x" + "10" * 32,
    "timestamp": "0x71400000",
    "baseFeePerGas": "0x7",
    "transactions": [
        {
            "hash": "0x" + "33" * 32,
            "from": "0x" + "aa" * 20,
            "to": "0x" + "bb" * 20,
            "value": "0x5",
        },
        {
            "hash": "0x" + "44" * 32,
            "from": "0x" + "cc" * 20,
            "to": None,
            "value": "0x9",
        },
    ],
}
LOG = {
    "address": "0x" + "aa" * 20,
    "topics": ["0x" + "22" * 32],
    "data": "0x0102",
    "blockHash": HASH,
    "blockNumber": "0x65",
    "transactionHash": "0x" + "33" * 32,
    "logIndex": "0x4",
}
RECEIPT = {
    "blockNumber": "0x65",
    "status": "0x1",
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x7",
}
ANSWERS = {
    "eth_chainId": "0x7a69",
    "eth_getBlockByNumber": BLOCK,
    "eth_getLogs": [LOG],
    "eth_getBalance": "0xde0b6b3a7640000",
    "eth_getCode": "0x6080",
    "eth_maxPriorityFeePerGas": "0x3",
    "eth_call": "0x" + (2**64 * 5 + 9).to_bytes(32, "big").hex(),
    "eth_estimateGas": "0x5208",
    "eth_getTransactionCount": "0x2",
    "eth_getTransactionReceipt": RECEIPT,
    "eth_sendRawTransaction": HASH,
}


@pytest.fixture
def recorded(stub: StubRpc) -> StubRpc:
    stub.answers = dict(ANSWERS)
    return stub


# --- Right answers ----------------------------------------------------------------------


def test_a_block_names_whom_its_transactions_touched(recorded: StubRpc, node: Node):
    block = node.head()

    assert (block.number, block.hash, block.base_fee_wei) == (101, b"\x11" * 32, 7)
    assert block.touched == {A, B, b"\xcc" * 20}
    assert block.transaction_hashes == {b"\x33" * 32, b"\x44" * 32}
    (payment,) = block.payments  # what creates a contract pays nobody
    assert (payment.sender, payment.to, payment.value_wei) == (A, B, 5)
    assert payment.transaction_hash == b"\x33" * 32


def test_a_block_may_list_hashes_only(recorded: StubRpc, node: Node):
    recorded.answers["eth_getBlockByNumber"] = BLOCK | {"transactions": [HASH]}

    chain_id, block = node.chain_id_and_head()

    assert (chain_id, block.touched) == (31337, frozenset())
    assert len(recorded.requests) == 1


def test_logs_are_asked_for_by_the_hash_of_their_block(recorded: StubRpc, node: Node):
    blocks, logs = node.blocks_with_logs(100, 102, [TOPIC])

    assert len(blocks) == 3
    assert [log.topics for log in logs] == [(TOPIC,)] * 3
    assert (logs[0].address, logs[0].data, logs[0].log_index) == (A, b"\1\2", 4)
    _blocks, batch = recorded.requests
    asked = [call["params"][0] for call in batch]
    assert [item["blockHash"] for item in asked] == ["0x" + "11" * 32] * 3
    assert asked[0]["topics"] == [["0x" + "22" * 32]]


def test_the_hash_above_the_head_is_none(recorded: StubRpc, node: Node):
    assert node.block_hash(101) == b"\x11" * 32
    recorded.answers["eth_getBlockByNumber"] = None
    assert node.block_hash(999) is None


def test_an_account_snapshot_is_one_request(recorded: StubRpc, node: Node):
    snapshot = node.account_snapshot(A, range(8))

    assert snapshot.balance_wei == 10**18
    assert (snapshot.head_timestamp, snapshot.base_fee_wei) == (0x71400000, 7)
    assert snapshot.tip_wei == 3
    assert snapshot.nonces == dict.fromkeys(range(8), 9)
    assert len(recorded.requests) == 1


def test_balances_and_codes_keep_the_order(recorded: StubRpc, node: Node):
    recorded.answers["eth_getBalance"] = lambda address, _block: (
        "0x1" if address[2:4].lower() == "aa" else "0x2"
    )

    assert node.balances([A, B]) == [1, 2]
    assert node.codes([A], "pending") == [b"\x60\x80"]
    assert recorded.requests[-1][0]["params"][1] == "pending"


def test_no_accounts_ask_nobody(recorded: StubRpc, node: Node):
    assert (node.balances([]), node.codes([], "latest"), node.receipts([])) == (
        [],
        [],
        [],
    )
    assert recorded.requests == []


def test_a_missing_receipt_is_none(recorded: StubRpc, node: Node):
    recorded.answers["eth_getTransactionReceipt"] = lambda text: (
        RECEIPT if text == HASH else None
    )

    found, missing = node.receipts([b"\x11" * 32, b"\x12" * 32])

    assert found == Receipt(
        block_number=101, succeeded=True, gas_used=21_000, fee_wei=147_000
    )
    assert missing is None


def test_a_rollups_receipt_has_the_fee_for_data_too(recorded: StubRpc, node: Node):
    recorded.answers["eth_getTransactionReceipt"] = RECEIPT | {"l1Fee": "0x5"}

    (found,) = node.receipts([b"\x11" * 32])

    assert found is not None
    assert found.fee_wei == 147_005


def test_a_call_names_its_sender(recorded: StubRpc, node: Node):
    node.call(A, b"\1", sender=B)

    fields, block = recorded.requests[0]["params"]
    assert (fields["to"].lower(), fields["from"].lower()) == (
        "0x" + "aa" * 20,
        "0x" + "bb" * 20,
    )
    assert block == "latest"


def test_the_relayers_snapshot_counts_pending_transactions(recorded, node: Node):
    assert node.relayer_snapshot(A) == (2, 10**18, 7, 3)
    assert recorded.requests[0][0]["params"][1] == "pending"


# --- Owners -----------------------------------------------------------------------------

GET_OWNERS, GET_THRESHOLD = (
    f"0x{selector(signature).hex()}" for signature in ("getOwners()", "getThreshold()")
)
TWO_OWNERS = f"0x{encode(['address[]'], [[B, A]]).hex()}"
ONE_OF_TWO = f"0x{encode(['uint256'], [1]).hex()}"
REVERTED = RpcFailure(3, "execution reverted")
FAULTS = [
    RpcFailure(-32000, "out of gas"),
    RpcFailure(-32000, "invalid opcode: INVALID"),
    RpcFailure(-32000, "stack underflow (0 <=> 1)"),
    RpcFailure(-32603, "EVM error OutOfGas"),
    RpcFailure(-32015, "VM execution error."),
]


def owner_answers(owners: object, threshold: object) -> Callable[..., object]:
    """What accounts answer; account B has two owners whatever A has."""

    def answer(call: dict[str, str], _block: object) -> object:
        is_b = call["to"].lower().endswith("bb")
        if call["data"] == GET_OWNERS:
            return TWO_OWNERS if is_b else owners
        assert call["data"] == GET_THRESHOLD
        return ONE_OF_TWO if is_b else threshold

    return answer


def test_owners_of_several_accounts_are_one_request(recorded: StubRpc, node: Node):
    recorded.answers["eth_call"] = owner_answers(TWO_OWNERS, ONE_OF_TWO)

    found = node.owners([A, B], TOPIC)

    assert found == [AccountOwners(owners=[B, A], threshold=1)] * 2
    (batch,) = recorded.requests
    assert [call["params"][1] for call in batch] == [
        {"blockHash": f"0x{TOPIC.hex()}"}
    ] * 4


@pytest.mark.parametrize(
    ("owners", "threshold"),
    [
        ("0x", ONE_OF_TWO),
        (TWO_OWNERS, "0x"),
        (TWO_OWNERS[:-2], ONE_OF_TWO),
        (REVERTED, ONE_OF_TWO),
        (TWO_OWNERS, REVERTED),
    ],
    ids=["no code", "no threshold", "cut short", "reverts", "threshold reverts"],
)
def test_an_account_that_does_not_answer_holds_no_other_back(
    recorded: StubRpc, node: Node, owners: object, threshold: object
):
    recorded.answers["eth_call"] = owner_answers(owners, threshold)

    found = node.owners([A, B], TOPIC)

    assert found == [None, AccountOwners(owners=[B, A], threshold=1)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.fields["message"])
def test_a_hostile_account_does_not_hold_the_follower_up(
    recorded: StubRpc, node: Node, fault: RpcFailure
):
    recorded.answers["eth_call"] = owner_answers(fault, ONE_OF_TWO)
    owners = node.owners([A, B], TOPIC)
    recorded.answers["eth_call"] = fault
    recorded.answers["eth_getStorageAt"] = f"0x{'00' * 32}"

    assert owners == [None, AccountOwners(owners=[B, A], threshold=1)]
    assert node.configurations([A], TOPIC) == [None]
    assert node.account_record(A).owners is None


# Words that no list foresees: only the question beside them tells whose fault it is.
UNFORESEEN = [
    RpcFailure(-32000, "gas required exceeds allowance (2000000)"),
    RpcFailure(-32603, "Internal error"),
    RpcFailure(-32099, "exception 0x17 in frame 3"),
]


def besides(answer: Callable[..., object]) -> Callable[..., object]:
    """Answer the question about the pinned contract too."""

    def answer_all(call: dict[str, str], block: object) -> object:
        is_control = call["to"] == checksum_address(MULTICALL3)
        return ONE_OF_TWO if is_control else answer(call, block)

    return answer_all


@pytest.mark.parametrize("fault", UNFORESEEN, ids=lambda fault: fault.fields["message"])
def test_an_account_that_fails_in_any_words_is_asked_alone_and_left(
    recorded: StubRpc, node: Node, fault: RpcFailure
):
    recorded.answers["eth_call"] = besides(owner_answers(fault, ONE_OF_TWO))

    owners = node.owners([A, B], TOPIC)

    assert owners == [None, AccountOwners(owners=[B, A], threshold=1)]
    assert len(recorded.requests) == 2


def test_a_limit_of_the_nodes_is_not_the_accounts_fault(recorded: StubRpc, node: Node):
    busy = RpcFailure(-32005, "daily request count exceeded, request rate limited")
    recorded.answers["eth_call"] = besides(owner_answers(busy, ONE_OF_TWO))

    with pytest.raises(TransientClientError):
        node.owners([A, B], TOPIC)


def test_a_node_that_reads_no_storage_is_not_the_accounts_fault(
    recorded: StubRpc, node: Node
):
    recorded.answers["eth_call"] = "0x"
    recorded.answers["eth_getStorageAt"] = RpcFailure(-32601, "no such method")

    with pytest.raises(TransientClientError):
        node.configurations([A], TOPIC)


@pytest.mark.parametrize("together", [RpcFailure(-32003, "response too large"), None])
def test_where_a_batch_fails_as_a_whole_the_accounts_are_asked_one_by_one(
    recorded: StubRpc, node: Node, together: RpcFailure | None
):
    recorded.answers["eth_call"] = besides(owner_answers(TWO_OWNERS, ONE_OF_TWO))

    def spoil(answers: list[object]) -> object:
        has_a = any(
            call["params"][0]["to"] == checksum_address(A)
            for call in recorded.requests[-1]
        )
        if not has_a:
            return answers
        return [] if together is None else {"error": together.fields}

    recorded.reshape = spoil

    owners = node.owners([A, B], TOPIC)

    assert owners == [None, AccountOwners(owners=[B, A], threshold=1)]


def test_every_read_of_an_account_has_its_own_gas(recorded: StubRpc, node: Node):
    recorded.answers["eth_call"] = besides(owner_answers(TWO_OWNERS, ONE_OF_TWO))

    node.owners([A], TOPIC)

    calls = [call["params"][0] for call in recorded.requests[0]]
    assert [int(call["gas"], 16) for call in calls] == [READ_GAS] * len(calls)


@pytest.mark.parametrize("code", [-32000, -32001, -32602])
def test_a_node_without_the_block_is_asked_again_later(recorded, node: Node, code: int):
    recorded.answers["eth_call"] = RpcFailure(code, "header not found")

    with pytest.raises(TransientClientError):
        node.owners([A], TOPIC)


def test_no_accounts_have_no_owners_to_ask_for(recorded: StubRpc, node: Node):
    assert node.owners([], TOPIC) == []
    assert recorded.requests == []


# --- Answers of another shape -----------------------------------------------------------

ASKING: dict[str, Callable[[Node], Any]] = {
    "chain_id": lambda node: node.chain_id(),
    "chain_id_and_head": lambda node: node.chain_id_and_head(),
    "head": lambda node: node.head(),
    "blocks_with_logs": lambda node: node.blocks_with_logs(100, 100, [TOPIC]),
    "block_hash": lambda node: node.block_hash(100),
    "balances": lambda node: node.balances([A]),
    "codes": lambda node: node.codes([A], "latest"),
    "account_snapshot": lambda node: node.account_snapshot(A, [0]),
    "call": lambda node: node.call(A, b""),
    "estimate_gas": lambda node: node.estimate_gas(sender=A, to=B, value=1, data=b""),
    "simulate": lambda node: node.simulate(
        sender=A, to=B, value=1, data=b"", gas_limit=21_000
    ),
    "block_gas_limit": lambda node: node.block_gas_limit(),
    "relayer_snapshot": lambda node: node.relayer_snapshot(A),
    "receipts": lambda node: node.receipts([b"\x11" * 32]),
    "owners": lambda node: node.owners([A], TOPIC),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
@pytest.mark.parametrize(
    "shape", [None, True, 7, "", "0x", "zz", [], [1], {}, {"a": 1}]
)
def test_a_wrong_shape_is_transient_or_empty(stub: StubRpc, node: Node, ask, shape):
    stub.answers = dict.fromkeys(ANSWERS, shape)

    try:
        answer = ask(node)
    except TransientClientError:
        return

    # What is legal as an answer: no code, no block, no receipt, empty return data.
    assert answer in (None, b"", [b""], [None])


@pytest.mark.parametrize("member", sorted(BLOCK))
def test_a_block_without_a_member_is_transient(recorded: StubRpc, node: Node, member):
    recorded.answers["eth_getBlockByNumber"] = {
        name: value for name, value in BLOCK.items() if name != member
    }

    with pytest.raises(TransientClientError):
        node.head()


@pytest.mark.parametrize(
    "member", ["address", "blockHash", "transactionHash", "topics"]
)
@pytest.mark.parametrize("value", ["0x", "0x11", "0x" + "11" * 33, None])
def test_a_log_with_another_width_is_transient(recorded, node: Node, member, value):
    wrong = [value] if member == "topics" else value
    recorded.answers["eth_getLogs"] = [LOG | {member: wrong}]

    with pytest.raises(TransientClientError):
        node.blocks_with_logs(100, 100, [TOPIC])


# --- Refusals ---------------------------------------------------------------------------


def error_string(text: str) -> str:
    return "0x" + (selector("Error(string)") + encode(["string"], [text])).hex()


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (RpcFailure(3, "execution reverted", error_string("GS026")), "GS026"),
        (RpcFailure(3, "execution reverted", None), "execution reverted"),
        (RpcFailure(3, "execution reverted", "0x"), "execution reverted"),
        (RpcFailure(-32000, "execution reverted: no", None), "execution reverted: no"),
        (RpcFailure(-32603, "VM Exception: revert", error_string("no")), "no"),
        (RpcFailure(3, "execution reverted", "0x12345678"), "reverted with 0x12345678"),
    ],
)
def test_a_revert_says_why(recorded: StubRpc, node: Node, failure, reason):
    recorded.answers["eth_call"] = failure

    with pytest.raises(ClientError) as caught:
        node.call(A, b"")

    assert (caught.value.code, caught.value.detail) == ("execution-reverted", reason)


@pytest.mark.parametrize("code", [-32603, -32005, -32002, -32001])
def test_an_error_that_says_later_is_transient(recorded, node: Node, code: int):
    recorded.answers["eth_call"] = RpcFailure(code, "try again")

    with pytest.raises(TransientClientError):
        node.call(A, b"")


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        (-32601, "node-method"),
        (-32602, "node-fields"),
        (-32000, "node-refused"),
        (0, "node-refused"),
    ],
)
def test_any_other_error_is_a_refusal(recorded, node: Node, code: int, ours: str):
    recorded.answers["eth_estimateGas"] = RpcFailure(code, "no")

    with pytest.raises(ClientError) as caught:
        node.estimate_gas(sender=A, to=B, value=0, data=b"")

    assert (caught.value.code, caught.value.detail) == (ours, "no")


def test_one_failed_call_of_a_batch_fails_the_question(recorded, node: Node):
    recorded.answers["eth_getBalance"] = RpcFailure(-32602, "no")

    with pytest.raises(ClientError, match="no"):
        node.account_snapshot(A, [0])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("execution reverted: GS000", "execution-reverted"),
        ("EVM error OutOfGas", "out-of-gas"),
        ("out of gas", "out-of-gas"),
        ("intrinsic gas too low", "out-of-gas"),
        ("insufficient funds for gas * price + value", "insufficient-funds"),
        ("unknown block", "node-refused"),
    ],
)
def test_a_simulation_says_what_would_fail(recorded, node: Node, message, code):
    recorded.answers["eth_call"] = RpcFailure(-32000, message)

    with pytest.raises(ClientError) as caught:
        node.simulate(sender=A, to=B, value=1, data=b"\1", gas_limit=21_000)

    assert caught.value.code == code


def test_half_a_block_begins_with_the_whole(recorded, node: Node):
    recorded.answers["eth_getBlockByNumber"] = BLOCK | {"gasLimit": "0x1c9c380"}

    assert node.block_gas_limit() == 30_000_000


def test_a_simulation_is_held_to_the_gas_limit_and_pending(recorded, node: Node):
    node.simulate(sender=A, to=B, value=1, data=b"\1", gas_limit=21_000)

    fields, block = recorded.requests[0]["params"]
    assert (int(fields["gas"], 16), fields["value"], block) == (
        21_000,
        "0x1",
        "pending",
    )


# --- Raw transactions -------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", ["already known", "Already known", "transaction already imported"]
)
def test_a_transaction_that_the_node_has_is_fine(recorded, node: Node, message: str):
    recorded.answers["eth_sendRawTransaction"] = RpcFailure(-32000, message)

    node.send_raw_transaction(b"\1")


def test_a_used_nonce_has_a_code_of_its_own(recorded: StubRpc, node: Node):
    recorded.answers["eth_sendRawTransaction"] = RpcFailure(-32003, "nonce too low")

    with pytest.raises(ClientError) as caught:
        node.send_raw_transaction(b"\1")

    assert caught.value.code == "nonce-too-low"


def test_an_empty_relayer_is_a_reason_to_wait(recorded: StubRpc, node: Node):
    recorded.answers["eth_sendRawTransaction"] = RpcFailure(
        -32003, "Insufficient funds for gas * price + value"
    )

    with pytest.raises(TransientClientError, match="out of funds"):
        node.send_raw_transaction(b"\1")


# R34
def test_the_other_sides_words_are_made_visible_and_cut(recorded, node: Node):
    recorded.answers["eth_estimateGas"] = RpcFailure(-32000, "\x00\u202e" + "x" * 999)

    with pytest.raises(ClientError) as caught:
        node.estimate_gas(sender=A, to=B, value=0, data=b"")

    assert "\x00" not in caught.value.detail
    assert "\u202e" not in caught.value.detail
    assert len(caught.value.detail) == 300
