"""A recovery is looked at until its end is deep."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0032_module_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="accountclaim",
            name="done_block",
            field=models.PositiveBigIntegerField(
                help_text="the newest block when it was done", null=True
            ),
        ),
        migrations.AddField(
            model_name="accountclaim",
            name="is_settled",
            field=models.BooleanField(
                default=False, help_text="done, and so deep that no reorg takes it back"
            ),
        ),
    ]
