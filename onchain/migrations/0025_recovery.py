"""Recovery with guardians as the chain has it."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_of_owners"),
        ("onchain", "0024_no_handler_reset"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RecoverySetup",
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
                    onchain.fields.AddressField(
                        help_text="which one it is says how long it waits"
                    ),
                ),
                (
                    "is_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="the account lets the module replace its owners",
                    ),
                ),
                (
                    "threshold",
                    models.PositiveIntegerField(
                        default=0, help_text="how many guardians must approve"
                    ),
                ),
                (
                    "nonce",
                    onchain.fields.Uint256Field(
                        default=0, help_text="what guardians sign now"
                    ),
                ),
                (
                    "read_block",
                    models.PositiveBigIntegerField(
                        help_text="where it was read; empty: it is to be read",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "safe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_setups",
                        to="onchain.safe",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="RecoveryRequest",
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
                    "nonce",
                    onchain.fields.Uint256Field(
                        help_text="the one that guardians signed"
                    ),
                ),
                (
                    "new_owners_hash",
                    onchain.fields.Bytes32Field(
                        help_text="all that the event says of them"
                    ),
                ),
                (
                    "new_owners",
                    models.JSONField(
                        help_text="checksummed addresses; empty: not read yet",
                        null=True,
                    ),
                ),
                ("new_threshold", models.PositiveIntegerField()),
                ("approvals", models.PositiveIntegerField()),
                (
                    "execute_after",
                    models.PositiveBigIntegerField(
                        help_text="Unix seconds of the chain; from then on it can be finalised"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("finalized", "Finished"),
                            ("canceled", "Cancelled"),
                            ("replaced", "Replaced"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("started_block", models.PositiveBigIntegerField()),
                ("ended_block", models.PositiveBigIntegerField(null=True)),
                ("seen_at", models.DateTimeField(auto_now_add=True)),
                (
                    "setup",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="onchain.recoverysetup",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Guardian",
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
                    "address",
                    onchain.fields.AddressField(
                        help_text="a passkey's address is its signer proxy's"
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        help_text="place in the module's list of guardians, from 0"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("passkey", "Passkey"),
                            ("wallet", "Wallet"),
                            ("contract", "Contract"),
                            ("unknown", "Unknown"),
                        ],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                (
                    "proven_at",
                    models.DateTimeField(
                        help_text="when the key showed server and chain that it signs",
                        null=True,
                    ),
                ),
                (
                    "is_current",
                    models.BooleanField(
                        default=True, help_text="no: revoked on chain since"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "credential",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guardians",
                        to="accounts.credential",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        help_text="who proved to hold this wallet; a passkey's person is its own",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_guardians",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "setup",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guardians",
                        to="onchain.recoverysetup",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.AddConstraint(
            model_name="recoverysetup",
            constraint=models.UniqueConstraint(
                fields=("safe", "module"), name="onchain_recoverysetup_one_per_module"
            ),
        ),
        migrations.AddConstraint(
            model_name="recoveryrequest",
            constraint=models.UniqueConstraint(
                fields=("setup", "nonce"), name="onchain_recoveryrequest_one_per_nonce"
            ),
        ),
        migrations.AddConstraint(
            model_name="recoveryrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending")),
                fields=("setup",),
                name="onchain_recoveryrequest_one_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="guardian",
            constraint=models.UniqueConstraint(
                fields=("setup", "address"), name="onchain_guardian_one_per_address"
            ),
        ),
    ]
