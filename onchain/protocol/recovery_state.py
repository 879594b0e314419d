"""What a recovery depends on, asked of one block in one call.

Sources: Multicall3, https://www.multicall3.com, whose ``aggregate3`` an ``eth_call``
may use as well; the recovery module's views and a Safe's own (1.4.1). All answers are
of the same block, so that they cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onchain.protocol import recovery_reads
from onchain.protocol.abi import call_data, decode
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.errors import EncodingError
from onchain.protocol.multisend import aggregate3_data
from onchain.protocol.owners import (
    GET_OWNERS,
    GET_THRESHOLD,
    decode_owners,
    decode_threshold,
)
from onchain.protocol.recovery import Recovery
from onchain.protocol.types import Address, Call

IS_MODULE_ENABLED = "isModuleEnabled(address)"
TIMESTAMP = "getCurrentBlockTimestamp()"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryState:
    """An account and its recovery module at one block."""

    timestamp: int  # seconds
    owners: Sequence[Address]
    threshold: int
    is_enabled: bool
    guardians: Sequence[Address]
    guardian_threshold: int
    nonce: int
    request: recovery_reads.RecoveryRequest | None
    approved: Sequence[Address]  # of those asked about: for this recovery, this nonce

    def is_owned_by(self, recovery: Recovery) -> bool:
        """Whether the account has just the owners that the recovery gives it."""
        same = set(self.owners) == set(recovery.new_owners)
        return same and self.threshold == recovery.new_threshold

    def is_requested(self, recovery: Recovery) -> bool:
        """Whether the request that waits is this recovery."""
        request = self.request
        return (
            request is not None
            and list(request.new_owners) == list(recovery.new_owners)
            and request.new_threshold == recovery.new_threshold
        )


def state_data(recovery: Recovery, *, guardians: Sequence[Address]) -> bytes:
    """Return the call data with which Multicall3 answers all of it.

    Args:
        guardians: who is asked about whether they approved.
    """
    account, module = recovery.account, recovery.module
    calls = [
        _ask(MULTICALL3, TIMESTAMP),
        _ask(account, GET_OWNERS),
        _ask(account, GET_THRESHOLD),
        _ask(account, IS_MODULE_ENABLED, module),
        _ask(module, recovery_reads.GET_GUARDIANS, account),
        _ask(module, recovery_reads.GUARDIAN_THRESHOLD, account),
        _ask(module, recovery_reads.RECOVERY_NONCE, account),
        _ask(module, recovery_reads.GET_RECOVERY_REQUEST, account),
    ]
    members = (list(recovery.new_owners), recovery.new_threshold)
    calls += [
        _ask(module, recovery_reads.HAS_GUARDIAN_APPROVED, account, guardian, *members)
        for guardian in guardians
    ]
    return aggregate3_data(calls, allow_failure=True)


def decode_state(data: bytes, *, guardians: Sequence[Address]) -> RecoveryState:
    """Return what Multicall3 answered to ``state_data`` of the same guardians.

    Raises:
        EncodingError: the account is no Safe, or the module is no recovery module.
    """
    (results,) = decode(["(bool,bytes)[]"], data)
    if len(results) != 8 + len(guardians) or not all(done for done, _ in results):
        raise EncodingError("the account or the module does not answer")
    stamp, owners, threshold, enabled, listed, needed, nonce, request, *approved = (
        answer for _done, answer in results
    )
    return RecoveryState(
        timestamp=recovery_reads.decode_number(stamp),
        owners=decode_owners(owners),
        threshold=decode_threshold(threshold),
        is_enabled=recovery_reads.decode_flag(enabled),
        guardians=recovery_reads.decode_guardians(listed),
        guardian_threshold=recovery_reads.decode_number(needed),
        nonce=recovery_reads.decode_number(nonce),
        request=recovery_reads.decode_request(request),
        approved=[
            guardian
            for guardian, answer in zip(guardians, approved, strict=True)
            if recovery_reads.decode_flag(answer)
        ],
    )


def _ask(to: Address, signature: str, *values: object) -> Call:
    return Call(to=to, value_wei=0, data=call_data(signature, *values))
