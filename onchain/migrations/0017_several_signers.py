"""Several people, their roles, their invitations and their changes of owners."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields
from onchain.migrations._signed_guard import guard, unguard

# What a person signs of an operation, since owners can be swapped and removed.
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
    *("prepared_at", "signed_at"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_events_of_owners"),
        ("onchain", "0016_accounts_from_elsewhere"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Contact",
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
                ("address", onchain.fields.AddressField()),
                ("name", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Formation",
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
                    "creation_key",
                    models.UUIDField(help_text="of the form", unique=True),
                ),
                ("name", models.CharField(max_length=60)),
                ("threshold", models.PositiveSmallIntegerField()),
                ("salt_nonce", onchain.fields.Uint256Field(default=0)),
                (
                    "network_hash",
                    onchain.fields.Bytes32Field(
                        help_text="keyed hash of where it was opened from, for two days",
                        null=True,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Forming"),
                            ("created", "Created"),
                            ("cancelled", "Given up"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
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
                    "token_hash",
                    onchain.fields.Bytes32Field(
                        help_text="SHA-256 of the link's token", unique=True
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("approver", "Approver"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="whom it is for, as invited", max_length=60
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("public_key_x", onchain.fields.Uint256Field(null=True)),
                ("public_key_y", onchain.fields.Uint256Field(null=True)),
                (
                    "address",
                    onchain.fields.AddressField(
                        help_text="the passkey's signer proxy, or the wallet's own",
                        null=True,
                    ),
                ),
                ("accepted_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Waiting to be accepted"),
                            ("accepted", "Accepted"),
                            ("confirmed", "Confirmed"),
                            ("revoked", "Revoked"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
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
                        choices=[
                            ("owner", "Owner"),
                            ("approver", "Approver"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
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
                ("day", models.DateField(help_text="of UTC")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Seat",
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
                ("position", models.PositiveSmallIntegerField(help_text="from 0")),
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
                    "address",
                    onchain.fields.AddressField(
                        help_text="a wallet's or a contract's", null=True
                    ),
                ),
                (
                    "is_proof_waived",
                    models.BooleanField(
                        default=False,
                        help_text="somebody took it on them that this address can sign",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="WalletProof",
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
                    "address",
                    onchain.fields.AddressField(
                        help_text="the wallet's or the contract's"
                    ),
                ),
                ("nonce", onchain.fields.Bytes32Field(unique=True)),
                (
                    "text",
                    models.TextField(
                        help_text="exactly what the wallet shows and signs"
                    ),
                ),
                ("signature", models.BinaryField(null=True)),
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
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="operationsignature",
            name="onchain_operationsignature_one_per_owner",
        ),
        migrations.AddField(
            model_name="operationsignature",
            name="voided_at",
            field=models.DateTimeField(
                help_text="when its owner was removed: it never counts again", null=True
            ),
        ),
        migrations.AddField(
            model_name="owner",
            name="holder",
            field=models.ForeignKey(
                help_text="who proved to hold this wallet; a passkey's person is its own",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="held_owners",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="cancels",
            field=models.ForeignKey(
                help_text="the operation whose nonce this one uses up, doing nothing",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cancellations",
                to="onchain.useroperation",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="is_proof_waived",
            field=models.BooleanField(
                default=False,
                help_text="somebody took it on them that the new owner can sign",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="period_seconds",
            field=models.PositiveIntegerField(
                help_text="how long several people may sign it; empty: one signs",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="previous",
            field=onchain.fields.AddressField(
                help_text="what stands before that in the account's linked list",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="removed",
            field=onchain.fields.AddressField(
                help_text="the owner or the module that goes", null=True
            ),
        ),
        migrations.AlterField(
            model_name="safe",
            name="status",
            field=models.CharField(
                choices=[
                    ("forming", "Forming"),
                    ("queued", "Queued"),
                    ("broadcast", "Broadcast"),
                    ("deployed", "Live"),
                    ("failed", "Failed"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        unguard(),
        migrations.AlterField(
            model_name="useroperation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("payment", "Payment"),
                    ("add-passkey", "Add a passkey"),
                    ("add-wallet", "Add a wallet address"),
                    ("swap-owner", "Replace an owner"),
                    ("remove-owner", "Remove an owner"),
                    ("change-threshold", "Change how many must approve"),
                    ("disable-module", "Remove a module"),
                    ("remove-guard", "Remove the guard"),
                    ("reset-handler", "Put the fallback handler back"),
                    ("cancel", "Cancel for certain"),
                ],
                default="payment",
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="useroperation",
            name="new_signer",
            field=onchain.fields.AddressField(
                help_text="the new owner: a passkey's signer proxy, a wallet or a contract",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="operationsignature",
            constraint=models.UniqueConstraint(
                condition=models.Q(("voided_at", None)),
                fields=("operation", "owner"),
                name="onchain_operationsignature_one_per_owner",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="onchain.safe",
            ),
        ),
        migrations.AddField(
            model_name="formation",
            name="chain",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="formations",
                to="onchain.chain",
            ),
        ),
        migrations.AddField(
            model_name="formation",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="formations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="formation",
            name="safe",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="formation",
                to="onchain.safe",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accepted_invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="confirmed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="confirmed_invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="credential",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="accounts.credential",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="key_proof",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="onchain.keyproof",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="safe",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="onchain.safe",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="invitation",
            field=models.ForeignKey(
                help_text="whose accepted key becomes an owner",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="operations",
                to="onchain.invitation",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="given_memberships",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="onchain.safe",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="operation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to="onchain.useroperation",
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="sent_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sent_reminders",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reminders",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="seat",
            name="credential",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="seats",
                to="accounts.credential",
            ),
        ),
        migrations.AddField(
            model_name="seat",
            name="formation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="seats",
                to="onchain.formation",
            ),
        ),
        migrations.AddField(
            model_name="seat",
            name="holder",
            field=models.ForeignKey(
                help_text="the person who confirms; empty: nobody holds this wallet yet",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="seats",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="seat",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="invitation",
                to="onchain.seat",
            ),
        ),
        migrations.AddField(
            model_name="walletproof",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="wallet_proofs",
                to="onchain.safe",
            ),
        ),
        migrations.AddField(
            model_name="walletproof",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="wallet_proofs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="wallet_proof",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="onchain.walletproof",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                fields=("safe", "address"), name="onchain_contact_one_per_address"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("safe", "user"),
                name="onchain_membership_one_per_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("user", "day"), name="onchain_reminder_one_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(
                fields=("formation", "position"), name="onchain_seat_one_per_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(
                condition=models.Q(("credential__isnull", False)),
                fields=("formation", "credential"),
                name="onchain_seat_one_per_passkey",
            ),
        ),
        migrations.AddConstraint(
            model_name="seat",
            constraint=models.UniqueConstraint(
                condition=models.Q(("address__isnull", False)),
                fields=("formation", "address"),
                name="onchain_seat_one_per_address",
            ),
        ),
        migrations.AddIndex(
            model_name="walletproof",
            index=models.Index(
                fields=["safe", "address", "role", "status"],
                name="onchain_wal_safe_id_416b3d_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("safe__isnull", False), ("seat__isnull", False), _connector="XOR"
                ),
                name="onchain_invitation_to_one_thing",
            ),
        ),
        guard(COLUMNS),
    ]
