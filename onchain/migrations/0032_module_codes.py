"""Operators confirm the code of recovery modules."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onchain.fields


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0031_recovery_lookups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ModuleCode",
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
                    "code_hash",
                    onchain.fields.Bytes32Field(
                        help_text="keccak-256 of its code, from both nodes"
                    ),
                ),
                (
                    "confirmed_at",
                    models.DateTimeField(
                        help_text="empty: accounts are not given this module yet",
                        null=True,
                    ),
                ),
                ("read_at", models.DateTimeField(auto_now_add=True)),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="module_codes",
                        to="onchain.chain",
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        help_text="the operator; empty: nobody, or at the server's own console",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("chain", "module"),
                        name="onchain_modulecode_one_per_module",
                    )
                ],
            },
        ),
    ]
