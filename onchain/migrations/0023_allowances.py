"""What an account's allowance modules let others spend, each for itself."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("onchain", "0022_contract_answers")]

    operations = [
        migrations.AddField(
            model_name="foreignconfiguration",
            name="allowances",
            field=models.JSONField(
                default=list, help_text="what its allowance modules let others spend"
            ),
        ),
        migrations.AddField(
            model_name="foreignconfiguration",
            name="has_all_allowances",
            field=models.BooleanField(
                default=False, help_text="no: there are more, or a module did not say"
            ),
        ),
    ]
