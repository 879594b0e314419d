"""Contracts' signatures of operations, which count once the chain was asked."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onchain", "0021_threshold_before")]

    operations = [
        migrations.AddField(
            model_name="operationsignature",
            name="is_checked",
            field=models.BooleanField(
                default=True,
                help_text="no: a contract's, and the chain was not asked yet",
            ),
        ),
        migrations.AlterField(
            model_name="operationsignature",
            name="voided_at",
            field=models.DateTimeField(
                help_text="when its owner was removed, or refused it: it never counts "
                "again",
                null=True,
            ),
        ),
    ]
