"""Ether that accounts received."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0012_signed_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Transfer",
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
                ("sender", onchain.fields.AddressField()),
                ("value_wei", onchain.fields.Uint256Field()),
                ("transaction_hash", onchain.fields.Bytes32Field()),
                (
                    "log_index",
                    models.PositiveIntegerField(
                        help_text="of the log in its block; empty: the transaction itself",
                        null=True,
                    ),
                ),
                ("block_number", models.PositiveBigIntegerField()),
                ("received_at", models.DateTimeField(help_text="the block's time")),
            ],
            options={
                "ordering": ["-received_at", "-pk"],
            },
        ),
        migrations.AddIndex(
            model_name="safe",
            index=models.Index(
                condition=models.Q(("synced_at_block__isnull", True)),
                fields=["chain"],
                name="onchain_safe_unknown_balance",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="chain",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="onchain.chain",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="safe",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="received_transfers",
                to="onchain.safe",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["safe", "-received_at"], name="onchain_tra_safe_id_1b165c_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["chain", "block_number"], name="onchain_tra_chain_i_6a230e_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(
                fields=("chain", "transaction_hash", "log_index"),
                name="onchain_transfer_one_per_log",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("log_index__isnull", True)),
                fields=("chain", "transaction_hash"),
                name="onchain_transfer_one_per_transaction",
            ),
        ),
    ]
