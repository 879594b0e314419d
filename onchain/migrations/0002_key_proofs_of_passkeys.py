"""A KeyProof belongs to a passkey, an account and a role, not to an owner's row.

The table is made anew: what was proven stays in Owner.proven_at, and what was open
could be answered for five minutes only.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sessions_email_and_step_ups"),
        ("onchain", "0001_initial"),
    ]

    operations = [
        migrations.DeleteModel(name="KeyProof"),
        migrations.CreateModel(
            name="KeyProof",
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
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("guardian", "Guardian")],
                        default="owner",
                        max_length=10,
                    ),
                ),
                (
                    "signer",
                    onchain.fields.AddressField(help_text="the passkey's signer proxy"),
                ),
                ("nonce", onchain.fields.Bytes32Field(unique=True)),
                (
                    "challenge",
                    onchain.fields.Bytes32Field(
                        help_text="EIP-712 hash that the passkey signs"
                    ),
                ),
                (
                    "signature",
                    models.BinaryField(
                        help_text="ABI-encoded WebAuthn signature", null=True
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Waiting for the passkey"),
                            ("signed", "Being checked"),
                            ("proven", "Proven"),
                            ("refused", "Refused"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("signed_at", models.DateTimeField(null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proofs",
                        to="accounts.credential",
                    ),
                ),
                (
                    "safe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="onchain.safe",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["safe", "credential", "role", "status"],
                        name="onchain_key_safe_id_3f27bf_idx",
                    )
                ],
            },
        ),
    ]
