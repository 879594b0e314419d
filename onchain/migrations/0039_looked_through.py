"""Who got an account back looks once at what stayed."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0038_drill_reminders"),
    ]

    operations = [
        migrations.AddField(
            model_name="accountclaim",
            name="looked_through_at",
            field=models.DateTimeField(
                help_text="when its claimant said that they looked at what stayed",
                null=True,
            ),
        ),
    ]
