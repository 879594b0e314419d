"""Preparing a draft: nonce, gas, who pays, how long it holds, and what is signed.

Two requests in all: one batch to the node, one estimate from the bundler. A paymaster
service adds its own, and one to the node to check what it answered.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from django.db import IntegrityError

from onchain.clients.bundler import Bundler
from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.clients.node_types import AccountSnapshot
from onchain.clients.paymaster import PaymasterService
from onchain.models import Unsponsored, UserOperation
from onchain.models.operation_states import Status
from onchain.protocol.types import Address
from onchain.protocol.user_operation import UserOperationV07
from onchain.protocol.validation import gas_limit_total
from onchain.services import (
    barriers,
    guardian_checks,
    intents,
    journal,
    operation_columns,
    proposal_periods,
    set_up,
    sponsor_limits,
    sponsorship,
)
from onchain.services.lanes import Lane, choose_lane, lane_keys
from onchain.services.paymaster_services import ServiceSponsor
from onchain.services.sponsorship import Sponsor, SponsorFailed

logger = logging.getLogger(__name__)

SPONSOR_CODES = "AA3"  # the EntryPoint's codes about paymasters begin so
SELF_PAID_SECONDS = 900  # life of one that its only signer pays for (R20, R65)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A draft, what it depends on, and where to ask for gas."""

    op: UserOperation
    snapshot: AccountSnapshot
    lane: Lane
    bundler: Bundler

    def valid_until(self, *, alone: int) -> int:
        life = proposal_periods.life_seconds(self.op, alone=alone)
        return self.snapshot.head_timestamp + life

    def bare(self, *, is_sponsored: bool) -> UserOperationV07:
        return operation_columns.bare(
            self.op, self.snapshot, self.lane, is_sponsored=is_sponsored
        )

    def estimated(self, draft: UserOperationV07) -> UserOperationV07:
        return operation_columns.estimated(self.op, draft, self.lane, self.bundler)


def prepare(
    *,
    op: UserOperation,
    node: Node,
    bundler: Bundler,
    sponsor_key: str,
    paymaster_service: PaymasterService | None = None,
) -> None:
    """Turn a DRAFT into an operation that can be reviewed and signed.

    Safe to run twice: nothing leaves this site, and the row moves by one conditional
    UPDATE. A draft that cannot work becomes REJECTED and says why. The sponsor is the
    paymaster service where there is one, else the operator's own paymaster.

    Raises:
        TransientClientError: node or bundler is out of reach, or another payment
            took the nonce meanwhile; the row is unchanged.
    """
    if op.status != Status.DRAFT:
        logger.info("prepare skipped: %s is %s", op, op.status)
        return
    if not op.safe.is_live and not op.safe.deploys_itself:
        raise TransientClientError("the account is not live yet")
    op.installs_signer = set_up.is_needed(op.safe)
    try:
        _refuse_what_changed(op)
        _refuse_nobody(op, node)
        guardian_checks.refuse_what_differs(op, node)
        snapshot = node.account_snapshot(Address(op.safe.address), lane_keys(op))
        lane = choose_lane(op, snapshot)
        if op.value_wei > snapshot.balance_wei:
            raise ClientError("insufficient-balance")
        work = _Work(op=op, snapshot=snapshot, lane=lane, bundler=bundler)
        if paymaster_service is None:
            sponsor = sponsorship.own(chain=op.safe.chain, private_key=sponsor_key)
            _price(work, sponsor)
        else:
            _price(work, _service_sponsor(work, paymaster_service, node))
    except ClientError as error:
        logger.info("operation %s cannot be prepared: %s", op.pk, error.code)
        UserOperation.objects.transition(
            op.pk,
            source=Status.DRAFT,
            target=Status.REJECTED,
            failure_code=error.code[:40],
            failure_detail=error.detail,
        )
    except IntegrityError:
        raise TransientClientError("another payment took the nonce") from None


def _refuse_what_changed(op: UserOperation) -> None:
    """Compare the row with what it stands for before anything is made of it (R28).

    Raises:
        ClientError: a key or an address was changed, or it would do nothing any more,
            or nothing of the account can go through.
    """
    if barriers.stand_in_way(op.safe):
        raise ClientError("account-blocked")
    if code := intents.voided(op):
        raise ClientError(code)
    try:
        intents.calls_of(op)
        set_up.factory_of(op.safe)
    except ValueError:
        logger.critical("operation %s was tampered with: intent-mismatch", op.pk)
        journal.note(actor=None, action="intent-mismatch", target=str(op))
        raise ClientError("intent-mismatch") from None
    if code := intents.overtaken(op):
        raise ClientError(code)


