"""Rehearsals of recoveries, and what guardians answer to them."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_events_of_rehearsals"),
        ("onchain", "0033_settled_recoveries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="guardianapproval",
            name="credential",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="%(class)ss",
                to="accounts.credential",
            ),
        ),
        migrations.AlterField(
            model_name="guardianapproval",
            name="signature",
            field=models.BinaryField(help_text="as a contract reads it"),
        ),
        migrations.AlterField(
            model_name="guardianapproval",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="%(class)ss",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="RecoveryDrill",
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
                    "module",
                    onchain.fields.AddressField(help_text="whose guardians are asked"),
                ),
                (
                    "nonce",
                    onchain.fields.Bytes32Field(
                        help_text="random; guardians sign it", unique=True
                    ),
                ),
                (
                    "guardians",
                    models.JSONField(
                        help_text="checksummed addresses of who is asked, in the module's order"
                    ),
                ),
                (
                    "threshold",
                    models.PositiveIntegerField(
                        help_text="how many had to approve when it began"
                    ),
                ),
                (
                    "token_hash",
                    onchain.fields.Bytes32Field(
                        help_text="SHA-256 of the link's token; empty: no link",
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Under way"),
                            ("complete", "Everybody answered"),
                            ("lapsed", "Its time is over"),
                            ("ended", "Ended early"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(help_text="whole seconds; guardians sign it"),
                ),
                (
                    "until",
                    models.DateTimeField(
                        help_text="from then on nobody is asked any more"
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "answered",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="guardians at its end whose signature counted",
                    ),
                ),
                (
                    "asked",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="of whom it asked, guardians still at its end",
                    ),
                ),
                (
                    "needed",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="how many had to approve at its end; 0: nobody could",
                    ),
                ),
                (
                    "safe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_drills",
                        to="onchain.safe",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_drills",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="DrillAnswer",
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
                ("guardian", onchain.fields.AddressField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("passkey", "Passkey"),
                            ("wallet", "Wallet"),
                            ("contract", "Contract"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=8,
                    ),
                ),
                ("signature", models.BinaryField(help_text="as a contract reads it")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("signed", "Being checked"),
                            ("valid", "Valid"),
                            ("refused", "Refused"),
                        ],
                        default="signed",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "credential",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.credential",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "drill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="onchain.recoverydrill",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="recoverydrill",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")),
                fields=("safe",),
                name="onchain_recoverydrill_one_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="drillanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["signed", "valid"])),
                fields=("drill", "guardian"),
                name="onchain_drillanswer_one_per_guardian",
            ),
        ),
    ]
