"""Somebody without a wallet here who agreed to be warned by mail (R61, R62)."""

from __future__ import annotations

from django.db import models

from accounts.fields import BytesField
from accounts.models.email import ADDRESS_CHARACTERS

OUTSIDER_NAME_CHARACTERS = 60
ABOUT_CHARACTERS = 160


class Outsider(models.Model):
    """One address, asked to be warned of one thing; it can do nothing else.

    States: PENDING (a mail with a link is out) -> ACTIVE (agreed) or DECLINED; each of
    PENDING and ACTIVE ends as ENDED when it is not wanted any more.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Has yet to agree"
        ACTIVE = "active", "Is warned"
        DECLINED = "declined", "Does not want to be warned"
        ENDED = "ended", "No longer warned"

    name = models.CharField(max_length=OUTSIDER_NAME_CHARACTERS)
    address = models.EmailField(max_length=ADDRESS_CHARACTERS)
    about = models.CharField(
        max_length=ABOUT_CHARACTERS, help_text="Of what, in words of the mails."
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PENDING
    )
    token_hash = BytesField(
        max_length=32,
        null=True,
        blank=True,
        unique=True,
        help_text="SHA-256 of the link's token; empty: none is out.",
    )
    token_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"outsider {self.pk}"
