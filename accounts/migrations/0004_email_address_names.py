"""The words for e-mail addresses, one and many."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sessions_email_and_step_ups"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="emailaddress",
            options={
                "ordering": ["-pk"],
                "verbose_name": "e-mail address",
                "verbose_name_plural": "e-mail addresses",
            },
        ),
    ]