def _refuse_nobody(op: UserOperation, node: Node) -> None:
    """Hold that only a contract becomes an owner without having proven itself.

    A mistyped address has no code, and could never approve anything.

    Raises:
        ClientError: there is no contract at the address.
    """
    if op.new_signer is None or not op.is_proof_waived:
        return
    (code,) = node.codes([Address(op.new_signer)], "latest")
    if not code:
        raise ClientError("no-contract-there")


def _service_sponsor(
    work: _Work, service: PaymasterService, node: Node
) -> ServiceSponsor:
    return ServiceSponsor(
        service=service,
        node=node,
        chain=work.op.safe.chain,
        head_timestamp=work.snapshot.head_timestamp,
    )


def _price(work: _Work, sponsor: Sponsor | None) -> None:
    """Try sponsored first, then paid by the account, which is told why."""
    reason = None
    # Whoever chose to pay for setting the account up pays for that.
    if sponsor is not None and not work.op.safe.deploys_itself:
        reason = _store_sponsored(work, sponsor)
        if reason is None:
            return
    draft = work.estimated(work.bare(is_sponsored=False))
    cost = gas_limit_total(draft) * draft.max_fee_per_gas
    if work.op.value_wei + cost > work.snapshot.balance_wei:
        if reason is not None:
            rows = UserOperation.objects.filter(pk=work.op.pk, status=Status.DRAFT)
            rows.update(unsponsored_reason=reason)
        raise ClientError("insufficient-balance-for-fee", str(cost))
    valid_until = work.valid_until(alone=SELF_PAID_SECONDS)
    UserOperation.objects.transition(
        work.op.pk,
        source=Status.DRAFT,
        target=Status.AWAITING_SIGNATURES,
        unsponsored_reason="" if reason is None else reason,
        **operation_columns.columns(work.op, draft, valid_until=valid_until),
    )


def _store_sponsored(work: _Work, sponsor: Sponsor) -> Unsponsored | None:
    """Prepare the operation with the sponsor paying, or return why it does not.

    A sponsor whose deposit is empty or whose contract refuses (AA3x) is no reason not
    to pay: the account can do it itself.
    """
    before = work.op.predecessor
    if before is not None and before.failure_code.startswith(SPONSOR_CODES):
        return Unsponsored.UNUSABLE
    valid_until = work.valid_until(alone=sponsorship.SPONSORED_SECONDS)
    # Asked with a cost of nothing, before anybody else is asked anything.
    if reason := sponsor_limits.refusal(
        request=_request(work.op, None, valid_until, sponsor)
    ):
        return reason
    try:
        bare = work.bare(is_sponsored=True)
        draft = work.estimated(replace(bare, paymaster=sponsor.offer(op=bare)))
        # A service is not asked to sign for what our limits refuse.
        if sponsor.watched is None and (
            reason := sponsor_limits.refusal(
                request=_request(work.op, draft, valid_until, sponsor)
            )
        ):
            return reason
        grant = sponsor.grant(op=draft, valid_until=valid_until)
    except SponsorFailed as error:
        return error.reason
    except ClientError as error:
        if not error.code.startswith(SPONSOR_CODES):
            raise
        logger.error("the sponsor cannot pay: %s", error.code)
        return Unsponsored.UNUSABLE
    draft = replace(draft, paymaster=grant.paymaster)
    request = _request(work.op, draft, grant.valid_until, sponsor)
    return sponsor_limits.reserve(
        request=replace(request, sponsor_name=grant.name),
        fields=operation_columns.columns(work.op, draft, valid_until=grant.valid_until),
    )


def _request(
    op: UserOperation,
    draft: UserOperationV07 | None,
    valid_until: int,
    sponsor: Sponsor,
) -> sponsor_limits.Request:
    gas = 0 if draft is None else gas_limit_total(draft)
    return sponsor_limits.Request(
        op=op,
        gas=gas,
        wei=0 if draft is None else gas * draft.max_fee_per_gas,
        valid_until=valid_until,
        watched=sponsor.watched,
    )
