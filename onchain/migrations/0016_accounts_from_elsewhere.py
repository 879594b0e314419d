"""Accounts made elsewhere: asked about, and what has power over them."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sessions_email_and_step_ups"),
        ("onchain", "0015_self_paid_accounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ForeignConfiguration",
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
                    "findings",
                    models.JSONField(help_text="pairs: what it is, and its address"),
                ),
                (
                    "seen_hash",
                    onchain.fields.Bytes32Field(
                        help_text="names exactly these findings"
                    ),
                ),
                (
                    "block_number",
                    models.PositiveBigIntegerField(help_text="where it was read"),
                ),
                (
                    "safe",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="foreign_configuration",
                        to="onchain.safe",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="AccountLookup",
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
                    models.JSONField(default=list, help_text="addresses, in its order"),
                ),
                (
                    "own_address",
                    onchain.fields.AddressField(
                        help_text="the owner that is the passkey", null=True
                    ),
                ),
                ("threshold", models.PositiveSmallIntegerField(null=True)),
                (
                    "findings",
                    models.JSONField(default=list, help_text="what is foreign in it"),
                ),
                (
                    "transaction_count",
                    onchain.fields.Uint256Field(
                        help_text="the Safe's own nonce", null=True
                    ),
                ),
                ("balance_wei", onchain.fields.Uint256Field(null=True)),
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("asked_at", models.DateTimeField()),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lookups",
                        to="onchain.chain",
                    ),
                ),
                (
                    "credential",
                    models.ForeignKey(
                        help_text="the person's passkey among its owners",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lookups",
                        to="accounts.credential",
                    ),
                ),
                (
                    "safe",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lookups",
                        to="onchain.safe",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lookups",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "chain", "address"),
                        name="onchain_accountlookup_one_per_address",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfigurationAcknowledgement",
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
                ("seen_hash", onchain.fields.Bytes32Field()),
                ("acknowledged_at", models.DateTimeField(auto_now_add=True)),
                (
                    "safe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="configuration_acknowledgements",
                        to="onchain.safe",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="configuration_acknowledgements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("safe", "user", "seen_hash"),
                        name="onchain_configuration_acknowledged_once",
                    )
                ],
            },
        ),
    ]
