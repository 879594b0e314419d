"""A node's answers about recovery with guardians: what the modules say of accounts.

Source: the interface in ``onchain.protocol.recovery_reads``. The module's code is
known, the account's is its owner's: the account is asked apart, so that one which does
not answer hides nothing of what the module says. A list that is too long to be read for
the gas of a read counts as not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from onchain.clients.json_rpc import RpcError
from onchain.clients.node_isolation import IsolatedReads, read_call
from onchain.clients.node_types import parse_data
from onchain.protocol.abi import call_data
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery_reads import (
    GET_GUARDIANS,
    GET_RECOVERY_REQUEST,
    GUARDIAN_THRESHOLD,
    IS_MODULE_ENABLED,
    RECOVERY_NONCE,
    RecoveryRequest,
    decode_flag,
    decode_guardians,
    decode_number,
    decode_request,
)
from onchain.protocol.types import Address, Bytes32

Found = TypeVar("Found")
QUESTIONS = (GET_GUARDIANS, GUARDIAN_THRESHOLD, RECOVERY_NONCE, GET_RECOVERY_REQUEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRecord:
    """What a block has of one account at one module; None where nobody answered."""

    is_enabled: bool
    guardians: Sequence[Address] | None
    threshold: int | None
    nonce: int | None
    request: RecoveryRequest | None  # None: nothing is pending, or it was not told
    tells_request: bool


@dataclass(frozen=True, slots=True)
class RecoveryReads(IsolatedReads):
    """What is asked about recovery with guardians."""

    def recovery_records(
        self, pairs: Sequence[tuple[Address, Address]], block_hash: Bytes32
    ) -> list[RecoveryRecord]:
        """Return what each (account, module) has at a block, in one request.

        Raises:
            TransientClientError: the node does not know the block, or not its state.
        """
        block = {"blockHash": f"0x{block_hash.hex()}"}
        groups = []
        for account, module in pairs:
            groups += [
                [read_call(module, call_data(each, account), block)]
                for each in QUESTIONS
            ]
            enabled = call_data(IS_MODULE_ENABLED, module)
            groups.append([read_call(account, enabled, block)])
        answers = [answer for (answer,) in self._each(groups, block)]
        step = len(QUESTIONS) + 1
        return [
            _record(answers[first : first + step])
            for first in range(0, len(answers), step)
        ]


def _record(answers: Sequence[object]) -> RecoveryRecord:
    guardians, threshold, nonce, request, enabled = answers
    try:
        pending = decode_request(_returned(request))
        tells_request = True
    except EncodingError:
        pending, tells_request = None, False
    return RecoveryRecord(
        is_enabled=_read(decode_flag, enabled) is True,
        guardians=_read(decode_guardians, guardians),
        threshold=_read(decode_number, threshold),
        nonce=_read(decode_number, nonce),
        request=pending,
        tells_request=tells_request,
    )


def _read(decode: Callable[[bytes], Found], answer: object) -> Found | None:
    try:
        return decode(_returned(answer))
    except EncodingError:  # no code there, of something else, or too long to be read
        return None


def _returned(answer: object) -> bytes:
    """Return what a contract answered, nothing where it did not."""
    return b"" if isinstance(answer, RpcError) else parse_data(answer)
