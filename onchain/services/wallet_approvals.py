"""Taking a wallet's signature of an operation.

A plain wallet's is recovered at once and compared with the owner. A contract's waits
for a worker, who asks it by eth_call what the account will ask it (EIP-1271).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from onchain.clients.node import Node
from onchain.errors import AnotherAccountSigned, NotAwaitingSignature, SignatureRefused
from onchain.models import OperationSignature, Owner, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.errors import EncodingError
from onchain.protocol.safe_operation import safe_operation_data
from onchain.protocol.types import Address, Bytes32
from onchain.protocol.wallet_signature import parse_account_signature, recovered_signer
from onchain.services import (
    authorization,
    contract_signatures,
    kept_signatures,
    signatories,
)
from onchain.services.signatories import Signatories

logger = logging.getLogger(__name__)

MAX_SIGNATURE = 4_096  # bytes of a contract's answer


class State(StrEnum):
    """How far one wallet is with one operation."""

    ASKED = "asked"
    CHECKING = "checking"  # a contract's answer, which a worker asks about
    SIGNED = "signed"
    REFUSED = "refused"  # by the contract; it may be asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletState:
    """One of a person's wallets among the owners, for the page."""

    owner: Owner
    state: State

    @property
    def may_sign(self) -> bool:
        """Whether its signature is wanted."""
        return self.state in {State.ASKED, State.REFUSED}

    @property
    def is_checking(self) -> bool:
        """Whether a worker asks a contract about it."""
        return self.state == State.CHECKING


def states(*, known: Signatories, user: User) -> list[WalletState]:
    """Return the person's wallets among the owners, and how far each is."""
    newest = {row.owner_id: row for row in known.signatures}
    return [
        WalletState(owner=owner, state=_state(newest.get(owner.pk)))
        for owner in known.own(user)
        if owner.credential is None
    ]


def _state(row: OperationSignature | None) -> State:
    if row is None or (row.voided_at is not None and row.is_checked):
        return State.ASKED
    if row.voided_at is not None:
        return State.REFUSED
    return State.SIGNED if row.is_checked else State.CHECKING


def sign(
    *, op: UserOperation, user: User, account: Address, signature: bytes
) -> OperationSignature:
    """Take the signature of one of the person's wallets over the SafeOp hash.

    Safe to repeat: a second signature of the same owner changes nothing.

    Args:
        account: which of its accounts the browser wallet says it used.

    Raises:
        AnotherAccountSigned: with both addresses; the rows are unchanged.
        SignatureRefused: the answer authorises nothing; the rows are unchanged.
        OperationExpired: too late; the operation is EXPIRED now.
        NotAwaitingSignature: it was withdrawn or ended elsewhere.
    """
    owner = _owner(op, user, account)
    before = op.signatures.filter(owner=owner, voided_at=None).first()
    if before is not None and bytes(before.signature) == _normal(owner, signature):
        return before
    authorization.refuse_unless_awaiting(op)
    signature = _normal(owner, signature)
    digest = authorization.challenge_of(op)
    is_plain = owner.kind == Owner.Kind.WALLET
    if is_plain:
        _refuse_another(owner, digest, signature)
    return kept_signatures.keep(
        op=op, owner=owner, signature=signature, is_checked=is_plain
    )


def _owner(op: UserOperation, user: User, account: Address) -> Owner:
    """Return which owner of the person answered.

    Raises:
        SignatureRefused: none of them.
    """
    wallets = signatories.own_wallets(safe=op.safe, user=user)
    if not wallets:
        raise SignatureRefused("No wallet of yours is an owner of this account.")
    for owner in wallets:
        if owner.address == account:
            return owner
    raise AnotherAccountSigned.instead_of(Address(wallets[0].address), account)


def _normal(owner: Owner, signature: bytes) -> bytes:
    """Return the signature as the account reads it.

    Raises:
        SignatureRefused: not what such an owner signs with.
    """
    if owner.kind != Owner.Kind.WALLET and 0 < len(signature) <= MAX_SIGNATURE:
        return signature
    try:
        return parse_account_signature(signature)
    except EncodingError as error:
        raise SignatureRefused(
            "Your wallet's answer is no signature that the account takes. "
            "Nothing was sent."
        ) from error


def _refuse_another(owner: Owner, digest: Bytes32, signature: bytes) -> None:
    try:
        signer = recovered_signer(digest, signature)
    except EncodingError as error:
        raise SignatureRefused from error
    if signer != owner.address:
        raise AnotherAccountSigned.instead_of(Address(owner.address), signer)


def check(*, signature: OperationSignature, node: Node) -> None:
    """Ask a contract about the answer that was stored; let it count, or void it.

    Safe to repeat. A revert is a no, as it would be on chain.

    Raises:
        TransientClientError: the node is out of reach; the row is unchanged.
    """
    op = signature.operation
    if signature.is_checked or signature.voided_at is not None:
        return
    authorization.challenge_of(op)  # the row is what was prepared
    is_valid = contract_signatures.accepts(
        node=node,
        contract=Address(signature.owner.address),
        messages=[
            safe_operation_data(
                op.to_protocol(),
                chain_id=op.safe.chain.chain_id,
                valid_after=op.valid_after or 0,
                valid_until=op.valid_until or 0,
            )
        ],
        signature=bytes(signature.signature),
    )
    if is_valid:
        _let_count(signature)
    else:
        rows = OperationSignature.objects.filter(pk=signature.pk, is_checked=False)
        rows.update(voided_at=timezone.now())
    logger.info("contract's signature %s is valid: %s", signature.pk, is_valid)


def _let_count(signature: OperationSignature) -> None:
    op = signature.operation
    waiting = OperationSignature.objects.filter(pk=signature.pk, is_checked=False)
    with transaction.atomic():
        if waiting.update(is_checked=True) and op.status == Status.AWAITING_SIGNATURES:
            try:
                kept_signatures.count(op)
            except NotAwaitingSignature:
                logger.info("operation %s was withdrawn meanwhile", op.pk)
