"""Live accounts whose owners are to be read are found without looking at the others."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onchain", "0003_owners_read_from_chain")]

    operations = [
        migrations.AddIndex(
            model_name="safe",
            index=models.Index(
                fields=["status", "owners_synced_block"],
                name="onchain_saf_status_b8bb99_idx",
            ),
        ),
    ]
