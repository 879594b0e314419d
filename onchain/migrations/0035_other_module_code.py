"""When a recovery module was found to have other code than was confirmed."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0034_recovery_drills"),
    ]

    operations = [
        migrations.AddField(
            model_name="modulecode",
            name="changed_at",
            field=models.DateTimeField(
                help_text="since when the chain has other code than was confirmed; empty: none",
                null=True,
            ),
        ),
    ]
