"""Users, credentials, enrolment links and open ceremonies."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Enrolment",
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
                        help_text="SHA-256 of the link's token.",
                        max_length=32,
                        unique=True,
                    ),
                ),
                ("operator_name", models.CharField(max_length=64)),
                (
                    "is_replacement",
                    models.BooleanField(
                        default=False,
                        help_text="Ends the operator's old key and sessions when used.",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "expires_at",
                    models.DateTimeField(
                        help_text="15 minutes after the link was printed."
                    ),
                ),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="User",
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
                    "user_handle",
                    accounts.fields.BytesField(
                        help_text="64 random bytes; WebAuthn's user.id.",
                        max_length=64,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="Generated for people, chosen on the terminal for operators.",
                        max_length=64,
                        unique=True,
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="An operator: may look at everything in the admin.",
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "session_epoch",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Adding one ends every session of this user.",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length("user_handle"), 64
                        ),
                        name="accounts_user_handle_width",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Ceremony",
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
                    "challenge",
                    accounts.fields.BytesField(
                        help_text="64 random bytes.", max_length=64, unique=True
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("registration", "Registration"),
                            ("authentication", "Authentication"),
                            ("enrolment", "Operator's enrolment"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "session_hash",
                    accounts.fields.BytesField(
                        help_text="SHA-256 of the session key that began it.",
                        max_length=32,
                    ),
                ),
                (
                    "user_handle",
                    accounts.fields.BytesField(
                        blank=True,
                        help_text="The handle that a new user will get (registration, enrolment).",
                        max_length=64,
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "expires_at",
                    models.DateTimeField(
                        db_index=True,
                        help_text="Five minutes later, by the database's clock (R55).",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who was signed in when it began; empty for a stranger.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.enrolment",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ceremonies",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Credential",
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
                    "credential_id",
                    accounts.fields.BytesField(
                        help_text="16 to 1,023 bytes, chosen by the key.",
                        max_length=1023,
                        unique=True,
                    ),
                ),
                (
                    "public_key_x",
                    accounts.fields.BytesField(
                        help_text="32 bytes, big-endian, P-256.", max_length=32
                    ),
                ),
                (
                    "public_key_y",
                    accounts.fields.BytesField(
                        help_text="32 bytes, big-endian, P-256.", max_length=32
                    ),
                ),
                (
                    "aaguid",
                    models.UUIDField(
                        help_text="The provider's model number, unverified."
                    ),
                ),
                (
                    "transports",
                    models.JSONField(
                        default=list,
                        help_text="The browser's hints, e.g. internal, hybrid, usb.",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=64)),
                (
                    "backup_eligible",
                    models.BooleanField(help_text="BE flag: the key may be synced."),
                ),
                (
                    "backup_state",
                    models.BooleanField(help_text="BS flag: the key is synced now."),
                ),
                (
                    "sign_count",
                    models.PositiveBigIntegerField(
                        help_text="uint32 of the last assertion; 0 where the key keeps no counter."
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_key_x", "public_key_y"),
                        name="accounts_credential_public_key_once",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.GreaterThanOrEqual(
                            django.db.models.functions.text.Length("credential_id"), 16
                        ),
                        name="accounts_credential_id_width",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length("public_key_x"), 32
                        ),
                        name="accounts_credential_x_width",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length("public_key_y"), 32
                        ),
                        name="accounts_credential_y_width",
                    ),
                ],
            },
        ),
    ]
