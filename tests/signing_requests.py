"""Good requests for signing.js, and what an honest page shows beside each of them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from eth_utils.address import to_checksum_address

from tests.signing_oracle import (
    ENTRY_POINT,
    FCL_VERIFIER,
    MODULE,
    SIGNER_SINGLETON,
    VERIFIERS,
    addition_calls,
    batch_call_data,
    call,
    creating_call,
    creation,
    decimal_text,
    fingerprint,
    function_call,
    installing_calls,
    key_proof_hash,
    proxy_code,
    safe_operation_hash,
    signer_address,
    single_call_data,
)

CREDENTIAL_ID = b"credential-of-alice"
# Of the passkeys that set an account up: an answer is checked against them.
KEYS = [ec.derive_private_key(number, ec.SECP256R1()) for number in (11, 13)]


def with_private_keys(
    cases: dict[str, Any], keys: Sequence[Any] = KEYS
) -> dict[str, Any]:
    """Return the cases, those that install a passkey with its private key."""
    jwks = {
        str(key.private_numbers().public_numbers.x): private_jwk(key) for key in keys
    }
    for case in cases.values():
        if "setUp" in case["request"]:
            case["key"] = jwks[case["request"]["setUp"]["x"]]
    return cases


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """Return a private key as a JSON Web Key (RFC 7518, section 6.2)."""
    numbers = key.private_numbers()
    point = numbers.public_numbers
    values = {"x": point.x, "y": point.y, "d": numbers.private_value}
    return {"kty": "EC", "crv": "P-256"} | {
        name: urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
        for name, value in values.items()
    }


SAFE = "0x521846572948D3DeBc80e34e09D2f6cc956734E6"


def payment_case(
    *, calls: list[dict[str, str]], call_data: str, sponsor: str
) -> dict[str, Any]:
    """Return one good request and what a page shows for it."""
    made = operation_case(calls=calls, call_data=call_data, sponsor=sponsor)
    for index, single in enumerate(calls, 1):
        suffix = "" if len(calls) == 1 else f"-{index}"
        amount = f"{decimal_text(int(single['valueWei']))} ETH"
        made["shown"][f"recipient{suffix}"] = {"text": single["to"], "value": ""}
        made["shown"][f"amount{suffix}"] = {"text": amount, "value": ""}
    return made


def addition_case(
    *, x: int, y: int, threshold: int, sponsor: str = "0x"
) -> dict[str, Any]:
    """Return a good request to add a passkey and what a page shows for it."""
    signer = signer_address(x, y)
    calls = addition_calls(safe=SAFE, x=x, y=y, signer=signer, threshold=threshold)
    made = operation_case(
        calls=calls, call_data=batch_call_data(calls), sponsor=sponsor
    )
    made["request"]["newOwner"] = signer_fields(x, y)
    made["request"]["change"] = {
        "kind": "add-passkey",
        "owner": signer,
        "threshold": str(threshold),
    }
    approve = f"{threshold} of {threshold + 1} must approve"
    made["shown"] |= {
        "change": {"text": "Add a passkey", "value": "add-passkey"},
        "new-owner": {"text": signer, "value": ""},
        "new-key": {"text": fingerprint(x, y), "value": ""},
        "threshold": {"text": approve, "value": str(threshold)},
    }
    return made


def cancellation_case() -> dict[str, Any]:
    """Return a good request to use up a nonce, and what a page shows for it."""
    nothing = call(SAFE, 0)
    made = operation_case(
        calls=[nothing], call_data=single_call_data(nothing), sponsor="0x"
    )
    nonce = made["request"]["message"]["nonce"]
    made["request"]["cancels"] = {"nonce": nonce}
    made["shown"]["cancels"] = {"text": "lane 5, place 3", "value": nonce}
    return made


def change_case(
    kind: str, function: str, *values: Any, key: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Return a good request for another change of the account, and its page.

    Args:
        function: the Safe's own, which eth_abi encodes with these values.
        key: of the passkey that becomes an owner; its signer is made first.
    """
    before = [] if key is None else [creating_call(*key)]
    calls = [*before, call(SAFE, 0, function_call(function, *values))]
    data = single_call_data(calls[0]) if len(calls) == 1 else batch_call_data(calls)
    made = operation_case(calls=calls, call_data=data, sponsor="0x")
    fields = dict(zip(CHANGE_FIELDS[kind], map(str, values), strict=False))
    made["request"]["change"] = {"kind": kind} | fields
    shown = {"change": {"text": "What is changed", "value": kind}}
    if key is not None:
        made["request"]["newOwner"] = signer_fields(*key)
        shown["new-key"] = {"text": fingerprint(*key), "value": ""}
    for field, name in (("owner", "new-owner"), ("removed", "removed")):
        if field in fields:
            shown[name] = {"text": fields[field], "value": ""}
    if "threshold" in fields:
        threshold = fields["threshold"]
        text = f"{threshold} of 3 must approve"
        shown["threshold"] = {"text": text, "value": threshold}
    made["shown"] |= shown
    return made


