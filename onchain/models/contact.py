"""Names for addresses, shared by the people of an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onchain.fields import AddressField
from onchain.models.safe import Safe
from onchain.protocol.types import checksum_address


class Contact(models.Model):
    """One line of an account's address book."""

    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="contacts")
    address = AddressField()
    name = models.CharField(max_length=60)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="contacts"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "address"], name="onchain_contact_one_per_address"
            )
        ]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.address_text}"

    @property
    def address_text(self) -> str:
        """The checksummed address."""
        return checksum_address(self.address)
