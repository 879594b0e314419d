"""A stand-in of Safe's Allowance module, of which no package has the code.

It answers the real questions in the real encoding, from storage that the test fills in,
and says that something was set for whoever calls it with anything else. It spends and
checks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from onchain.protocol.abi import encode, keccak
from onchain.protocol.allowances import (
    ALLOWANCE_EVENTS,
    ALLOWANCE_MODULES,
    ETHER,
    Allowance,
    allowance_data,
    delegates_data,
    tokens_data,
)
from onchain.protocol.types import Address, to_hex
from onchain.services.local_chain import LocalChain

MODULE = ALLOWANCE_MODULES[0]
SET_ALLOWANCE = ALLOWANCE_EVENTS[2]
TOKEN = Address(b"\x70" * 20)
DELEGATE = Address(b"\xde" * 20)
# keccak(calldata) is the place of the answer's length in words, and of its words.
CODE = bytes.fromhex(
    "36600060003736600020"  # the place of the answer to this call data
    + "805480603857"  # its length; if it has one, go on at 0x38
    + f"337f{SET_ALLOWANCE.hex()}60006000a200"  # log2 SetAllowance(caller); stop
    + "5b6000"  # 0x38: from the first word
    + "5b81811015605557"  # 0x3b: until the last, else go on at 0x55
    + "82810160010154"
    + "8160051b52"  # its word into memory
    + "600101603b56"  # the next one
    + "5b5060051b6000f3"  # 0x55: all of them
)
ONCE = Allowance(
    module=MODULE, delegate=DELEGATE, token=ETHER, amount=5, spent=2, reset_minutes=0
)


def fill_in(
    local: LocalChain,
    account: Address,
    *,
    delegates: Sequence[Address],
    following: int = 0,
    tokens: dict[Address, list[Address]],
    amounts: Sequence[Allowance],
) -> None:
    """Let the stand-in say this of an account."""
    local.anvil.set_code(MODULE, CODE)
    answers = {
        delegates_data(account): encode(
            ["address[]", "uint48"], [list(delegates), following]
        )
    }
    for delegate, each in tokens.items():
        answers[tokens_data(account, delegate)] = encode(["address[]"], [each])
    for item in amounts:
        words = [item.amount, item.spent, item.reset_minutes, 7, 1]
        asked = allowance_data(account, item.delegate, item.token)
        answers[asked] = encode(["uint256[5]"], [words])
    for asked, answer in answers.items():
        store(local, asked, answer)


def store(local: LocalChain, asked: bytes, answer: bytes) -> None:
    place = int.from_bytes(keccak(asked), "big")
    words = [answer[at : at + 32] for at in range(0, len(answer), 32)]
    for at, word in enumerate([len(words).to_bytes(32, "big"), *words]):
        _write(local, place + at, word)


def never_answer(local: LocalChain, asked: bytes) -> None:
    """Let an answer be longer than a read can pay for."""
    _write(local, int.from_bytes(keccak(asked), "big"), (2**40).to_bytes(32, "big"))


def _write(local: LocalChain, slot: int, word: bytes) -> None:
    local.anvil.rpc.call("anvil_setStorageAt", to_hex(MODULE), hex(slot), to_hex(word))
