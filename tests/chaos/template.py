"""What the template of all programs has imported before the first of them starts."""

from __future__ import annotations

import importlib

import django

django.setup()

for name in (
    "accounts.tasks",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "onchain.management.commands.follow",
    "onchain.tasks",
    "redis",
    "wallet_site.urls",
):
    importlib.import_module(name)
