from __future__ import annotations

from django.db import migrations

from onchain.migrations._signed_guard import guard

COLUMNS = (
    *("id", "safe_id", "created_by_id", "predecessor_id", "idempotency_key"),
    *("kind", "recipient", "value_wei"),
    *("new_credential_id", "new_signer", "new_threshold"),
    *("nonce_key", "nonce_sequence", "call_data"),
    *("call_gas_limit", "verification_gas_limit", "pre_verification_gas"),
    *("max_fee_per_gas", "max_priority_fee_per_gas"),
    *("paymaster", "paymaster_data"),
    *("paymaster_verification_gas_limit", "paymaster_post_op_gas_limit"),
    *("valid_after", "valid_until", "user_operation_hash", "safe_operation_hash"),
    *("prepared_at", "signed_at"),
)


class Migration(migrations.Migration):
    dependencies = [("onchain", "0011_carriers")]

    operations = [guard(COLUMNS)]