CHANGE_FIELDS = {
    "add-wallet": ("owner", "threshold"),
    "swap-owner": ("previous", "removed", "owner"),
    "remove-owner": ("previous", "removed", "threshold"),
    "change-threshold": ("threshold",),
    "disable-module": ("previous", "removed"),
    "remove-guard": (),
}
SENTINEL = "0x" + "00" * 19 + "01"
NOBODY = "0x" + "00" * 20
FIRST, SECOND, NEW = (
    to_checksum_address("0x" + pair * 20) for pair in ("f1", "e2", "d3")
)


def changes() -> dict[str, Any]:
    """Return a case of each change of an account beside adding a passkey."""
    key = (13, 2**254 + 5)
    swap = "swapOwner(address,address,address)"
    remove = "removeOwner(address,address,uint256)"
    add = "addOwnerWithThreshold(address,uint256)"
    disable = "disableModule(address,address)"
    return {
        "wallet": change_case("add-wallet", add, NEW, 2),
        "swap": change_case("swap-owner", swap, FIRST, SECOND, NEW),
        "swap for a passkey": change_case(
            "swap-owner", swap, SENTINEL, FIRST, signer_address(*key), key=key
        ),
        "removal": change_case("remove-owner", remove, SENTINEL, FIRST, 1),
        "threshold": change_case("change-threshold", "changeThreshold(uint256)", 3),
        "module": change_case("disable-module", disable, FIRST, SECOND),
        "guard": change_case("remove-guard", "setGuard(address)", NOBODY),
    }


def set_up_case(
    made: dict[str, Any],
    *,
    installed: ec.EllipticCurvePublicKey,
    verifiers: int = VERIFIERS,
    salt: int | None = None,
) -> dict[str, Any]:
    """Return a case whose operation first sets up its account.

    Args:
        installed: key of the passkey that it installs, and that has to sign.
        salt: of an account that is not on chain yet; None: it is, and is repaired.
    """
    request, shown = made["request"], made["shown"]
    point = installed.public_numbers()
    x, y = point.x, point.y
    signer = signer_address(x, y, verifiers)
    message = request["message"]
    if salt is not None:
        safe, init_code = creation(x=x, y=y, verifiers=verifiers, salt=salt)
        message |= {"safe": safe, "initCode": init_code}
        shown["account"]["text"] = safe
        request["creation"] = {"saltNonce": str(salt)}
    before = installing_calls(
        safe=message["safe"], x=x, y=y, signer=signer, verifiers=verifiers
    )
    request["calls"] = before + request["calls"]
    message["callData"] = batch_call_data(request["calls"])
    request["setUp"] = signer_fields(x, y, verifiers)
    request["hash"] = safe_operation_hash(message)
    shown |= {
        "set-up": {
            "text": "Your account",
            "value": "repair" if salt is None else "create",
        },
        "set-up-key": {"text": fingerprint(x, y), "value": ""},
        "set-up-signer": {"text": signer, "value": ""},
    }
    return made


def signer_fields(x: int, y: int, verifiers: int = VERIFIERS) -> dict[str, str]:
    """Return all that a signer's address follows from."""
    return {
        "x": str(x),
        "y": str(y),
        "signer": signer_address(x, y, verifiers),
        "proxyCode": f"0x{proxy_code().hex()}",
        "singleton": SIGNER_SINGLETON,
        "verifiers": str(verifiers),
    }


