"""What the sponsor promises and pays, its deposit, its pause, and why it does not."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0008_acknowledgements"),
    ]

    operations = [
        migrations.AddField(
            model_name="chain",
            name="sponsorship_paused",
            field=models.BooleanField(
                default=False, help_text="by an operator: accounts pay their own fees"
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="unsponsored_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("used-up", "Sponsorship is used up for today."),
                    ("share-used-up", "This account's share of today is used up."),
                    ("too-dear", "It costs more than is sponsored."),
                    ("paused", "Sponsorship is paused."),
                    ("deposit-low", "The sponsor's deposit is low."),
                    ("proposals-off", "What several people sign is not sponsored."),
                    ("proposals-full", "Three proposals are sponsored already."),
                    ("declined", "The sponsor declined this one."),
                    ("away", "The sponsor does not answer."),
                    ("unusable", "The sponsor cannot pay at the moment."),
                ],
                help_text="why the account pays, where there is a sponsor",
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="PaymasterDeposit",
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
                    onchain.fields.AddressField(help_text="of the VerifyingPaymaster"),
                ),
                (
                    "deposit_wei",
                    onchain.fields.Uint256Field(
                        default=0, help_text="at the EntryPoint"
                    ),
                ),
                (
                    "owner",
                    onchain.fields.AddressField(
                        help_text="who can withdraw the deposit", null=True
                    ),
                ),
                (
                    "verifying_signer",
                    onchain.fields.AddressField(
                        help_text="whose signatures it accepts", null=True
                    ),
                ),
                ("accepts_our_key", models.BooleanField(default=False)),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        help_text="what an operator has to look at",
                        max_length=200,
                    ),
                ),
                ("read_at", models.DateTimeField()),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="paymaster_deposits",
                        to="onchain.chain",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("chain", "address"),
                        name="onchain_paymasterdeposit_one_each",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Sponsorship",
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
                    "pool",
                    models.CharField(
                        choices=[
                            ("newcomer", "New accounts"),
                            ("established", "Older or funded accounts"),
                            ("safety", "Safety reserve"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "signers",
                    models.PositiveSmallIntegerField(
                        help_text="more than one: a proposal"
                    ),
                ),
                (
                    "sponsor_name",
                    models.CharField(
                        blank=True,
                        help_text="as the paymaster service calls itself",
                        max_length=60,
                    ),
                ),
                (
                    "reserved_wei",
                    models.BigIntegerField(help_text="the most it can cost"),
                ),
                (
                    "paid_wei",
                    models.BigIntegerField(
                        help_text="what it cost on chain", null=True
                    ),
                ),
                (
                    "valid_until",
                    models.PositiveBigIntegerField(help_text="seconds, chain time"),
                ),
                ("paid_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "chain",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sponsorships",
                        to="onchain.chain",
                    ),
                ),
                (
                    "operation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sponsorship",
                        to="onchain.useroperation",
                    ),
                ),
                (
                    "safe",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sponsorships",
                        to="onchain.safe",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        fields=["chain", "paid_at", "pool", "safe", "paid_wei"],
                        name="onchain_sponsorship_paid",
                    ),
                    models.Index(
                        condition=models.Q(("paid_at", None)),
                        fields=["chain", "valid_until", "pool", "safe", "reserved_wei"],
                        name="onchain_sponsorship_open",
                    ),
                    models.Index(
                        fields=["safe", "-id"], name="onchain_sponsorship_safe"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("paid_at", None), ("paid_wei", None)),
                            models.Q(
                                ("paid_at__isnull", False), ("paid_wei__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="onchain_sponsorship_paid_at_some_time",
                    )
                ],
            },
        ),
    ]
