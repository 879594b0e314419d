"""People who see an account without their key being what makes them see it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from onchain.models.safe import Safe


class Role(models.TextChoices):
    """What somebody may do with an account on this site.

    The chain knows owners only. An approver's key is an owner like any other, and here
    it approves what others propose. A viewer has no key in the account.
    """

    OWNER = "owner", "Owner"
    APPROVER = "approver", "Approver"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    """One person's role on an account, where it is another than owner.

    An owner needs no row: holding a current owner is the role. A row that ended stays,
    for who looks back.
    """

    safe = models.ForeignKey(Safe, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=8, choices=Role)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="given_memberships",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["safe", "user"],
                condition=Q(ended_at=None),
                name="onchain_membership_one_per_person",
            )
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.safe}"
