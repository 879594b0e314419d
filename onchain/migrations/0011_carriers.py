from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0010_relayer_budgets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="relayertransaction",
            name="operation",
            field=models.ForeignKey(
                help_text="what it carries to the EntryPoint",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="relayer_transactions",
                to="onchain.useroperation",
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="carrier",
            field=models.CharField(
                blank=True,
                choices=[
                    ("bundler", "Bundler"),
                    ("second", "Second bundler"),
                    ("relayer", "This site's relayer"),
                ],
                help_text="who has it to bring it on",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="useroperation",
            name="handed_at",
            field=models.DateTimeField(
                help_text="to its carrier, last time", null=True
            ),
        ),
        migrations.AlterField(
            model_name="relayertransaction",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("deploy", "Deploy accounts"),
                    ("faucet", "Test ETH"),
                    ("fill", "Fill a gap of nonces"),
                    ("carry", "Carry an operation"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="useroperation",
            name="attempted_at",
            field=models.DateTimeField(
                help_text="last try to submit; empty: try at once", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="relayertransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["queued", "signed", "broadcast"])),
                fields=("operation",),
                name="onchain_relayertransaction_one_for_an_operation",
            ),
        ),
    ]
