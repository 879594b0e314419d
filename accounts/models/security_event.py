"""What happened to a person's keys and sessions, for that person to read."""

from __future__ import annotations

from django.db import models

from accounts.models.session import BROWSER_CHARACTERS
from accounts.models.user import User


class SecurityEvent(models.Model):
    """One thing worth telling; shown on the person's page, and mailed where it can be.

    Never changed. ``detail`` is plain words without anything secret.
    """

    class Kind(models.TextChoices):
        PASSKEY_ADDED = "passkey-added", "A passkey was added"
        PASSKEY_REMOVED = "passkey-removed", "A passkey was removed"
        NEW_BROWSER = "new-browser", "A sign-in from a new browser"
        COUNTER_WENT_BACK = "counter-went-back", "A passkey's counter went back"
        ELIGIBILITY_CHANGED = (
            "eligibility-changed",
            "A passkey changed whether it can be synced",
        )
        SIGNED_OUT_EVERYWHERE = "signed-out-everywhere", "Other sessions were ended"
        EMAIL_ASKED = "email-asked", "A new e-mail address was verified"
        EMAIL_CHANGED = "email-changed", "The e-mail address changed"
        EMAIL_REMOVED = "email-removed", "The e-mail address is to be removed"
        EMAIL_KEPT = "email-kept", "A change of the e-mail address was called off"
        OWNER_ADDED = "owner-added", "An account has another owner"
        OWNER_REMOVED = "owner-removed", "An account lost an owner"
        THRESHOLD_CHANGED = "threshold-changed", "How many must approve was changed"
        INVITATION_ACCEPTED = "invitation-accepted", "Your invitation was accepted"
        APPROVAL_ASKED = "approval-asked", "Your approval is asked for"
        RECOVERY_ASKED = "recovery-asked", "Somebody asks for an account"
        RECOVERY_VOUCHED = "recovery-vouched", "A guardian approved a recovery"
        RECOVERY_BEGAN = "recovery-began", "A recovery has begun"
        RECOVERY_WAITS = "recovery-waits", "A recovery still waits for its end"
        RECOVERY_ENDED = "recovery-ended", "A recovery has ended"
        GUARDIANS_CHANGED = "guardians-changed", "Who guards an account was changed"
        REHEARSAL_ASKED = "rehearsal-asked", "You are asked to answer a rehearsal"
        REHEARSAL_STARTED = "rehearsal-started", "A rehearsal of a recovery began"
        REHEARSAL_ENDED = "rehearsal-ended", "A rehearsal of a recovery has ended"
        REHEARSAL_DUE = "rehearsal-due", "A recovery should be rehearsed again"
        ALERT_CONTACT = "alert-contact", "Who is warned of recoveries was changed"

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="security_events"
    )
    kind = models.CharField(max_length=24, choices=Kind.choices)
    detail = models.CharField(max_length=200, blank=True)
    browser = models.CharField(
        max_length=BROWSER_CHARACTERS, blank=True, help_text="Where it was done."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.user})"
