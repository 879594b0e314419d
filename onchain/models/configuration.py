"""What may act for an account beside its owners, and who has seen that."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from onchain.fields import Bytes32Field
from onchain.models.safe import Safe
from onchain.protocol.types import Address, to_address


class ForeignConfiguration(models.Model):
    """What the chain has in an account that no account of this site has.

    A cache, written by the follower with the owners. Most accounts have no row: they
    are as they were set up here. One with recovery has a row without findings, for the
    order of its modules.
    """

    safe = models.OneToOneField(
        Safe, on_delete=models.PROTECT, related_name="foreign_configuration"
    )
    findings: Any = models.JSONField(help_text="pairs: what it is, and its address")
    modules: Any = models.JSONField(
        default=list, help_text="all of them, in the account's own order"
    )
    allowances: Any = models.JSONField(
        default=list, help_text="what its allowance modules let others spend"
    )
    has_all_allowances = models.BooleanField(
        default=False, help_text="no: there are more, or a module did not say"
    )
    seen_hash = Bytes32Field(help_text="names exactly these findings")
    block_number = models.PositiveBigIntegerField(help_text="where it was read")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"foreign configuration of account {self.safe_id}"

    @property
    def items(self) -> list[tuple[str, Address]]:
        """The findings with their addresses as bytes."""
        return [(kind, to_address(text)) for kind, text in self.findings]

    @property
    def module_list(self) -> list[Address]:
        """All modules, in the order that the account links them in."""
        return [to_address(text) for text in self.modules]


class ConfigurationAcknowledgement(models.Model):
    """A person's word that they know these findings; other ones ask again."""

    safe = models.ForeignKey(
        Safe, on_delete=models.PROTECT, related_name="configuration_acknowledgements"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="configuration_acknowledgements",
    )
    seen_hash = Bytes32Field()
    acknowledged_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "user", "seen_hash"],
                name="onchain_configuration_acknowledged_once",
            )
        ]

    def __str__(self) -> str:
        return f"acknowledgement {self.pk} of account {self.safe_id}"
