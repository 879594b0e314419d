"""Recovery set-ups that the follower is to read are found by an index."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0025_recovery"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="recoverysetup",
            index=models.Index(
                condition=models.Q(("read_block__isnull", True)),
                fields=["safe"],
                name="onchain_recovery_unread",
            ),
        ),
    ]
