"""Which fields of the longer rows stand together on their pages in the console."""

from __future__ import annotations

from typing import Any

SAFE_FIELDS: Any = [
    (
        None,
        {
            "fields": [
                "address",
                "name",
                "created_by",
                "chain",
                "state",
                "its_owners",
                "its_operations",
            ]
        },
    ),
    ("Balance", {"fields": ["balance_wei", "synced_at_block"]}),
    (
        "Deployment",
        {
            "fields": [
                "deployment_requested_at",
                "deployment_attempts",
                "failure_code",
                "failure_detail",
                "deployment_transaction",
                "deployed_block",
                "noticed_block",
                "created_at",
            ]
        },
    ),
    ("Owners", {"fields": ["threshold", "owners_synced_block"]}),
    ("Setup", {"fields": ["layout", "salt_nonce", "verifiers"]}),
]

OPERATION_FIELDS: Any = [
    (
        None,
        {
            "fields": [
                "safe",
                "kind",
                "value_wei",
                "recipient",
                "state",
                "carrier",
                "last_problem",
            ]
        },
    ),
    ("Set-up", {"fields": ["installs_signer", "factory"]}),
    (
        "Change of owners",
        {
            "fields": [
                "new_credential",
                "new_signer",
                "new_threshold",
                "threshold_before",
                "invitation",
                "is_proof_waived",
                "removed",
                "previous",
                "cancels",
                "period_seconds",
            ]
        },
    ),
    ("Failure", {"fields": ["failure_code", "failure_detail"]}),
    (
        "On chain",
        {
            "fields": [
                "transaction_hash",
                "block_number",
                "actual_gas_cost_wei",
                "actual_gas_used",
            ]
        },
    ),
    (
        "Identity",
        {
            "fields": [
                "user_operation_hash",
                "safe_operation_hash",
                "nonce_key",
                "nonce_sequence",
                "created_by",
                "its_signatures",
                "predecessor",
            ]
        },
    ),
    (
        "Fee",
        {
            "fields": [
                "payer",
                "unsponsored_reason",
                "paymaster",
                "max_cost",
                "max_fee_per_gas",
                "max_priority_fee_per_gas",
                "verification_gas_limit",
                "call_gas_limit",
                "pre_verification_gas",
                "paymaster_verification_gas_limit",
                "paymaster_post_op_gas_limit",
            ]
        },
    ),
    (
        "Times",
        {
            "fields": [
                "created_at",
                "prepared_at",
                "first_signed_at",
                "signed_at",
                "submitted_at",
                "handed_at",
                "attempted_at",
                "included_at",
                "valid_after",
                "valid_until",
            ]
        },
    ),
]
