"""The code of a recovery module, as two nodes gave it and an operator confirmed it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from onchain.fields import AddressField, Bytes32Field
from onchain.models.chain import Chain
from onchain.protocol.types import checksum_address


class ModuleCode(models.Model):
    """What keccak-256 a module's code has on one chain.

    No package has that code, so no hash is pinned in this site's source. A row is made
    where two independent nodes gave the same; it counts once an operator confirmed it.
    """

    chain = models.ForeignKey(
        Chain, on_delete=models.PROTECT, related_name="module_codes"
    )
    module = AddressField(help_text="which one it is says how long it waits")
    code_hash = Bytes32Field(help_text="keccak-256 of its code, from both nodes")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the operator; empty: nobody, or at the server's own console",
    )
    confirmed_at = models.DateTimeField(
        null=True, help_text="empty: accounts are not given this module yet"
    )
    changed_at = models.DateTimeField(
        null=True,
        help_text="since when the chain has other code than was confirmed; empty: none",
    )
    read_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "module"], name="onchain_modulecode_one_per_module"
            )
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"code of recovery module {self.module_text}"

    @property
    def module_text(self) -> str:
        """The checksummed address of the module."""
        return checksum_address(self.module)
