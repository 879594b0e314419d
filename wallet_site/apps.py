"""App configurations: our admin site, and which static sources stay home."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig as DjangoStaticFilesConfig


class AdminConfig(DjangoAdminConfig):
    """Django's admin, opened with a passkey instead of a password."""

    default_site = "accounts.admin_site.PasskeyAdminSite"


class StaticFilesConfig(DjangoStaticFilesConfig):
    """Leave the stylesheet's source out of what is collected and served."""

    ignore_patterns = [*DjangoStaticFilesConfig.ignore_patterns, "source.css"]
