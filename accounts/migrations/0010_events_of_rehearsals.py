"""What people are told of rehearsals."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_events_of_claims"),
    ]

    operations = [
        migrations.AlterField(
            model_name="securityevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("passkey-added", "A passkey was added"),
                    ("passkey-removed", "A passkey was removed"),
                    ("new-browser", "A sign-in from a new browser"),
                    ("counter-went-back", "A passkey's counter went back"),
                    (
                        "eligibility-changed",
                        "A passkey changed whether it can be synced",
                    ),
                    ("signed-out-everywhere", "Other sessions were ended"),
                    ("email-asked", "A new e-mail address was verified"),
                    ("email-changed", "The e-mail address changed"),
                    ("email-removed", "The e-mail address is to be removed"),
                    ("email-kept", "A change of the e-mail address was called off"),
                    ("owner-added", "An account has another owner"),
                    ("owner-removed", "An account lost an owner"),
                    ("threshold-changed", "How many must approve was changed"),
                    ("invitation-accepted", "Your invitation was accepted"),
                    ("approval-asked", "Your approval is asked for"),
                    ("recovery-asked", "Somebody asks for an account"),
                    ("recovery-vouched", "A guardian approved a recovery"),
                    ("recovery-began", "A recovery has begun"),
                    ("recovery-waits", "A recovery still waits for its end"),
                    ("recovery-ended", "A recovery has ended"),
                    ("guardians-changed", "Who guards an account was changed"),
                    ("rehearsal-asked", "You are asked to answer a rehearsal"),
                    ("rehearsal-started", "A rehearsal of a recovery began"),
                    ("rehearsal-ended", "A rehearsal of a recovery has ended"),
                    ("rehearsal-due", "A recovery should be rehearsed again"),
                    ("alert-contact", "Who is warned of recoveries was changed"),
                ],
                max_length=24,
            ),
        ),
    ]
