"""The operators' console: Django's admin, opened with a passkey."""

from __future__ import annotations

from django.contrib import admin


class PasskeyAdminSite(admin.AdminSite):
    """The admin without passwords."""
