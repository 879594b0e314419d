"""Claims to recover accounts, and what guardians sign for them."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_of_owners"),
        ("onchain", "0026_unread_recoveries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GuardianApproval",
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
                (
                    "signature",
                    models.BinaryField(
                        help_text="as the module hands it to the guardian"
                    ),
                ),
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
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="RecoveryClaim",
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
                    "wallet",
                    onchain.fields.AddressField(
                        help_text="the new wallet; empty: a passkey", null=True
                    ),
                ),
                (
                    "token_hash",
                    onchain.fields.Bytes32Field(
                        help_text="SHA-256 of the link's token", unique=True
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AlterField(
            model_name="relayertransaction",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("deploy", "Deploy accounts"),
                    ("faucet", "Test ETH"),
                    ("fill", "Fill a gap of nonces"),
                    ("carry", "Carry an operation"),
                    ("recover", "Start a recovery"),
                    ("finalise", "Finish a recovery"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="AccountClaim",
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
                    "new_signer",
                    onchain.fields.AddressField(
                        help_text="the claimant's, among the new owners"
                    ),
                ),
                (
                    "new_owners",
                    models.JSONField(help_text="checksummed addresses, in order"),
                ),
                ("new_threshold", models.PositiveIntegerField()),
                (
                    "old_owners",
                    models.JSONField(
                        default=list, help_text="the account's when it was checked"
                    ),
                ),
                ("old_threshold", models.PositiveIntegerField(default=0)),
                (
                    "guardians",
                    models.JSONField(
                        default=list,
                        help_text="checksummed addresses, in the module's order",
                    ),
                ),
                ("guardian_threshold", models.PositiveIntegerField(default=0)),
                (
                    "needed",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="approvals: the threshold, or more than a request has",
                    ),
                ),
                (
                    "approved",
                    models.JSONField(
                        default=list,
                        help_text="guardians whose approval the chain has already",
                    ),
                ),
                (
                    "nonce",
                    onchain.fields.Uint256Field(
                        help_text="the module's, which guardians sign", null=True
                    ),
                ),
                (
                    "recovery_hash",
                    onchain.fields.Bytes32Field(
                        help_text="EIP-712 hash that they sign", null=True
                    ),
                ),
                (
                    "execute_after",
                    models.PositiveBigIntegerField(
                        help_text="Unix seconds of the chain's own request", null=True
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("checking", "Being checked"),
                            ("collecting", "Waiting for guardians"),
                            ("ready", "Enough guardians"),
                            ("relaying", "Being sent"),
                            ("waiting", "The delay runs"),
                            ("finalizing", "Being finished"),
                            ("done", "Recovered"),
                            ("stopped", "Stopped"),
                        ],
                        default="checking",
                        max_length=10,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, max_length=40)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="transactions in vain since it last moved on",
                    ),
                ),
                (
                    "look_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="when a worker looks at it next",
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "safe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recovery_claims",
                        to="onchain.safe",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="relayertransaction",
            name="account_claim",
            field=models.ForeignKey(
                help_text="the recovery that it starts or finishes",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="relayer_transactions",
                to="onchain.accountclaim",
            ),
        ),
        migrations.AddConstraint(
            model_name="relayertransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["queued", "signed", "broadcast"])),
                fields=("account_claim",),
                name="onchain_relayertransaction_one_for_a_claim",
            ),
        ),
        migrations.AddField(
            model_name="guardianapproval",
            name="account_claim",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="approvals",
                to="onchain.accountclaim",
            ),
        ),
        migrations.AddField(
            model_name="guardianapproval",
            name="credential",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="guardian_approvals",
                to="accounts.credential",
            ),
        ),
        migrations.AddField(
            model_name="guardianapproval",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="guardian_approvals",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="recoveryclaim",
            name="credential",
            field=models.ForeignKey(
                help_text="the new passkey; empty: a wallet",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recovery_claims",
                to="accounts.credential",
            ),
        ),
        migrations.AddField(
            model_name="recoveryclaim",
            name="user",
            field=models.ForeignKey(
                help_text="the claimant",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recovery_claims",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="accountclaim",
            name="claim",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to="onchain.recoveryclaim",
            ),
        ),
        migrations.AddConstraint(
            model_name="guardianapproval",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["signed", "valid"])),
                fields=("account_claim", "guardian"),
                name="onchain_guardianapproval_one_per_guardian",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoveryclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credential__isnull", False),
                    ("wallet__isnull", False),
                    _connector="XOR",
                ),
                name="onchain_recoveryclaim_one_new_key",
            ),
        ),
        migrations.AddIndex(
            model_name="accountclaim",
            index=models.Index(
                fields=["status", "look_at"], name="onchain_acc_status_008695_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="accountclaim",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "stopped"), _negated=True),
                fields=("claim", "safe"),
                name="onchain_accountclaim_one_per_account",
            ),
        ),
    ]
