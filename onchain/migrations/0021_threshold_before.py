"""What an owner change began from, and the modules' order, in which they are linked."""

from __future__ import annotations

import importlib

from django.db import migrations, models

from onchain.migrations._signed_guard import guard

BEFORE = importlib.import_module("onchain.migrations.0019_first_signatures").COLUMNS
COLUMNS = (*BEFORE, "threshold_before")


class Migration(migrations.Migration):
    dependencies = [("onchain", "0020_unread_owners")]

    operations = [
        migrations.AddField(
            model_name="useroperation",
            name="threshold_before",
            field=models.PositiveSmallIntegerField(
                help_text="how many had to approve when this was asked for", null=True
            ),
        ),
        migrations.AddField(
            model_name="foreignconfiguration",
            name="modules",
            field=models.JSONField(
                default=list, help_text="all of them, in the account's own order"
            ),
        ),
        guard(COLUMNS, first="first_signed_at"),
    ]
