"""Sessions of our own, alerts by e-mail, step-ups, and more about each passkey.

SQLite rebuilds the table of credentials here, which drops its guard (0002).
"""

from __future__ import annotations

import uuid
from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.fields

guard = import_module("accounts.migrations.0002_credential_key_guard")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_credential_key_guard"),
    ]

    operations = [
        migrations.AddField(
            model_name="ceremony",
            name="action",
            field=models.CharField(
                blank=True, help_text="What a step-up confirms (R14).", max_length=32
            ),
        ),
        migrations.AddField(
            model_name="ceremony",
            name="target",
            field=models.CharField(
                blank=True,
                help_text="On what: a primary key or an address.",
                max_length=254,
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="flags",
            field=models.PositiveSmallIntegerField(
                help_text="Flags byte of the last authenticator data it made.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="last_signed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When it last signed something for the chain.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="removed_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Signs in no longer; kept, because an account on chain still has it.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="ceremony",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("registration", "Registration"),
                    ("authentication", "Authentication"),
                    ("enrolment", "Operator's enrolment"),
                    ("addition", "Another passkey"),
                    ("step-up", "Confirmation of one action"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="credential",
            name="name",
            field=models.CharField(
                blank=True,
                help_text="Chosen by the person; empty: unnamed.",
                max_length=64,
            ),
        ),
        migrations.CreateModel(
            name="EmailAddress",
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
                ("address", models.EmailField(max_length=254)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting for you to open the link"),
                            ("waiting", "Verified, takes effect later"),
                            ("active", "Gets the alerts"),
                            ("ended", "No longer used"),
                            ("cancelled", "Called off"),
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
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "effective_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When a verified address takes over (R61).",
                        null=True,
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When an active address stops (R61).",
                        null=True,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="email_addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="KnownBrowser",
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
                (
                    "token_hash",
                    accounts.fields.BytesField(
                        help_text="SHA-256 of the cookie.", max_length=32
                    ),
                ),
                ("browser", models.CharField(blank=True, max_length=80)),
                ("first_seen_at", models.DateTimeField(auto_now_add=True)),
                ("last_seen_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="known_browsers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-last_seen_at"],
            },
        ),
        migrations.CreateModel(
            name="SecurityEvent",
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
                (
                    "kind",
                    models.CharField(
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
                            (
                                "email-kept",
                                "A change of the e-mail address was called off",
                            ),
                            ("owner-added", "An account has another owner"),
                        ],
                        max_length=24,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200)),
                (
                    "browser",
                    models.CharField(
                        blank=True, help_text="Where it was done.", max_length=80
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="security_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="OutgoingMail",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("verify", "Verify this address"),
                            ("event", "A security event"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                        ],
                        db_index=True,
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "to",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="accounts.emailaddress",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.securityevent",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        help_text="Names the session in pages.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "key_hash",
                    accounts.fields.BytesField(
                        help_text="SHA-256 of the cookie's key.",
                        max_length=32,
                        unique=True,
                    ),
                ),
                (
                    "data",
                    models.TextField(
                        help_text="Signed JSON, as Django's sessions have it."
                    ),
                ),
                (
                    "is_cross_device",
                    models.BooleanField(
                        default=False,
                        help_text="Signed in with a passkey of another device.",
                    ),
                ),
                (
                    "browser",
                    models.CharField(
                        blank=True, help_text="e.g. Firefox on Linux.", max_length=80
                    ),
                ),
                ("signed_in_at", models.DateTimeField(null=True)),
                ("last_seen_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "credential",
                    models.ForeignKey(
                        help_text="The passkey that signed in.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-last_seen_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="emailaddress",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")),
                fields=("user",),
                name="accounts_emailaddress_one_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="emailaddress",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["pending", "waiting"])),
                fields=("user",),
                name="accounts_emailaddress_one_on_its_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="knownbrowser",
            constraint=models.UniqueConstraint(
                fields=("user", "token_hash"),
                name="accounts_knownbrowser_once_per_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="outgoingmail",
            constraint=models.UniqueConstraint(
                condition=models.Q(("event__isnull", False)),
                fields=("to", "event"),
                name="accounts_outgoingmail_event_once_per_address",
            ),
        ),
        migrations.RunPython(guard.add_guard, guard.add_guard),
    ]
