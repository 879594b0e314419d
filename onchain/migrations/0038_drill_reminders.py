"""When owners were reminded to rehearse a recovery."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0037_recovery_nicknames"),
    ]

    operations = [
        migrations.AddField(
            model_name="recoverysetup",
            name="active_since",
            field=models.DateTimeField(
                help_text="when it was last seen to become able to recover", null=True
            ),
        ),
        migrations.AddField(
            model_name="safe",
            name="rehearsal_reminded_at",
            field=models.DateTimeField(
                help_text="when its owners last heard that nobody rehearses recovery",
                null=True,
            ),
        ),
    ]
