"""Accounts that are put on chain by their own first operation."""

from __future__ import annotations

from django.db import migrations, models

import onchain.fields
from onchain.migrations._signed_guard import guard

# What a person signs of an operation, since those that set an account up.
COLUMNS = (
    *("id", "safe_id", "created_by_id", "predecessor_id", "idempotency_key"),
    *("kind", "recipient", "value_wei"),
    *("new_credential_id", "new_signer", "new_threshold"),
    *("nonce_key", "nonce_sequence", "call_data"),
    *("installs_signer", "factory", "factory_data"),
    *("call_gas_limit", "verification_gas_limit", "pre_verification_gas"),
    *("max_fee_per_gas", "max_priority_fee_per_gas"),
    *("paymaster", "paymaster_data"),
    *("paymaster_verification_gas_limit", "paymaster_post_op_gas_limit"),
    *("valid_after", "valid_until", "user_operation_hash", "safe_operation_hash"),
    *("prepared_at", "signed_at"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0014_chain_being_read"),
    ]

    operations = [
        migrations.AddField(
            model_name="safe",
            name="creation_key",
            field=models.UUIDField(
                help_text="of the form that asked for it", null=True, unique=True
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="factory",
            field=onchain.fields.AddressField(
                help_text="empty: the account is on chain", null=True
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="factory_data",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="installs_signer",
            field=models.BooleanField(
                default=False,
                help_text="its calls begin with the passkey's own signer in the place of the shared one",
            ),
        ),
        migrations.AlterField(
            model_name="safe",
            name="layout",
            field=models.CharField(
                choices=[
                    ("direct", "Direct"),
                    ("shared", "Shared"),
                    ("imported", "Made elsewhere"),
                ],
                default="direct",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="safe",
            name="setup_data",
            field=models.BinaryField(
                help_text="call data of Safe.setup, fixes the address; empty: not known"
            ),
        ),
        guard(COLUMNS),
    ]
