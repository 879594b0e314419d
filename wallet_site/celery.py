"""The Celery app and the one list of periodic work."""

from __future__ import annotations

import logging.config
import os

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django_structlog.celery.steps import DjangoStructLogInitStep

from wallet_site import broker
from wallet_site.checks import require_safe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wallet_site.settings")
broker.install()
app = Celery("latchkey")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
app.conf.beat_schedule = {
    "sweep": {
        "task": "onchain.tasks.sweep",
        "schedule": settings.SWEEP_SECONDS,
        # A sweep that could not run in time is worthless: the next one does its work.
        "options": {"expires": settings.SWEEP_SECONDS * 2},
    },
    "send-mails": {
        "task": "accounts.tasks.send_mails",
        "schedule": settings.SWEEP_SECONDS,
        "options": {"expires": settings.SWEEP_SECONDS * 2},
    },
    "change-addresses": {"task": "accounts.tasks.change_addresses", "schedule": 60},
    "remind-of-rehearsals": {
        "task": "onchain.recovery_tasks.remind_of_rehearsals",
        "schedule": 3600,
    },
    "clean-up": {"task": "onchain.tasks.clean_up", "schedule": 3600},  # seconds
    "clean-up-accounts": {"task": "accounts.tasks.clean_up", "schedule": 3600},
}


@setup_logging.connect
def log_as_django(**_: object) -> None:
    """Worker and beat log like the site; Celery's own set-up stays out of it."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def refuse_unsafe_start(**_: object) -> None:
    """Celery ignores what Django's system checks find, and errors of its signals."""
    try:
        require_safe_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
