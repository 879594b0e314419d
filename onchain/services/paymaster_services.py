"""A paymaster service as the sponsor, believed only as far as the chain agrees.

Its answer is capped, and the paymaster itself is asked whether it accepts exactly this
operation, before anybody is shown that somebody else pays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from onchain.clients.errors import ClientError, TransientClientError
from onchain.clients.node import Node
from onchain.clients.paymaster import PaymasterOffer, PaymasterService
from onchain.models import Chain, Unsponsored
from onchain.protocol.deployments import ENTRY_POINT
from onchain.protocol.errors import EncodingError
from onchain.protocol.paymaster import (
    PaymasterValidation,
    decode_paymaster_validation,
    validate_paymaster_user_op_data,
)
from onchain.protocol.user_operation import (
    Paymaster,
    UserOperationV07,
    user_operation_hash,
)
from onchain.protocol.validation import gas_limit_total
from onchain.services.sponsorship import Grant, SponsorFailed

logger = logging.getLogger(__name__)

GAS_CAP = 500_000  # for its check, and as much for what it does afterwards
LEAST_SECONDS = 120  # a shorter promise is over before the touch
Answer = TypeVar("Answer")


@dataclass(slots=True, kw_only=True)
class ServiceSponsor:
    """A paymaster service, asked about one operation."""

    service: PaymasterService
    node: Node
    chain: Chain
    head_timestamp: int  # seconds
    _offer: PaymasterOffer | None = None

    @property
    def watched(self) -> None:
        """None: the deposit is not ours."""

    def offer(self, *, op: UserOperationV07) -> Paymaster:
        """Return the service's stub.

        Raises:
            SponsorFailed: it declines, does not answer, or wants too much gas.
        """
        chain_id = self.chain.chain_id
        self._offer = _asked(lambda: self.service.stub(op, chain_id=chain_id))
        _require_gas_within_caps(self._offer.paymaster)
        return self._offer.paymaster

    def grant(self, *, op: UserOperationV07, valid_until: int) -> Grant:
        """Return the service's final answer, once the chain agrees with it.

        Raises:
            SponsorFailed: it declines or does not answer, or its paymaster does not
                accept the operation for long enough.
        """
        if self._offer is None or op.paymaster is None:
            raise ValueError("nothing was offered for this operation")
        paymaster = self._offer.paymaster
        if not self._offer.is_final:
            chain_id = self.chain.chain_id
            paymaster = _asked(lambda: self.service.data(op, chain_id=chain_id))
            _require_gas_within_caps(paymaster)
            # The gas for carrying its bytes was estimated with the stub's.
            if len(paymaster.data) > len(op.paymaster.data):
                raise _unusable("its data is longer than its stub")
        found = self._validation(replace(op, paymaster=paymaster))
        until = valid_until
        if found.valid_until is not None:
            until = min(until, found.valid_until)
        if found.valid_after > self.head_timestamp:
            raise _unusable("its promise begins later")
        if until < self.head_timestamp + LEAST_SECONDS:
            raise _unusable("its promise is over too soon")
        return Grant(
            paymaster=paymaster, valid_until=until, name=self._offer.sponsor_name
        )

    def _validation(self, op: UserOperationV07) -> PaymasterValidation:
        """Ask the paymaster as the EntryPoint will; no code there answers nothing."""
        if op.paymaster is None:
            raise ValueError("the operation has no paymaster")
        operation_hash = user_operation_hash(op, chain_id=self.chain.chain_id)
        max_cost_wei = gas_limit_total(op) * op.max_fee_per_gas
        data = validate_paymaster_user_op_data(
            op, operation_hash=operation_hash, max_cost_wei=max_cost_wei
        )
        try:
            answer = self.node.call(op.paymaster.address, data, sender=ENTRY_POINT)
            found = decode_paymaster_validation(answer)
        except ClientError as error:
            raise _unusable(str(error)) from None
        except EncodingError:
            raise _unusable("its paymaster is no paymaster") from None
        if not found.is_accepted:
            raise _unusable("its paymaster does not accept the signature")
        return found


def _asked(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except ClientError as error:
        logger.warning("the paymaster service declined: %s", error)
        raise SponsorFailed(Unsponsored.DECLINED) from None
    except TransientClientError as error:
        logger.error("the paymaster service does not answer: %s", error)
        raise SponsorFailed(Unsponsored.AWAY) from None


def _require_gas_within_caps(paymaster: Paymaster) -> None:
    limits = (paymaster.verification_gas_limit, paymaster.post_op_gas_limit)
    if max(limits) > GAS_CAP:
        raise _unusable("it wants more gas than is allowed")


def _unusable(why: str) -> SponsorFailed:
    logger.error("the paymaster service cannot be used: %s", why)
    return SponsorFailed(Unsponsored.UNUSABLE)