def operation_case(
    *, calls: list[dict[str, str]], call_data: str, sponsor: str
) -> dict[str, Any]:
    """Return a request with what every kind of operation shows."""
    message = {
        "chainId": "31337",
        "module": MODULE,
        "safe": SAFE,
        "nonce": str((5 << 64) + 3),
        "initCode": "0x",
        "callData": call_data,
        "verificationGasLimit": "170001",
        "callGasLimit": "90000",
        "preVerificationGas": "55000",
        "maxPriorityFeePerGas": "1000000000",
        "maxFeePerGas": "2000000007",
        "paymasterAndData": sponsor,
        "validAfter": "0",
        "validUntil": "1900000000",
        "entryPoint": ENTRY_POINT,
    }
    gas = 170001 + 90000 + 55000
    if sponsor != "0x":
        gas += int(sponsor[42:74], 16) + int(sponsor[74:106], 16)
    shown = {
        "account": {"text": message["safe"], "value": ""},
        "chain": {"text": "Local chain", "value": "31337"},
        "max-fee": {"text": f"{decimal_text(gas * 2000000007)} ETH", "value": ""},
        "payer": {
            "text": "Who pays",
            "value": "account" if sponsor == "0x" else "sponsor",
        },
        "valid-until": {
            "text": "17 March 2030, 17:46",
            "value": "2030-03-17T17:46:40+00:00",
        },
    }
    hashed = safe_operation_hash(message)
    return case("SafeOp", message, hashed, shown, calls=calls)


def proof_case() -> dict[str, Any]:
    """Return a good request for a key proof and what a page shows for it."""
    message = {
        "chainId": "31337",
        "verifyingContract": to_checksum_address("0x" + "5e" * 20),
        "role": "owner",
        "account": SAFE,
        "x": str(2**255 + 11),
        "y": "12",
        "nonce": "0x" + "ab" * 32,
    }
    shown = {
        "account": {"text": message["account"], "value": ""},
        "role": {"text": "Owner of this account", "value": "owner"},
    }
    return case("KeyProof", message, key_proof_hash(message), shown)


def case(
    kind: str, message: dict[str, str], hashed: str, shown: dict, **more: object
) -> dict[str, Any]:
    credential = urlsafe_b64encode(CREDENTIAL_ID).decode().rstrip("=")
    request = {
        "kind": kind,
        "rpId": "wallet.example.org",
        "allowCredentials": [{"id": credential, "transports": ["internal"]}],
        "hash": hashed,
        "message": message,
        **more,
    }
    return {"request": request, "shown": shown}


def good_requests(
    installed: ec.EllipticCurvePublicKey = KEYS[0].public_key(),  # noqa: B008
) -> dict[str, Any]:
    """Return a case of each kind; ``installed`` is the passkey that makes an account."""
    payee, other = "0x" + "b0" * 20, "0x" + "c1" * 20
    one = [call(payee, 250_000_000_000_000_000)]
    sponsor = "0x" + "ab" * 20 + f"{60_000:032x}" + f"{40_000:032x}" + "0102"
    two = [call(payee, 1), call(other, 10**18)]
    return {
        "payment": payment_case(
            calls=one, call_data=single_call_data(one[0]), sponsor="0x"
        ),
        "sponsored": payment_case(
            calls=one, call_data=single_call_data(one[0]), sponsor=sponsor
        ),
        "batch": payment_case(calls=two, call_data=batch_call_data(two), sponsor="0x"),
        "addition": addition_case(x=2**255 + 11, y=12, threshold=1),
        "guarded": addition_case(x=13, y=2**254 + 5, threshold=2, sponsor=sponsor),
        "creation": set_up_case(
            payment_case(calls=one, call_data=single_call_data(one[0]), sponsor="0x"),
            **{"installed": installed, "salt": 2**200 + 3},
        ),
        "repair": set_up_case(
            payment_case(calls=two, call_data=batch_call_data(two), sponsor=sponsor),
            **{
                "installed": KEYS[1].public_key(),
                "verifiers": int(FCL_VERIFIER, 16),
            },
        ),
        "repaired addition": set_up_case(
            addition_case(x=13, y=2**254 + 5, threshold=1), installed=installed
        ),
        "cancellation": cancellation_case(),
        "proof": proof_case(),
        **changes(),
    }
