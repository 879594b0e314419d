"""What people were told of a recovery stands in its row."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0027_recovery_claims"),
    ]

    operations = [
        migrations.AddField(
            model_name="recoveryrequest",
            name="told_at",
            field=models.DateTimeField(
                help_text="when they last heard of it", null=True
            ),
        ),
        migrations.AddField(
            model_name="recoveryrequest",
            name="told_people",
            field=models.JSONField(
                default=list, help_text="keys of those who heard that it began"
            ),
        ),
        migrations.AddField(
            model_name="recoveryrequest",
            name="told_status",
            field=models.CharField(
                blank=True,
                help_text="in which state people last heard of it",
                max_length=10,
            ),
        ),
    ]
