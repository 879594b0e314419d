"""The Latchkey site: settings, URLs, and the processes that serve it."""

from __future__ import annotations

from wallet_site.celery import app as celery_app

__all__ = ("celery_app",)
