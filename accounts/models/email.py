"""An optional address for alerts, and the mails that wait to be sent (R61, R62)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.fields import BytesField
from accounts.models.user import User

ADDRESS_CHARACTERS = 254  # RFC 5321, a path without its brackets


class EmailAddress(models.Model):
    """One address of one person. E-mail never signs in, recovers or approves anything.

    States: PENDING (a mail with a link is out) -> WAITING (verified; takes effect at
    ``effective_at``) -> ACTIVE -> ENDED. A first address becomes ACTIVE at once. An
    ACTIVE one with ``ends_at`` is being replaced or removed, which can be called off
    until then. PENDING and WAITING also end as CANCELLED.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for you to open the link"
        WAITING = "waiting", "Verified, takes effect later"
        ACTIVE = "active", "Gets the alerts"
        ENDED = "ended", "No longer used"
        CANCELLED = "cancelled", "Called off"

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="email_addresses"
    )
    address = models.EmailField(max_length=ADDRESS_CHARACTERS)
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
    verified_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(
        null=True, blank=True, help_text="When a verified address takes over (R61)."
    )
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When an active address stops (R61)."
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = "e-mail address"
        verbose_name_plural = "e-mail addresses"
        constraints = [
            models.UniqueConstraint(
                name="accounts_emailaddress_one_active",
                fields=["user"],
                condition=Q(status="active"),
            ),
            models.UniqueConstraint(
                name="accounts_emailaddress_one_on_its_way",
                fields=["user"],
                condition=Q(status__in=["pending", "waiting"]),
            ),
        ]

    def __str__(self) -> str:
        return f"e-mail address {self.pk} of {self.user}"


class OutgoingMail(models.Model):
    """A mail as a row: written with what it tells of, sent by a worker.

    States: QUEUED -> SENDING (a worker has it, until ``lease_until``) -> SENT, or back
    to QUEUED, or FAILED after the last attempt. No text is kept: it is made from the
    rows when it is sent, so no token stands here (R62).
    """

    class Kind(models.TextChoices):
        VERIFY = "verify", "Verify this address"
        EVENT = "event", "A security event"
        ASK = "ask", "Ask whether to warn"
        NOTICE = "notice", "A warning"

    class Notice(models.TextChoices):
        RECOVERY_BEGAN = "recovery-began", "A recovery has begun"
        RECOVERY_WAITS = "recovery-waits", "A recovery still waits for its end"
        RECOVERY_ENDED = "recovery-ended", "A recovery has ended"
        CONTACT_ENDED = "contact-ended", "You are no longer an alert contact"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    to = models.ForeignKey(
        EmailAddress, on_delete=models.CASCADE, related_name="mails", null=True
    )
    outsider = models.ForeignKey(
        "accounts.Outsider", on_delete=models.CASCADE, related_name="mails", null=True
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    event = models.ForeignKey(
        "accounts.SecurityEvent", on_delete=models.CASCADE, null=True, blank=True
    )
    notice = models.CharField(
        max_length=24, choices=Notice.choices, blank=True, help_text="To an outsider."
    )
    detail = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=8, choices=Status.choices, default=Status.QUEUED, db_index=True
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="accounts_outgoingmail_event_once_per_address",
                fields=["to", "event"],
                condition=Q(event__isnull=False),
            ),
            models.CheckConstraint(
                name="accounts_outgoingmail_one_recipient",
                condition=Q(to__isnull=True, outsider__isnull=False)
                | Q(to__isnull=False, outsider__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk} to {self.to or self.outsider}"
