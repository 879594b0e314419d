"""People without a wallet here agree to be warned by mail."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_events_of_recoveries"),
    ]

    operations = [
        migrations.CreateModel(
            name="Outsider",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("address", models.EmailField(max_length=254)),
                (
                    "about",
                    models.CharField(
                        help_text="Of what, in words of the mails.", max_length=160
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Has yet to agree"),
                            ("active", "Is warned"),
                            ("declined", "Does not want to be warned"),
                            ("ended", "No longer warned"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "token_hash",
                    accounts.fields.BytesField(
                        blank=True,
                        help_text="SHA-256 of the link's token; empty: none is out.",
                        max_length=32,
                        null=True,
                        unique=True,
                    ),
                ),
                ("token_expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="detail",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="notice",
            field=models.CharField(
                blank=True,
                choices=[
                    ("recovery-began", "A recovery has begun"),
                    ("recovery-waits", "A recovery still waits for its end"),
                    ("recovery-ended", "A recovery has ended"),
                    ("contact-ended", "You are no longer an alert contact"),
                ],
                help_text="To an outsider.",
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("verify", "Verify this address"),
                    ("event", "A security event"),
                    ("ask", "Ask whether to warn"),
                    ("notice", "A warning"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mails",
                to="accounts.emailaddress",
            ),
        ),
        migrations.AlterField(
            model_name="securityevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("passkey-added", "A passkey was added"),
                    ("passkey-removed", "A passkey was removed"),
                    ("new-browser", "A sign-in from a new browser"),
                    ("counter-went-back", "A passkey's counter went back"),
                    (
                        "eligibility-changed",
                        "A passkey changed whether it can be synced",
                    ),
                    ("signed-out-everywhere", "Other sessions were ended"),
                    ("email-asked", "A new e-mail address was verified"),
                    ("email-changed", "The e-mail address changed"),
                    ("email-removed", "The e-mail address is to be removed"),
                    ("email-kept", "A change of the e-mail address was called off"),
                    ("owner-added", "An account has another owner"),
                    ("owner-removed", "An account lost an owner"),
                    ("threshold-changed", "How many must approve was changed"),
                    ("invitation-accepted", "Your invitation was accepted"),
                    ("approval-asked", "Your approval is asked for"),
                    ("recovery-began", "A recovery has begun"),
                    ("recovery-waits", "A recovery still waits for its end"),
                    ("recovery-ended", "A recovery has ended"),
                    ("alert-contact", "Who is warned of recoveries was changed"),
                ],
                max_length=24,
            ),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="outsider",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mails",
                to="accounts.outsider",
            ),
        ),
        migrations.AddConstraint(
            model_name="outgoingmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outsider__isnull", False), ("to__isnull", True)),
                    models.Q(("outsider__isnull", True), ("to__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_outgoingmail_one_recipient",
            ),
        ),
    ]
