"""The Celery app and the one list of periodic work."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wallet_site.settings")
app = Celery("latchkey")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "sweep": {
        "task": "onchain.tasks.sweep",
        "schedule": settings.SWEEP_SECONDS,
        # A sweep that could not run in time is worthless: the next one does its work.
        "options": {"expires": settings.SWEEP_SECONDS * 2},
    },
}
