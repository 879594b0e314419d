"""A user operation: what a person meant, what was signed, what became of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Credential
from onchain.fields import AddressField, Bytes32Field, Uint256Field
from onchain.models.guardian_columns import GuardianColumns
from onchain.models.invitation import Invitation
from onchain.models.operation_kinds import Kind
from onchain.models.operation_states import (
    AWAITING_NETWORK,
    MOVES,
    OPEN,
    Carrier,
    Status,
    UserOperationQuerySet,
)
from onchain.models.safe import Safe
from onchain.models.unsponsored import Unsponsored
from onchain.protocol.user_operation import (
    Factory,
    Paymaster,
    UserOperationV07,
    join_nonce,
)
from onchain.protocol.validation import gas_limit_total


class UserOperation(GuardianColumns):
    """One user operation of one Safe.

    States: DRAFT (a worker prepares it) -> AWAITING_SIGNATURES (the review is open)
    -> SIGNED -> SUBMITTED -> INCLUDED or REVERTED. On the way: REJECTED (node or
    bundler says why), EXPIRED (confirmed head past ``valid_until``), WITHDRAWN (by
    a person, before all who must had signed: where somebody had, that is only this
    site's promise, R66), REPLACED (the nonce was used by another). A
    reorg takes INCLUDED and REVERTED back to SUBMITTED, and REPLACED to where it was;
    where another operation holds the nonce by now, to REPLACED. The EntryPoint's log
    has the last word, so every prepared one can still become INCLUDED or REVERTED.
    """

    Kind = Kind
    Status = Status

    MOVES = MOVES

    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="operations")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="operations"
    )
    predecessor = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="successors",
        help_text="the operation that this one was prepared again from",
    )
    idempotency_key = models.UUIDField()

    kind = models.CharField(max_length=24, choices=Kind, default=Kind.PAYMENT)
    recipient = AddressField(help_text="of a payment; else the account itself")
    value_wei = Uint256Field()
    new_credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        null=True,
        related_name="additions",
        help_text="the passkey that becomes an owner",
    )
    new_signer = AddressField(
        null=True,
        help_text="the new owner: a passkey's signer proxy, a wallet or a contract",
    )
    new_threshold = models.PositiveSmallIntegerField(null=True)
    threshold_before = models.PositiveSmallIntegerField(
        null=True, help_text="how many had to approve when this was asked for"
    )
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.PROTECT,
        null=True,
        related_name="operations",
        help_text="whose accepted key becomes an owner",
    )
    removed = AddressField(null=True, help_text="the owner or the module that goes")
    previous = AddressField(
        null=True, help_text="what stands before that in the account's linked list"
    )
    is_proof_waived = models.BooleanField(
        default=False, help_text="somebody took it on them that the new owner can sign"
    )
    cancels = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="cancellations",
        help_text="the operation whose nonce this one uses up, doing nothing",
    )
    period_seconds = models.PositiveIntegerField(
        null=True, help_text="how long several people may sign it; empty: one signs"
    )

    nonce_key = Uint256Field(null=True, help_text="uint192, the lane")
    nonce_sequence = models.PositiveBigIntegerField(null=True)
    installs_signer = models.BooleanField(
        default=False,
        help_text="its calls begin with the passkey's own signer in the place of the "
        "shared one",
    )
    factory = AddressField(null=True, help_text="empty: the account is on chain")
    factory_data = models.BinaryField(null=True)
    call_data = models.BinaryField(null=True)
    call_gas_limit = models.PositiveBigIntegerField(null=True)
    verification_gas_limit = models.PositiveBigIntegerField(null=True)
    pre_verification_gas = models.PositiveBigIntegerField(null=True)
    max_fee_per_gas = Uint256Field(null=True, help_text="wei per gas")
    max_priority_fee_per_gas = Uint256Field(null=True, help_text="wei per gas")
    paymaster = AddressField(null=True, help_text="empty: the account pays")
    paymaster_verification_gas_limit = models.PositiveBigIntegerField(null=True)
    paymaster_post_op_gas_limit = models.PositiveBigIntegerField(null=True)
    paymaster_data = models.BinaryField(null=True)
    unsponsored_reason = models.CharField(
        max_length=16,
        choices=Unsponsored,
        blank=True,
        help_text="why the account pays, where there is a sponsor",
    )
    valid_after = models.PositiveBigIntegerField(null=True, help_text="seconds")
    valid_until = models.PositiveBigIntegerField(null=True, help_text="seconds")
    user_operation_hash = Bytes32Field(null=True, unique=True)
    safe_operation_hash = Bytes32Field(null=True)

    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_detail = models.CharField(max_length=500, blank=True)
    last_problem = models.CharField(
        max_length=200, blank=True, help_text="why the worker is still trying"
    )
    carrier = models.CharField(
        max_length=8, blank=True, choices=Carrier, help_text="who has it to bring it on"
    )
    transaction_hash = Bytes32Field(null=True)
    block_number = models.PositiveBigIntegerField(null=True)
    actual_gas_cost_wei = Uint256Field(null=True)
    actual_gas_used = models.PositiveBigIntegerField(null=True)

    prepared_at = models.DateTimeField(null=True)
    first_signed_at = models.DateTimeField(
        null=True,
        help_text="when the first of several owners signed; fixed from then on",
    )
    signed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True, help_text="to its carrier, last time")
    attempted_at = models.DateTimeField(
        null=True, help_text="last try to submit; empty: try at once"
    )
    included_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserOperationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["created_by", "idempotency_key"],
                name="onchain_useroperation_one_per_idempotency_key",
            ),
            models.UniqueConstraint(
                fields=["safe", "nonce_key", "nonce_sequence"],
                condition=Q(status__in=OPEN),
                name="onchain_useroperation_one_open_per_nonce",
            ),
        ]
        indexes = [
            models.Index(fields=["safe", "-id"]),
            models.Index(fields=["status"]),
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"operation {self.pk}"

    @property
    def is_payment(self) -> bool:
        """True when it sends money."""
        return self.kind == self.Kind.PAYMENT

    @property
    def is_change(self) -> bool:
        """True when it changes the account itself: its owners, or what acts for it."""
        return self.kind not in {self.Kind.PAYMENT, self.Kind.CANCEL}

    @property
    def noun(self) -> str:
        """What sentences call it."""
        return "payment" if self.is_payment else "request"

    @property
    def sponsor_name(self) -> str:
        """What a paymaster service calls itself, empty for anybody else."""
        row = getattr(self, "sponsorship", None) if self.is_sponsored else None
        return "" if row is None else str(row.sponsor_name)

    @property
    def is_awaiting_network(self) -> bool:
        """True while a worker, the bundler or the chain has the next move."""
        return self.status in AWAITING_NETWORK or (
            self.status in (Status.INCLUDED, Status.REVERTED) and not self.is_confirmed
        )

    @property
    def is_sponsored(self) -> bool:
        """True when the operator's paymaster pays the fee."""
        return self.paymaster is not None

    @property
    def confirmations(self) -> int:
        """How many blocks, its own included, stand on its inclusion."""
        if self.block_number is None:
            return 0
        return self.safe.chain.confirmations_of(self.block_number)

    @property
    def is_confirmed(self) -> bool:
        """True once enough blocks stand on its inclusion; a reorg can undo it."""
        if self.block_number is None:
            return False
        return self.safe.chain.is_confirmed(self.block_number)

    @property
    def was_ever_signed(self) -> bool:
        """True once any owner signed it: what was signed can be carried out (R64)."""
        return self.first_signed_at is not None or self.signed_at is not None

    @property
    def may_still_be_included(self) -> bool:
        """True while whoever has the signatures, or gets the rest, could send it."""
        if not self.was_ever_signed or self.valid_until is None:
            return False
        confirmed = self.safe.chain.confirmed_timestamp
        return confirmed is None or self.valid_until >= confirmed

    @property
    def max_cost_wei(self) -> int | None:
        """The most that can be charged as fee, in wei; None before it is prepared."""
        if self.max_fee_per_gas is None:
            return None
        return gas_limit_total(self.to_protocol()) * self.max_fee_per_gas

    def to_protocol(self, signature: bytes = b"") -> UserOperationV07:
        """Return the operation as the EntryPoint knows it.

        Raises:
            ValueError: it has not been prepared.
        """
        if self.prepared_at is None:
            raise ValueError(f"{self} has not been prepared")
        paymaster = None
        if self.paymaster is not None:
            paymaster = Paymaster(
                address=self.paymaster,
                verification_gas_limit=self._fixed("paymaster_verification_gas_limit"),
                post_op_gas_limit=self._fixed("paymaster_post_op_gas_limit"),
                data=bytes(self._fixed("paymaster_data")),
            )
        factory = None
        if self.factory is not None:
            factory = Factory(
                address=self.factory, data=bytes(self._fixed("factory_data"))
            )
        return UserOperationV07(
            sender=self.safe.address,
            nonce=join_nonce(self._fixed("nonce_key"), self._fixed("nonce_sequence")),
            factory=factory,
            call_data=bytes(self._fixed("call_data")),
            call_gas_limit=self._fixed("call_gas_limit"),
            verification_gas_limit=self._fixed("verification_gas_limit"),
            pre_verification_gas=self._fixed("pre_verification_gas"),
            max_fee_per_gas=self._fixed("max_fee_per_gas"),
            max_priority_fee_per_gas=self._fixed("max_priority_fee_per_gas"),
            paymaster=paymaster,
            signature=signature,
        )

    def _fixed(self, column: str) -> Any:
        """Return a column that preparation fixed; 0 and empty are values."""
        value = getattr(self, column)
        if value is None:
            raise ValueError(f"{self} has not been prepared: no {column}")
        return value
