"""Live accounts whose owners are to be read are found without a look at all."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onchain", "0019_first_signatures")]

    operations = [
        migrations.RemoveIndex(model_name="safe", name="onchain_saf_status_b8bb99_idx"),
        migrations.AddIndex(
            model_name="safe",
            index=models.Index(
                condition=models.Q(("owners_synced_block__isnull", True)),
                fields=["chain", "status"],
                name="onchain_safe_unread_owners",
            ),
        ),
    ]
