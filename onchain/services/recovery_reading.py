"""Where a claim to recover an account stands, by the chain's own word.

One read of one block says all of it; events are not needed, and nobody is trusted: a
recovery may be started, cancelled, replaced or finished by anybody, anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.models import AccountClaim
from onchain.protocol.deployments import MULTICALL3
from onchain.protocol.errors import EncodingError
from onchain.protocol.recovery_owners import simulation_data, would_replace
from onchain.protocol.recovery_state import RecoveryState, decode_state, state_data
from onchain.protocol.types import Address

Status = AccountClaim.Status
BEGUN = {Status.WAITING, Status.FINALIZING, Status.DONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the chain says of a claim: a state, and the code where it stops."""

    status: str
    code: str = ""


ASKING = Verdict(status=Status.COLLECTING)


def state_of(*, row: AccountClaim, node: Node) -> RecoveryState:
    """Return the account and its module at the newest block.

    Raises:
        EncodingError: the account or the module does not answer as one.
        TransientClientError: the node is out of reach.
    """
    guardians = row.guardian_list
    data = state_data(row.recovery, guardians=guardians)
    try:
        answer = node.call(MULTICALL3, data)
    except ClientError as error:
        raise TransientClientError(error.code) from error
    return decode_state(answer, guardians=guardians)


def would_finish(*, row: AccountClaim, state: RecoveryState, node: Node) -> bool:
    """Whether the account would take the new owners from the module now.

    Raises:
        TransientClientError: the node is out of reach.
    """
    data = simulation_data(row.recovery, owners=state.owners)
    try:
        answer = node.call(Address(row.safe.address), data, sender=Address(row.module))
        return would_replace(answer)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise TransientClientError(error.code) from error
        return False
    except EncodingError:
        return False


def verdict(*, row: AccountClaim, state: RecoveryState) -> Verdict:
    """Return where a claim whose nonce is known stands.

    Raises:
        TransientClientError: the node is behind what was read before.
    """
    if row.nonce is None or state.nonce < row.nonce:
        raise TransientClientError("the node is behind")
    if state.nonce > row.nonce and state.is_requested(row.recovery):
        return _unfinished(row, state) or Verdict(status=Status.WAITING)
    if state.is_owned_by(row.recovery) and state.request is None:
        return Verdict(status=Status.DONE)
    if state.nonce > row.nonce:
        return Verdict(status=Status.STOPPED, code=_why_moved(row, state))
    return _unfinished(row, state) or ASKING


def needed(state: RecoveryState) -> int:
    """Return how many guardians must approve: a request gives way to more only."""
    least = 0 if state.request is None else state.request.approvals + 1
    return max(state.guardian_threshold, least)


def _unfinished(row: AccountClaim, state: RecoveryState) -> Verdict | None:
    """Return why the recovery can come to no end, None where it can."""
    code = ""
    if not state.is_enabled:
        code = "module-disabled"
    elif set(state.guardians) & set(row.new_owner_list):
        code = "owner-guards"
    elif state.nonce == row.nonce and state.guardian_threshold == 0:
        code = "no-guardians"
    elif state.nonce == row.nonce and needed(state) > len(state.guardians):
        code = "cannot-outvote"
    return Verdict(status=Status.STOPPED, code=code) if code else None


def _why_moved(row: AccountClaim, state: RecoveryState) -> str:
    """Return what became of the nonce that guardians signed."""
    if state.request is not None:
        return "replaced" if row.status in BEGUN else "another-recovery"
    return "cancelled" if _was_begun(row) else "nonce-moved"


def _was_begun(row: AccountClaim) -> bool:
    sent = row.relayer_transactions.filter(purpose="recover", status="mined")
    return row.status in BEGUN or sent.exists()
