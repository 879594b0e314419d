"""App configurations: the site, our admin, and which static sources stay home."""

from __future__ import annotations

import gc

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.contrib.staticfiles import apps as staticfiles
from django.core.checks import register

from wallet_site.checks import safe_start


class WalletSiteConfig(AppConfig):
    """The site itself: what INSTALLED_APPS means by ``wallet_site``."""

    name = "wallet_site"
    default = True

    def ready(self) -> None:
        """Let every management command refuse an unsafe start."""
        register(safe_start)
        gc.freeze()  # what is there by now stays: no need to look at it ever again


class AdminConfig(admin.AdminConfig):
    """Django's admin, opened with a passkey instead of a password."""

    default = False
    default_site = "wallet_site.console.Console"


class StaticFilesConfig(staticfiles.StaticFilesConfig):
    """Leave the stylesheet's source out of what is collected and served."""

    ignore_patterns = [
        *staticfiles.StaticFilesConfig.ignore_patterns,
        "source.css",
        "screenshot.png",  # the README's
    ]
