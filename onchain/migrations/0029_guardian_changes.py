"""What a change of guardians is made of, guarded once it is signed."""

from __future__ import annotations

import importlib

from django.db import migrations, models

import onchain.fields
from onchain.migrations._signed_guard import guard

BEFORE = importlib.import_module("onchain.migrations.0021_threshold_before").COLUMNS
COLUMNS = (
    *BEFORE,
    "module",
    "guardians",
    "guardians_before",
    "enables_module",
    "cancels_recovery",
)


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0028_recoveries_told"),
    ]

    operations = [
        migrations.AddField(
            model_name="useroperation",
            name="cancels_recovery",
            field=models.BooleanField(
                default=False,
                help_text="a recovery had begun, which its first call ends",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="enables_module",
            field=models.BooleanField(
                default=False, help_text="the account did not let the module act before"
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="guardians",
            field=models.JSONField(
                help_text="who is added in this order, or who goes as a whole",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="guardians_before",
            field=models.JSONField(
                help_text="all that the module had, in its own order", null=True
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="module",
            field=onchain.fields.AddressField(
                help_text="the recovery module; it says how long owners can cancel",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="useroperation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("payment", "Payment"),
                    ("add-passkey", "Add a passkey"),
                    ("add-wallet", "Add a wallet address"),
                    ("swap-owner", "Replace an owner"),
                    ("remove-owner", "Remove an owner"),
                    ("change-threshold", "Change how many must approve"),
                    ("disable-module", "Remove a module"),
                    ("remove-guard", "Remove the guard"),
                    ("cancel", "Cancel for certain"),
                    ("set-up-recovery", "Set up recovery"),
                    ("add-guardian", "Add a guardian"),
                    ("revoke-guardian", "Remove a guardian"),
                    ("change-guardians", "Change how many guardians must approve"),
                    ("cancel-recovery", "Cancel recovery"),
                    ("remove-recovery", "Turn recovery off"),
                ],
                default="payment",
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("approver", "Approver"),
                    ("viewer", "Viewer"),
                    ("guardian", "Guardian"),
                ],
                max_length=8,
            ),
        ),
        guard(COLUMNS, first="first_signed_at"),
    ]
