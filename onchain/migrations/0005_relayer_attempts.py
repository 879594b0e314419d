"""Earlier versions of relayer transactions that were replaced with higher fees."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0004_owners_to_read"),
    ]

    operations = [
        migrations.AddField(
            model_name="relayertransaction",
            name="max_priority_fee_per_gas",
            field=onchain.fields.Uint256Field(help_text="wei per gas", null=True),
        ),
        migrations.CreateModel(
            name="RelayerAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "raw",
                    models.BinaryField(help_text="signed bytes, as they were sent"),
                ),
                ("hash", onchain.fields.Bytes32Field(unique=True)),
                (
                    "max_fee_per_gas",
                    onchain.fields.Uint256Field(help_text="wei per gas"),
                ),
                ("replaced_at", models.DateTimeField(auto_now_add=True)),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="earlier",
                        to="onchain.relayertransaction",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
    ]
