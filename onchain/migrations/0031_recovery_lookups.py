"""Questions about who could bring an account back."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0030_alert_contacts"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecoveryLookup",
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
                ("address", onchain.fields.AddressField()),
                (
                    "owners",
                    models.JSONField(default=list, help_text="checksummed addresses"),
                ),
                ("threshold", models.PositiveIntegerField(default=0)),
                (
                    "setups",
                    models.JSONField(
                        default=list, help_text="enabled modules with their guardians"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("found", "Found"),
                            ("refused", "Refused"),
                        ],
                        default="reading",
                        max_length=8,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, max_length=40)),
                ("asked_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_lookups",
                        to="onchain.chain",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="recoveryclaim",
            name="lookup",
            field=models.ForeignKey(
                help_text="the account that it began with",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claims",
                to="onchain.recoverylookup",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverylookup",
            constraint=models.UniqueConstraint(
                fields=("chain", "address"), name="onchain_recoverylookup_one"
            ),
        ),
    ]
