"""Who brings a signed operation into a block: bundlers in turn, then the relayer.

A bundler may be away, forget what it took, or say for ever that it has it (after a
reorg some do). So each has its turn, and at last this site's own relayer calls the
EntryPoint. All of them carry the same bytes with the same hash, which the EntryPoint
takes once, and none of them is believed: only the follower moves a row to INCLUDED.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import AccountSnapshot
from onchain.models import UserOperation
from onchain.models.operation_states import Carrier
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.user_operation import UserOperationV07
from onchain.services import relayed_operations

logger = logging.getLogger(__name__)

TURN_SECONDS = 15  # how long each carrier has to get an operation into a block
BUNDLERS = (Carrier.BUNDLER, Carrier.SECOND_BUNDLER)
# The EntryPoint's own words: every bundler would say the same.
ABOUT_THE_OPERATION = ("AA", "execution-reverted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """Everybody who can be asked, and the node that tells how the chain is."""

    node: Node
    bundlers: Sequence[Bundler]
    relayer: Address | None = None  # None: it carries no operations

    @property
    def named(self) -> dict[Carrier, Bundler]:
        """The bundlers by name, in the order they are tried."""
        return dict(zip(BUNDLERS, self.bundlers, strict=False))


def hand_over(
    *, op: UserOperation, signed: UserOperationV07, carriers: Carriers, is_first: bool
) -> Carrier:
    """Give a SIGNED operation to the first bundler that takes it; return which.

    Unless it is the first attempt, each is asked before whether it has it already.
    When nobody answers for two turns, the relayer takes it.

    Raises:
        ClientError: the operation is refused.
        TransientClientError: somebody does not answer, so nobody's refusal counts.
    """
    refusal: ClientError | None = None
    away: TransientClientError | None = None
    for carrier, bundler in carriers.named.items():
        try:
            if is_first or not bundler.knows(_hash_of(op)):
                _send(op, signed, bundler)
            return carrier
        except TransientClientError as error:
            away = away or error
        except ClientError as error:
            if away is None and error.code.startswith(ABOUT_THE_OPERATION):
                raise
            refusal = refusal or error
    if away is None:
        raise refusal or ClientError("bundler-refused", "no bundler is configured")
    if _has_waited(op, 2 * TURN_SECONDS) and carriers.relayer is not None:
        snapshot = _snapshot(op, carriers.node)
        if _relay(op, signed, carriers, snapshot):
            return Carrier.RELAYER
    raise away


def carry_on(
    *, op: UserOperation, signed: UserOperationV07, carriers: Carriers, fell_out: bool
) -> Carrier | None:
    """Give a SUBMITTED operation to whose turn it is; None: leave it where it is.

    Args:
        fell_out: a reorg took it back, so nobody gets another 15 seconds.

    Raises:
        ClientError: the one whose turn it was refuses it.
        TransientClientError: nobody answers; the operation is where it was.
    """
    if relayed_operations.is_under_way(op):
        return None
    snapshot = _snapshot(op, carriers.node)
    if not relayed_operations.is_next(op, snapshot):
        return None  # its nonce is used: the follower says by what
    untried = _untried(op, carriers)
    if untried:
        with suppress(ClientError, TransientClientError):
            return _offer(op, signed, carriers, untried)
    is_held = _is_held(op, carriers)
    is_old = _has_waited(op, 2 * TURN_SECONDS)
    if (is_old or fell_out and is_held) and _relay(op, signed, carriers, snapshot):
        return Carrier.RELAYER
    if is_held:
        return None
    return _offer(op, signed, carriers, list(carriers.named))


def _offer(
    op: UserOperation,
    signed: UserOperationV07,
    carriers: Carriers,
    names: Sequence[Carrier],
) -> Carrier:
    """Give it to the first of these bundlers that takes it; return which.

    Raises:
        ClientError: the last one refuses it.
        TransientClientError: the last one does not answer.
    """
    problem: ClientError | TransientClientError | None = None
    for name in names:
        try:
            _send(op, signed, carriers.named[name])
            return name
        except (ClientError, TransientClientError) as error:
            logger.warning("%s does not take operation %s: %s", name, op.pk, error)
            problem = error
    raise problem or TransientClientError("no bundler is configured")


def _is_held(op: UserOperation, carriers: Carriers) -> bool:
    """Whether a bundler says that it has the operation."""
    for bundler in carriers.bundlers:
        with suppress(ClientError, TransientClientError):
            if bundler.knows(_hash_of(op)):
                return True
    return False


def note(*, op: UserOperation, carrier: Carrier) -> None:
    """Write down who has it now."""
    UserOperation.objects.filter(pk=op.pk).update(
        carrier=carrier, handed_at=timezone.now()
    )
    logger.info("operation %s handed to: %s", op.pk, carrier)


def _untried(op: UserOperation, carriers: Carriers) -> list[Carrier]:
    """Return the bundlers whose turn comes after the one that has it.

    After the relayer it is the first one's turn again, which may have it already.
    """
    names = list(carriers.named)
    if op.carrier in names:
        return names[names.index(Carrier(op.carrier)) + 1 :]
    return []


def _has_waited(op: UserOperation, seconds: int) -> bool:
    since = op.submitted_at or op.signed_at
    limit = timezone.now() - timedelta(seconds=seconds)
    return since is not None and since <= limit


def _snapshot(op: UserOperation, node: Node) -> AccountSnapshot:
    keys = [] if op.nonce_key is None else [op.nonce_key]
    return node.account_snapshot(Address(op.safe.address), keys)


def _relay(
    op: UserOperation,
    signed: UserOperationV07,
    carriers: Carriers,
    snapshot: AccountSnapshot,
) -> bool:
    if carriers.relayer is None:
        return False
    return relayed_operations.queue(
        op=op,
        signed=signed,
        node=carriers.node,
        snapshot=snapshot,
        relayer=carriers.relayer,
    )


def _hash_of(op: UserOperation) -> Bytes32:
    if op.user_operation_hash is None:
        raise ValueError(f"{op} has not been prepared")
    return op.user_operation_hash


def _send(op: UserOperation, signed: UserOperationV07, bundler: Bundler) -> None:
    """Hand over the operation; one that the bundler knows already is no error.

    Raises:
        ClientError: refused.
        TransientClientError: no answer, or one about another operation (R24).
    """
    returned = bundler.send(signed)
    if returned is not None and returned != op.user_operation_hash:
        raise TransientClientError("the bundler answers with another hash")
