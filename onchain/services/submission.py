"""Sending a signed operation on its way.

Its identity is the locally computed user operation hash. Everything is checked again
from the row before it leaves, and nothing the bundler says about inclusion is
believed: only the follower moves a row to INCLUDED (security.md R16, R19, R24, R46).
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from onchain.clients.errors import ClientError
from onchain.clients.node import Node
from onchain.models import UserOperation
from onchain.models.operation_states import Carrier, Status
from onchain.protocol.account_calls import decode_call_data
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.passkey_signature import SafeSignature, operation_signature
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.user_operation import (
    UserOperationV07,
    handle_ops_data,
    user_operation_hash,
)
from onchain.protocol.validation import signature_failed, validate_user_op_data
from onchain.services import (
    authorization,
    gas,
    handing_over,
    intents,
    journal,
    set_up,
)
from onchain.services.handing_over import Carriers

logger = logging.getLogger(__name__)

# Who asks the EntryPoint in an eth_call: an address without code, of nobody.
SOMEBODY = Address(b"\xe0" * 20)
ENTRY_POINT_CODE = re.compile(r"AA\d\d\b")


def claim(*, op: UserOperation) -> bool:
    """Note an attempt; False when another worker made one moments ago."""
    now = timezone.now()
    due = Q(attempted_at__isnull=True) | Q(attempted_at__lt=now - timedelta(seconds=2))
    rows = UserOperation.objects.filter(due, pk=op.pk, status=op.status)
    return rows.update(attempted_at=now) == 1


def submit(*, op: UserOperation, carriers: Carriers) -> None:
    """Hand a signed operation to whoever brings it into a block.

    Safe to run twice, and after dying at any line: the hash is fixed before any I/O,
    so a later attempt first asks whether the bundler already holds the operation. A
    SUBMITTED operation that is in no block yet goes to the next in turn, unchanged.

    Raises:
        TransientClientError: nobody is in reach; the row is unchanged.
    """
    if op.status not in (Status.SIGNED, Status.SUBMITTED):
        logger.info("submit skipped: %s is %s", op, op.status)
        return
    if op.safe.chain.problem or _is_too_late(op):
        return
    was_tried = op.attempted_at is not None
    if not claim(op=op):
        return
    try:
        signed = checked(op)
        carrier = _hand_over(op, signed, carriers, was_tried=was_tried)
    except ClientError as error:
        _reject(op, error)
        return
    if carrier is not None:
        handing_over.note(op=op, carrier=carrier)
        _mark_submitted(op)


def _hand_over(
    op: UserOperation, signed: UserOperationV07, carriers: Carriers, *, was_tried: bool
) -> Carrier | None:
    """Ask whose turn it is; a first attempt takes two requests, this check and that.

    Raises:
        ClientError: refused.
        TransientClientError: nobody is in reach.
    """
    if code := intents.overtaken(op):
        raise ClientError(code)
    if op.status == Status.SUBMITTED:
        return handing_over.carry_on(
            op=op, signed=signed, carriers=carriers, fell_out=not was_tried
        )
    # Fewer may have to sign by now than when it was prepared; owners, as rows, stay.
    if not gas.is_within_caps(op, signers=op.safe.owners.count()):
        raise ClientError("over-gas-caps")
    _ask_the_chain(op, signed, carriers.node)
    return handing_over.hand_over(
        op=op, signed=signed, carriers=carriers, is_first=not was_tried
    )


def checked(op: UserOperation) -> UserOperationV07:
    """Return the signed operation after comparing row, intent and hashes.

    Raises:
        ClientError: the row is not what was prepared and signed, or the invitation
            it is built from was accepted again or revoked.
    """
    if code := intents.voided(op):
        raise ClientError(code)
    try:
        difference = _difference(op)
    except ValueError:  # EncodingError is one
        difference = "hash-mismatch"
    if difference:
        logger.critical("operation %s was tampered with: %s", op.pk, difference)
        journal.note(actor=None, action=difference, target=str(op))
        raise ClientError(difference)
    return op.to_protocol(signature=_signature(op))


def _difference(op: UserOperation) -> str:
    """Return the code of what differs from the signed operation, or nothing.

    Raises:
        ValueError: a column has no encoding, or the SafeOp hash is another.
    """
    bare = op.to_protocol()
    chain_id = op.safe.chain.chain_id
    if user_operation_hash(bare, chain_id=chain_id) != op.user_operation_hash:
        return "hash-mismatch"
    authorization.challenge_of(op)
    try:
        intended = intents.calls_of(op)
    except intents.IntentChanged:
        return "intent-mismatch"
    if set_up.changed(op):
        return "intent-mismatch"
    return "" if decode_call_data(bare.call_data) == intended else "intent-mismatch"


def _signature(op: UserOperation) -> bytes:
    if op.valid_after is None or op.valid_until is None:
        raise ValueError(f"{op} has not been prepared")
    return operation_signature(
        valid_after=op.valid_after,
        valid_until=op.valid_until,
        signatures=[
            SafeSignature(
                owner=Address(item.owner.address),
                signature=bytes(item.signature),
                is_contract=item.owner.kind != item.owner.Kind.WALLET,
            )
            for item in op.signatures.counting().select_related("owner")
        ],
    )


def _is_too_late(op: UserOperation) -> bool:
    """Past its validity; the follower ends it once that is confirmed."""
    head = op.safe.chain.head_timestamp
    return head is not None and op.valid_until is not None and head > op.valid_until


def _hash_of(op: UserOperation) -> Bytes32:
    if op.user_operation_hash is None:
        raise ValueError(f"{op} has not been prepared")
    return op.user_operation_hash


def _ask_the_chain(op: UserOperation, signed: UserOperationV07, node: Node) -> None:
    """Let the account check the signature by eth_call, as the EntryPoint would.

    Raises:
        ClientError: ``AA24`` for a wrong signature, ``AA23`` when the check reverts;
            the node's own code when it would not answer.
    """
    if signed.factory is not None:
        _ask_about_new_account(signed, node)
        return
    data = validate_user_op_data(signed, operation_hash=_hash_of(op))
    try:
        answer = node.call(Address(op.safe.address), data, sender=ENTRY_POINT)
    except ClientError as error:
        if error.code != "execution-reverted":
            raise
        raise ClientError("AA23", error.detail) from error
    try:
        failed = signature_failed(answer)
    except EncodingError as error:
        raise ClientError("AA20", "the account has no code") from error
    if failed:
        raise ClientError("AA24", "the account does not accept the signature")


def _ask_about_new_account(signed: UserOperationV07, node: Node) -> None:
    """Let the EntryPoint try an operation that first makes its account.

    There is no account yet to ask. What the operation then does is not looked at.

    Raises:
        ClientError: the EntryPoint's own code (AA..); the node's when it would not
            answer.
    """
    data = handle_ops_data([signed], signed.sender)
    try:
        node.call(ENTRY_POINT, data, sender=SOMEBODY)
    except ClientError as error:
        code = ENTRY_POINT_CODE.match(error.detail)
        if error.code != "execution-reverted" or code is None:
            raise
        raise ClientError(code.group(), error.detail) from error


def _mark_submitted(op: UserOperation) -> None:
    if UserOperation.objects.transition(
        op.pk,
        source=Status.SIGNED,
        target=Status.SUBMITTED,
        submitted_at=timezone.now(),
        last_problem="",
    ):
        logger.info("operation %s submitted", op.pk)


def _reject(op: UserOperation, error: ClientError) -> None:
    """Only a SIGNED row is rejected: a submitted one may be in a bundle already."""
    if op.status != Status.SIGNED:
        logger.warning("resending operation %s: %s", op.pk, error.code)
        return
    logger.warning("operation %s rejected: %s", op.pk, error.code)
    UserOperation.objects.transition(
        op.pk,
        source=Status.SIGNED,
        target=Status.REJECTED,
        failure_code=error.code[:40],
        failure_detail=error.detail,
    )
