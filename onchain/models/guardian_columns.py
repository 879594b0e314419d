"""What a user operation says of guardians, where it changes who they are."""

from __future__ import annotations

from typing import Any

from django.db import models

from onchain.fields import AddressField
from onchain.protocol.types import Address, to_address


class GuardianColumns(models.Model):
    """The columns of the kinds in ``operation_kinds.GUARDIAN_KINDS``.

    Addresses are kept checksummed, in order: a list of bytes is no JSON.
    """

    module = AddressField(
        null=True, help_text="the recovery module; it says how long owners can cancel"
    )
    guardians: Any = models.JSONField(
        null=True, help_text="who is added in this order, or who goes as a whole"
    )
    guardians_before: Any = models.JSONField(
        null=True, help_text="all that the module had, in its own order"
    )
    enables_module = models.BooleanField(
        default=False, help_text="the account did not let the module act before"
    )
    cancels_recovery = models.BooleanField(
        default=False, help_text="a recovery had begun, which its first call ends"
    )

    class Meta:
        abstract = True

    @property
    def guardian_list(self) -> list[Address]:
        """Who is added, or goes."""
        return [to_address(text) for text in self.guardians or []]

    @property
    def guardian_list_before(self) -> list[Address]:
        """Whom the module had when this was asked for, in its own order."""
        return [to_address(text) for text in self.guardians_before or []]
