"""When the first of several signed, since that is what fixes an operation."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from onchain.migrations._signed_guard import guard

# What the first signature fixes; ``signed_at`` is written with the last one.
COLUMNS = (
    *("id", "safe_id", "created_by_id", "predecessor_id", "idempotency_key"),
    *("kind", "recipient", "value_wei"),
    *("new_credential_id", "new_signer", "new_threshold", "invitation_id"),
    *("removed", "previous", "is_proof_waived", "cancels_id", "period_seconds"),
    *("nonce_key", "nonce_sequence", "call_data"),
    *("installs_signer", "factory", "factory_data"),
    *("call_gas_limit", "verification_gas_limit", "pre_verification_gas"),
    *("max_fee_per_gas", "max_priority_fee_per_gas"),
    *("paymaster", "paymaster_data"),
    *("paymaster_verification_gas_limit", "paymaster_post_op_gas_limit"),
    *("valid_after", "valid_until", "user_operation_hash", "safe_operation_hash"),
    *("prepared_at", "first_signed_at"),
)


def fill(apps: Any, _schema_editor: Any) -> None:
    """Write when the signatures that are there already began."""
    operations = apps.get_model("onchain", "UserOperation").objects.order_by()
    rows = apps.get_model("onchain", "OperationSignature").objects.order_by()
    first = (
        rows.filter(operation=OuterRef("pk"))
        .values("operation")
        .annotate(first=Min("created_at"))
        .values("first")
    )
    operations.update(first_signed_at=Coalesce(Subquery(first), "signed_at"))


class Migration(migrations.Migration):
    dependencies = [("onchain", "0018_second_bundler_and_newcomers")]

    operations = [
        migrations.AddField(
            model_name="useroperation",
            name="first_signed_at",
            field=models.DateTimeField(
                help_text="when the first of several owners signed; fixed from then on",
                null=True,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        guard(COLUMNS, first="first_signed_at"),
    ]
