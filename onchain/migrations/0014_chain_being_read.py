"""How far the chain was read, and what is wrong with its nodes."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("onchain", "0013_received_transfers"),
    ]

    operations = [
        migrations.AddField(
            model_name="chain",
            name="agreed_number",
            field=models.PositiveBigIntegerField(
                help_text="confirmed block that both nodes have; empty: there is one node",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="chain",
            name="agreement_problem",
            field=models.CharField(
                blank=True,
                help_text="the two nodes say different things",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="chain",
            name="catch_up_from",
            field=models.PositiveBigIntegerField(
                help_text="block at which catching up began; empty: up to date",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="chain",
            name="contracts_problem",
            field=models.CharField(
                blank=True,
                help_text="contracts are not the pinned ones",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="chain",
            name="newest_number",
            field=models.PositiveBigIntegerField(
                help_text="the node's newest block when blocks were last read",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="chain",
            name="node_problem",
            field=models.CharField(
                blank=True,
                help_text="the node is on another chain, or stale",
                max_length=200,
            ),
        ),
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
                    ("second-node", "Second node"),
                ],
                max_length=12,
            ),
        ),
    ]
