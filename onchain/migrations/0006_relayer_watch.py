"""The relayer as a component, and what fills a gap in its nonces."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0005_relayer_attempts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="heartbeat",
            name="component",
            field=models.CharField(
                choices=[
                    ("node", "Node"),
                    ("bundler", "Bundler"),
                    ("follower", "Follower"),
                    ("worker", "Worker"),
                    ("relayer", "Relayer"),
                ],
                max_length=12,
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
                ],
                max_length=8,
            ),
        ),
    ]
