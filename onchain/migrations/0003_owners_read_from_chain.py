"""Owners as the chain has them, and operations that add a passkey."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sessions_email_and_step_ups"),
        ("onchain", "0002_key_proofs_of_passkeys"),
    ]

    operations = [
        migrations.AddField(
            model_name="owner",
            name="is_current",
            field=models.BooleanField(
                default=True, help_text="no: removed on chain since"
            ),
        ),
        migrations.AddField(
            model_name="safe",
            name="owners_synced_block",
            field=models.PositiveBigIntegerField(
                help_text="block at which owners and threshold were read; empty: to be read",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="kind",
            field=models.CharField(
                choices=[("payment", "Payment"), ("add-passkey", "Add a passkey")],
                default="payment",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="new_credential",
            field=models.ForeignKey(
                help_text="the passkey that becomes an owner",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="additions",
                to="accounts.credential",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="new_signer",
            field=onchain.fields.AddressField(help_text="its signer proxy", null=True),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="new_threshold",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="owner",
            name="kind",
            field=models.CharField(
                choices=[
                    ("passkey", "Passkey"),
                    ("wallet", "Wallet"),
                    ("contract", "Contract"),
                    ("unknown", "Unknown"),
                ],
                default="passkey",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="owner",
            name="position",
            field=models.PositiveSmallIntegerField(
                help_text="place in the account's list of owners, from 0"
            ),
        ),
        migrations.AlterField(
            model_name="useroperation",
            name="recipient",
            field=onchain.fields.AddressField(
                help_text="of a payment; else the account itself"
            ),
        ),
    ]
