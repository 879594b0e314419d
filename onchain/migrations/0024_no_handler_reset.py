"""The kinds of operations without one that nothing drafted.

No column changes: the choices are Django's alone, and the signed guard stays in place.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onchain", "0023_allowances")]

    operations = [
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
                ],
                default="payment",
                max_length=24,
            ),
        ),
    ]
