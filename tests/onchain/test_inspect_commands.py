"""inspect_account and inspect_operation, as an operator runs them."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from onchain.protocol.abi import decode_call
from onchain.protocol.deployments import FCL_VERIFIER, SHARED_SIGNER, VERIFIERS
from onchain.protocol.safe import SETUP
from onchain.protocol.types import checksum_address, parse_hex
from tests.onchain.protocol.vectors import (
    CHAIN_ID,
    NAMES,
    OPERATION_NAMES,
    OPERATIONS,
    VECTORS,
)

VECTOR = VECTORS[1]
X, Y = VECTOR["x"], VECTOR["y"]
# The same x, the other y: a second point without another key pair.
OTHER_Y = hex(2**256 - 2**224 + 2**192 + 2**96 - 1 - int(Y, 16))
EOA = VECTOR["eoa"]
PASSKEY = ("--x", X, "--y", Y)
OPERATION = {**VECTORS[0]["ops"][1], "chainId": hex(CHAIN_ID)}


def inspect_account(*arguments: str) -> dict[str, object]:
    output = io.StringIO()
    call_command("inspect_account", *arguments, stdout=output)
    return json.loads(output.getvalue())


def refusal_of_account(*arguments: str) -> str:
    output = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("inspect_account", *arguments, stdout=output)
    assert output.getvalue() == ""
    assert caught.value.returncode == 1
    return str(caught.value)


def owners_and_threshold(result) -> tuple[list[str], int]:
    data = parse_hex(result["factoryData"])
    _, setup, _ = decode_call("createProxyWithNonce(address,bytes,uint256)", data)
    owners, threshold, *_ = decode_call(SETUP, setup)
    return [checksum_address(bytes.fromhex(owner[2:])) for owner in owners], threshold


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_accounts_of_the_shared_layout_are_those_of_abstractionkit(vector):
    extra = (
        ["--owner", vector["eoa"], "--threshold", "2"] if vector["extraOwner"] else []
    )

    result = inspect_account(
        *("--layout", "shared", "--x", vector["x"], "--y", vector["y"]),
        *("--verifiers", vector["verifiers"], "--salt", vector["c2Nonce"]),
        *extra,
    )

    assert result["signers"][0].lower() == vector["signer"]
    assert {name: result[name] for name in ("account", "factory", "factoryData")} == {
        name: vector[name] for name in ("account", "factory", "factoryData")
    }


def test_the_defaults_are_direct_ours_zero_and_one():
    named = inspect_account(
        *PASSKEY,
        *("--layout", "direct", "--verifiers", hex(VERIFIERS)),
        *("--salt", "0", "--threshold", "1"),
    )

    assert inspect_account(*PASSKEY) == named
    assert owners_and_threshold(named) == (named["signers"], 1)


def test_owners_are_the_passkeys_then_the_others_in_the_order_given():
    second = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"

    result = inspect_account(
        *("--owner", second, "--x", X, "--y", OTHER_Y, *PASSKEY),
        *("--owner", EOA, "--threshold", "3"),
    )

    first, last = result["signers"]
    assert last == inspect_account(*PASSKEY)["signers"][0] != first
    assert owners_and_threshold(result) == ([first, last, second, EOA], 3)


def test_the_shared_layout_starts_with_the_shared_signer():
    result = inspect_account(*PASSKEY, "--layout", "shared", "--owner", EOA)

    assert owners_and_threshold(result) == ([checksum_address(SHARED_SIGNER), EOA], 1)
    assert result["signers"] == inspect_account(*PASSKEY)["signers"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--salt", "1"),
        ("--verifiers", f"0x{FCL_VERIFIER.hex()}"),
        ("--verifiers", "0x0"),
        ("--owner", EOA),
        ("--layout", "shared"),
    ],
    ids=lambda arguments: "=".join(arguments),
)
def test_everything_named_changes_the_account(arguments):
    changed = inspect_account(*PASSKEY, *arguments)

    assert changed["account"] != inspect_account(*PASSKEY)["account"]


def test_salt_is_decimal_or_hex():
    assert inspect_account(*PASSKEY, "--salt", "255") == inspect_account(
        *PASSKEY, "--salt", "0xff"
    )


def test_hex_may_come_without_0x_and_with_leading_zeros():
    assert inspect_account("--x", X[2:], "--y", Y) == inspect_account(*PASSKEY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "at least one passkey"),
        (("--x", X), "both --x and --y"),
        (("--y", Y), "both --x and --y"),
        ((*PASSKEY, "--x", X), "both --x and --y"),
        (("--x", X, "--y", X), "not a point on P-256"),
        (("--x", "0x0", "--y", "0x0"), "not a point on P-256"),
        (("--x", "0x", "--y", Y), "--x takes 1 to 64 hex digits"),
        (("--x", X, "--y", f"{Y}0"), "--y takes 1 to 64 hex digits"),
        (("--x", X, "--y", "why"), "--y takes 1 to 64 hex digits"),
        ((*PASSKEY, "--layout", "round"), "direct or shared"),
        ((*PASSKEY, *PASSKEY), "named twice"),
        (
            (*PASSKEY, "--x", X, "--y", OTHER_Y, "--layout", "shared"),
            "one passkey only",
        ),
        ((*PASSKEY, "--threshold", "0"), "threshold 0"),
        ((*PASSKEY, "--threshold", "2"), "threshold 2"),
        ((*PASSKEY, "--threshold", "-1"), "--threshold takes a whole number"),
        ((*PASSKEY, "--threshold", "one"), "--threshold takes a whole number"),
        ((*PASSKEY, "--owner", EOA, "--owner", EOA), "named twice"),
        ((*PASSKEY, "--owner", "0x" + "0" * 40), "cannot be an owner"),
        ((*PASSKEY, "--owner", "0x" + "0" * 39 + "1"), "cannot be an owner"),
        ((*PASSKEY, "--owner", EOA.swapcase().replace("0X", "0x")), "checksum"),
        ((*PASSKEY, "--owner", "0x12"), "20 bytes"),
        ((*PASSKEY, "--owner", "bob"), "hex"),
        ((*PASSKEY, "--salt", "-1"), "--salt takes a whole number"),
        ((*PASSKEY, "--salt", "1_0"), "--salt takes a whole number"),
        ((*PASSKEY, "--salt", "9" * 78), "uint256"),
        ((*PASSKEY, "--verifiers", "0x1" + "0" * 44), "uint176"),
        ((*PASSKEY, "--verifiers", "both"), "--verifiers takes 1 to 64 hex digits"),
        (
            (
                *PASSKEY,
                "--layout",
                "shared",
                "--owner",
                checksum_address(SHARED_SIGNER),
            ),
            "named twice",
        ),
    ],
)
def test_bad_input_is_refused_in_words(arguments, words):
    assert words.lower() in refusal_of_account(*arguments).lower()


def test_a_signer_named_again_as_owner_is_refused():
    signer = inspect_account(*PASSKEY)["signers"][0]

    assert "named twice" in refusal_of_account(*PASSKEY, "--owner", signer)


def test_without_package_and_node_it_says_what_to_do(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.NODE_URL = "http://127.0.0.1:1"

    words = refusal_of_account(*PASSKEY)

    assert "npm ci" in words
    assert "NODE_URL" in words


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"bytecode": 5}', '{"bytecode": "0x"}', '{"bytecode": "0x6001"}'],
)
def test_a_package_with_other_code_is_refused(settings, tmp_path, content):
    folder = "devchain/node_modules/@safe-global/safe-passkey/build/artifacts/contracts"
    path = tmp_path / folder / "SafeWebAuthnSignerProxy.sol"
    path.mkdir(parents=True)
    (path / "SafeWebAuthnSignerProxy.json").write_text(content)
    settings.BASE_DIR = tmp_path

    assert "not the published file" in refusal_of_account(*PASSKEY)


@pytest.mark.chain
def test_without_the_package_the_node_is_asked(settings, tmp_path, node_url):
    offline = inspect_account(*PASSKEY)
    settings.BASE_DIR = tmp_path
    settings.NODE_URL = node_url

    assert inspect_account(*PASSKEY) == offline


def inspect_operation(monkeypatch, text: str) -> dict[str, str]:
    output = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    call_command("inspect_operation", stdout=output)
    return json.loads(output.getvalue())


def refusal_of_operation(monkeypatch, text: str) -> str:
    output = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(CommandError) as caught:
        call_command("inspect_operation", stdout=output)
    assert output.getvalue() == ""
    assert caught.value.returncode == 1
    return str(caught.value)


@pytest.mark.parametrize(("fields", "hashes"), OPERATIONS, ids=OPERATION_NAMES)
def test_hashes_are_those_of_abstractionkit(monkeypatch, fields, hashes):
    text = json.dumps({**fields, "chainId": CHAIN_ID})

    assert inspect_operation(monkeypatch, text) == {
        name: hashes[name] for name in ("userOpHash", "safeOpHash")
    }


@pytest.mark.parametrize(
    "times",
    [
        {"validAfter": 1_700_000_000, "validUntil": 1_800_000_000},
        {"validAfter": "0x6553f100", "validUntil": "0x6b49d200"},
    ],
    ids=["integers", "hex"],
)
def test_times_are_part_of_the_safe_hash_only(monkeypatch, times):
    hashes = VECTORS[0]["hashes"][1]

    result = inspect_operation(monkeypatch, json.dumps({**OPERATION, **times}))

    assert result == {
        "userOpHash": hashes["userOpHash"],
        "safeOpHash": hashes["safeOpHashTimed"],
    }


def test_absent_null_and_zero_times_are_the_same(monkeypatch):
    plain = inspect_operation(monkeypatch, json.dumps(OPERATION))

    for time in (None, 0, "0x0"):
        text = json.dumps({**OPERATION, "validAfter": time, "validUntil": time})
        assert inspect_operation(monkeypatch, text) == plain


def test_a_factory_without_data_and_none_are_two_operations(monkeypatch):
    # As EIP-7702 operations have it elsewhere: a marker for a factory, no data.
    marker = {"factory": "0x7702" + "0" * 36, "factoryData": "0x"}

    marked = inspect_operation(monkeypatch, json.dumps({**OPERATION, **marker}))

    assert marked != inspect_operation(monkeypatch, json.dumps(OPERATION))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chainId": None}, "missing field: chainId"),
        ({"chainId": "31337"}, "chainId: not 0x"),
        ({"chainId": -1}, "chainId: out of range"),
        ({"chainId": 1.5}, "chainId: neither"),
        ({"chainId": hex(2**256)}, "chainId"),
        ({"validUntil": 2**48}, "validUntil: out of range"),
        ({"validAfter": "soon"}, "validAfter: not 0x"),
        ({"validAfter": True}, "validAfter: neither"),
        ({"sender": None}, "missing field: sender"),
        ({"sender": "0x12"}, "sender: an address is 20 bytes"),
        ({"nonce": None}, "missing field: nonce"),
        ({"callData": "0x1"}, "callData"),
        ({"callGasLimit": hex(2**128)}, "callGasLimit: out of range for uint128"),
        ({"factory": EOA}, "missing field: factoryData"),
        ({"factoryData": "0x"}, "missing field: factory"),
        ({"paymaster": None}, "missing field: paymaster"),
        ({"paymasterData": None}, "missing field: paymasterData"),
        ({"paymasterPostOpGasLimit": None}, "missing field: paymasterPostOpGasLimit"),
        ({"initCode": "0x"}, "unknown field: initCode"),
        ({"entryPoint": EOA}, "unknown field: entryPoint"),
    ],
    ids=str,
)
def test_an_operation_of_another_shape_is_refused(monkeypatch, change, words):
    assert words in refusal_of_operation(
        monkeypatch, json.dumps({**OPERATION, **change})
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"0x"', "not a JSON object"),
        ("{}", "missing field: chainId"),
        ('{"chainId": 1, "chainId": 2}', "given twice"),
        ('{"chainId": NaN}', "chainId: neither"),
        ('{"chainId": ' + "9" * 5000 + "}", "not JSON"),
        ("[" * 100_000, "not one flat JSON object"),
        (" " * (1024 * 1024 + 1), "longer than 1 MiB"),
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "null",
        "text",
        "no field",
        "twice",
        "NaN",
        "huge number",
        "deep",
        "long",
    ],
)
def test_input_that_is_no_object_is_refused(monkeypatch, text, words):
    assert words in refusal_of_operation(monkeypatch, text)
