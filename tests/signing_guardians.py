"""Good requests to change guardians, and what an honest page shows beside each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from tests.signing_oracle import batch_call_data, call, function_call, selector
from tests.signing_requests import SAFE, SENTINEL, operation_case

# Each delay in seconds and in words, and the module that waits so long.
MINUTES = ("180", "3 minutes", "0x949d01d424bE050D09C16025dd007CB59b3A8c66")
DAYS = ("259200", "3 days", "0x38275826E1933303E508433dD5f289315Da2541c")
WEEK = ("604800", "7 days", "0x088f6cfD8BB1dDb1BB069CCb3fc1A98927D233f2")
WEEKS = ("1209600", "14 days", "0x9BacD92F4687Db306D7ded5D4513a51EA05df25b")
ANN, BEN, CAT, DAN, EVE = (
    to_checksum_address("0x" + pair * 20) for pair in ("a1", "b2", "c3", "d4", "e5")
)
CANCEL, FORGET = selector("cancelRecovery()"), selector("invalidateNonce()")


def add(guardian: str, threshold: int) -> bytes:
    signature = "addGuardianWithThreshold(address,uint256)"
    return function_call(signature, guardian, threshold)


def revoke(previous: str, guardian: str, threshold: int) -> bytes:
    signature = "revokeGuardianWithThreshold(address,address,uint256)"
    return function_call(signature, previous, guardian, threshold)


def guardian_case(
    kind: str,
    delay: tuple[str, str, str],
    *data: bytes,
    first: Sequence[tuple[str, bytes]] = (),
    last: Sequence[tuple[str, bytes]] = (),
    shown: dict[str, tuple[str, str]],
    **fields: object,
) -> dict[str, Any]:
    """Return a good request for a change of guardians, and its page.

    Args:
        data: what the module is called with, before older approvals are made worthless.
        first: other calls before those, each an address and its data; ``last``: after.
        shown: by name, text and value.
    """
    seconds, words, module = delay
    made = [*first, *((module, each) for each in (*data, FORGET)), *last]
    calls = [call(to, 0, each) for to, each in made]
    case = operation_case(calls=calls, call_data=batch_call_data(calls), sponsor="0x")
    case["request"]["change"] = {"kind": kind, "delay": seconds, **fields}
    named = {"change": ("What is changed", kind), "delay": (words, seconds), **shown}
    case["shown"] |= {
        name: {"text": text, "value": value} for name, (text, value) in named.items()
    }
    return case


def must_approve(threshold: int, count: int) -> dict[str, tuple[str, str]]:
    text = f"{threshold} of {count} guardians must approve"
    return {"guardian-threshold": (text, str(threshold))}


def named(name: str, *addresses: str) -> dict[str, tuple[str, str]]:
    return {
        f"{name}-{place}": (address, "") for place, address in enumerate(addresses, 1)
    }


def guardian_requests() -> dict[str, Any]:
    """Return a case of each change of guardians, at modules of each delay."""
    enable = (SAFE, function_call("enableModule(address)", WEEK[2]))
    enable_again = (SAFE, function_call("enableModule(address)", MINUTES[2]))
    disable = function_call("disableModule(address,address)", EVE, WEEK[2])
    begun = {"cancels-recovery": ("The recovery that has begun is cancelled.", "yes")}
    return {
        "recovery": guardian_case(
            "set-up-recovery",
            WEEK,
            *(add(ANN, 1), add(BEN, 2), add(CAT, 2)),
            first=[enable],
            shown=named("guardian", ANN, BEN, CAT) | must_approve(2, 3),
            **{"cancels": "no", "enables": "yes", "before": []},
            guardians=[ANN, BEN, CAT],
            threshold="2",
        ),
        "recovery anew": guardian_case(
            "set-up-recovery",
            MINUTES,
            *(revoke(SENTINEL, DAN, 1), revoke(SENTINEL, ANN, 0), add(ANN, 1)),
            first=[(MINUTES[2], CANCEL), enable_again],
            shown=named("guardian", ANN)
            | named("revoked", DAN, ANN)
            | must_approve(1, 1)
            | begun,
            **{"cancels": "yes", "enables": "yes", "before": [DAN, ANN]},
            guardians=[ANN],
            threshold="1",
        ),
        "recovery of an enabled module": guardian_case(
            "set-up-recovery",
            WEEKS,
            add(ANN, 1),
            shown=named("guardian", ANN) | must_approve(1, 1),
            **{"cancels": "no", "enables": "no", "before": []},
            guardians=[ANN],
            threshold="1",
        ),
        "guardian": guardian_case(
            "add-guardian",
            DAYS,
            add(DAN, 2),
            shown=named("guardian", DAN) | must_approve(2, 4),
            **{"cancels": "no", "before": [ANN, BEN, CAT], "guardians": [DAN]},
            threshold="2",
        ),
        "revocation": guardian_case(
            "revoke-guardian",
            WEEK,
            revoke(ANN, BEN, 1),
            first=[(WEEK[2], CANCEL)],
            shown={"removed": (BEN, "")} | must_approve(1, 2) | begun,
            **{"cancels": "yes", "before": [ANN, BEN, CAT], "removed": BEN},
            threshold="1",
        ),
        "revocation of the first": guardian_case(
            "revoke-guardian",
            WEEK,
            revoke(SENTINEL, ANN, 1),
            shown={"removed": (ANN, "")} | must_approve(1, 1),
            **{"cancels": "no", "before": [ANN, BEN], "removed": ANN},
            threshold="1",
        ),
        "agreement": guardian_case(
            "change-guardians",
            WEEK,
            function_call("changeThreshold(uint256)", 3),
            shown=must_approve(3, 3),
            **{"cancels": "no", "before": [ANN, BEN, CAT], "threshold": "3"},
        ),
        "stop": guardian_case("cancel-recovery", WEEK, CANCEL, shown={}),
        "end of recovery": guardian_case(
            "remove-recovery",
            WEEK,
            *(revoke(SENTINEL, ANN, 1), revoke(SENTINEL, BEN, 0)),
            last=[(SAFE, disable)],
            shown=named("revoked", ANN, BEN),
            **{"cancels": "no", "before": [ANN, BEN], "previous": EVE},
        ),
    }
